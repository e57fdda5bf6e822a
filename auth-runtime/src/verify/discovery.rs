//! Key sets at an address of the provider: the one that is configured, or the one in the issuer's metadata.

use std::sync::Arc;

use axum::BoxError;
use serde::Deserialize;

use super::key_source::{Fetch, FetchedKeySet};
use crate::excerpt::Excerpt;
use crate::http_client::{Document, Endpoint, HttpClient};

/// What is used of an issuer's metadata (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Fetches the key set at an address.
pub(super) fn at(client: HttpClient, endpoint: Endpoint) -> Fetch {
    let parts = Arc::new((client, endpoint));
    Arc::new(move || {
        let parts = Arc::clone(&parts);
        Box::pin(async move { key_set(parts.0.get(&parts.1).await?) })
    })
}

/// The addresses of an issuer's metadata.
#[derive(Debug)]
pub(super) struct MetadataUrls {
    /// OpenID Connect Discovery 1.0 §4: behind the issuer's path.
    openid: Endpoint,
    /// RFC 8414 §3.1: before the issuer's path.
    oauth: Endpoint,
}

impl MetadataUrls {
    /// # Errors
    /// If the issuer is no URL without query and fragment (RFC 8414 §2), with what is wrong.
    pub(super) fn of(issuer: &str, allow_http: bool) -> Result<Self, String> {
        let url = Endpoint::parse(issuer, allow_http)?.url().clone();
        if url.query().is_some() {
            return Err(format!("`{issuer}` has a query, and the URL of an issuer has none (RFC 8414 §2)"));
        }
        // A slash at the end is a part of the issuer's name, and none of these addresses.
        let path = url.path().trim_end_matches('/');
        let with_path = |path: String| {
            let mut url = url.clone();
            url.set_path(&path);
            Endpoint::parse(url.as_str(), allow_http)
        };
        Ok(Self {
            openid: with_path(format!("{path}/.well-known/openid-configuration"))?,
            oauth: with_path(format!("/.well-known/oauth-authorization-server{path}"))?,
        })
    }
}

/// Fetches the key set that the metadata of an issuer names. The metadata is read each time: the address may change.
pub(super) fn discovered(client: HttpClient, issuer: &str, urls: MetadataUrls, allow_http: bool) -> Fetch {
    let parts = Arc::new((client, issuer.to_owned(), urls));
    Arc::new(move || {
        let parts = Arc::clone(&parts);
        Box::pin(async move {
            let (client, issuer, urls): &(HttpClient, String, MetadataUrls) = &parts;
            let metadata = metadata(client, urls).await?;
            let endpoint = jwks_endpoint(&metadata.body, issuer, urls, allow_http)?;
            key_set(client.get(&endpoint).await?)
        })
    })
}

/// The issuer's metadata, where OpenID Connect has it, or else where OAuth has it.
async fn metadata(client: &HttpClient, urls: &MetadataUrls) -> Result<Document, BoxError> {
    match client.get(&urls.openid).await {
        Err(error) if error.is_not_found() => match client.get(&urls.oauth).await {
            Err(second) if second.is_not_found() => Err(format!(
                "{error}, and {second}: the issuer has no metadata there. See that its name is right; if it publishes none, name its addresses by \
                 `TrustedIssuer::jwks_url(..)` and `Introspection::at(..)`"
            )
            .into()),
            answer => Ok(answer?),
        },
        answer => Ok(answer?),
    }
}

/// Reads an issuer's metadata: the issuer in it equals the one that was asked for (RFC 8414 §3.3, OpenID Connect Discovery 1.0 §4.3).
fn jwks_endpoint(
    json: &[u8],
    issuer: &str,
    urls: &MetadataUrls,
    allow_http: bool,
) -> Result<Endpoint, BoxError> {
    let metadata: Metadata = serde_json::from_slice(json).map_err(|error| {
        format!("the metadata of the issuer is no JSON object with `issuer` and `jwks_uri`: {error}")
    })?;
    check_issuer(&metadata.issuer, issuer)?;
    Endpoint::parse(&metadata.jwks_uri, allow_http)
        .and_then(|endpoint| endpoint.named_by(&urls.openid))
        .map_err(|error| format!("`jwks_uri` of the metadata can't be used: {error}").into())
}

fn check_issuer(found: &str, asked: &str) -> Result<(), BoxError> {
    if found == asked {
        return Ok(());
    }
    let remedy = if found.contains("{tenantid}") {
        "it is that of all tenants of Microsoft Entra ID: use `providers::entra_id`"
    } else {
        "a slash at the end counts. If that is the issuer, write it so"
    };
    let found = Excerpt::new(found);
    Err(format!("the metadata is of the issuer {found}, and not of `{asked}`: {remedy}").into())
}

