//! Every form that a handler can have, compiled and called.

mod authenticators;
mod checks;
mod in_macros;

use auth_runtime::routing::{get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Claims, Principal, Router, auth, rule};
use axum::extract::{FromRef, FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Json, debug_handler};
use serde::{Deserialize, Serialize};

use crate::support::{get_as, request, send};

#[derive(Clone, Debug)]
struct App {
    name: &'static str,
}

impl FromRef<App> for &'static str {
    fn from_ref(app: &App) -> Self {
        app.name
    }
}

#[auth]
async fn unit() {}

#[auth]
async fn opaque() -> impl IntoResponse {
    (StatusCode::CREATED, "made")
}

#[auth]
async fn fallible(user: Principal) -> Result<String, (StatusCode, &'static str)> {
    if user.subject() == "alice" { Ok("hello".into()) } else { Err((StatusCode::CONFLICT, "not alice")) }
}

#[auth]
async fn patterns(
    mut user: Principal,
    Path((first, mut second)): Path<(String, u32)>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
) -> String {
    second += 1;
    user = user.clone();
    format!("{} {first} {second} {}", user.subject(), query.len())
}

#[auth]
async fn generic<S>(State(state): State<S>) -> String
where
    S: std::fmt::Debug + Clone + Send + Sync + 'static,
{
    format!("{state:?}")
}

#[auth]
async fn generic_extractor<E: FromRequestParts<App> + Send>(_extracted: E) -> &'static str
where
    E::Rejection: Send,
{
    "extracted"
}

#[auth]
async fn r#move() -> &'static str {
    "raw"
}

#[cfg(not(any()))]
#[auth]
async fn present() -> &'static str {
    "cfg"
}

#[auth]
#[cfg(any())]
async fn absent() -> Missing {}

#[cfg(any())]
#[auth(check = also_absent)]
async fn absent_too() -> Missing {}

#[auth_runtime::check]
#[cfg(any())]
async fn also_absent(_: &Principal, _: Missing) -> bool {}

#[auth]
#[debug_handler(state = App)]
async fn debugged(State(app): State<App>) -> &'static str {
    app.name
}

#[tracing::instrument(skip(user))]
#[auth]
async fn instrumented_above(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth]
#[tracing::instrument(skip(user))]
async fn instrumented_below(user: Principal, state: State<App>) -> String {
    format!("{} {}", user.subject(), state.name)
}

#[utoipa::path(get, path = "/documented/above", responses((status = 200, body = String)))]
#[auth]
async fn documented_above(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth]
#[utoipa::path(get, path = "/documented/below", responses((status = 200, body = String)))]
async fn documented_below(user: Principal) -> String {
    user.subject().to_owned()
}

/// A module, a crate that it uses, and a handler of one name.
mod tower {
    pub(super) fn name() -> &'static str {
        "tower"
    }
}

#[auth]
async fn tower() -> &'static str {
    let _ = ::tower::ServiceBuilder::new();
    tower::name()
}

#[derive(Debug, Serialize, Deserialize)]
struct Draft {
    title: String,
}

#[auth]
async fn body(State(name): State<&'static str>, Json(draft): Json<Draft>) -> Json<Draft> {
    Json(Draft { title: format!("{name}: {}", draft.title) })
}

#[derive(Deserialize)]
struct Tenant {
    tenant_id: String,
}

#[auth]
async fn typed(Claims(claims): Claims<Tenant>) -> String {
    claims.tenant_id
}

#[auth]
#[allow(clippy::too_many_arguments, reason = "the most that a handler may have")]
async fn fifteen(
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    _: Principal,
    body: String,
) -> String {
    body
}

mod elsewhere {
    use auth_runtime::{Principal, auth, check};
    use axum::extract::Path;

    #[auth(check = only_own)]
    pub(crate) async fn reexported(user: Principal) -> String {
        user.subject().to_owned()
    }

    /// Private, though the handler that names it is not.
    #[check]
    async fn only_own(user: &Principal, Path(name): Path<String>) -> Result<bool, std::io::Error> {
        if name == "broken" {
            Err(std::io::Error::other("the store is gone"))
        } else {
            Ok(user.subject() == name)
        }
    }

    #[check]
    pub(crate) async fn not_mallory(user: &Principal) -> bool {
        user.subject() != "mallory"
    }
}
use elsewhere::{not_mallory, reexported};

#[auth(check = not_mallory)]
async fn imported_check() {}

