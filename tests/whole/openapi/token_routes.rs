//! What the ready token routes say of themselves is what they answer: each status, its content type, its body.

mod own_answers;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use auth_runtime::openapi::OpenApi;
use auth_runtime::session::routes::{
    AttemptLimit, Credentials, Delivery, LoginVerifier, TokenAnswers, TokenFailure, TokenRequest, TokenRoutes,
};
use auth_runtime::session::{BoxError, Subject};
use auth_runtime::{Auth, AuthBuilder, Router, rule};
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::schema;
use crate::support::flaky::FlakyStore;
use crate::support::people::{People, issuer};
use crate::support::{Reply, request, send};

/// The application's own form.
struct Own;

impl TokenAnswers for Own {
    fn failed(&self, failure: TokenFailure, _: &TokenRequest<'_>) -> Response {
        (failure.status(), "no").into_response()
    }
}

struct Shop {
    app: axum::Router,
    document: Value,
    store: FlakyStore,
    people: People,
}

impl Shop {
    async fn new(delivery: Delivery, configure: fn(TokenRoutes<People>) -> TokenRoutes<People>) -> Self {
        Self::with(delivery, |builder| builder, configure).await
    }

    async fn with(
        delivery: Delivery,
        build: fn(AuthBuilder) -> AuthBuilder,
        configure: fn(TokenRoutes<People>) -> TokenRoutes<People>,
    ) -> Self {
        let admins = rule!(roles = ["admin"]);
        Self::serving(delivery, build, |routes| {
            let routes = routes.revocation(admins).introspection(admins).sessions();
            let routes = routes.administration(admins).revoked(admins);
            configure(routes).router()
        })
        .await
    }

    /// With routes that are mounted in another way, below `/auth`.
    async fn serving(
        delivery: Delivery,
        build: fn(AuthBuilder) -> AuthBuilder,
        mount: impl FnOnce(TokenRoutes<People>) -> Router,
    ) -> Self {
        let (people, store) = (People::default(), FlakyStore::default());
        let builder = Auth::builder().token_issuer(issuer(&people)).store(store.clone());
        let auth = build(builder).build().unwrap();
        auth.start().await.unwrap();
        let tokens = auth.tokens().unwrap();
        let routes = match delivery {
            Delivery::Cookies => TokenRoutes::cookies(tokens, people.clone()),
            _ => TokenRoutes::json(tokens, people.clone()),
        };
        let routes: Router = Router::new().nest("/auth", mount(routes));
        let mut document = json!({});
        let coverage = OpenApi::new("Shop", "1").fill(&mut document, &routes.routes(), &auth).unwrap();
        assert!(coverage.is_complete(), "{coverage}");
        let app = routes.finish(&auth).unwrap();
        let app = app.layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        Self { app, document, store, people }
    }

    /// Sends it, and holds the answer to the document.
    async fn post(&self, route: &str, headers: &[(&str, &str)], body: &str, status: u16) -> Reply {
        let mut request = request("POST", &format!("/auth/{route}"), headers);
        *request.body_mut() = Body::from(body.to_owned());
        self.holds(route, request, status).await
    }

    /// The same of a route without a body, whose path has parameters in the document.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        route: &str,
        headers: &[(&str, &str)],
        status: u16,
    ) -> Reply {
        self.holds(route, request(method, &format!("/auth/{path}"), headers), status).await
    }

    async fn holds(&self, route: &str, request: axum::http::Request<Body>, status: u16) -> Reply {
        let (method, path) = (request.method().as_str().to_lowercase(), format!("/auth/{route}"));
        let reply = send(&self.app, request).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {route}: {}", reply.body);

        let responses = &self.document["paths"][&path][&method]["responses"];
        let response = responses.get(status.to_string()).or(responses.get("default")).unwrap_or_else(|| {
            panic!("{route} answers {status}, which is not documented: {responses}");
        });
        let response = match response["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
            None => response,
        };
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let is_required = header["required"] == true;
            assert!(!is_required || !reply.header(name).is_empty(), "{route} {status} lacks {name}");
        }
        if let Some(contents) = response["content"].as_object() {
            let (kind, _) =
                reply.header("content-type").split_once(';').unwrap_or((reply.header("content-type"), ""));
            let content = contents
                .get(kind)
                .unwrap_or_else(|| panic!("{route} {status}: {kind} is not in {contents:?}"));
            let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
            assert!(body.is_object() || !kind.ends_with("json"), "{route} {status}: {}", reply.body);
            schema::check(&self.document, &content["schema"], &body);
        } else if responses.get("default").is_none() {
            assert_eq!(reply.body, "", "{route} {status}");
        }
        reply
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const ALICE: &str = r#"{ "username": "alice", "password": "password of alice" }"#;

