//! The part of the README between two markers.

/// The README with another text in the section of this name.
pub(super) fn replaced(readme: &str, name: &str, text: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- figures: {name} -->\n"), "<!-- /figures -->");
    let missing = || {
        format!("benches/README.md has no section for these figures; add where they belong:\n\n{begin}{end}")
    };
    let (before, rest) = readme.split_once(&begin).ok_or_else(missing)?;
    if rest.contains(&begin) {
        return Err(format!("benches/README.md has two sections that begin with {begin}remove one"));
    }
    let (old, after) = rest.split_once(end).ok_or_else(missing)?;
    if old.contains("<!-- figures: ") {
        return Err(format!(
            "in benches/README.md, the section of {name} has no end; add {end} behind its figures"
        ));
    }
    Ok(format!("{before}{begin}{text}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# Benches\n<!-- figures: a -->\nold\n<!-- /figures -->\ntext\n<!-- figures: b -->\n<!-- /figures -->\nend\n";

    #[test]
    fn a_section_is_replaced_and_nothing_else() {
        let first = replaced(README, "a", "new\n").unwrap();
        assert_eq!(first, README.replace("old", "new"));
        let second = replaced(&first, "b", "more\n").unwrap();
        assert_eq!(second, README.replace("old", "new").replace("b -->\n", "b -->\nmore\n"));
        assert_eq!(replaced(&second, "b", "more\n").unwrap(), second);
    }

    #[test]
    fn a_missing_section_is_an_error_that_says_what_to_add() {
        let error = replaced(README, "c", "new\n").unwrap_err();
        assert!(
            error.contains("add where they belong:\n\n<!-- figures: c -->\n<!-- /figures -->"),
            "{error}"
        );
    }

    #[test]
    fn a_section_without_an_end_is_an_error() {
        let open = README.replacen("<!-- /figures -->\n", "", 1);
        assert!(replaced(&open, "a", "new\n").unwrap_err().contains("has no end"));
        assert!(replaced("<!-- figures: a -->\n", "a", "").is_err());
    }

    #[test]
    fn two_sections_of_one_name_are_an_error() {
        assert!(replaced(&README.replace("figures: b", "figures: a"), "a", "new\n").is_err());
    }
}
