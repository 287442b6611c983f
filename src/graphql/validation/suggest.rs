//! "Did you mean": names that are similar to an unknown one.

/// The maximum number of suggested names.
const MAX_SUGGESTIONS: usize = 5;

/// A sentence that suggests names, with a space before it; empty if no name is similar or suggestions are off.
pub(super) fn did_you_mean<'a>(may: bool, wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    if !may {
        return String::new();
    }
    // The same limit as in graphql-js.
    let most = wrong.chars().count() * 2 / 5 + 1;
    let distance = |name: &str| strsim::osa_distance(&wrong.to_lowercase(), &name.to_lowercase());
    let near = |name: &'a str| {
        // Names whose length differs too much are not compared.
        let close = name.len().abs_diff(wrong.len()) <= most;
        close.then(|| (distance(name), name)).filter(|(distance, _)| *distance <= most)
    };
    let mut similar: Vec<_> = names.filter_map(near).collect();
    similar.sort_unstable();
    similar.truncate(MAX_SUGGESTIONS);
    let quoted: Vec<_> = similar.iter().map(|(_, name)| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => format!(" Did you mean {one}?"),
        [others @ .., last] => format!(" Did you mean {} or {last}?", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_suggested_the_nearest_first() {
        let suggest = |wrong| did_you_mean(true, wrong, ["number", "name", "note", "members"].into_iter());
        assert_eq!(suggest("numbr"), " Did you mean \"number\" or \"name\"?");
        assert_eq!(suggest("NAME"), " Did you mean \"name\" or \"note\"?");
        assert_eq!(suggest("nome"), " Did you mean \"name\" or \"note\"?");
        assert_eq!(suggest("virtualExtension"), "");
        assert_eq!(did_you_mean(false, "numbr", ["number"].into_iter()), "");
    }
}