#[tokio::test]
async fn with_tokens_in_the_body() {
    let shop = Shop::new(Delivery::Json, |routes| {
        routes.limit_per_account(AttemptLimit::new(3, std::time::Duration::from_secs(60)))
    })
    .await;
    let reply = shop.post("login", &[JSON], ALICE, 200).await;
    let tokens: Value = serde_json::from_str(&reply.body).unwrap();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let bearer = ("authorization", &*bearer);
    shop.post("login", &[JSON], &ALICE.replace("of alice", "of eve"), 400).await;
    shop.post("login", &[JSON], "garbage", 400).await;
    shop.post("login", &[], "", 400).await;
    shop.post("login", &[JSON], ALICE, 200).await;
    shop.post("login", &[JSON], ALICE, 429).await;
    let refresh =
        json!({ "refresh_token": tokens["refresh_token"], "grant_type": "refresh_token" }).to_string();
    shop.post("refresh", &[JSON], &refresh, 200).await;
    shop.post("refresh", &[JSON], r#"{ "refresh_token": "x" }"#, 400).await;
    shop.post("refresh", &[JSON], "garbage", 400).await;
    for route in ["introspect", "revoke"] {
        shop.post(route, &[JSON], r#"{ "token": "x" }"#, 401).await;
        shop.post(route, &[JSON, bearer], r#"{ "token": "x" }"#, 200).await;
        shop.post(route, &[JSON, bearer], "garbage", 400).await;
        shop.post(route, &[JSON, bearer, bearer], r#"{ "token": "x" }"#, 400).await;
    }
    let bob: Value =
        serde_json::from_str(&shop.post("login", &[JSON], &ALICE.replace("alice", "bob"), 200).await.body)
            .unwrap();
    let of_bob = format!("Bearer {}", bob["access_token"].as_str().unwrap());
    shop.post("revoke", &[JSON, ("authorization", &of_bob)], r#"{ "token": "x" }"#, 403).await;
    shop.people.set_unreachable(true);
    shop.post("login", &[JSON], &ALICE.replace("alice", "bob"), 503).await;
    shop.people.set_unreachable(false);
    shop.store.set_takes_no_revocation(true);
    shop.post("logout", &[JSON, bearer], "", 503).await;
    shop.post("logout-everywhere", &[bearer], "", 503).await;
    shop.store.set_takes_no_revocation(false);
    shop.post("logout", &[JSON], "garbage", 400).await;
    shop.post("logout-everywhere", &[], "", 401).await;
    shop.post("logout-everywhere", &[bearer, bearer], "", 400).await;
    shop.post("logout-everywhere", &[bearer], "", 204).await;
    shop.post("logout", &[], "", 204).await;
}

/// Of one's own sessions, and of those of any user.
#[tokio::test]
async fn of_sessions() {
    let shop = Shop::new(Delivery::Json, |routes| routes.session_label(|_| Some("label".into()))).await;
    let log_in = async |name: &str| {
        let reply = shop.post("login", &[JSON], &ALICE.replace("alice", name), 200).await;
        let tokens: Value = serde_json::from_str(&reply.body).unwrap();
        format!("Bearer {}", tokens["access_token"].as_str().unwrap())
    };
    let (alice, bob) = (log_in("alice").await, log_in("bob").await);
    let (admin, user) = ([("authorization", &*alice)], [("authorization", &*bob)]);
    let twice = [admin[0], admin[0]];
    let (one, own) = ("sessions/{session_id}", "sessions");
    let (any, all) = ("users/{subject}/sessions/{session_id}", "users/{subject}/sessions");
    let listed = shop.ask("GET", own, own, &user, 200).await;
    let list: Value = serde_json::from_str(&listed.body).unwrap();
    let schema = "/paths/~1auth~1sessions/get/responses/200/content/application~1json/schema";
    let schema = shop.document.pointer(schema).unwrap().clone();
    let session = schema["properties"]["sessions"]["items"]["properties"].as_object().unwrap();
    let sent = list["sessions"][0].as_object().unwrap();
    assert_eq!(sent.keys().collect::<BTreeSet<_>>(), session.keys().collect::<BTreeSet<_>>());
    schema::check(&shop.document, &schema, &list);
    let id = list["sessions"][0]["id"].as_str().unwrap();
    shop.ask("GET", "users/bob/sessions", all, &admin, 200).await;
    for (method, path, route) in [
        ("GET", own, own),
        ("DELETE", own, own),
        ("DELETE", "sessions/x", one),
        ("GET", "users/bob/sessions", all),
        ("DELETE", "users/bob/sessions", all),
        ("DELETE", "users/bob/sessions/x", any),
    ] {
        shop.ask(method, path, route, &[], 401).await;
        shop.ask(method, path, route, &twice, 400).await;
        if path.starts_with("users") {
            shop.ask(method, path, route, &user, 403).await;
        }
    }
    shop.ask("DELETE", "sessions/x", one, &user, 404).await;
    shop.ask("DELETE", "users/alice/sessions/x", any, &admin, 404).await;
    shop.ask("GET", "users/%FF/sessions", all, &admin, 400).await;
    shop.ask("DELETE", "users/%FF/sessions", all, &admin, 400).await;
    shop.store.set_broken(true);
    let of_bob = format!("users/bob/sessions/{id}");
    shop.ask("GET", own, own, &user, 503).await;
    shop.ask("DELETE", own, own, &user, 503).await;
    shop.ask("DELETE", &format!("sessions/{id}"), one, &user, 503).await;
    shop.ask("GET", "users/bob/sessions", all, &admin, 503).await;
    shop.ask("DELETE", "users/bob/sessions", all, &admin, 503).await;
    shop.ask("DELETE", &of_bob, any, &admin, 503).await;
    shop.store.set_broken(false);
    shop.ask("DELETE", own, own, &user, 204).await;
    shop.ask("DELETE", &of_bob, any, &admin, 204).await;
    let bob = log_in("bob").await;
    let list = shop.ask("GET", own, own, &[("authorization", &*bob)], 200).await;
    let list: Value = serde_json::from_str(&list.body).unwrap();
    let current = format!("sessions/{}", list["sessions"][0]["id"].as_str().unwrap());
    shop.ask("DELETE", &current, one, &[("authorization", &*bob)], 204).await;
    shop.ask("DELETE", "users/bob/sessions", all, &admin, 204).await;
}

/// Of the lists for administrators: each member that is sent is in the schema, and each that is in the schema is sent.
#[tokio::test]
async fn of_lists_for_administrators() {
    let shop = Shop::new(Delivery::Json, |routes| {
        let many = AttemptLimit::new(1000, std::time::Duration::from_secs(1));
        routes.limit_per_address(many).session_label(|_| Some("label".into()))
    })
    .await;
    let log_in = async |name: &str| {
        let reply = shop.post("login", &[JSON], &ALICE.replace("alice", name), 200).await;
        serde_json::from_str::<Value>(&reply.body).unwrap()
    };
    let alice = log_in("alice").await;
    let bearer = format!("Bearer {}", alice["access_token"].as_str().unwrap());
    let admin = [("authorization", &*bearer)];
    for number in 0..110 {
        shop.people.set(&format!("user{number}"), &[]);
        let tokens = log_in(&format!("user{number}")).await;
        if number < 98 {
            let token = json!({ "token": tokens["access_token"] }).to_string();
            shop.post("revoke", &[JSON, admin[0]], &token, 200).await;
        }
    }
    shop.ask("DELETE", "users/user98/sessions", "users/{subject}/sessions", &admin, 204).await;
    for _ in 0..4 {
        shop.ask("DELETE", "users/user99/sessions", "users/{subject}/sessions", &admin, 204).await;
    }
    for (path, name, not_sent) in [
        ("users/sessions", "sessions", [].as_slice()),
        // Of users whom a provider names, or who are revoked up to an earlier time.
        ("revocations", "revocations", &["issued_at_or_before", "sub"]),
    ] {
        let reply = shop.ask("GET", path, path, &admin, 200).await;
        let list: Value = serde_json::from_str(&reply.body).unwrap();
        let pointer = format!("/paths/~1auth~1{}/get", path.replace('/', "~1"));
        let operation = shop.document.pointer(&pointer).unwrap();
        let schema = operation.pointer("/responses/200/content/application~1json/schema").unwrap();
        schema::check(&shop.document, schema, &list);
        let documented: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
        let sent: BTreeSet<_> = list.as_object().unwrap().keys().collect();
        assert_eq!(sent, documented, "{path}");
        let of_items = schema["properties"][name]["items"]["properties"].as_object().unwrap();
        let documented = of_items.keys().map(String::as_str).filter(|key| !not_sent.contains(key));
        let items = list[name].as_array().unwrap();
        let sent = items.iter().flat_map(|item| item.as_object().unwrap().keys().map(String::as_str));
        // A list of revocations has a kind that no session is of, so members of all items together.
        let (sent, documented): (BTreeSet<_>, BTreeSet<_>) = (sent.collect(), documented.collect());
        let missing: Vec<_> = documented.difference(&sent).collect();
        assert!(sent.is_subset(&documented), "{path}: {sent:?}");
        assert!(missing.is_empty(), "{path}: {missing:?}");

        let parameters = operation["parameters"].as_array().unwrap().iter();
        let parameters: Vec<_> = parameters.map(|one| (one["name"].as_str(), one["in"].as_str())).collect();
        let expected = [(Some("after"), Some("query")), (Some("user"), Some("query"))];
        assert_eq!(parameters, expected[..if name == "sessions" { 1 } else { 2 }]);
        let next = list["next"].as_str().unwrap();
        shop.ask("GET", &format!("{path}?after={next}"), path, &admin, 200).await;
        shop.ask("GET", &format!("{path}?after=x"), path, &admin, 400).await;
        shop.ask("GET", path, path, &[admin[0], admin[0]], 400).await;
        shop.ask("GET", path, path, &[], 401).await;
        let user = log_in("user5").await;
        let user = format!("Bearer {}", user["access_token"].as_str().unwrap());
        shop.ask("GET", path, path, &[("authorization", &user)], 403).await;
        shop.store.set_broken(true);
        shop.ask("GET", path, path, &admin, 503).await;
        shop.store.set_broken(false);
    }
}

#[tokio::test]
async fn with_tokens_in_cookies() {
    let shop = Shop::new(Delivery::Cookies, |routes| routes).await;
    let reply = shop.post("login", &[JSON], ALICE, 200).await;
    let cookies: Vec<&str> = reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap().split(';').next().unwrap())
        .collect();
    let cookies = cookies.join("; ");
    let (cookie, foreign) = (("cookie", &*cookies), ("sec-fetch-site", "cross-site"));
    for route in ["login", "refresh", "logout"] {
        shop.post(route, &[JSON, cookie, foreign], ALICE, 403).await;
    }
    shop.post("logout-everywhere", &[cookie, foreign], "", 403).await;
    shop.post("refresh", &[cookie], "", 200).await;
    shop.post("refresh", &[], "", 400).await;
    shop.post("logout", &[JSON], "garbage", 204).await;
    shop.post("logout-everywhere", &[cookie], "", 204).await;
    shop.post("logout-everywhere", &[cookie], "", 401).await;
}

#[tokio::test]
async fn in_the_applications_own_form() {
    let shop = Shop::new(Delivery::Json, |routes| routes.answers(Own)).await;
    let reply = shop.post("login", &[JSON], ALICE, 200).await;
    let tokens: Value = serde_json::from_str(&reply.body).unwrap();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    shop.post("login", &[JSON], "garbage", 400).await;
    shop.post("introspect", &[JSON, ("authorization", &bearer)], "garbage", 400).await;
    shop.post("introspect", &[JSON, ("authorization", &bearer)], r#"{ "token": "x" }"#, 200).await;
    shop.post("revoke", &[JSON], r#"{ "token": "x" }"#, 401).await;
}

#[tokio::test]
async fn wrong_credentials_as_401() {
    for delivery in [Delivery::Json, Delivery::Cookies] {
        let shop = Shop::new(delivery, |routes| routes.unauthorized_on_wrong_credentials()).await;
        shop.post("login", &[JSON], r#"{ "username": "alice", "password": "wrong" }"#, 401).await;
        shop.post("login", &[JSON], "garbage", 400).await;
    }
    let shop = Shop::new(Delivery::Json, |routes| routes).await;
    assert!(shop.document["paths"]["/auth/login"]["post"]["responses"]["401"].is_null());
}

/// What a login of the application's own form sends, it says itself.
#[test]
fn credentials_of_the_applications_own() {
    #[derive(serde::Deserialize)]
    struct Badge {
        number: String,
    }
    impl Credentials for Badge {
        fn account(&self) -> &str {
            &self.number
        }

        fn schema() -> Value {
            json!({ "type": "object", "properties": { "number": { "type": "string" } }, "required": ["number"] })
        }
    }
    struct Door;
    impl LoginVerifier for Door {
        type Credentials = Badge;

        async fn authenticate(&self, _: Badge) -> Result<Option<Subject>, BoxError> {
            Ok(None)
        }
    }
    let auth = Auth::builder().token_issuer(issuer(&People::default())).build().unwrap();
    let routes: Router = TokenRoutes::json(auth.tokens().unwrap(), Door).router();
    let document = OpenApi::new("Door", "1").describe(&routes.routes(), &auth).unwrap();
    let document = document.to_value();
    let body = &document["paths"]["/login"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], json!(["number"]));
}
