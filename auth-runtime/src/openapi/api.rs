//! What an application says about its API, besides the routes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::oauth::{IssuedBy, OAuthFlows};

/// Describes an API: its title, the URLs where it is served, the names of its security schemes, and who issues its tokens.
#[derive(Clone, Debug)]
#[must_use = "call `describe` or `fill`"]
pub struct OpenApi {
    pub(super) version: OpenApiVersion,
    title: String,
    api_version: String,
    description: Option<String>,
    servers: Vec<String>,
    /// By the source's name.
    pub(super) scheme_names: BTreeMap<String, String>,
    /// By the source's name.
    pub(super) issued_by: BTreeMap<String, IssuedBy>,
}

/// A version of the specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenApiVersion {
    /// 3.1.1.
    #[default]
    V3_1,
    /// 3.2.0.
    V3_2,
}

impl OpenApi {
    /// An API with this title. `version` is the version of the API, not of OpenAPI.
    pub fn new(title: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            version: OpenApiVersion::default(),
            title: title.into(),
            api_version: version.into(),
            description: None,
            servers: Vec::new(),
            scheme_names: BTreeMap::new(),
            issued_by: BTreeMap::new(),
        }
    }

    /// The version of the specification. Default: 3.1. [`fill`](Self::fill) does not change the version of a document that
    /// states one.
    pub fn version(mut self, version: OpenApiVersion) -> Self {
        self.version = version;
        self
    }

    /// What the API is for, in CommonMark.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// A URL where the API is served. Default: `/`, the host that serves the document.
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.servers.push(url.into());
        self
    }

    /// The name of this source's security scheme. Default: the name of the source.
    pub fn scheme_name(mut self, source: impl Into<String>, name: impl Into<String>) -> Self {
        self.scheme_names.insert(source.into(), name.into());
        self
    }

    /// OAuth 2 issues the tokens of this source, at these URLs. The source must take a token from `Authorization: Bearer`.
    pub fn oauth2(mut self, source: impl Into<String>, flows: OAuthFlows) -> Self {
        self.issued_by.insert(source.into(), IssuedBy::OAuth2(flows));
        self
    }

    /// OpenID Connect issues the tokens of this source, and its configuration is at this URL. The source must take a token from
    /// `Authorization: Bearer`.
    pub fn open_id_connect(mut self, source: impl Into<String>, url: impl Into<String>) -> Self {
        self.issued_by.insert(source.into(), IssuedBy::OpenIdConnect(url.into()));
        self
    }

    /// The fields `openapi`, `info` and `servers`.
    pub(super) fn head(&self) -> Map<String, Value> {
        let version = match self.version {
            OpenApiVersion::V3_1 => "3.1.1",
            OpenApiVersion::V3_2 => "3.2.0",
        };
        let mut info = Map::from_iter([
            ("title".to_owned(), json!(self.title)),
            ("version".to_owned(), json!(self.api_version)),
        ]);
        info.extend(
            self.description.iter().map(|description| ("description".to_owned(), json!(description))),
        );
        let urls =
            if self.servers.is_empty() { vec!["/"] } else { self.servers.iter().map(|url| &**url).collect() };
        let servers: Vec<Value> = urls.into_iter().map(|url| json!({ "url": url })).collect();
        Map::from_iter([
            ("openapi".to_owned(), json!(version)),
            ("info".to_owned(), Value::Object(info)),
            ("servers".to_owned(), Value::Array(servers)),
        ])
    }
}