#[auth(check = elsewhere::not_mallory)]
async fn check_by_path() {}

#[auth(rule = in_a_module::EDITORS, any(scopes = ["a", "b"], not(permissions = ["c"])))]
async fn every_word() {}

mod in_a_module {
    pub(crate) const EDITORS: auth_runtime::policy::Rule =
        auth_runtime::rule!(source = ["bearer"], roles = ["editor"],);
}

fn app(test: &TestAuth) -> axum::Router {
    #[auth]
    async fn inside_a_function() -> &'static str {
        "inside"
    }

    Router::new()
        .route("/unit", get(unit))
        .route("/opaque", get(opaque))
        .route("/fallible", get(fallible))
        .route("/patterns/{a}/{b}", get(patterns))
        .route("/generic", get(generic::<App>))
        .route("/generic/extractor", get(generic_extractor::<axum::http::Method>))
        .route("/raw", get(r#move))
        .route("/cfg", get(present))
        .route("/debugged", get(debugged))
        .route("/instrumented/above", get(instrumented_above))
        .route("/instrumented/below", get(instrumented_below))
        .route("/documented/above", get(documented_above))
        .route("/documented/below", get(documented_below))
        .route("/tower", get(tower))
        .route("/body", post(body))
        .route("/typed", get(typed))
        .route("/fifteen", get(fifteen).post(fifteen))
        .route("/users/{name}", get(reexported))
        .route("/imported", get(imported_check))
        .route("/by-path", get(check_by_path))
        .route("/every-word", get(every_word))
        .route("/inside", get(inside_a_function))
        .route("/closure", (axum::routing::get(|| async { "closure" }), rule!()))
        .with_state(App { name: "app" })
        .finish(test.auth())
        .unwrap()
}

#[tokio::test]
async fn each_is_called_for_a_good_token_and_refused_without() {
    let test = TestAuth::new();
    let app = app(&test);
    let alice = TestUser::new("alice").roles(["editor"]).claim("tenant_id", "acme");
    for (path, status, body) in [
        ("/unit", 200, ""),
        ("/opaque", 201, "made"),
        ("/fallible", 200, "hello"),
        ("/patterns/x/1?q=1", 200, "alice x 2 1"),
        ("/generic", 200, "App { name: \"app\" }"),
        ("/generic/extractor", 200, "extracted"),
        ("/raw", 200, "raw"),
        ("/cfg", 200, "cfg"),
        ("/debugged", 200, "app"),
        ("/instrumented/above", 200, "alice"),
        ("/instrumented/below", 200, "alice app"),
        ("/documented/above", 200, "alice"),
        ("/documented/below", 200, "alice"),
        ("/tower", 200, "tower"),
        ("/typed", 200, "acme"),
        ("/fifteen", 200, ""),
        ("/users/alice", 200, "alice"),
        ("/imported", 200, ""),
        ("/by-path", 200, ""),
        ("/every-word", 200, ""),
        ("/inside", 200, "inside"),
        ("/closure", 200, "closure"),
    ] {
        let reply = get_as(&app, &test, &alice, path).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (status, body), "{path}");
        let reply = send(&app, request("GET", path, &[])).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn checks_only_narrow() {
    let test = TestAuth::new();
    let app = app(&test);
    for (subject, path, status) in [
        ("alice", "/users/bob", 403),
        ("alice", "/users/broken", 503),
        ("mallory", "/imported", 403),
        ("mallory", "/by-path", 403),
        ("alice", "/every-word", 403),
    ] {
        let reply = get_as(&app, &test, &TestUser::new(subject), path).await;
        assert_eq!(reply.status.as_u16(), status, "{subject} {path}");
    }
}

#[tokio::test]
async fn claims_that_do_not_fit_the_type_are_no_good_token() {
    let test = TestAuth::new();
    let reply = get_as(&app(&test), &test, &TestUser::new("alice"), "/typed").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn a_renamed_dependency_without_prelude() {
    let test = TestAuth::new();
    let app = auth_tests_renamed::routes().finish(test.auth()).unwrap();
    for (user, status) in [
        (TestUser::new("alice").roles(["staff"]), 200),
        (TestUser::new("eve").roles(["staff"]), 403),
        (TestUser::new("alice"), 403),
    ] {
        assert_eq!(get_as(&app, &test, &user, "/guarded").await.status.as_u16(), status, "{user:?}");
    }
    assert_eq!(send(&app, request("GET", "/open", &[])).await.status, StatusCode::OK);
}
