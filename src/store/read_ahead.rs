//! Reading ahead: the statements of the last time are sent together with the first statement, so that a read of many
//! levels needs one round trip. All statements of a read transaction see the same state, so their order does not
//! matter.

use std::sync::Arc;

use super::error::{Result, StoreError};
use super::session::{Columns, RowVisitor, Session, StatementRowVisitor};
use crate::domain::{Row, Value, ValueRef};

/// The maximum number of statements that are remembered for one read.
const STATEMENTS: usize = 64;
/// The maximum size of their parameters, in words of eight bytes.
const WORDS: usize = 2048;

/// A statement, with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct RememberedStatement {
    sql: &'static str,
    params: Vec<Value>,
}

impl RememberedStatement {
    fn matches(&self, sql: &'static str, params: &[Value]) -> bool {
        std::ptr::eq(self.sql, sql) && self.params == params
    }

    /// The size of its parameters in words.
    fn words(&self) -> usize {
        let of_bytes = |bytes: usize| 1 + bytes / 8;
        let words = |value: &Value| match value {
            Value::Ids(ids) => ids.len(),
            Value::Texts(texts) => texts.iter().map(|text| of_bytes(text.len())).sum(),
            Value::Text(text) => of_bytes(text.len()),
            Value::Bytes(bytes) => of_bytes(bytes.len()),
            Value::Null | Value::Bool(_) | Value::Int(_) => 1,
        };
        self.params.iter().map(words).sum()
    }
}

/// A session that reads ahead.
pub struct ReadAhead<'a> {
    session: &'a mut dyn Session,
    /// The statements of the last time, until they are sent.
    ahead: Option<Arc<[RememberedStatement]>>,
    found: Vec<(RememberedStatement, Vec<Row>)>,
    statements: Vec<RememberedStatement>,
}

impl<'a> ReadAhead<'a> {
    /// Reads ahead the statements of the last time, if the first statement of this read is among them.
    pub fn new(session: &'a mut dyn Session, ahead: Option<Arc<[RememberedStatement]>>) -> Self {
        Self { session, ahead, found: Vec::new(), statements: Vec::new() }
    }

    /// The statements of this read, to read ahead the next time; `None` if they are too many or too few to help.
    pub fn remembered(self) -> Option<Arc<[RememberedStatement]>> {
        let words: usize = self.statements.iter().map(RememberedStatement::words).sum();
        let is_worthwhile = words <= WORDS && (2..=STATEMENTS).contains(&self.statements.len());
        is_worthwhile.then(|| self.statements.into())
    }

    fn send_ahead(&mut self, sql: &'static str, params: &[Value]) -> Result<()> {
        let Some(ahead) =
            self.ahead.take().filter(|ahead| ahead.iter().any(|statement| statement.matches(sql, params)))
        else {
            return Ok(());
        };
        let queries: Vec<_> = ahead.iter().map(|statement| (statement.sql, statement.params.as_slice())).collect();
        let mut found: Vec<(RememberedStatement, Vec<Row>)> =
            ahead.iter().map(|statement| (statement.clone(), Vec::new())).collect();
        self.session.visit_all_rows(&queries, &mut |at, columns| {
            let (_, rows) = found.get_mut(at).ok_or_else(|| StoreError::Bug("a row of no statement".into()))?;
            rows.push(columns.row()?);
            Ok(())
        })?;
        self.found = found;
        Ok(())
    }

    fn found(&self, sql: &'static str, params: &[Value]) -> Option<&[Row]> {
        self.found.iter().find(|(statement, _)| statement.matches(sql, params)).map(|(_, rows)| rows.as_slice())
    }
}

