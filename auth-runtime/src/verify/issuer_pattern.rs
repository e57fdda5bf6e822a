//! A URL with a tenant in its path, which is a name of an issuer for each tenant.

/// The greatest length of a tenant's name, in bytes.
const MAX_TENANT: usize = 255;

/// `https://id.example.com/{tenant}/v2.0`: what is before and after the tenant.
#[derive(Clone, Debug)]
pub(super) struct IssuerPattern {
    before: Box<str>,
    after: Box<str>,
}

impl IssuerPattern {
    /// Parses a pattern: a URL in whose path one whole segment is a name in braces.
    ///
    /// # Errors
    /// What is wrong, to be read after "the pattern `..` of issuers".
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const NO_SEGMENT: &str = "has not one whole segment of its path in braces";
        let (before, rest) = text.split_once('{').ok_or(NO_SEGMENT)?;
        let (name, after) = rest.split_once('}').ok_or(NO_SEGMENT)?;
        let is_segment_of_path = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
        if !is_segment_of_path || !is_segment(name) || [before, after].concat().contains(['{', '}']) {
            return Err(NO_SEGMENT);
        }
        let path = before.strip_prefix("https://").or_else(|| before.strip_prefix("http://"));
        let host = path.and_then(|path| path.split('/').next()).unwrap_or_default();
        if host.is_empty() || path == Some("") || host.contains('@') {
            return Err("is not a URL with a host in front of the braces");
        }
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '"');
        if !before.chars().chain(after.chars()).all(is_plain) {
            return Err("has a character that no name of an issuer has (RFC 8414 §2)");
        }
        Ok(Self { before: before.into(), after: after.into() })
    }

    /// The tenant whose name this is. The whole text must fit.
    pub(super) fn tenant_of<'i>(&self, iss: &'i str) -> Option<&'i str> {
        let tenant = iss.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        is_segment(tenant).then_some(tenant)
    }

    /// The name of a tenant.
    pub(super) fn name_of(&self, tenant: &str) -> String {
        format!("{}{tenant}{}", self.before, self.after)
    }

    /// Whether a name fits both patterns.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        /// No segment of a pattern.
        const TENANT: &str = "{}";
        let (one, other) = (self.name_of(TENANT), other.name_of(TENANT));
        let (mut one, mut other) = (one.split('/'), other.split('/'));
        loop {
            match (one.next(), other.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if one == other => {}
                (Some(TENANT), Some(name)) | (Some(name), Some(TENANT)) if is_segment(name) => {}
                _ => return false,
            }
        }
    }
}

/// Whether this can be the name of a tenant: the unreserved characters of a URL (RFC 3986 §2.3), so that nothing encoded, no
/// further segment and no other part of a URL is taken for one, and neither `.` nor `..`.
pub(super) fn is_segment(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=MAX_TENANT).contains(&text.len()) && text.bytes().all(is_unreserved) && !matches!(text, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::IssuerPattern;

    const PATTERN: &str = "https://id.example.com/{tenant}/v2.0";

    #[test]
    fn a_tenant_is_one_whole_segment_and_all_around_it_is_exact() {
        let pattern = IssuerPattern::parse(PATTERN).unwrap();
        for tenant in
            ["acme", "A-1._~", "8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "{x}".trim_matches(['{', '}'])]
        {
            assert_eq!(pattern.tenant_of(&pattern.name_of(tenant)), Some(tenant));
        }
        for spoofed in [
            "https://id.example.com//v2.0",
            "https://id.example.com/v2.0",
            "https://id.example.com/acme/v2.0/",
            "https://id.example.com/acme/v2.0x",
            "https://id.example.com/acme/v2.0?x",
            "https://id.example.com/acme/v2.0#x",
            "https://id.example.com/acme/v2",
            "https://id.example.com/acme/x/v2.0",
            "https://id.example.com/acme%2Fx/v2.0",
            "https://id.example.com/acme%2fv2.0/v2.0",
            "https://id.example.com/ac%6De/v2.0",
            "https://id.example.com/./v2.0",
            "https://id.example.com/../v2.0",
            "https://id.example.com/acme\\x/v2.0",
            "https://id.example.com/acme?/v2.0",
            "https://id.example.com/acme#/v2.0",
            "https://id.example.com/acme /v2.0",
            "https://id.example.com/acme\n/v2.0",
            "https://id.example.com/acmé/v2.0",
            "https://id.example.com/{tenant}/v2.0",
            "https://id.example.com.evil.com/acme/v2.0",
            "https://id.example.com@evil.com/acme/v2.0",
            "https://evil.com/https://id.example.com/acme/v2.0",
            "https://id.example.com:443/acme/v2.0",
            "http://id.example.com/acme/v2.0",
            "HTTPS://id.example.com/acme/v2.0",
            "https://ID.example.com/acme/v2.0",
            "https://id.example.com/acme/V2.0",
            " https://id.example.com/acme/v2.0",
            "https://id.example.com/acme/v2.0\u{0}",
            "https://id.example.com./acme/v2.0",
            "",
        ] {
            assert_eq!(pattern.tenant_of(spoofed), None, "{spoofed:?}");
        }
        let long = pattern.name_of(&"a".repeat(256));
        assert_eq!(pattern.tenant_of(&long), None);
    }

    #[test]
    fn a_pattern_has_one_tenant_in_its_path() {
        for good in [PATTERN, "https://sts.windows.net/{tenantid}/", "http://localhost:8080/realms/{realm}"] {
            assert!(IssuerPattern::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://id.example.com/v2.0",
            "https://id.example.com/{}/v2.0",
            "https://id.example.com/{a}/{b}",
            "https://id.example.com/x{a}/v2.0",
            "https://id.example.com/{a}x",
            "https://id.example.com/{a/b}",
            "https://id.example.com/{a",
            "https://id.example.com/a}",
            "https://{tenant}/v2.0",
            "https://{tenant}.example.com/v2.0",
            "https:///{tenant}",
            "//{tenant}",
            "{tenant}",
            "urn:auth-runtime:scheme:{tenant}",
            "urn:auth-runtime:scheme:/{tenant}",
            "https://id.example.com@evil.com/{tenant}",
            "https://id.example.com/?x/{tenant}",
            "https://id.example.com/{tenant}/#x",
            "https://id.example.com/{tenant}/é",
        ] {
            assert!(IssuerPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns_overlap_if_a_name_fits_both() {
        for (one, other, expected) in [
            (PATTERN, PATTERN, true),
            (PATTERN, "https://id.example.com/{other}/v2.0", true),
            (PATTERN, "https://id.example.com/acme/{x}", true),
            (PATTERN, "https://id.example.com/{x}/v1.0", false),
            (PATTERN, "https://id.example.com/{x}", false),
            (PATTERN, "https://id.example.com/%41/{x}", false),
            (PATTERN, "https://other.example.com/{x}/v2.0", false),
        ] {
            let parse = |text| IssuerPattern::parse(text).unwrap();
            assert_eq!(parse(one).overlaps(&parse(other)), expected, "{one} {other}");
            assert_eq!(parse(other).overlaps(&parse(one)), expected, "{other} {one}");
        }
    }
}
