//! Classes of one's own: who judges a credential, and what follows from its answer.

use std::sync::Mutex;

use auth_runtime::Principal;
use auth_runtime::authenticator::{Authentication, Authenticator, Credential, Subject};
use auth_runtime::rejection::RejectionKind;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::Response;
use reqwest::Method;

use super::sockets::Panel;
use super::*;

/// A mail that a partner brings, with this header.
async fn bring(running: &Running, name: &str, value: &str, from: &str) -> Reply {
    let mail = json!({ "from": from, "subject": "It smokes" });
    running
        .service
        .send(running.service.request(Method::POST, "/inbox").header(name, value).json(&mail))
        .await
}

#[tokio::test]
async fn a_partner_has_its_own_class() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let bob = running.log_in("bob").await;
    let key = &running.key_of_mailgate;
    let brought = bring(&running, "x-partner", key, "bob").await;
    assert_eq!(brought.status, 201);
    assert_eq!((&brought.json()["owner"], &brought.json()["partner"]), (&json!("bob"), &json!("mailgate")));
    assert_eq!(bring(&running, "x-partner", key, "nobody").await.status, 422);

    let bearer = format!("Bearer {}", bob.access);
    for (name, value) in [("x-partner", "x"), ("authorization", &bearer), ("x-token", key)] {
        assert_eq!(bring(&running, name, value, "bob").await.status, 401, "{name}");
    }
    Ok(())
}

/// A key leads to a row of the table of users, as a token does.
#[tokio::test]
async fn a_class_returns_a_user() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let key = &running.key_of_mailgate;
    let partner = running.auth.verify_with("partner", key).await?;
    let change = async |statement: &'static str| {
        query(statement).execute(&running.database).await?;
        running.auth.revocations().forget(partner.issuer().unwrap_or_default(), "4").await?;
        Ok::<_, BoxError>(())
    };
    change("update accounts set name = 'postbox' where id = '4'").await?;
    assert_eq!(bring(&running, "x-partner", key, "bob").await.text("partner"), "postbox");
    change("update accounts set is_active = 0 where id = '4'").await?;
    assert_eq!(bring(&running, "x-partner", key, "bob").await.status, 401);
    Ok(())
}

#[tokio::test]
async fn the_message_of_a_class_is_in_the_log_and_in_the_audit_hook() -> Result<(), BoxError> {
    const MESSAGE: &str = "no partner has this key";
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&heard);
    let running = Running::start_with(|engine| {
        engine.audit(move |event| {
            let seen = (event.route.to_owned(), event.rejection, event.reason.to_owned());
            hook.lock().unwrap().push(seen);
        })
    });
    let running = running.await?;
    log::take();
    let wrong = bring(&running, "x-partner", "a-wrong-key", "bob").await;
    let logged = log::take();
    assert_eq!(wrong.status, 401);
    assert!(!wrong.body.contains(MESSAGE) && !format!("{:?}", wrong.headers).contains(MESSAGE), "{wrong:?}");
    assert!(logged.contains(MESSAGE) && !logged.contains("a-wrong-key"), "{logged}");
    let heard = heard.lock().unwrap();
    let [(route, rejection, reason)] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!((&**route, *rejection), ("/inbox", Some(RejectionKind::InvalidToken)));
    assert!(reason.contains(MESSAGE), "{reason}");
    Ok(())
}

/// A class that looks at the request, too.
struct Badge;

impl Authenticator for Badge {
    async fn authenticate(&self, credential: &str, head: &Parts) -> Result<Authentication, BoxError> {
        let is_valid = credential == "7" && head.uri.path() != "/vault";
        Ok(is_valid.then(|| Subject::new("porter")).into())
    }
}

async fn door(sent: Credential, open: &'static str) -> Result<Option<Subject>, BoxError> {
    Ok((sent.text() == open).then(|| Subject::new("visitor")))
}

#[auth]
async fn who(caller: Principal) -> String {
    caller.subject().to_owned()
}

#[auth(source = "door")]
async fn knock(caller: Principal, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let name = json!({ "name": caller.subject() });
        let _ = socket.send(Message::text(name.to_string())).await;
    })
}

/// `badge` is the default, and the socket names its own.
async fn with_classes() -> Result<Service, BoxError> {
    let auth = Auth::builder()
        .default_sources(["badge"])
        .authenticator("badge", CredentialPlace::header("X-Badge"), Badge)
        .authenticator_with("door", CredentialPlace::header("X-Door"), door, "sesame")
        .build()?;
    let routes = Router::new().route("/who", get(who)).route("/vault", get(who)).route("/knock", get(knock));
    Ok(Service::start(routes.finish(&auth)?, tempfile::tempdir()?).await)
}

#[tokio::test]
async fn a_class_may_be_the_default_and_sees_the_request() -> Result<(), BoxError> {
    let service = with_classes().await?;
    for (path, name, value, status) in [
        ("/who", "x-badge", "7", 200),
        ("/who", "x-badge", "8", 401),
        ("/who", "x-door", "sesame", 401),
        ("/vault", "x-badge", "7", 401),
    ] {
        let reply = service.send(service.request(Method::GET, path).header(name, value)).await;
        assert_eq!(reply.status, status, "{path} {name} {value}");
        assert_eq!(reply.body == "porter", status == 200);
    }
    Ok(())
}

#[tokio::test]
async fn a_socket_names_a_class_of_its_own() -> Result<(), BoxError> {
    let service = with_classes().await?;
    let open = async |name, value: &str| Panel::open(&service, "/knock", &[(name, value.to_owned())]).await;
    assert_eq!(open("x-door", "sesame").await.unwrap().see().await, json!({ "name": "visitor" }));
    assert_eq!(open("x-door", "x").await.err(), Some(401));
    assert_eq!(open("x-badge", "7").await.err(), Some(401));
    Ok(())
}
