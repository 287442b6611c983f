//! Names of fields in camel case.

/// The name in camel case, as clients write it: `inbound_timeout_seconds` becomes `inboundTimeoutSeconds`.
pub fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name + letters.as_str()
    })
}
