//! `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3).

use axum::http::{HeaderValue, StatusCode};

use super::RejectionKind;
use crate::policy::Remedy;

/// One challenge for each scheme, always with a parameter (RFC 6750 §3).
///
/// There is none if the hook that renders the rejection chose another status than 400, 401 and 403 for it: a redirect to the login
/// page asks for no credential, and a 404 that hides a resource must not say which scope it needs. A 401 always has one (RFC 9110
/// §15.5.2), also where the hook chose that status for a kind that has no challenge.
pub(super) fn challenges(
    kind: RejectionKind,
    remedy: &Remedy,
    status: StatusCode,
    realm: &str,
    schemes: &[&str],
) -> Vec<HeaderValue> {
    let has_challenge = match status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN => !matches!(
            kind,
            RejectionKind::CrossOrigin
                | RejectionKind::Hidden
                | RejectionKind::Unavailable
                | RejectionKind::Misconfigured
        ),
        _ => false,
    };
    if !has_challenge {
        return Vec::new();
    }
    let mut parameters = format!("realm={}", quoted(realm));
    if let Some(error) = kind.code() {
        parameters.push_str(&format!(", error=\"{error}\""));
    }
    match remedy {
        Remedy::None => {}
        Remedy::Scopes(scopes) => parameters.push_str(&format!(", scope={}", quoted(&scopes.join(" ")))),
        Remedy::StepUp { max_age, acr_values } => {
            if let Some(seconds) = max_age {
                parameters.push_str(&format!(", max_age=\"{seconds}\""));
            }
            if !acr_values.is_empty() {
                parameters.push_str(&format!(", acr_values={}", quoted(&acr_values.join(" "))));
            }
        }
    }
    schemes
        .iter()
        .filter_map(|scheme| HeaderValue::from_str(&format!("{scheme} {parameters}")).ok())
        .collect()
}

/// A quoted-string (RFC 9110 §5.6.4). A character that it can't hold becomes `?`, so that there always is a header.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}
