//! `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3).

use axum::http::HeaderValue;

use super::{Refusal, RejectionKind};
use crate::policy::Remedy;

/// One challenge for each scheme, always with a parameter (RFC 6750 §3).
pub(super) fn challenges(refusal: &Refusal, realm: &str, schemes: &[&str]) -> Vec<HeaderValue> {
    if matches!(
        refusal.code,
        RejectionKind::CrossOrigin | RejectionKind::Unavailable | RejectionKind::Misconfigured
    ) {
        return Vec::new();
    }
    let mut parameters = format!("realm={}", quoted(realm));
    if let Some(error) = refusal.code() {
        parameters.push_str(&format!(", error=\"{error}\""));
    }
    match &refusal.remedy {
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

/// A quoted-string (RFC 9110 §5.6.4). What it can't hold becomes `?`, so that a header always comes out.
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
