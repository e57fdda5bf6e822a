//! Schemes of authenticators in the document: alternatives, and what an authenticator says of itself.

use auth_runtime::authenticator::{Authentication, Authenticator, BoxError, Subject};
use auth_runtime::source::CredentialPlace;
use axum::http::request::Parts;

use super::*;
use crate::support::{request, send};

/// It says of itself what it is given.
#[derive(Clone, Default)]
struct Says {
    challenge: Option<&'static str>,
    security_scheme: Option<Value>,
}

impl Authenticator for Says {
    async fn authenticate(&self, credential: &str, _: &Parts) -> Result<Authentication, BoxError> {
        Ok(Subject::new(credential).roles(["admin"]).into())
    }

    fn challenge_scheme(&self) -> Option<String> {
        self.challenge.map(str::to_owned)
    }

    fn security_scheme(&self) -> Option<Value> {
        self.security_scheme.clone()
    }
}

#[auth(roles = ["admin"], source = ["bearer", "partner"])]
async fn weights() {}

#[auth(optional, source = ["partner", "bearer"])]
async fn prices() {}

/// The document of an engine with this authenticator, and the challenges of its answers.
async fn described(place: CredentialPlace, says: Says) -> (Value, Vec<String>) {
    let test = TestAuth::with(|builder| builder.authenticator("partner", place, says));
    let routes = Router::new().route("/weights", get(weights)).route("/prices", get(prices));
    let document = OpenApi::new("Shop", "1").describe(&routes.routes(), test.auth()).unwrap().to_value();
    let app = routes.finish(test.auth()).unwrap();
    let reply = send(&app, request("GET", "/weights", &[])).await;
    assert_eq!(reply.status, 401);
    let challenges = reply.headers.get_all("www-authenticate").iter();
    (document, challenges.map(|value| value.to_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_token_or_a_credential_of_an_authenticator_are_alternatives() {
    for (place, expected, challenge) in [
        (
            CredentialPlace::header("X-Partner"),
            json!({ "type": "apiKey", "in": "header", "name": "x-partner" }),
            "ApiKey",
        ),
        (
            CredentialPlace::authorization("Partner"),
            json!({ "type": "http", "scheme": "partner" }),
            "Partner",
        ),
        (
            CredentialPlace::cookie("sid"),
            json!({ "type": "apiKey", "in": "cookie", "name": "sid" }),
            "Cookie",
        ),
        (
            CredentialPlace::dangerously_in_query("key"),
            json!({ "type": "apiKey", "in": "query", "name": "key" }),
            "Bearer",
        ),
    ] {
        let (document, challenges) = described(place, Says::default()).await;
        let security = |path: &str| document["paths"][path]["get"]["security"].clone();
        assert_eq!(security("/weights"), json!([{ "bearer": ["admin"] }, { "partner": ["admin"] }]));
        let mut optional = security("/prices").as_array().unwrap().clone();
        assert_eq!(optional.remove(0), json!({}));
        assert!(optional.contains(&json!({ "bearer": [] })) && optional.contains(&json!({ "partner": [] })));
        let scheme = &document["components"]["securitySchemes"]["partner"];
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&scheme[key], value, "{scheme}");
        }
        assert!(scheme.get("bearerFormat").is_none(), "it is no JWT: {scheme}");
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["bearerFormat"], "JWT");
        assert!(challenges.join(", ").contains(&format!("{challenge} realm=")), "{challenges:?}");
        assert!(challenges.join(", ").contains("Bearer realm="), "{challenges:?}");
    }
}

#[tokio::test]
async fn an_authenticator_says_of_itself_what_differs_from_its_place() {
    let own = json!({ "type": "mutualTLS", "description": "The certificate that the proxy has seen." });
    let says = Says { challenge: Some("Partner-Signature"), security_scheme: Some(own.clone()) };
    let (document, challenges) = described(CredentialPlace::header("X-Partner"), says).await;
    assert_eq!(document["components"]["securitySchemes"]["partner"], own);
    let challenges = challenges.join(", ");
    assert!(
        challenges.contains("Partner-Signature realm=") && !challenges.contains("ApiKey"),
        "{challenges}"
    );
}
