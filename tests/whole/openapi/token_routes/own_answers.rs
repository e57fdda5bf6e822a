//! Answers of the application's own, and what the document says of them: what is said is sent.

use auth_runtime::openapi::OpenApiVersion;
use auth_runtime::rejection::Rejection;
use auth_runtime::routing::MethodFilter;
use auth_runtime::session::IssuedTokens;
use auth_runtime::session::routes::{AnswerSchemas, TokenRoute};
use auth_runtime::testing::TestAuth;
use auth_tests_tools::Tools;
use axum::Json;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::*;

/// One form for all that fails, of the token routes and of the gate.
fn detail(text: &str) -> Json<Value> {
    Json(json!({ "detail": text, "status": "failed" }))
}

fn detail_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "detail": { "type": "string" }, "status": { "type": "string", "enum": ["failed"] } },
        "required": ["detail", "status"],
        "additionalProperties": false,
    })
}

fn rejected(rejection: &Rejection, _: &Parts) -> Response {
    (rejection.status(), detail("rejected")).into_response()
}

/// As a service in Python may answer: names of its own, 204, and 403 for a wrong password.
struct Named;

impl TokenAnswers for Named {
    fn tokens(&self, tokens: &IssuedTokens, request: &TokenRequest<'_>) -> Response {
        match request.route {
            TokenRoute::Login => {
                let user = json!({ "access": tokens.access_token, "refresh": tokens.refresh_token });
                (StatusCode::CREATED, Json(json!({ "tokens": user }))).into_response()
            }
            _ => Json(json!({ "access": tokens.access_token, "refresh": tokens.refresh_token }))
                .into_response(),
        }
    }

    fn failed(&self, failure: TokenFailure, _: &TokenRequest<'_>) -> Response {
        let status = match failure {
            TokenFailure::WrongCredentials => StatusCode::FORBIDDEN,
            TokenFailure::TooManyAttempts(_) => StatusCode::SERVICE_UNAVAILABLE,
            // A failure is never a success: it is answered 400.
            TokenFailure::InvalidRequest => StatusCode::OK,
            other => other.status(),
        };
        (status, detail(failure.error())).into_response()
    }

    fn logged_out(&self, _: &TokenRequest<'_>) -> Response {
        Json(json!({ "goodbye": true })).into_response()
    }

    fn schemas(&self) -> AnswerSchemas {
        let pair = json!({
            "type": "object",
            "properties": { "access": { "type": "string" }, "refresh": { "type": "string" } },
            "required": ["access", "refresh"],
            "additionalProperties": false,
        });
        let tokens = json!({ "type": "object", "properties": { "tokens": { "$ref": "#/components/schemas/Pair" } }, "required": ["tokens"] });
        let goodbye = json!({ "type": "object", "properties": { "goodbye": { "type": "boolean" } }, "required": ["goodbye"] });
        AnswerSchemas::new()
            .tokens(StatusCode::CREATED, tokens)
            .refreshed(StatusCode::OK, json!({ "$ref": "#/components/schemas/Pair" }))
            .logged_out(StatusCode::OK, goodbye)
            .failed("application/json", detail_schema())
            .failed_with(TokenFailure::WrongCredentials, StatusCode::FORBIDDEN)
            .failed_with(
                TokenFailure::TooManyAttempts(std::time::Duration::MAX),
                StatusCode::SERVICE_UNAVAILABLE,
            )
            .failed_with(TokenFailure::InvalidRequest, StatusCode::OK)
            .component("Pair", pair)
    }
}

/// An engine whose rejections have the same form.
fn same_form(builder: AuthBuilder) -> AuthBuilder {
    builder.render_rejections(rejected).rejection_schema("application/json", detail_schema())
}

fn named(routes: TokenRoutes<People>) -> TokenRoutes<People> {
    let limit = AttemptLimit::new(3, std::time::Duration::from_secs(60));
    routes.answers(Named).unauthorized_on_wrong_credentials().limit_per_account(limit)
}

fn statuses(document: &Value, operation: &str) -> Vec<String> {
    let responses = document.pointer(operation).unwrap()["responses"].as_object().unwrap();
    let mut statuses: Vec<String> = responses.keys().cloned().collect();
    statuses.sort();
    statuses
}

