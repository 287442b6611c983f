//! Reading ahead: what was asked the last time is sent with the first statement, so that a read of many levels makes one
//! round trip. All statements of a transaction that reads see the same state: when a row is asked for makes no difference.

use std::sync::Arc;

use super::error::{Result, StoreError};
use super::session::{Columns, Each, EachOf, Session};
use crate::domain::{Row, Value, ValueRef};

/// The most statements that are remembered of one read.
const STATEMENTS: usize = 64;
/// The most that is remembered of their parameters, in words of eight bytes.
const WORDS: usize = 2048;

/// A statement, with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    sql: &'static str,
    params: Vec<Value>,
}

impl Ask {
    fn is(&self, sql: &'static str, params: &[Value]) -> bool {
        std::ptr::eq(self.sql, sql) && self.params == params
    }

    /// How much is remembered of it.
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
    /// What was asked the last time, until it is sent.
    ahead: Option<Arc<[Ask]>>,
    found: Vec<(Ask, Vec<Row>)>,
    asked: Vec<Ask>,
}

impl<'a> ReadAhead<'a> {
    /// Reads ahead what was asked the last time, if that begins as this read does.
    pub fn new(session: &'a mut dyn Session, ahead: Option<Arc<[Ask]>>) -> Self {
        Self { session, ahead, found: Vec::new(), asked: Vec::new() }
    }

    /// What has been asked, to be read ahead the next time; `None` where that would be too much, or is not worth it.
    pub fn asked(self) -> Option<Arc<[Ask]>> {
        let words: usize = self.asked.iter().map(Ask::words).sum();
        let is_worth_it = words <= WORDS && (2..=STATEMENTS).contains(&self.asked.len());
        is_worth_it.then(|| self.asked.into())
    }

    fn send_ahead(&mut self, sql: &'static str, params: &[Value]) -> Result<()> {
        let Some(ahead) = self.ahead.take().filter(|ahead| ahead.iter().any(|ask| ask.is(sql, params))) else {
            return Ok(());
        };
        let asks: Vec<_> = ahead.iter().map(|ask| (ask.sql, ask.params.as_slice())).collect();
        let mut found: Vec<(Ask, Vec<Row>)> = ahead.iter().map(|ask| (ask.clone(), Vec::new())).collect();
        self.session.scan_all(&asks, &mut |at, columns| {
            let (_, rows) = found.get_mut(at).ok_or_else(|| StoreError::Bug("a row of no statement".into()))?;
            rows.push(columns.row()?);
            Ok(())
        })?;
        self.found = found;
        Ok(())
    }

    fn found(&self, sql: &'static str, params: &[Value]) -> Option<&[Row]> {
        self.found.iter().find(|(ask, _)| ask.is(sql, params)).map(|(_, rows)| rows.as_slice())
    }
}

impl Session for ReadAhead<'_> {
    fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()> {
        self.scan_all(&[(sql, params)], &mut |_, columns| each(columns))
    }

    fn scan_all(&mut self, asks: &[(&'static str, &[Value])], each: &mut EachOf<'_>) -> Result<()> {
        for (sql, params) in asks {
            if self.asked.len() <= STATEMENTS {
                self.asked.push(Ask { sql, params: params.to_vec() });
            }
            self.send_ahead(sql, params)?;
        }
        let found: Option<Vec<_>> = asks.iter().map(|(sql, params)| self.found(sql, params)).collect();
        let Some(found) = found else { return self.session.scan_all(asks, each) };
        let mut rows = found.into_iter().enumerate().flat_map(|(at, rows)| rows.iter().map(move |row| (at, row)));
        rows.try_for_each(|(at, row)| each(at, &Found(row)))
    }

    fn execute(&mut self, _: &'static str, _: &[Value]) -> Result<u64> {
        Err(StoreError::Bug("a read changes something".into()))
    }
}

/// A row that was read ahead.
struct Found<'a>(&'a Row);

impl Columns for Found<'_> {
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
    struct Far {
        trips: usize,
    }

    impl Session for Far {
        fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()> {
            self.scan_all(&[(sql, params)], &mut |_, columns| each(columns))
        }

        fn scan_all(&mut self, asks: &[(&'static str, &[Value])], each: &mut EachOf<'_>) -> Result<()> {
            self.trips += 1;
            asks.iter().enumerate().try_for_each(|(at, (_, params))| each(at, &Found(&params.to_vec())))
        }

        fn execute(&mut self, _: &'static str, _: &[Value]) -> Result<u64> {
            Err(StoreError::Bug("nothing is written".into()))
        }
    }

    const LEVELS: [&str; 3] = ["SELECT a", "SELECT b", "SELECT c"];

    /// Asks on three levels, of which the last two begin with `from`; gives what was asked, and the trips.
    fn read(ahead: Option<Arc<[Ask]>>, from: i64) -> (Option<Arc<[Ask]>>, usize) {
        let mut far = Far::default();
        let mut session = ReadAhead::new(&mut far, ahead);
        for (level, sql) in (0..).zip(LEVELS) {
            let params = [Value::Int(if level == 0 { 0 } else { from + level })];
            let rows = (&mut session as &mut dyn Session).rows(sql, &params).unwrap();
            assert_eq!(rows, [params.to_vec()], "a row is that of its own parameters");
        }
        let asked = session.asked();
        (asked, far.trips)
    }

    #[test]
    fn what_was_asked_before_makes_one_trip_and_what_has_changed_is_asked() {
        let (asked, trips) = read(None, 1);
        assert_eq!(trips, 3);
        assert_eq!(read(asked.clone(), 1), (asked.clone(), 1));
        let (now, trips) = read(asked.clone(), 7);
        assert!(trips == 3 && now != asked, "the first level was right, the others are asked");
        let mut far = Far::default();
        (&mut ReadAhead::new(&mut far, asked) as &mut dyn Session).rows("SELECT d", &[]).unwrap();
        assert_eq!(far.trips, 1, "what begins otherwise is not read ahead");
    }

    #[test]
    fn little_and_much_is_not_remembered() {
        let remembered = |statements: usize, ids: usize| {
            let mut far = Far::default();
            let mut session = ReadAhead::new(&mut far, None);
            for _ in 0..statements {
                let ids: Value = (0..ids as i64).collect();
                session.scan(LEVELS[0], &[ids], &mut |_| Ok(())).unwrap();
            }
            session.asked().is_some()
        };
        assert!(!remembered(1, 1), "one statement is one trip anyway");
        assert!(remembered(2, 1) && remembered(STATEMENTS, 1) && !remembered(STATEMENTS + 1, 1));
        assert!(remembered(2, WORDS / 2) && !remembered(2, WORDS / 2 + 1));
    }
}