impl Session for ReadAhead<'_> {
    fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()> {
        self.visit_all_rows(&[(sql, params)], &mut |_, columns| each(columns))
    }

    fn visit_all_rows(
        &mut self,
        queries: &[(&'static str, &[Value])],
        each: &mut StatementRowVisitor<'_>,
    ) -> Result<()> {
        for (sql, params) in queries {
            if self.statements.len() <= STATEMENTS {
                self.statements.push(RememberedStatement { sql, params: params.to_vec() });
            }
            self.send_ahead(sql, params)?;
        }
        let found: Option<Vec<_>> = queries.iter().map(|(sql, params)| self.found(sql, params)).collect();
        let Some(found) = found else { return self.session.visit_all_rows(queries, each) };
        let mut rows = found.into_iter().enumerate().flat_map(|(at, rows)| rows.iter().map(move |row| (at, row)));
        rows.try_for_each(|(at, row)| each(at, &BufferedRow(row)))
    }

    fn execute(&mut self, _: &'static str, _: &[Value]) -> Result<u64> {
        Err(StoreError::Bug("a read changes rows".into()))
    }
}

/// A row that was read ahead.
struct BufferedRow<'a>(&'a Row);

impl Columns for BufferedRow<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn get(&self, at: usize) -> Result<ValueRef<'_>> {
        let value = self.0.get(at).and_then(Value::borrowed);
        value.ok_or_else(|| StoreError::Bug(format!("there is no column {at}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers each statement with its parameters, and counts round trips.
    #[derive(Default)]
    struct FakeServer {
        trips: usize,
    }

    impl Session for FakeServer {
        fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()> {
            self.visit_all_rows(&[(sql, params)], &mut |_, columns| each(columns))
        }

        fn visit_all_rows(
            &mut self,
            queries: &[(&'static str, &[Value])],
            each: &mut StatementRowVisitor<'_>,
        ) -> Result<()> {
            self.trips += 1;
            queries.iter().enumerate().try_for_each(|(at, (_, params))| each(at, &BufferedRow(&params.to_vec())))
        }

        fn execute(&mut self, _: &'static str, _: &[Value]) -> Result<u64> {
            Err(StoreError::Bug("nothing is written".into()))
        }
    }

    const LEVELS: [&str; 3] = ["SELECT a", "SELECT b", "SELECT c"];

    /// Reads three levels. The parameters of the last two depend on `from`. Returns the statements and the round trips.
    fn read(ahead: Option<Arc<[RememberedStatement]>>, from: i64) -> (Option<Arc<[RememberedStatement]>>, usize) {
        let mut server = FakeServer::default();
        let mut session = ReadAhead::new(&mut server, ahead);
        for (level, sql) in (0..).zip(LEVELS) {
            let params = [Value::Int(if level == 0 { 0 } else { from + level })];
            let rows = (&mut session as &mut dyn Session).rows(sql, &params).unwrap();
            assert_eq!(rows, [params.to_vec()], "a row is that of its own parameters");
        }
        let statements = session.remembered();
        (statements, server.trips)
    }

    #[test]
    fn remembered_statements_need_one_trip_and_changed_ones_are_sent() {
        let (statements, trips) = read(None, 1);
        assert_eq!(trips, 3);
        assert_eq!(read(statements.clone(), 1), (statements.clone(), 1));
        let (now, trips) = read(statements.clone(), 7);
        assert!(trips == 3 && now != statements, "the first level was right, the others have changed");
        let mut server = FakeServer::default();
        (&mut ReadAhead::new(&mut server, statements) as &mut dyn Session).rows("SELECT d", &[]).unwrap();
        assert_eq!(server.trips, 1, "a read that begins with another statement is not read ahead");
    }

    #[test]
    fn too_few_and_too_many_statements_are_not_remembered() {
        let remembered = |statements: usize, ids: usize| {
            let mut server = FakeServer::default();
            let mut session = ReadAhead::new(&mut server, None);
            for _ in 0..statements {
                let ids: Value = (0..ids as i64).collect();
                session.visit_rows(LEVELS[0], &[ids], &mut |_| Ok(())).unwrap();
            }
            session.remembered().is_some()
        };
        assert!(!remembered(1, 1), "one statement is one trip anyway");
        assert!(remembered(2, 1) && remembered(STATEMENTS, 1) && !remembered(STATEMENTS + 1, 1));
        assert!(remembered(2, WORDS / 2) && !remembered(2, WORDS / 2 + 1));
    }
}
