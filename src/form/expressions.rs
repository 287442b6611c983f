//! Tries the regular expressions of administrators on sample texts: the numbers and names that a tenant is known to
//! use.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use crate::domain::{Code, Pattern, Problem};

/// The numbers and names that a tenant is known to use. The service loads them once for many objects.
#[derive(Debug, Default)]
pub struct KnownNumbers {
    /// The numbers of the tenant's objects.
    pub inside: BTreeSet<String>,
    /// The tenant's own outside numbers: those that reach it, and those that it shows as caller IDs.
    pub own: BTreeSet<String>,
    /// The names that the tenant shows outside as caller IDs.
    pub names: BTreeSet<String>,
    /// Other outside numbers, as written in the fields of objects that dial them.
    pub others: BTreeSet<String>,
    /// Whether an expression matches none of its samples.
    results: HashMap<(Pattern, Vec<Samples>), bool>,
}

/// The sample texts that an expression is tried on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Samples {
    /// Other outside numbers, with the area code that dialled numbers get.
    Dialled(AreaCode),
    /// Those of the other outside numbers whose length is right for the area code.
    Short(AreaCode),
    /// Numbers that may call: other outside numbers, and the tenant's own from inside and outside.
    Callers,
    /// The tenant's own outside numbers.
    Own,
    /// The names that the tenant shows outside as caller IDs.
    Names,
}

/// The rule that puts an area code in front of short dialled numbers.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct AreaCode {
    /// The digits; empty if nothing is put in front.
    pub digits: String,
    /// The minimum and maximum length of a number that gets the area code.
    pub lengths: (i64, i64),
    /// The expression that a number must match to get the area code.
    pub pattern: Option<Pattern>,
}

impl AreaCode {
    /// Whether a number has the right length for the area code. An international number never gets it.
    fn fits(&self, number: &str) -> bool {
        let (least, greatest) = self.lengths;
        let international = number.starts_with('+') || number.starts_with("00");
        !international && (least..=greatest).contains(&(number.len() as i64))
    }

    /// A function that adds the area code to the numbers that get it.
    fn completer(&self) -> impl Fn(&str) -> String {
        let matches = self.pattern.as_ref().map(Pattern::matcher);
        move |number| {
            let gets = self.fits(number) && matches.as_ref().is_none_or(|matches| matches(number));
            if gets { format!("{}{number}", self.digits) } else { number.to_owned() }
        }
    }
}

/// An expression of an object, and the samples of which it should match at least one.
#[derive(Clone, Debug)]
pub struct Expression<'a> {
    /// The expression.
    pub pattern: &'a Pattern,
    /// The samples: one match in any of them is enough.
    pub samples: Vec<Samples>,
    /// The path of its field.
    pub path: Vec<String>,
}

impl<'a> Expression<'a> {
    /// An expression with one set of samples.
    pub fn new(pattern: &'a Pattern, samples: Samples, path: &[&str]) -> Self {
        Self { pattern, samples: vec![samples], path: path.iter().map(|&step| step.to_owned()).collect() }
    }

    /// The warning that the expression matches none of its samples.
    pub fn warning(&self) -> Problem {
        let samples = self.samples.first().map_or("known texts", Samples::label);
        let problem = Problem::new(Code::MatchesNothing, format!("matches none of the {samples}"));
        Problem { path: self.path.clone(), ..problem.value(self.pattern.as_str()) }
    }
}

impl Samples {
    fn label(&self) -> &'static str {
        match self {
            Samples::Dialled(_) => "outside numbers that the tenant is known to dial",
            Samples::Short(_) => "outside numbers with the right length that the tenant is known to dial",
            Samples::Callers => "numbers that the tenant is known to be called from",
            Samples::Own => "tenant's outside numbers",
            Samples::Names => "names that the tenant shows outside",
        }
    }
}

/// The result of trying an expression.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MatchOutcome {
    /// It matches a sample, or there are no samples.
    Matches,
    /// It matches no sample.
    MatchesNothing,
    /// The time was over after this many samples, of which it matches none.
    Stopped(usize),
}

/// The time is checked each time that this many samples have been tried. The slowest expression takes some milliseconds
/// per sample.
const SAMPLES_PER_CHECK: usize = 16;
/// The maximum number of remembered results.
const MAX_RESULTS: usize = 10_000;

impl KnownNumbers {
    /// Tries an expression on its samples, continuing after the first `tried` ones, while `has_time` returns true. At
    /// least some samples are always tried.
    pub fn try_expression(
        &mut self,
        expression: &Expression<'_>,
        tried: usize,
        has_time: &dyn Fn() -> bool,
    ) -> MatchOutcome {
        let key = (expression.pattern.clone(), expression.samples.clone());
        if let Some(fails) = self.results.get(&key) {
            return if *fails { MatchOutcome::MatchesNothing } else { MatchOutcome::Matches };
        }
        let mut texts = key.1.iter().flat_map(|samples| self.texts(samples)).enumerate().skip(tried).peekable();
        // If some samples have been tried before, there are samples.
        let mut fails = tried > 0 || texts.peek().is_some();
        if texts.peek().is_some() {
            let matches = expression.pattern.matcher();
            for (i, text) in texts.by_ref() {
                if matches(&text) {
                    fails = false;
                    break;
                }
                let count = i + 1;
                if count.is_multiple_of(SAMPLES_PER_CHECK) && !has_time() {
                    return MatchOutcome::Stopped(count);
                }
            }
        }
        drop(texts);
        if self.results.len() >= MAX_RESULTS {
            self.results.clear();
        }
        self.results.insert(key, fails);
        if fails { MatchOutcome::MatchesNothing } else { MatchOutcome::Matches }
    }

