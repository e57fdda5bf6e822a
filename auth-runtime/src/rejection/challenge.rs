//! `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1).

use axum::http::{HeaderValue, StatusCode};

use super::RejectionKind;
use crate::policy::Remedy;

/// What challenges on a route are about.
#[derive(Debug, Default)]
pub(crate) struct Challenged<'a> {
    /// The schemes of the route, each once.
    pub(crate) schemes: Vec<&'a str>,
    /// `None`: the route is of no protected resource that was declared.
    pub(crate) resource: Option<ChallengedResource<'a>>,
}

/// The protected resource that a route is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChallengedResource<'a> {
    /// The URL of its metadata.
    pub(crate) metadata_url: &'a str,
    /// What a token needs on the route.
    pub(crate) scopes: &'a [String],
}

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
    challenged: &Challenged<'_>,
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
    let challenges = challenged.schemes.iter().map(|scheme| {
        // The metadata is about access tokens. A key or a cookie is not issued by an authorization server.
        let resource = challenged.resource.filter(|_| scheme.eq_ignore_ascii_case("Bearer"));
        format!("{scheme} {}", parameters(kind, remedy, status, realm, resource))
    });
    challenges.filter_map(|challenge| HeaderValue::from_str(&challenge).ok()).collect()
}

fn parameters(
    kind: RejectionKind,
    remedy: &Remedy,
    status: StatusCode,
    realm: &str,
    resource: Option<ChallengedResource<'_>>,
) -> String {
    let mut parameters = format!("realm={}", quoted(realm));
    let mut add = |name: &str, value: &str| parameters.push_str(&format!(", {name}={}", quoted(value)));
    if let Some(error) = kind.code() {
        add("error", error);
    }
    let scopes = scopes(remedy, status, resource);
    if !scopes.is_empty() {
        add("scope", &scopes.join(" "));
    }
    if let Remedy::StepUp { max_age, acr_values } = remedy {
        if let Some(seconds) = max_age {
            add("max_age", &seconds.to_string());
        }
        if !acr_values.is_empty() {
            add("acr_values", &acr_values.join(" "));
        }
    }
    if let Some(resource) = resource {
        add("resource_metadata", resource.metadata_url);
    }
    parameters
}

/// The scopes to ask for. Of a protected resource they are all that the request needs, in one challenge, and not one missing scope after
/// the other; where no other token would help, there is none.
fn scopes<'a>(
    remedy: &'a Remedy,
    status: StatusCode,
    resource: Option<ChallengedResource<'a>>,
) -> Vec<&'a str> {
    let missing = match remedy {
        Remedy::Scopes(scopes) => scopes.as_slice(),
        Remedy::None | Remedy::StepUp { .. } => &[],
    };
    let asks_for_token = status == StatusCode::UNAUTHORIZED || !missing.is_empty();
    let of_route = resource.filter(|_| asks_for_token).map_or(&[][..], |resource| resource.scopes);
    let mut scopes: Vec<&str> = of_route.iter().map(String::as_str).collect();
    for scope in missing {
        if !scopes.contains(&scope.as_str()) {
            scopes.push(scope);
        }
    }
    scopes
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
