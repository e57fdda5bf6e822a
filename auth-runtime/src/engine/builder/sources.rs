//! Where credentials are found: sources, cookies, and the origins whose pages may use cookies.

use std::sync::Arc;

use auth_analysis::Named;
use axum::http::HeaderName;

use super::AuthBuilder;
use crate::engine::{RENEWAL, Sources, TokenCookies};
use crate::error::ConfigErrors;
use crate::origin::{Origin, OriginPolicy};
use crate::source::{AccessCookie, Bearer, CredentialSource, Header, Query, RefreshCookie};
use crate::vocabulary::{DeclaredSourceKind, Vocabulary};

pub(super) fn origins(builder: &AuthBuilder, errors: &mut ConfigErrors) -> OriginPolicy {
    let mut parse = |method: &str, text: &str| {
        let origin = Origin::parse(text);
        if origin.is_none() {
            errors.push(format!(
                "`{method}({text:?})` is not an origin: write scheme, host and, if it is not the scheme's default, port, \
                 and nothing after them, as in `https://shop.example`"
            ));
        }
        origin
    };
    OriginPolicy {
        public: builder.public_origin.as_deref().and_then(|text| parse("public_origin", text)),
        trusted: builder.trusted_origins.iter().filter_map(|text| parse("trust_origin", text)).collect(),
    }
}

pub(super) fn cookies(builder: &mut AuthBuilder, errors: &mut ConfigErrors) -> TokenCookies {
    let is_secure = !builder.insecure_cookies;
    let access = AccessCookie::new(builder.cookie_name.take(), is_secure);
    let name = access.cookie_name();
    if RefreshCookie::NAMES.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
        errors.push(format!(
            "`cookie_name({name:?})` is the name of the refresh cookie: give the access cookie another name"
        ));
    }
    let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        errors.push(format!(
            "`{name}` can't be the name of a cookie (RFC 6265 §4.1.1): use letters, digits, `-` and `_`"
        ));
    }
    TokenCookies { refresh: RefreshCookie::new(is_secure, builder.renew_transparently), access }
}

/// Errors between the cookies and what else is configured.
pub(super) fn check_cookies(
    builder: &AuthBuilder,
    cookies: &TokenCookies,
    origins: &OriginPolicy,
    errors: &mut ConfigErrors,
) {
    if !builder.insecure_cookies {
        return;
    }
    if origins.public.as_ref().is_some_and(Origin::is_https) {
        errors.push(
            "`dangerously_use_insecure_cookies()` is called and the public origin is https: remove the call in production",
        );
    }
    let name = cookies.access.cookie_name();
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("__host-") || lower.starts_with("__secure-") {
        errors.push(format!(
            "the name of the cookie `{name}` has a prefix that browsers accept over TLS only, and cookies are insecure: give it \
             another name"
        ));
    }
}

/// The sources of the engine, with their default.
pub(super) fn assemble(
    builder: &mut AuthBuilder,
    cookie: &AccessCookie,
    vocabulary: Option<&Vocabulary>,
    errors: &mut ConfigErrors,
) -> Sources {
    let mut custom = std::mem::take(&mut builder.custom_sources);
    add_declared(vocabulary, &mut custom, errors);
    let mut list: Vec<Arc<dyn CredentialSource>> =
        vec![Arc::new(Bearer::default()), Arc::new(cookie.clone())];
    if builder.allow_query_tokens {
        list.push(Arc::new(Query::default()));
    }
    for source in custom {
        let name = source.name();
        if list.iter().any(|other| other.name() == name) {
            errors.push(format!("two sources have the name `{name}`: give the second another name"));
        } else if let Some(objection) = Named::Source.objection(name) {
            errors.push(objection);
        } else if ["query", RENEWAL].contains(&name) {
            errors.push(format!("a source can't have the name `{name}`: give it another name"));
        } else {
            list.push(source);
        }
    }
    let mut sources = Sources::new(list);
    let default = default_sources(&sources, builder.default_sources.take(), vocabulary, errors);
    sources.set_default(default);
    sources
}

/// Adds the headers that the vocabulary declares, and looks for the other sources that it declares.
fn add_declared(
    vocabulary: Option<&Vocabulary>,
    custom: &mut Vec<Arc<dyn CredentialSource>>,
    errors: &mut ConfigErrors,
) {
    for source in vocabulary.into_iter().flat_map(|vocabulary| vocabulary.sources) {
        match source.kind {
            DeclaredSourceKind::Header { name, scheme } => match HeaderName::from_bytes(name.as_bytes()) {
                Ok(header) => {
                    let header = Header::new(source.name, header);
                    let header = match scheme {
                        Some(scheme) => header.with_scheme(scheme),
                        None => header,
                    };
                    custom.push(Arc::new(header));
                }
                Err(_) => errors.push(format!(
                    "the source `{}` is declared with {name:?}, which can't be the name of a header: correct `name` of this source in auth.toml",
                    source.name
                )),
            },
            DeclaredSourceKind::Custom => {
                if !custom.iter().any(|given| given.name() == source.name) {
                    errors.push(format!(
                        "the vocabulary declares the source `{0}` of kind `custom`, but the builder has no source of that \
                         name: call `.source(..)` with it, or remove `[sources.{0}]` from auth.toml",
                        source.name
                    ));
                }
            }
        }
    }
}

fn default_sources(
    sources: &Sources,
    given: Option<Vec<String>>,
    vocabulary: Option<&Vocabulary>,
    errors: &mut ConfigErrors,
) -> Vec<usize> {
    let declared = vocabulary.map_or(&[][..], |vocabulary| vocabulary.default_source);
    let (place, names): (_, Vec<&str>) = match &given {
        Some(_) if !declared.is_empty() => {
            errors.push(format!(
                "both `.default_sources(..)` and `default_source` of auth.toml, which is {}, are given: keep one of the two",
                declared.join(", ")
            ));
            return Vec::new();
        }
        Some(given) => ("`default_sources`", given.iter().map(String::as_str).collect()),
        None if declared.is_empty() => ("`default_sources`", vec!["bearer"]),
        None => ("`default_source` of auth.toml", declared.to_vec()),
    };
    if names.is_empty() {
        errors.push("`default_sources` is empty: name at least one, such as `bearer`");
    }
    sources.resolve(&names).unwrap_or_else(|unknown| {
        let known: Vec<_> = sources.names().collect();
        let hint = if unknown == "query" {
            ": call `dangerously_allow_query_tokens()` if tokens may be in URLs"
        } else {
            ""
        };
        errors.push(format!(
            "{place} names `{unknown}`, which is not one of the sources {}{hint}",
            known.join(", ")
        ));
        Vec::new()
    })
}
