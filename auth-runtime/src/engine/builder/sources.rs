//! Where credentials are found, and the origins whose pages may use cookies.

use std::sync::Arc;

use auth_analysis::Named;
use axum::http::HeaderName;

use super::{AuthBuilder, SchemeParts};
use crate::engine::sources::SourceWithScheme;
use crate::engine::{RENEWAL, Scheme, Sources};
use crate::error::ConfigErrors;
use crate::origin::{Origin, OriginPolicy};
use crate::principal::TOKENS;
use crate::source::{AccessCookie, Bearer, CredentialLocation, CredentialSource, Header, WithChallenge};
use crate::verify::Excerpt;
use crate::vocabulary::{DeclaredSourceKind, Vocabulary};

pub(super) fn origins(builder: &AuthBuilder, errors: &mut ConfigErrors) -> OriginPolicy {
    let mut parse = |method: &str, text: &str| {
        let origin = Origin::parse(text);
        if origin.is_none() {
            errors.push(format!(
                "`{method}({text:?})` is not an origin: write scheme, host and, if it is not the scheme's default, port (1 to 65535), \
                 and nothing after them, as in `https://shop.example`; a host with other letters in its ASCII form (`xn--..`)"
            ));
        }
        origin
    };
    OriginPolicy {
        public: builder.public_origin.as_deref().and_then(|text| parse("public_origin", text)),
        trusted: builder.trusted_origins.iter().filter_map(|text| parse("trust_origin", text)).collect(),
    }
}

/// Whether it is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_of_tokens = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    !text.is_empty() && text.bytes().all(is_of_tokens)
}

/// The sources of the engine, with their default.
pub(super) fn assemble(
    builder: &mut AuthBuilder,
    cookie: &AccessCookie,
    vocabulary: Option<&Vocabulary>,
    errors: &mut ConfigErrors,
) -> Sources {
    let mut custom = std::mem::take(&mut builder.custom_sources);
    let authenticators: Vec<&str> = builder.authenticators.iter().map(|scheme| &*scheme.name).collect();
    add_declared(vocabulary, &mut custom, &authenticators, errors);
    let mut schemes = Schemes { list: Vec::new(), errors };
    // Where there is no issuer, no token could be verified.
    if !builder.issuers.is_empty() {
        schemes.add_built_in(Arc::new(Bearer::default()));
        schemes.add_built_in(Arc::new(cookie.clone()));
        if let Some(query) = builder.query_tokens.take() {
            if matches!(query.location(), Some(CredentialLocation::Query { name: "" })) {
                schemes.errors.push(
                    "the parameter of `dangerously_allow_query_tokens(..)` has an empty name: name one, such as `access_token`",
                );
            }
            schemes.add_built_in(Arc::new(query));
        }
    }
    for source in custom {
        schemes.add(source, None);
    }
    for SchemeParts { name, place, challenge, authenticator } in std::mem::take(&mut builder.authenticators) {
        match place.into_source(&name) {
            Ok(source) => {
                let source = match challenge {
                    Some(scheme) => Arc::new(WithChallenge { source, scheme }) as Arc<dyn CredentialSource>,
                    None => source,
                };
                match Scheme::new(name, authenticator) {
                    Ok(scheme) => schemes.add(source, Some(Arc::new(scheme))),
                    Err(error) => schemes.errors.push(error),
                }
            }
            Err(objection) => {
                let name = Excerpt::new(&name);
                schemes.errors.push(format!("the authenticator {name}: {objection}"));
            }
        }
    }
    let mut sources = Sources::new(schemes.list);
    let default = default_sources(&sources, builder.default_sources.take(), vocabulary, errors);
    sources.set_default(default);
    sources
}

/// The schemes of an engine, as far as they are assembled.
struct Schemes<'e> {
    list: Vec<SourceWithScheme>,
    errors: &'e mut ConfigErrors,
}

