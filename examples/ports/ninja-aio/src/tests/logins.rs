//! Logins with a password, and tokens that this service makes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

fn credentials(username: &str, password: &str) -> Value {
    json!({ "username": username, "password": password })
}

#[tokio::test]
async fn a_password_brings_a_token_for_fifteen_minutes() {
    let magazine = Magazine::open().await;
    let reply = magazine.service.post("/auth/login", None, &credentials("alice", "wonderland")).await;
    assert_eq!((reply.status, reply.json()["expires_in"].clone()), (200, json!(900)));
    let token = reply.text("access_token");
    assert_eq!(magazine.service.get("/desk/article/2", Some(&token)).await.status, 200);
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    magazine.test.clock().advance(Duration::from_secs(15 * 60 + 61));
    assert_eq!(magazine.service.get("/desk/article/2", Some(&token)).await.status, 401);
    let refreshed = magazine
        .service
        .post("/auth/refresh", None, &json!({ "refresh_token": reply.text("refresh_token") }))
        .await;
    let token = refreshed.text("access_token");
    assert_eq!(magazine.service.get("/desk/article/2", Some(&token)).await.status, 200);
}

/// After a restart the tokens of before are valid, and what verifies them signs none.
#[tokio::test]
async fn the_private_key_is_kept_in_a_file() {
    let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let first = signing_key(folder.path()).unwrap();
    let again = signing_key(folder.path()).unwrap();
    let another = signing_key(other.path()).unwrap();
    let token = first.sign(&claims::claims()).unwrap();
    for (key, is_accepted) in [(again, true), (another, false)] {
        let test = claims::trusting(key.verifying_key());
        assert_eq!(test.auth().verify(&token).await.is_ok(), is_accepted);
    }
    let file = std::fs::read_to_string(folder.path().join("signing.pem")).unwrap();
    assert!(file.starts_with("-----BEGIN PRIVATE KEY-----"));
}

/// An account that does not exist, that is not active, and one without a password, are answered as a wrong password is.
#[tokio::test]
async fn a_login_that_fails_says_nothing_of_the_account() {
    let magazine = Magazine::open().await;
    let mut answers = Vec::new();
    for (username, password) in
        [("alice", "wrong"), ("nobody", "wonderland"), ("dave", "the old mill"), ("bob", "wonderland")]
    {
        let reply = magazine.service.post("/auth/login", None, &credentials(username, password)).await;
        answers.push((reply.status, reply.body));
    }
    assert_eq!(answers[0].0, 400);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// Of an address, whichever account is tried: five at once, and one more every twelve seconds.
#[tokio::test]
async fn the_sixth_login_in_a_minute_is_429() {
    let magazine = Magazine::open().await;
    for attempt in 0..5 {
        let reply =
            magazine.service.post("/auth/login", None, &credentials(&format!("user{attempt}"), "?")).await;
        assert_eq!(reply.status, 400, "{attempt}");
    }
    let reply = magazine.service.post("/auth/login", None, &credentials("alice", "wonderland")).await;
    assert_eq!(reply.status, 429);
    let seconds: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=12).contains(&seconds), "{seconds}");
    // Callers that have a token are not concerned.
    assert_eq!(magazine.status(Method::GET, "/me", "alice").await, 200);
}

/// The address is that of the client, and not that of the proxy, which all clients share.
#[tokio::test]
async fn behind_a_proxy_each_client_has_its_own_attempts() {
    let magazine = Magazine::with(|builder| behind_a_proxy(builder, Some("127.0.0.1".to_owned()))).await;
    let log_in = async |client: &str| {
        let request = magazine.service.request(Method::POST, "/auth/login").header("x-forwarded-for", client);
        magazine.service.send(request.json(&credentials("nobody", "?"))).await.status
    };
    for _ in 0..5 {
        assert_eq!(log_in("203.0.113.7").await, 400);
    }
    assert_eq!((log_in("203.0.113.7").await, log_in("203.0.113.8").await), (429, 400));
}
