//! Caller-ID rule sets: ordered rules that rewrite caller IDs.

use super::{Detail, Named};
use crate::domain::{Code, Kind, Pattern, Problem, Text, choice};
use crate::form::{AreaCode, Entries, Expression, Samples, section};

section! {
    "caller_id_rule_set", "CallerIdRuleSetInput";
    /// An ordered set of rules that rewrite the caller ID of outside calls.
    pub struct CallerIdRuleSet {
        /// The rules, tried in this order; at most 1000. A caller ID that no rule matches stays as it is.
        pub rules: Entries<CallerIdRule>,
    }
}

section! {
    "caller_id_rule", "CallerIdRuleInput";
    /// One rule of a caller-ID rule set.
    pub struct CallerIdRule {
        /// Whether the rule rewrites the number or the name of the caller ID. `NUMBER` by default.
        pub applies_to: CallerIdPart,
        /// The expression that the number or name must match.
        pub pattern: Pattern,
        /// The text that replaces the match, at most 64 characters. `$1` and `${name}` insert a group of the
        /// expression, `$$` inserts a dollar sign.
        pub replacement: Text<64>,
        /// Whether the rules after this one are skipped once it has matched. Off by default.
        pub stop: bool,
    }
}

choice! {
    /// The part of a caller ID that a rule rewrites.
    pub enum CallerIdPart {
        /// The number.
        Number = "NUMBER",
        /// The name.
        Name = "NAME",
    }
}

impl CallerIdRule {
    /// The first group in the replacement that the expression does not have.
    fn unknown_group(&self) -> Option<String> {
        // Few rules refer to groups; for all others the expression does not have to be parsed.
        groups_of(self.replacement.as_str()).next()?;
        let (count, names) = self.pattern.groups();
        let known =
            |group: &str| group.parse().map_or_else(|_| names.iter().any(|name| name == group), |n: usize| n <= count);
        groups_of(self.replacement.as_str()).find(|group| !known(group)).map(str::to_owned)
    }
}

/// The groups that a replacement refers to, parsed in the same way as by the `regex` crate.
fn groups_of(replacement: &str) -> impl Iterator<Item = &str> {
    let mut rest = replacement;
    std::iter::from_fn(move || {
        loop {
            rest = rest.split_once('$')?.1;
            if let Some(after) = rest.strip_prefix('$') {
                rest = after;
            } else if let Some((group, after)) = rest.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
                rest = after;
                return Some(group);
            } else {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                let (group, after) = rest.split_at(end);
                rest = after;
                if !group.is_empty() {
                    return Some(group);
                }
            }
        }
    })
}

impl Detail for CallerIdRuleSet {
    const KIND: Kind = Kind::CallerIdRuleSet;
    type Common = Named;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        for (i, rule) in self.rules.0.iter().enumerate() {
            if let Some(group) = rule.unknown_group() {
                let problem = Problem::new(
                    Code::Contradiction,
                    format!("refers to the group {group}, which the pattern does not have"),
                );
                report(problem.value(rule.replacement.as_str()).under("replacement").under(i).under("rules"));
            }
        }
    }

    /// A rule after one that rewrites without `stop` sees rewritten text, which is not known here.
    fn expressions<'a>(&'a self, _: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        let (mut numbers, mut names) = (true, true);
        for (i, rule) in self.rules.0.iter().enumerate() {
            let (known, samples) = match rule.applies_to {
                CallerIdPart::Number => (&mut numbers, Samples::Own),
                CallerIdPart::Name => (&mut names, Samples::Names),
            };
            if *known {
                visit(Expression::new(&rule.pattern, samples, &["rules", &i.to_string(), "pattern"]));
            }
            *known &= rule.stop;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scalar;

    #[test]
    fn a_replacement_refers_to_groups_that_exist() {
        for (pattern, replacement, unknown) in [
            (r"^0([1-9]\d+)$", "+39$1", None),
            (r"^0([1-9]\d+)$", "+39$2", Some("2")),
            (r"^0(?<rest>\d+)$", "+39${rest}", None),
            (r"^0(?<rest>\d+)$", "+39$rest0", Some("rest0")),
            (r"^(0)(1)$", "$$3 ${0} $ ${2}x$", None),
            (r"^(0)$", "$1$", None),
            (r"^(0)$", "${9", None),
            (r"^(0)$", "${}", Some("")),
        ] {
            let rule = CallerIdRule {
                applies_to: CallerIdPart::Number,
                pattern: Pattern::parse(&pattern.into()).unwrap(),
                replacement: Text::parse(&replacement.into()).unwrap(),
                stop: true,
            };
            assert_eq!(rule.unknown_group().as_deref(), unknown, "{pattern} {replacement}");
        }
    }
}
