//! A caller of an authenticator where a token is meant: token routes, sessions, revocations. It has the name of a user, and the id of
//! that user's session.

use auth_runtime::auth;
use auth_runtime::authenticator::Authenticator;
use auth_runtime::routing::{any, get, post};
use auth_runtime::session::TokenError;
use auth_runtime::session::routes::{TokenEndpoints, TokenRoutes};
use axum::Extension;
use axum::extract::Request as AnyRequest;
use axum::http::request::Parts;
use axum::response::Response;

use super::*;
use crate::support::people::{People, issuer};
use crate::support::{caller_of, request};

/// The credential is the id of the session that it says it is of.
struct Impostor;

impl Authenticator for Impostor {
    async fn authenticate(&self, credential: &str, _: &Parts) -> Result<Authentication, BoxError> {
        let alice = Authenticated::new(Subject::new("alice"));
        Ok(alice.session_id(credential).credential_id(credential).into())
    }
}

#[auth(source = ["bearer", "partner"])]
async fn me(caller: Principal) -> String {
    caller.scheme().to_owned()
}

#[auth(source = ["bearer", "partner"])]
async fn everywhere(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    request: AnyRequest,
) -> Response {
    endpoints.log_out_everywhere(request).await
}

#[auth(source = ["bearer", "partner"])]
async fn introspect(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    request: AnyRequest,
) -> Response {
    endpoints.introspect(request).await
}

fn service() -> (Auth, axum::Router) {
    let people = People::default();
    let auth = Auth::builder()
        .token_issuer(issuer(&people))
        .authenticator("partner", CredentialPlace::header("X-Partner"), Impostor)
        .build()
        .unwrap();
    let endpoints = TokenRoutes::json(auth.tokens().unwrap(), people).endpoints();
    let app = Router::new()
        .route("/me", get(me))
        .route("/everywhere", post(everywhere))
        .route("/introspect", post(introspect))
        .layer(Extension(endpoints))
        .finish(&auth)
        .unwrap();
    (auth, app)
}

async fn ask(app: &axum::Router, method: &str, path: &str, header: (&str, &str)) -> u16 {
    send(app, request(method, path, &[header])).await.status.as_u16()
}

/// The caller of a request with this header.
async fn caller(app: &axum::Router, header: (&str, &str)) -> Principal {
    caller_of(app, request("GET", "/me", &[header])).await
}

#[tokio::test]
async fn the_sessions_of_a_user_of_the_same_name_are_out_of_reach() {
    let (auth, app) = service();
    let tokens = auth.tokens().unwrap();
    let first = tokens.issue(&Subject::new("alice")).await.unwrap();
    let second = tokens.issue(&Subject::new("alice")).await.unwrap();
    let bearer = format!("Bearer {}", second.access_token);
    let impostor = caller(&app, ("x-partner", &first.session_id)).await;
    assert_eq!((impostor.subject(), impostor.session_id()), ("alice", Some(&*first.session_id)));

    assert!(tokens.own_sessions(&impostor).await.unwrap().sessions.is_empty());
    assert!(!tokens.end_own_session(&impostor, &first.session_id).await.unwrap());
    assert!(matches!(tokens.end_other_sessions(&impostor).await, Err(TokenError::NoSession)));
    // It would believe that it is logged out.
    assert_eq!(ask(&app, "POST", "/everywhere", ("x-partner", &first.session_id)).await, 500);
    assert_eq!(tokens.sessions("alice").await.unwrap().sessions.len(), 2);
    assert_eq!(ask(&app, "GET", "/me", ("authorization", &bearer)).await, 200);

    assert_eq!(ask(&app, "POST", "/everywhere", ("authorization", &bearer)).await, 204);
    assert_eq!(ask(&app, "GET", "/me", ("authorization", &bearer)).await, 401);
    // What ends tokens ends no credential of an authenticator, also if it has their ids.
    assert_eq!(ask(&app, "GET", "/me", ("x-partner", &first.session_id)).await, 200);
}