impl Schemes<'_> {
    fn add_built_in(&mut self, source: Arc<dyn CredentialSource>) {
        self.list.push((source, None));
    }

    fn add(&mut self, source: Arc<dyn CredentialSource>, scheme: Option<Arc<Scheme>>) {
        let name = source.name();
        if self.list.iter().any(|(other, _)| other.name() == name) {
            self.errors.push(format!("two sources have the name `{name}`: give the second another name"));
        } else if let Some(objection) = Named::Source.objection(name) {
            self.errors.push(objection);
        } else if [AccessCookie::SOURCE, Bearer::SOURCE, "query", RENEWAL, TOKENS].contains(&name) {
            self.errors.push(format!("a source can't have the name `{name}`: give it another name"));
        } else if !is_token(source.challenge_scheme()) {
            self.errors.push(format!(
                "the source `{name}` has the scheme {:?}, which can't be an authentication scheme (RFC 9110 §11.1): use letters, \
                 digits and `-`",
                source.challenge_scheme()
            ));
        } else if let Some(other) = self.judged_by_another(&*source, scheme.is_some()) {
            self.errors.push(format!(
                "the sources `{other}` and `{name}` take a credential from one place, and it can't be judged by both: give one of them \
                 another header, scheme, cookie or parameter"
            ));
        } else {
            self.list.push((source, scheme));
        }
    }

    /// The name of the source that takes the same credential as this one, where an authenticator judges one of the two.
    fn judged_by_another(&self, source: &dyn CredentialSource, has_authenticator: bool) -> Option<String> {
        let place = source.location().map(Place::of)?;
        let same = |(other, scheme): &&SourceWithScheme| {
            (has_authenticator || scheme.is_some()) && other.location().map(Place::of) == Some(place.clone())
        };
        self.list.iter().find(same).map(|(other, _)| other.name().to_owned())
    }
}

/// A place in a request, to be compared: headers and schemes without case (RFC 9110 §5.1, §11.1).
#[derive(Clone, PartialEq, Eq)]
enum Place {
    Header(String, Option<String>),
    Cookie(String),
    Query(String),
}

impl Place {
    fn of(location: CredentialLocation<'_>) -> Self {
        match location {
            CredentialLocation::Header { name, scheme } => {
                Self::Header(name.to_ascii_lowercase(), scheme.map(str::to_ascii_lowercase))
            }
            CredentialLocation::Cookie { name } => Self::Cookie(name.to_owned()),
            CredentialLocation::Query { name } => Self::Query(name.to_owned()),
        }
    }
}

/// Adds the headers that the vocabulary declares, and looks for the other sources that it declares.
fn add_declared(
    vocabulary: Option<&Vocabulary>,
    custom: &mut Vec<Arc<dyn CredentialSource>>,
    authenticators: &[&str],
    errors: &mut ConfigErrors,
) {
    for source in vocabulary.into_iter().flat_map(|vocabulary| vocabulary.sources) {
        match source.kind {
            DeclaredSourceKind::Header { name, scheme, is_added_by_proxy } => match HeaderName::from_bytes(name.as_bytes()) {
                Ok(header) => {
                    let header = Header::new(source.name, header);
                    let header = match scheme {
                        Some(scheme) => header.with_scheme(scheme),
                        None => header,
                    };
                    custom.push(Arc::new(if is_added_by_proxy { header.added_by_proxy() } else { header }));
                }
                Err(_) => errors.push(format!(
                    "the source `{}` is declared with {name:?}, which can't be the name of a header: correct `name` of this source in auth.toml",
                    source.name
                )),
            },
            DeclaredSourceKind::Custom => {
                let is_given = custom.iter().any(|given| given.name() == source.name);
                if !is_given && !authenticators.contains(&source.name) {
                    errors.push(format!(
                        "the vocabulary declares the source `{0}` of kind `custom`, but the builder has no source of that \
                         name: call `.source(..)` or `.authenticator(..)` with it, for API keys `.api_keys(..)`, or remove `[sources.{0}]` from auth.toml",
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
        None if declared.is_empty() => ("`default_sources`", vec![sources.only().unwrap_or("bearer")]),
        None => ("`default_source` of auth.toml", declared.to_vec()),
    };
    if names.is_empty() {
        errors.push("`default_sources` is empty: name at least one, such as `bearer`");
    }
    sources.resolve(&names).unwrap_or_else(|unknown| {
        let known: Vec<_> = sources.names().collect();
        let hint = if unknown == "query" {
            ": call `dangerously_allow_query_tokens(Query::new())` if tokens may be in URLs"
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
