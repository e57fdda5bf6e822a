//! How this service proves to the issuer who it is. The endpoint answers no other client (RFC 7662 §2.1, §4).

use std::fmt;
use std::time::SystemTime;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use serde_json::json;

use crate::clock::unix_seconds;
use crate::jose::{EncodedHeader, SignError, SigningKey, random_id};

/// The type of a client's JWT (draft-ietf-oauth-rfc7523bis §4).
const JWT_TYPE: &str = "client-authentication+jwt";

/// What `client_assertion_type` is for a JWT (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long a client's JWT is valid, in seconds.
const LIFETIME: i64 = 60;

/// How a client authenticates itself.
#[derive(Clone)]
pub(super) struct ClientAuthentication {
    client_id: String,
    method: Method,
}

#[derive(Clone)]
enum Method {
    Basic(String),
    Post(String),
    PrivateKeyJwt(Box<SigningKey>, EncodedHeader),
}

impl ClientAuthentication {
    pub(super) fn basic(client_id: String, secret: String) -> Self {
        Self { client_id, method: Method::Basic(secret) }
    }

    pub(super) fn post(client_id: String, secret: String) -> Self {
        Self { client_id, method: Method::Post(secret) }
    }

    pub(super) fn private_key_jwt(client_id: String, key: SigningKey) -> Self {
        let header = key.header_of_type(JWT_TYPE);
        Self { client_id, method: Method::PrivateKeyJwt(Box::new(key), header) }
    }

    /// Whether it is a JWT.
    pub(super) fn signs(&self) -> bool {
        matches!(self.method, Method::PrivateKeyJwt(..))
    }

    /// What is wrong with it, and what to write instead.
    pub(super) fn objection(&self) -> Option<&'static str> {
        if self.client_id.is_empty() {
            return Some("the client id is empty: pass the one that the issuer has given to this service");
        }
        match &self.method {
            Method::Basic(secret) | Method::Post(secret) if secret.is_empty() => {
                Some("the client secret is empty: pass the one that the issuer has given to this service")
            }
            Method::PrivateKeyJwt(key, _) if key.is_secret() => Some(
                "the key of `private_key_jwt` is a secret, with which the issuer could sign too: use `SigningKey::pem`",
            ),
            _ => None,
        }
    }

    /// Adds what proves it to a request: fields of the form, or the header `Authorization`.
    ///
    /// # Errors
    /// If nothing can be signed.
    pub(super) fn prove(
        &self,
        form: &mut Serializer<'_, String>,
        audience: &str,
        now: SystemTime,
    ) -> Result<Option<HeaderValue>, SignError> {
        match &self.method {
            Method::Basic(secret) => return self.basic_header(secret).map(Some),
            Method::Post(secret) => {
                form.append_pair("client_id", &self.client_id).append_pair("client_secret", secret);
            }
            Method::PrivateKeyJwt(key, header) => {
                let now = unix_seconds(now);
                let jti = random_id()?;
                // RFC 7523 §3. One audience alone: the JWT is for no other server.
                let claims = json!({
                    "iss": self.client_id,
                    "sub": self.client_id,
                    "aud": audience,
                    "jti": jti,
                    "iat": now,
                    "exp": now.saturating_add(LIFETIME),
                });
                let jwt = key.sign_with_header(header, &claims)?;
                form.append_pair("client_assertion_type", ASSERTION_TYPE)
                    .append_pair("client_assertion", &jwt);
            }
        }
        Ok(None)
    }

    /// Id and secret, encoded as in a form before they are joined (RFC 6749 §2.3.1).
    fn basic_header(&self, secret: &str) -> Result<HeaderValue, SignError> {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encoded(&self.client_id), encoded(secret)));
        let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(|error| {
            SignError::with_source("the client id and secret can't be in a header", error)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Prints the method and the client id.
impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::Basic(_) => "client_secret_basic",
            Method::Post(_) => "client_secret_post",
            Method::PrivateKeyJwt(..) => "private_key_jwt",
        };
        f.debug_tuple(method).field(&self.client_id).finish()
    }
}