#[tokio::test]
async fn every_answer_is_of_its_schema() {
    let shop = Shop::with(Delivery::Json, same_form, named).await;
    for (route, expected) in [
        ("login", &["201", "400", "403", "503"][..]),
        ("refresh", &["200", "400", "503"]),
        ("logout", &["200", "400", "503"]),
        ("logout-everywhere", &["200", "400", "401", "503"]),
        ("revoke", &["200", "400", "401", "403", "503"]),
    ] {
        assert_eq!(
            statuses(&shop.document, &format!("/paths/~1auth~1{route}/post")),
            expected,
            "{route}: no `default`"
        );
    }
    let wrong = ALICE.replace("of alice", "of eve");
    let reply = shop.post("login", &[JSON], ALICE, 201).await;
    let tokens: Value = serde_json::from_str(&reply.body).unwrap();
    let bearer = format!("Bearer {}", tokens["tokens"]["access"].as_str().unwrap());
    let bearer = ("authorization", &*bearer);
    shop.post("login", &[JSON], &wrong, 403).await;
    shop.post("login", &[JSON], "garbage", 400).await;
    shop.post("login", &[JSON], &wrong, 403).await;
    shop.post("login", &[JSON], ALICE, 503).await;
    let refresh = json!({ "refresh_token": tokens["tokens"]["refresh"] }).to_string();
    shop.post("refresh", &[JSON], &refresh, 200).await;
    shop.post("refresh", &[JSON], r#"{ "refresh_token": "x" }"#, 400).await;
    for route in ["introspect", "revoke"] {
        shop.post(route, &[JSON], r#"{ "token": "x" }"#, 401).await;
        shop.post(route, &[JSON, bearer], r#"{ "token": "x" }"#, 200).await;
        shop.post(route, &[JSON, bearer], "garbage", 400).await;
        shop.post(route, &[JSON, bearer, bearer], r#"{ "token": "x" }"#, 400).await;
    }
    shop.ask("DELETE", "sessions/x", "sessions/{session_id}", &[bearer], 404).await;
    shop.ask("GET", "users/%FF/sessions", "users/{subject}/sessions", &[bearer], 400).await;
    shop.people.set_unreachable(true);
    shop.post("login", &[JSON], &ALICE.replace("alice", "bob"), 503).await;
    shop.people.set_unreachable(false);
    shop.store.set_takes_no_revocation(true);
    shop.post("logout-everywhere", &[bearer], "", 503).await;
    shop.store.set_takes_no_revocation(false);
    shop.post("logout-everywhere", &[], "", 401).await;
    shop.post("logout-everywhere", &[bearer], "", 200).await;
    shop.post("logout", &[JSON], "garbage", 400).await;
    shop.post("logout", &[], "", 200).await;
}

/// A login and a logout at one path, a refresh at another, and a logout that a rule guards.
#[tokio::test]
async fn at_paths_of_ones_own_it_is_the_same() {
    let shop = Shop::serving(Delivery::Json, same_form, |routes| {
        let endpoints = named(routes).endpoints();
        let session = endpoints.route(TokenRoute::Login);
        let session = session.merge(endpoints.route_on(MethodFilter::DELETE, TokenRoute::Logout));
        let guarded = endpoints.guarded_route(TokenRoute::Logout, rule!(roles = ["admin"]));
        Router::new()
            .route("/session", session)
            .route("/token/refresh", endpoints.route(TokenRoute::Refresh))
            .route("/guarded", guarded)
    })
    .await;
    assert_eq!(statuses(&shop.document, "/paths/~1auth~1session/post"), ["201", "400", "403", "503"]);
    assert_eq!(statuses(&shop.document, "/paths/~1auth~1session/delete"), ["200", "400", "503"]);
    assert_eq!(statuses(&shop.document, "/paths/~1auth~1guarded/post"), ["200", "400", "401", "403", "503"]);
    let log_in = async |name: &str| {
        let reply = shop.post("session", &[JSON], &ALICE.replace("alice", name), 201).await;
        let tokens: Value = serde_json::from_str(&reply.body).unwrap();
        let text = |name: &str| tokens["tokens"][name].as_str().unwrap().to_owned();
        (format!("Bearer {}", text("access")), json!({ "refresh_token": text("refresh") }).to_string())
    };
    let (bob, refresh) = log_in("bob").await;
    shop.post("session", &[JSON], "garbage", 400).await;
    shop.post("token/refresh", &[JSON], &refresh, 200).await;
    shop.post("token/refresh", &[JSON], r#"{ "refresh_token": "x" }"#, 400).await;
    shop.post("guarded", &[], "", 401).await;
    shop.post("guarded", &[("authorization", &bob)], "", 403).await;
    shop.post("guarded", &[("authorization", &bob), ("authorization", &bob)], "", 400).await;
    let (alice, _) = log_in("alice").await;
    shop.post("guarded", &[JSON, ("authorization", &alice)], "garbage", 400).await;
    shop.store.set_takes_no_revocation(true);
    shop.ask("DELETE", "session", "session", &[("authorization", &bob)], 503).await;
    shop.post("guarded", &[("authorization", &alice)], "", 503).await;
    shop.store.set_takes_no_revocation(false);
    shop.ask("DELETE", "session", "session", &[("authorization", &bob)], 200).await;
    shop.post("guarded", &[("authorization", &alice)], "", 200).await;
}

/// Equal schemas of one content type are one, and different ones alternatives.
#[tokio::test]
async fn one_form_for_all_that_fails_is_one_schema() {
    let content = |shop: &Shop, status: &str| {
        let pointer = format!("/paths/~1auth~1revoke/post/responses/{status}/content");
        shop.document.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}")).clone()
    };
    let shop = Shop::with(Delivery::Json, same_form, named).await;
    for status in ["400", "503"] {
        assert_eq!(
            content(&shop, status),
            json!({ "application/json": { "schema": detail_schema() } }),
            "{status}"
        );
    }
    let other = |builder: AuthBuilder| {
        builder
            .render_rejections(|rejection, _| {
                (rejection.status(), Json(json!({ "no": true }))).into_response()
            })
            .rejection_schema("application/json", json!({ "type": "object", "required": ["no"] }))
    };
    let shop = Shop::with(Delivery::Json, other, named).await;
    let either = json!([detail_schema(), { "type": "object", "required": ["no"] }]);
    assert_eq!(content(&shop, "400"), json!({ "application/json": { "schema": { "anyOf": either } } }));
    shop.post("revoke", &[JSON], r#"{ "token": "x" }"#, 401).await;
    let twice = [JSON, ("authorization", "Bearer a"), ("authorization", "Bearer b")];
    shop.post("revoke", &twice, r#"{ "token": "x" }"#, 400).await;
    // A content type of its own is next to it.
    let shop = Shop::with(Delivery::Json, |builder| builder, named).await;
    let kinds = content(&shop, "400");
    assert_eq!(
        kinds.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["application/json", "application/problem+json"]
    );
    shop.post("revoke", &twice, r#"{ "token": "x" }"#, 400).await;
}

/// What the application leaves as it is keeps its schema, and what it does not describe is unknown.
#[tokio::test]
async fn what_is_not_described_is_said_to_be_unknown() {
    struct Tokens;
    impl TokenAnswers for Tokens {
        fn tokens(&self, _: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
            StatusCode::NO_CONTENT.into_response()
        }

        fn schemas(&self) -> AnswerSchemas {
            AnswerSchemas::new().tokens(StatusCode::NO_CONTENT, None)
        }
    }
    struct Failures;
    impl TokenAnswers for Failures {
        fn failed(&self, failure: TokenFailure, _: &TokenRequest<'_>) -> Response {
            (failure.status(), detail("no")).into_response()
        }

        fn schemas(&self) -> AnswerSchemas {
            AnswerSchemas::standard().failed("application/json", detail_schema())
        }
    }
    let shop = Shop::new(Delivery::Cookies, |routes| routes.answers(Tokens)).await;
    assert_eq!(statuses(&shop.document, "/paths/~1auth~1login/post"), ["204", "default"]);
    assert_eq!(statuses(&shop.document, "/paths/~1auth~1logout/post"), ["default"]);
    let login = &shop.document["paths"]["/auth/login"]["post"]["responses"]["204"];
    assert_eq!(*login, json!({ "description": "Logged in." }));
    shop.post("login", &[JSON], ALICE, 204).await;
    let shop = Shop::new(Delivery::Json, |routes| routes.answers(Failures)).await;
    assert_eq!(statuses(&shop.document, "/paths/~1auth~1login/post"), ["200", "400", "429", "503"]);
    shop.post("login", &[JSON], ALICE, 200).await;
    shop.post("login", &[JSON], "garbage", 400).await;
    shop.post("logout", &[], "", 204).await;
}

/// A hook that says nothing of its form leaves the form of what it may answer unknown, also where the routes say theirs.
#[tokio::test]
async fn a_hook_without_a_schema_makes_its_statuses_unknown() {
    let shop =
        Shop::with(Delivery::Json, |builder| builder.render_rejections(rejected), |routes| routes).await;
    let revoke = &shop.document["paths"]["/auth/revoke"]["post"]["responses"];
    for status in ["400", "503"] {
        assert!(revoke[status]["content"].is_null(), "{revoke}");
        let description = revoke[status]["description"].as_str().unwrap();
        assert!(description.ends_with("In a form that the application defines."), "{description}");
    }
    let login = &shop.document["paths"]["/auth/login"]["post"]["responses"];
    assert!(login["400"]["content"]["application/json"].is_object(), "no gate is before it");
}

/// `rejection_schema` is in the document of every guarded route.
#[tokio::test]
async fn rejections_are_of_the_schema_of_the_hook() {
    #[auth_runtime::auth(roles = ["admin"], source = ["bearer", "cookie"])]
    async fn purge() {}
    let test = TestAuth::with(same_form);
    let routes: Router = Router::new().route("/purge", auth_runtime::routing::post(purge));
    let described = OpenApi::new("Shop", "1").describe(&routes.routes(), test.auth()).unwrap().to_value();
    assert_eq!(described["components"]["schemas"]["AuthRejection"], detail_schema());
    assert!(described["components"]["schemas"]["AuthProblem"].is_null());
    let app = routes.finish(test.auth()).unwrap();
    let bob = format!("Bearer {}", test.token(&auth_runtime::testing::TestUser::new("bob")));
    for (headers, status) in [
        (vec![], 401),
        (vec![("authorization", "Bearer x")], 401),
        (vec![("authorization", bob.as_str())], 403),
        (vec![("authorization", bob.as_str()), ("authorization", bob.as_str())], 400),
    ] {
        let reply = send(&app, request("POST", "/purge", &headers)).await;
        assert_eq!(reply.status.as_u16(), status);
        let reference =
            described["paths"]["/purge"]["post"]["responses"][status.to_string()]["$ref"].as_str().unwrap();
        let content = &described.pointer(&reference[1..]).unwrap()["content"][reply.header("content-type")];
        schema::check(&described, &content["schema"], &serde_json::from_str(&reply.body).unwrap());
    }
}

/// A schema that refers to others, where it is a component and where it is in the answers of a token route.
#[tokio::test]
async fn a_schema_of_rejections_brings_what_it_refers_to() {
    let hooked = |builder: AuthBuilder| {
        builder.render_rejections(|rejection, _| {
            let code = rejection.status().as_u16();
            (rejection.status(), Json(json!({ "error": { "code": code } }))).into_response()
        })
    };
    let nested = |builder: AuthBuilder| {
        let error = json!({ "$ref": "#/components/schemas/ErrorInfo" });
        let schema = json!({ "type": "object", "properties": { "error": error }, "required": ["error"] });
        hooked(builder).rejection_schema("application/json", schema)
    };
    let code = || json!({ "type": "integer" });
    let info = || {
        let code = json!({ "$ref": "#/components/schemas/ErrorCode" });
        json!({ "type": "object", "properties": { "code": code }, "required": ["code"] })
    };
    let whole = |builder: AuthBuilder| {
        let builder = builder.default_sources(["bearer"]).token_issuer(issuer(&People::default()));
        nested(builder).rejection_component("ErrorInfo", info()).rejection_component("ErrorCode", code())
    };
    let test = TestAuth::with(whole);
    let revoke = |test: &TestAuth| -> Router {
        let routes = TokenRoutes::json(test.auth().tokens().unwrap(), People::default());
        Router::new().nest("/auth", routes.revocation(rule!(roles = ["admin"])).router())
    };
    let app = revoke(&test).finish(test.auth()).unwrap();
    let twice = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    for version in [OpenApiVersion::V3_1, OpenApiVersion::V3_2] {
        let api = || OpenApi::new("Shop", "1").version(version);
        let described = api().describe(&revoke(&test).routes(), test.auth()).unwrap().to_value();
        assert_eq!(described["components"]["schemas"]["ErrorInfo"], info());
        assert_eq!(described["components"]["schemas"]["ErrorCode"], code());
        let responses = &described["paths"]["/auth/revoke"]["post"]["responses"];
        for (headers, status) in [(&[][..], 401), (&twice[..], 400)] {
            let reply = send(&app, request("POST", "/auth/revoke", headers)).await;
            assert_eq!(reply.status.as_u16(), status);
            let response = &responses[status.to_string()];
            let response = match response["$ref"].as_str() {
                Some(reference) => described.pointer(&reference[1..]).unwrap(),
                None => response,
            };
            let schema = &response["content"]["application/json"]["schema"];
            schema::check(&described, schema, &serde_json::from_str(&reply.body).unwrap());
        }
        // Without them, and in a `$defs` of its own, nothing is found.
        let with_defs = |builder: AuthBuilder| {
            let code = json!({ "$ref": "#/$defs/Code" });
            let schema =
                json!({ "properties": { "code": code }, "$defs": { "Code": { "type": "integer" } } });
            hooked(builder)
                .token_issuer(issuer(&People::default()))
                .rejection_schema("application/json", schema)
        };
        let without = |builder: AuthBuilder| nested(builder).token_issuer(issuer(&People::default()));
        for (test, missing) in [
            (TestAuth::with(without), "#/components/schemas/ErrorInfo"),
            (TestAuth::with(with_defs), "#/$defs/Code"),
        ] {
            let error = api().describe(&revoke(&test).routes(), test.auth()).unwrap_err().to_string();
            assert!(error.contains(missing), "{error}");
        }
    }
    // Nor may it have the name of another one.
    let other = TestAuth::with(|builder| {
        let builder = nested(builder).token_issuer(issuer(&People::default()));
        builder
            .rejection_component("AuthRejection", json!(true))
            .rejection_component("ErrorInfo", json!(true))
    });
    let error = OpenApi::new("Shop", "1").describe(&revoke(&other).routes(), other.auth()).unwrap_err();
    assert!(error.to_string().contains("`AuthRejection` in `components/schemas`"), "{error}");
}

#[test]
fn a_schema_of_no_hook_is_an_error_of_build() {
    let errors = |builder: AuthBuilder| -> Vec<String> {
        match builder.token_issuer(issuer(&People::default())).build() {
            Ok(_) => Vec::new(),
            Err(error) => error.errors().map(str::to_owned).collect(),
        }
    };
    let object = || json!({ "type": "object" });
    let hooked = || Auth::builder().render_rejections(rejected);
    for (builder, expected) in [
        (hooked().rejection_schema("application/json", object()), None),
        (hooked().rejection_schema("application/problem+json; charset=utf-8", json!(true)), None),
        (
            Auth::builder().rejection_schema("application/json", object()),
            Some("that is not called: call it, or leave out the schema"),
        ),
        (
            hooked().rejection_schema("json", object()),
            Some("`rejection_schema(\"json\", ..)` has no content type"),
        ),
        (hooked().rejection_schema("text/html", json!("object")), Some("has no JSON Schema")),
        (
            hooked().rejection_component("Info", object()),
            Some("`rejection_component(\"Info\", ..)` is for the schema that `rejection_schema` sets"),
        ),
    ] {
        let errors = errors(builder);
        assert_eq!(errors.len(), usize::from(expected.is_some()), "{errors:?}");
        assert!(expected.is_none_or(|expected| errors[0].contains(expected)), "{errors:?}");
    }
}

/// A reference to what nothing describes is an error of the document.
#[test]
fn a_component_that_is_missing_is_found() {
    struct Dangling;
    impl TokenAnswers for Dangling {
        fn schemas(&self) -> AnswerSchemas {
            AnswerSchemas::standard()
                .tokens(StatusCode::OK, json!({ "$ref": "#/components/schemas/Missing" }))
        }
    }
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let routes: Router = TokenRoutes::json(auth.tokens().unwrap(), people).answers(Dangling).router();
    let error = OpenApi::new("Shop", "1").describe(&routes.routes(), &auth).unwrap_err().to_string();
    assert!(error.contains("`#/components/schemas/Missing`"), "{error}");
    let mut filled =
        json!({ "openapi": "3.1.1", "components": { "schemas": { "Missing": { "type": "object" } } } });
    let coverage = OpenApi::new("Shop", "1").fill(&mut filled, &routes.routes(), &auth).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
}

#[test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
fn validators_of_others_find_no_error_in_own_answers() {
    let tools = Tools::installed();
    let people = People::default();
    let auth = same_form(Auth::builder().token_issuer(issuer(&people))).build().unwrap();
    let admins = rule!(roles = ["admin"]);
    let routes = TokenRoutes::json(auth.tokens().unwrap(), people);
    let routes = named(routes).revocation(admins).introspection(admins).sessions().administration(admins);
    let routes: Router = Router::new().nest("/auth", routes.router());
    let mut documents = Vec::new();
    for (version, name) in [(OpenApiVersion::V3_1, "3.1"), (OpenApiVersion::V3_2, "3.2")] {
        let api = OpenApi::new("Shop", "1.0.0").version(version).server("https://shop.test/api");
        documents
            .push((format!("own-{name}.json"), api.describe(&routes.routes(), &auth).unwrap().to_json()));
    }
    tools.assert_valid(documents.iter().map(|(name, text)| (&**name, text.clone())));
}
