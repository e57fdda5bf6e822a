//! The configuration of an issuer → what fetches its keys.

use std::sync::Arc;

#[cfg(feature = "jwks")]
use super::discovery::{self, MetadataUrls};
use super::fetched_keys::FetchedKeys;
use super::issuer::TrustedIssuer;
#[cfg(feature = "jwks")]
use super::key_source::Fetch;
use super::key_source::KeySource;
use crate::error::ConfigErrors;
#[cfg(feature = "jwks")]
use crate::http_client::{Endpoint, HttpClient};

/// Makes what fetches the keys of one verifier's issuers. They share an HTTP client.
#[derive(Default)]
pub(super) struct Fetchers {
    #[cfg(feature = "jwks")]
    client: Option<HttpClient>,
}

impl Fetchers {
    /// The keys of the verifier's issuer with this index; `None` if they are given. All errors are added to `errors`.
    pub(super) fn fetched_keys(
        &mut self,
        index: usize,
        issuer: &TrustedIssuer,
        errors: &mut ConfigErrors,
    ) -> Option<Arc<FetchedKeys>> {
        let label = issuer.name.label();
        let fetch = match &issuer.source_of_keys() {
            KeySource::Given => {
                if issuer.may_start_unreachable {
                    errors.push(format!(
                        "{label}: `serve_503_until_reachable()` is called, but its keys are given and not fetched: leave out the call"
                    ));
                }
                return None;
            }
            KeySource::Function(fetch) => Arc::clone(fetch),
            #[cfg(feature = "jwks")]
            source => match self.provider(source, issuer) {
                Ok(fetch) => fetch,
                Err(error) => {
                    errors.push(format!("{label}: {error}"));
                    return None;
                }
            },
        };
        let names = (label, issuer.name.shown());
        Some(Arc::new(FetchedKeys::new(index, names, fetch, issuer.may_start_unreachable)))
    }

    #[cfg(feature = "jwks")]
    fn provider(&mut self, source: &KeySource, issuer: &TrustedIssuer) -> Result<Fetch, String> {
        let allow_http = issuer.allow_http;
        let client = match &self.client {
            Some(client) => client.clone(),
            None => {
                let client = HttpClient::new()
                    .map_err(|error| format!("the HTTP client for its keys can't be made: {error}"))?;
                self.client.insert(client).clone()
            }
        };
        if let KeySource::Url(url) = source {
            return Ok(discovery::at(client, Endpoint::parse(url, allow_http)?));
        }
        // Only an issuer with an exact name is discovered.
        let name = issuer.name.exact().unwrap_or_default();
        let urls = MetadataUrls::of(name, allow_http)?;
        Ok(discovery::discovered(client, name, urls, allow_http))
    }
}
