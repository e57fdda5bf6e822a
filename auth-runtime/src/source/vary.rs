//! `Vary`: the headers that an answer depends on, so that a cache gives it to no other caller (RFC 9110 §12.5.5, RFC 9111 §4.1).

use axum::http::header::{COOKIE, Entry, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{CredentialLocation, CredentialSource};

/// The headers in which sources look for a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Vary {
    /// There is no source, or each looks at the URL, which is in the key of a cache.
    #[default]
    Nothing,
    /// These headers, each once, and the value that lists them.
    Headers(Vec<HeaderName>, HeaderValue),
    /// A source does not say where it looks.
    Anything,
}

impl Vary {
    pub(crate) fn of<'s>(sources: impl Iterator<Item = &'s dyn CredentialSource>) -> Self {
        let mut names: Vec<HeaderName> = Vec::new();
        for source in sources {
            let name = match source.location() {
                Some(CredentialLocation::Header { name, .. }) => HeaderName::from_bytes(name.as_bytes()).ok(),
                Some(CredentialLocation::Cookie { .. }) => Some(COOKIE),
                Some(CredentialLocation::Query { .. }) => continue,
                None if source.is_in_url() => continue,
                None => None,
            };
            let Some(name) = name else { return Self::Anything };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let list = names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
        // A static value is not counted when it is copied.
        let value = match &*list {
            "" => return Self::Nothing,
            "authorization" => Ok(HeaderValue::from_static("authorization")),
            "cookie" => Ok(HeaderValue::from_static("cookie")),
            "authorization, cookie" => Ok(HeaderValue::from_static("authorization, cookie")),
            _ => HeaderValue::try_from(list),
        };
        value.map_or(Self::Anything, |value| Self::Headers(names, value))
    }

    /// Adds what the answer does not list yet. `*` stands for all headers, and stays alone.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        match self {
            Self::Nothing => {}
            Self::Anything => {
                if !lists(headers, "*") {
                    headers.insert(VARY, HeaderValue::from_static("*"));
                }
            }
            Self::Headers(names, value) => match headers.entry(VARY) {
                Entry::Vacant(place) => {
                    place.insert(value.clone());
                }
                Entry::Occupied(_) => add_each(names, headers),
            },
        }
    }
}

fn add_each(names: &[HeaderName], headers: &mut HeaderMap) {
    if lists(headers, "*") {
        return;
    }
    for name in names {
        if !lists(headers, name.as_str()) {
            headers.append(VARY, name.clone().into());
        }
    }
}

/// Whether `Vary` has this name already. Names are compared without case (RFC 9110 §5.1).
fn lists(headers: &HeaderMap, name: &str) -> bool {
    let values = headers.get_all(VARY).iter();
    let mut listed = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    listed.any(|listed| listed.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{VARY, Vary};
    use std::sync::Arc;

    use crate::source::{AccessCookie, Bearer, CookieAttributes, CredentialSource, Header, Query, SameSite};
    use axum::http::{HeaderMap, HeaderName, header};

    fn vary(sources: &[&dyn CredentialSource]) -> Vary {
        Vary::of(sources.iter().copied())
    }

    #[test]
    fn it_is_merged_and_lists_nothing_twice() {
        let attributes = CookieAttributes {
            secure: true,
            same_site: SameSite::Lax,
            domain: None,
            clear_domains: Vec::new(),
        };
        let cookie = AccessCookie::new("session".into(), Arc::new(attributes));
        let token = Header::new("token", header::AUTHORIZATION).with_scheme("Token");
        let partner = Header::new("partner", HeaderName::from_static("x-partner-token"));
        let query = Query::new();
        let two: &[&dyn CredentialSource] = &[&Bearer, &cookie];
        type Row<'a> = (&'a [&'a dyn CredentialSource], &'a [&'a str], &'a [&'a str]);
        let table: &[Row<'_>] = &[
            (&[], &[], &[]),
            (&[], &["accept"], &["accept"]),
            (&[&Query::new()], &[], &[]),
            (&[&Bearer], &[], &["authorization"]),
            (&[&Bearer, &token], &[], &["authorization"]),
            (two, &[], &["authorization, cookie"]),
            (&[&partner, &query, &cookie], &[], &["x-partner-token, cookie"]),
            (two, &["Accept-Encoding"], &["Accept-Encoding", "authorization", "cookie"]),
            (two, &["Cookie"], &["Cookie", "authorization"]),
            (two, &["Accept , COOKIE,Authorization"], &["Accept , COOKIE,Authorization"]),
            (two, &["accept", "cookie"], &["accept", "cookie", "authorization"]),
            (two, &["x-cookie"], &["x-cookie", "authorization", "cookie"]),
            (two, &["*"], &["*"]),
            (two, &["accept, *"], &["accept, *"]),
        ];
        for (sources, before, after) in table {
            let mut headers = HeaderMap::new();
            before.iter().for_each(|value| {
                headers.append(VARY, value.parse().unwrap());
            });
            for _ in 0..2 {
                vary(sources).add_to(&mut headers);
                assert_eq!(
                    headers.get_all(VARY).iter().collect::<Vec<_>>(),
                    *after,
                    "{sources:?} {before:?}"
                );
            }
        }
    }
}