#[tokio::test]
async fn a_client_of_an_authenticator_may_introspect() {
    let (auth, app) = service();
    let token = auth.tokens().unwrap().issue_access(&Subject::new("bob")).unwrap();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let mut sent = request("POST", "/introspect", &[("x-partner", "scale-17"), form]);
    *sent.body_mut() = format!("token={token}").into();
    let reply = send(&app, sent).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("\"active\":true"), "{}", reply.body);
}

#[tokio::test]
async fn to_revoke_a_credential_that_is_no_token_is_an_error_that_says_what_to_do() {
    let (auth, app) = service();
    let revocations = auth.revocations();
    let impostor = caller(&app, ("x-partner", "s")).await;
    let issuer = "urn:auth-runtime:scheme:partner".to_owned();
    let by_name = [
        Revocation::Token { issuer: issuer.clone(), token_id: "s".into() },
        Revocation::Session { issuer: issuer.clone(), session_id: "s".into() },
        Revocation::Issuer { issuer: issuer.clone(), issued_at_or_before: UNIX_EPOCH },
        Revocation::User { issuer, subject: "alice".into(), issued_at_or_before: UNIX_EPOCH },
    ];
    let mut refused = vec![
        revocations.revoke_token(&impostor).await,
        revocations.revoke_session(&impostor).await,
        revocations.revoke_user(&impostor).await,
    ];
    for revocation in by_name {
        refused.push(revocations.revoke(revocation).await);
    }
    for refused in refused {
        let error = refused.unwrap_err();
        assert!(matches!(&error, RevokeError::NotAToken(scheme) if scheme == "partner"), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the credentials of the authenticator `partner` are not tokens, so they can't be revoked: end the credential where the \
             authenticator looks it up, and call `Revocations::forget`, so that no instance remembers it"
        );
    }
    assert_eq!(revocations.status().entries, 0);
    assert_eq!(ask(&app, "GET", "/me", ("x-partner", "s")).await, 200);
}

#[auth(source = ["session", "cookie"])]
async fn page(caller: Principal) -> String {
    format!("{} {}", caller.scheme(), caller.subject())
}

#[auth(source = "session")]
async fn of_sessions(caller: Principal) -> String {
    caller.subject().to_owned()
}

/// The session's id is the name of its user.
async fn of_session(credential: Credential, (): ()) -> Result<Authentication, BoxError> {
    Ok(match credential.text() {
        "nobody" => Authentication::Absent,
        "gone" => Authentication::Invalid("it has ended".into()),
        name => Subject::new(name).into(),
    })
}

#[tokio::test]
async fn a_session_of_an_authenticator_decides_before_tokens_are_renewed() {
    let people = People::default();
    let auth = Auth::builder()
        .token_issuer(issuer(&people))
        .renew_transparently()
        .authenticator_with("session", CredentialPlace::cookie("sid"), of_session, ())
        .build()
        .unwrap();
    let issued = auth.tokens().unwrap().issue(&Subject::new("alice")).await.unwrap();
    let refresh = format!("__Host-refresh_token={}", issued.refresh_token);
    let app = Router::new().route("/page", any(page)).route("/sessions", any(of_sessions));
    let app = app.finish(&auth).unwrap();
    let foreign = [("host", "shop.example"), ("origin", "https://evil.example")];
    // The method, the path, the session, the status, the caller, and whether tokens were renewed.
    for (method, path, session, status, caller, is_renewed) in [
        ("GET", "/page", "bob", 200, "session bob", false),
        ("GET", "/page", "gone", 401, "", false),
        ("POST", "/page", "nobody", 403, "", false),
        ("GET", "/sessions", "nobody", 401, "", false),
        ("GET", "/page", "nobody", 200, "jwt alice", true),
    ] {
        let cookies = format!("sid={session}; {refresh}");
        let headers = [&foreign[..], &[("cookie", &cookies)]].concat();
        let reply = send(&app, request(method, path, &headers)).await;
        assert_eq!(reply.status, status, "{method} {path} {session}");
        assert!(status != 200 || reply.body == caller, "{method} {path} {session}: {}", reply.body);
        assert_eq!(reply.headers.contains_key("set-cookie"), is_renewed, "{method} {path} {session}");
    }
}
