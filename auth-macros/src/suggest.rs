//! "Did you mean", and lists of names, for messages.

/// The nearest of the known names, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(text, name), name))
        .filter(|&(distance, name)| distance <= 2.max(name.len() / 3) && distance < name.len())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// "`a`, `b`, `c`".
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// "did you mean `admin`? Declared are `admin`, `editor`", with no more than a person reads.
pub(crate) fn among(text: &str, declared: &[&str]) -> String {
    const SHOWN: usize = 12;
    if declared.is_empty() {
        return "none is declared".to_owned();
    }
    let start = match nearest(text, declared.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? Declared are"),
        None => "declared are".to_owned(),
    };
    let shown = list(declared.iter().copied().take(SHOWN));
    match declared.len().saturating_sub(SHOWN) {
        0 => format!("{start} {shown}"),
        more => format!("{start} {shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::{among, nearest};

    #[test]
    fn near_is_a_slip_of_the_fingers() {
        for (text, expected) in
            [("amdin", Some("admin")), ("admins", Some("admin")), ("editor", None), ("x", None)]
        {
            assert_eq!(nearest(text, ["admin", "viewer"]), expected, "{text}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(among("x", &[]), "none is declared");
        assert_eq!(among("adnin", &["admin", "b"]), "did you mean `admin`? Declared are `admin`, `b`");
        let many: Vec<String> = (0..20).map(|n| format!("role{n:04}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(among("zzzzzzzz", &many).ends_with("`role0011` and 8 more"));
    }
}
