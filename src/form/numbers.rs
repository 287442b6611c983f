//! What the expressions that administrators write can be tried on: the numbers that a tenant is known to have to do with.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use crate::domain::{Code, Pattern, Problem};

/// The numbers that a tenant is known to have to do with. The service gathers them once for many objects.
#[derive(Debug, Default)]
pub struct KnownNumbers {
    /// The numbers of its own objects.
    pub inside: BTreeSet<String>,
    /// The outside numbers that are its own: those that reach it, and those that it shows.
    pub own: BTreeSet<String>,
    /// The names that it shows outside.
    pub names: BTreeSet<String>,
    /// The outside numbers of others, as they are written where the tenant would dial them.
    pub others: BTreeSet<String>,
    tried: HashMap<(Pattern, Vec<Trial>), bool>,
}

/// What an expression is tried on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Trial {
    /// Others' outside numbers with the area code that dialled numbers get.
    Dialled(AreaCode),
    /// Those of others' outside numbers that are short enough, and long enough, to get an area code.
    Short(AreaCode),
    /// Whoever may call: others, and the tenant itself from inside and outside.
    Callers,
    /// The outside numbers that are the tenant's own.
    Own,
    /// The names that the tenant shows outside.
    Names,
}

/// What is put in front of short dialled numbers.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct AreaCode {
    /// The digits; none put nothing in front.
    pub digits: String,
    /// The least and the greatest length of a number that gets them.
    pub lengths: (i64, i64),
    /// What a number must match to get them.
    pub pattern: Option<Pattern>,
}

impl AreaCode {
    /// Whether the length of a number lets it get the area code. An international number is complete.
    fn fits(&self, number: &str) -> bool {
        let (least, greatest) = self.lengths;
        let international = number.starts_with('+') || number.starts_with("00");
        !international && (least..=greatest).contains(&(number.len() as i64))
    }

    /// What numbers become.
    fn adder(&self) -> impl Fn(&str) -> String {
        let matches = self.pattern.as_ref().map(Pattern::matcher);
        move |number| {
            let gets = self.fits(number) && matches.as_ref().is_none_or(|matches| matches(number));
            if gets { format!("{}{number}", self.digits) } else { number.to_owned() }
        }
    }
}

/// An expression that an object holds, and what it must match something of.
#[derive(Clone, Debug)]
pub struct Expression<'a> {
    /// The expression.
    pub pattern: &'a Pattern,
    /// What it is tried on: one match in any of them will do.
    pub trials: Vec<Trial>,
    /// Where it stands, fields first.
    pub path: Vec<String>,
}

impl<'a> Expression<'a> {
    /// An expression that is tried on one thing.
    pub fn new(pattern: &'a Pattern, trial: Trial, path: &[&str]) -> Self {
        Self { pattern, trials: vec![trial], path: path.iter().map(|&step| step.to_owned()).collect() }
    }

    /// The warning that it matches nothing of what it was tried on.
    pub fn doubt(&self) -> Problem {
        let what = self.trials.first().map_or("texts that are known", Trial::label);
        let problem = Problem::new(Code::MatchesNothing, format!("matches none of the {what}"));
        Problem { path: self.path.clone(), ..problem.value(self.pattern.as_str()) }
    }
}

impl Trial {
    fn label(&self) -> &'static str {
        match self {
            Trial::Dialled(_) => "outside numbers that the tenant is known to dial",
            Trial::Short(_) => "outside numbers of such a length that the tenant is known to dial",
            Trial::Callers => "numbers that the tenant is known to be called from",
            Trial::Own => "outside numbers that are the tenant's",
            Trial::Names => "names that the tenant shows outside",
        }
    }
}

/// What came of trying an expression.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tried {
    /// It matches something, or there is nothing to try it on.
    Fits,
    /// It matches nothing.
    Fails,
    /// There was no time for more than so many texts, of which it matches none.
    Stopped(usize),
}

/// After so many texts somebody is asked whether there is time for more. The slowest expression takes some milliseconds
/// for each.
const TEXTS_AT_ONCE: usize = 16;
/// How many expressions are remembered.
const MOST_REMEMBERED: usize = 10_000;

