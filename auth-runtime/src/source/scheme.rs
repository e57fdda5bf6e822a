//! Authentication schemes (RFC 9110 §11.1): which of them a browser answers by itself, and which a challenge names.

use super::CredentialLocation;

/// The schemes for which a browser opens a dialog, remembers what is typed, and sends it by itself; and what a challenge names in
/// their place.
const OF_BROWSERS: [(&str, &str); 4] =
    [("Basic", "xBasic"), ("Digest", "xDigest"), ("Negotiate", "xNegotiate"), ("NTLM", "xNTLM")];

/// Returns whether browsers store what follows this scheme, and send it automatically.
pub(super) fn is_of_browsers(scheme: &str) -> bool {
    OF_BROWSERS.iter().any(|(known, _)| known.eq_ignore_ascii_case(scheme))
}

/// Returns the scheme of a challenge for a credential at this place. None of them opens a dialog.
pub(super) fn of_challenge(location: Option<CredentialLocation<'_>>) -> &str {
    match location {
        Some(CredentialLocation::Header { scheme: Some(scheme), .. }) => {
            let replaced = OF_BROWSERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(scheme));
            replaced.map_or(scheme, |(_, instead)| instead)
        }
        Some(CredentialLocation::Header { name, scheme: None }) if name.eq_ignore_ascii_case("cookie") => {
            "Cookie"
        }
        Some(CredentialLocation::Header { scheme: None, .. }) => "ApiKey",
        Some(CredentialLocation::Cookie { .. }) => "Cookie",
        Some(CredentialLocation::Query { .. }) | None => "Bearer",
    }
}