    fn texts<'a>(&'a self, samples: &'a Samples) -> Box<dyn Iterator<Item = Cow<'a, str>> + 'a> {
        fn all(texts: &BTreeSet<String>) -> impl Iterator<Item = Cow<'_, str>> {
            texts.iter().map(|text| text.as_str().into())
        }
        match samples {
            Samples::Dialled(area) => {
                let add = area.completer();
                Box::new(self.others.iter().map(move |number| add(number).into()))
            }
            Samples::Short(area) => Box::new(all(&self.others).filter(|number| area.fits(number))),
            Samples::Callers => Box::new(all(&self.others).chain(all(&self.own)).chain(all(&self.inside))),
            Samples::Own => Box::new(all(&self.own)),
            Samples::Names => Box::new(all(&self.names)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scalar as _;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(&text.into()).unwrap()
    }

    fn area(pattern: Option<Pattern>) -> AreaCode {
        AreaCode { digits: "055".into(), lengths: (6, 8), pattern }
    }

    #[test]
    fn an_area_code_completes_what_is_short() {
        let (add, to_ones) = (area(None), area(Some(pattern("^1"))));
        for (number, completed, by_pattern) in [
            ("123456", "055123456", "055123456"),
            ("234567", "055234567", "234567"),
            ("12345", "12345", "12345"),
            ("123456789", "123456789", "123456789"),
            ("+123456", "+123456", "+123456"),
            ("00123456", "00123456", "00123456"),
        ] {
            assert_eq!((add.completer()(number), to_ones.completer()(number)), (completed.into(), by_pattern.into()));
        }
        assert_eq!(AreaCode::default().completer()("0"), "0");
    }

    #[test]
    fn an_expression_is_tried_on_what_fits_it() {
        let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let mut numbers = KnownNumbers {
            inside: set(&["108"]),
            own: set(&["+390550100100"]),
            names: set(&["Oil"]),
            others: set(&["123456", "+44207"]),
            ..KnownNumbers::default()
        };
        let plain = || Samples::Dialled(AreaCode::default());
        for (text, samples, fails) in [
            ("^12", plain(), false),
            ("^055", plain(), true),
            ("^055", Samples::Dialled(area(None)), false),
            ("^108$", plain(), true),
            ("^108$", Samples::Callers, false),
            ("^\\+39", Samples::Callers, false),
            ("^\\+44", Samples::Callers, false),
            ("^9", Samples::Callers, true),
            ("^12", Samples::Short(area(None)), false),
            ("^\\+", Samples::Short(area(None)), true),
            ("^\\+", Samples::Short(AreaCode { lengths: (1, 2), ..area(None) }), false),
            ("^\\+44", Samples::Own, true),
            ("^\\+39", Samples::Own, false),
            ("^O", Samples::Names, false),
            ("^o", Samples::Names, true),
        ] {
            // The second result comes from the cache.
            for _ in 0..2 {
                let pattern = pattern(text);
                let expression = Expression::new(&pattern, samples.clone(), &[]);
                let expected = if fails { MatchOutcome::MatchesNothing } else { MatchOutcome::Matches };
                assert_eq!(numbers.try_expression(&expression, 0, &|| true), expected, "{text} {samples:?}");
            }
        }
        let nine = pattern("^9");
        let callers = Expression::new(&nine, Samples::Callers, &[]);
        assert_eq!(
            KnownNumbers::default().try_expression(&callers, 0, &|| true),
            MatchOutcome::Matches,
            "nothing is known"
        );
    }

    #[test]
    fn an_interrupted_trial_continues_where_it_stopped() {
        let others: BTreeSet<String> = (1000..1100).map(|number| number.to_string()).collect();
        let mut numbers = KnownNumbers { others, ..KnownNumbers::default() };
        let (last, none) = (pattern("^1099$"), pattern("^2"));
        for (pattern, expected) in [(&last, MatchOutcome::Matches), (&none, MatchOutcome::MatchesNothing)] {
            let samples = vec![Samples::Dialled(AreaCode::default()), Samples::Callers];
            let expression = Expression { samples, ..Expression::new(pattern, Samples::Own, &[]) };
            let (mut tried, mut pages) = (0, 0);
            let found = loop {
                pages += 1;
                match numbers.try_expression(&expression, tried, &|| false) {
                    MatchOutcome::Stopped(so_far) => assert!(std::mem::replace(&mut tried, so_far) < so_far),
                    found => break found,
                }
            };
            assert_eq!(found, expected);
            assert!(pages > 5, "{pages}");
        }
    }
}