impl KnownNumbers {
    /// Tries an expression, from behind its first `tried` texts on, as long as there is time: at least for some.
    pub fn fails(&mut self, expression: &Expression<'_>, tried: usize, time: &dyn Fn() -> bool) -> Tried {
        let key = (expression.pattern.clone(), expression.trials.clone());
        if let Some(fails) = self.tried.get(&key) {
            return if *fails { Tried::Fails } else { Tried::Fits };
        }
        let mut texts = key.1.iter().flat_map(|trial| self.texts(trial)).enumerate().skip(tried).peekable();
        // Who has tried some knows that there are some.
        let mut fails = tried > 0 || texts.peek().is_some();
        if texts.peek().is_some() {
            let matches = expression.pattern.matcher();
            for (i, text) in texts.by_ref() {
                if matches(&text) {
                    fails = false;
                    break;
                }
                let done = i + 1;
                if done.is_multiple_of(TEXTS_AT_ONCE) && !time() {
                    return Tried::Stopped(done);
                }
            }
        }
        drop(texts);
        if self.tried.len() >= MOST_REMEMBERED {
            self.tried.clear();
        }
        self.tried.insert(key, fails);
        if fails { Tried::Fails } else { Tried::Fits }
    }

    fn texts<'a>(&'a self, trial: &'a Trial) -> Box<dyn Iterator<Item = Cow<'a, str>> + 'a> {
        fn all(texts: &BTreeSet<String>) -> impl Iterator<Item = Cow<'_, str>> {
            texts.iter().map(|text| text.as_str().into())
        }
        match trial {
            Trial::Dialled(area) => {
                let add = area.adder();
                Box::new(self.others.iter().map(move |number| add(number).into()))
            }
            Trial::Short(area) => Box::new(all(&self.others).filter(|number| area.fits(number))),
            Trial::Callers => Box::new(all(&self.others).chain(all(&self.own)).chain(all(&self.inside))),
            Trial::Own => Box::new(all(&self.own)),
            Trial::Names => Box::new(all(&self.names)),
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
            assert_eq!((add.adder()(number), to_ones.adder()(number)), (completed.into(), by_pattern.into()));
        }
        assert_eq!(AreaCode::default().adder()("0"), "0");
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
        let plain = || Trial::Dialled(AreaCode::default());
        for (text, trial, fails) in [
            ("^12", plain(), false),
            ("^055", plain(), true),
            ("^055", Trial::Dialled(area(None)), false),
            ("^108$", plain(), true),
            ("^108$", Trial::Callers, false),
            ("^\\+39", Trial::Callers, false),
            ("^\\+44", Trial::Callers, false),
            ("^9", Trial::Callers, true),
            ("^12", Trial::Short(area(None)), false),
            ("^\\+", Trial::Short(area(None)), true),
            ("^\\+", Trial::Short(AreaCode { lengths: (1, 2), ..area(None) }), false),
            ("^\\+44", Trial::Own, true),
            ("^\\+39", Trial::Own, false),
            ("^O", Trial::Names, false),
            ("^o", Trial::Names, true),
        ] {
            // The second time from memory.
            for _ in 0..2 {
                let pattern = pattern(text);
                let expression = Expression::new(&pattern, trial.clone(), &[]);
                let expected = if fails { Tried::Fails } else { Tried::Fits };
                assert_eq!(numbers.fails(&expression, 0, &|| true), expected, "{text} {trial:?}");
            }
        }
        let nine = pattern("^9");
        let callers = Expression::new(&nine, Trial::Callers, &[]);
        assert_eq!(KnownNumbers::default().fails(&callers, 0, &|| true), Tried::Fits, "nothing is known");
    }

    #[test]
    fn who_has_no_time_goes_on_where_it_stopped() {
        let others: BTreeSet<String> = (1000..1100).map(|number| number.to_string()).collect();
        let mut numbers = KnownNumbers { others, ..KnownNumbers::default() };
        let (last, none) = (pattern("^1099$"), pattern("^2"));
        for (pattern, expected) in [(&last, Tried::Fits), (&none, Tried::Fails)] {
            let trials = vec![Trial::Dialled(AreaCode::default()), Trial::Callers];
            let expression = Expression { trials, ..Expression::new(pattern, Trial::Own, &[]) };
            let (mut tried, mut pages) = (0, 0);
            let found = loop {
                pages += 1;
                match numbers.fails(&expression, tried, &|| false) {
                    Tried::Stopped(so_far) => assert!(std::mem::replace(&mut tried, so_far) < so_far),
                    found => break found,
                }
            };
            assert_eq!(found, expected);
            assert!(pages > 5, "{pages}");
        }
    }
}