/// What is used of the metadata of an issuer that is asked about its tokens (RFC 8414 §2).
#[cfg(feature = "introspection")]
#[derive(Deserialize)]
struct IntrospectionMetadata {
    issuer: String,
    introspection_endpoint: String,
}

/// Fetches the address at which an issuer is asked about its tokens.
#[cfg(feature = "introspection")]
pub(super) async fn introspection_endpoint(
    client: &HttpClient,
    issuer: &str,
    urls: &MetadataUrls,
) -> Result<Endpoint, BoxError> {
    let document = metadata(client, urls).await?;
    let metadata: IntrospectionMetadata = serde_json::from_slice(&document.body).map_err(|error| {
        format!(
            "the metadata of the issuer is no JSON object with `issuer` and `introspection_endpoint`: {error}"
        )
    })?;
    check_issuer(&metadata.issuer, issuer)?;
    Endpoint::parse_for_secrets(&metadata.introspection_endpoint)
        .and_then(|endpoint| endpoint.named_by(&urls.openid))
        .map_err(|error| format!("`introspection_endpoint` of the metadata can't be used: {error}").into())
}

fn key_set(document: Document) -> Result<FetchedKeySet, BoxError> {
    let jwks = String::from_utf8(document.body).map_err(|_| "the key set is not UTF-8")?;
    Ok(FetchedKeySet { jwks, fresh_for: document.fresh_for })
}

#[cfg(test)]
mod tests {
    use super::{MetadataUrls, jwks_endpoint};

    #[test]
    fn the_addresses_of_the_metadata_rfc_8414_section_3_1() {
        for (issuer, openid, oauth) in [
            (
                "https://a.example",
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/",
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/realms/shop",
                "/realms/shop/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/realms/shop",
            ),
            (
                "https://a.example/tenant/v2.0/",
                "/tenant/v2.0/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/tenant/v2.0",
            ),
        ] {
            let urls = MetadataUrls::of(issuer, false).unwrap();
            assert_eq!(urls.openid.url().as_str(), format!("https://a.example{openid}"), "{issuer}");
            assert_eq!(urls.oauth.url().as_str(), format!("https://a.example{oauth}"), "{issuer}");
        }
        for issuer in ["a.example", "https://a.example/?x=1", "https://a.example/#x", "http://a.example"] {
            assert!(MetadataUrls::of(issuer, false).is_err(), "{issuer}");
        }
    }

    /// RFC 8414 §3.3.
    #[test]
    fn the_issuer_of_the_metadata_is_the_one_that_was_asked_for() {
        let asked = "https://a.example";
        for (json, expected) in [
            (
                r#"{"issuer":"https://a.example","jwks_uri":"https://b.example/jwks"}"#,
                Ok("https://b.example/jwks"),
            ),
            (
                r#"{"issuer":"https://a.example/","jwks_uri":"https://b.example/jwks"}"#,
                Err("a slash at the end counts"),
            ),
            (
                r#"{"issuer":"https://login.example/{tenantid}/v2.0","jwks_uri":"https://b.example/jwks"}"#,
                Err("use `providers::entra_id`"),
            ),
            (
                r#"{"issuer":"https://A.example","jwks_uri":"https://b.example/jwks"}"#,
                Err("not of `https://a.example`"),
            ),
            (
                r#"{"issuer":"https://evil.example","jwks_uri":"https://b.example/jwks"}"#,
                Err(r#""https://evil.example""#),
            ),
            (r#"{"jwks_uri":"https://b.example/jwks"}"#, Err("missing field `issuer`")),
            (r#"{"issuer":"https://a.example"}"#, Err("missing field `jwks_uri`")),
            (
                r#"{"issuer":"https://a.example","issuer":"https://a.example","jwks_uri":"x"}"#,
                Err("duplicate field"),
            ),
            (r#"{"issuer":"https://a.example","jwks_uri":"http://b.example/jwks"}"#, Err("is not https")),
            (r#"{"issuer":"https://a.example","jwks_uri":"file:///etc/passwd"}"#, Err("is not https")),
            // Of a server elsewhere, an address on this machine.
            (
                r#"{"issuer":"https://a.example","jwks_uri":"http://127.0.0.1:8080/admin"}"#,
                Err("is an address of this machine"),
            ),
            (
                r#"{"issuer":"https://a.example","jwks_uri":"https://localhost/"}"#,
                Err("is an address of this machine"),
            ),
            ("[]", Err("no JSON object")),
            ("", Err("no JSON object")),
        ] {
            let urls = MetadataUrls::of(asked, false).unwrap();
            let read = jwks_endpoint(json.as_bytes(), asked, &urls, false);
            match (read, expected) {
                (Ok(endpoint), Ok(expected)) => assert_eq!(endpoint.url().as_str(), expected, "{json}"),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{json}: {error}");
                }
                (read, expected) => panic!("{json}: {:?} and not {expected:?}", read.is_ok()),
            }
        }
    }
}
