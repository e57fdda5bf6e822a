//! Keys, lifetimes, refreshes and logouts.

use auth_runtime::session::{Subject, SubjectStore};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use reqwest::header::COOKIE;

use super::*;

#[tokio::test]
async fn tokens_live_as_long_as_configured() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let sent = json!({ "username": "bob", "password": "builder" });
    let answer = running.service.post("/auth/login", None, &sent).await;
    assert_eq!(answer.json()["expires_in"], 10 * 60);
    let bob = running.log_in("bob").await;
    running.advance(Duration::from_mins(10)).await?;
    assert!(running.accepts(&bob.access).await, "the leeway is a minute");
    running.advance(Duration::from_secs(61)).await?;
    assert!(!running.accepts(&bob.access).await);

    let ten_days = Duration::from_hours(10 * 24);
    for (after, status) in [(ten_days - Duration::from_secs(1), 200), (ten_days, 400)] {
        let bob = running.log_in("bob").await;
        running.advance(after).await?;
        assert_eq!(running.refresh(&bob).await.status, status, "{after:?}");
    }
    Ok(())
}

/// What this library does where nothing is said.
#[tokio::test]
async fn lifetimes_have_defaults() -> Result<(), BoxError> {
    let clock = TestClock::new();
    let key = SigningKey::secret(Algorithm::HS256, &SECRET)?;
    let issuer = TokenIssuer::new("https://desk.example", "desk", key, Everyone);
    let issuer = issuer.refresh_key(RefreshKey::new("1", SECRET));
    let tokens = Auth::builder().token_issuer(issuer).clock(clock.clone()).build()?.tokens()?;
    assert_eq!(tokens.issue(&Subject::new("1")).await?.expires_in, Duration::from_mins(15));

    let day = Duration::from_hours(24);
    for (after, is_valid) in [(14 * day - Duration::from_secs(1), true), (14 * day, false)] {
        let issued = tokens.issue(&Subject::new("1")).await?;
        clock.advance(after);
        assert_eq!(tokens.refresh(&issued.refresh_token).await.is_ok(), is_valid, "{after:?}");
    }
    // However often it is refreshed, a session ends.
    let mut refresh_token = tokens.issue(&Subject::new("1")).await?.refresh_token;
    for _ in 0..8 {
        clock.advance(11 * day);
        refresh_token = tokens.refresh(&refresh_token).await?.refresh_token;
    }
    clock.advance(2 * day);
    assert!(tokens.refresh(&refresh_token).await.is_err(), "after 90 days");
    Ok(())
}

struct Everyone;

impl SubjectStore for Everyone {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(Some(Subject::new(id)))
    }
}

#[tokio::test]
async fn a_lifetime_of_two_days_must_be_allowed() -> Result<(), BoxError> {
    let two_days = Duration::from_hours(48);
    let builder = || {
        let key = SigningKey::secret(Algorithm::HS256, &SECRET)?;
        let issuer = TokenIssuer::new("https://desk.example", "desk", key, Everyone);
        let issuer = issuer.refresh_key(RefreshKey::new("1", SECRET)).access_lifetime(two_days);
        Ok::<_, BoxError>(Auth::builder().token_issuer(issuer.refresh_lifetime(2 * two_days)))
    };
    let error = builder()?.build().unwrap_err().to_string();
    assert!(error.contains("max_token_lifetime"), "{error}");
    let tokens = builder()?.max_token_lifetime(two_days).build()?.tokens()?.issue(&Subject::new("1")).await?;
    assert_eq!(tokens.expires_in, two_days);
    Ok(())
}

#[tokio::test]
async fn a_login_names_no_reason_and_takes_no_other_password() -> Result<(), BoxError> {
    let running = Running::start().await?;
    for path in ["/auth/login", "/web/auth/login"] {
        for (username, password) in
            [("bob", "wonderland"), ("nobody", "builder"), ("carol", "christmas"), ("mailgate", "")]
        {
            let sent = json!({ "username": username, "password": password });
            let reply = running.service.post(path, None, &sent).await;
            assert_eq!(
                (reply.status, reply.json()),
                (400, json!({ "error": "invalid_grant" })),
                "{username}"
            );
            assert!(reply.cookies().is_empty(), "{reply:?}");
        }
    }
    Ok(())
}

/// A guess at either login counts: for an account, ten at once.
#[tokio::test]
async fn guesses_at_both_logins_count_together() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let log_in = async |path: &str, username: &str, password: &str| {
        let sent = json!({ "username": username, "password": password });
        running.service.post(path, None, &sent).await
    };
    for path in ["/auth/login", "/web/auth/login"].repeat(5) {
        assert_eq!(log_in(path, "bob", "a guess").await.status, 400);
    }
    for path in ["/auth/login", "/web/auth/login"] {
        for (username, password) in [("bob", "a guess"), ("bob", "builder"), ("BOB", "builder")] {
            let reply = log_in(path, username, password).await;
            assert_eq!(reply.status, 429, "{path} {username}: {reply:?}");
            assert!(reply.headers.contains_key("retry-after") && reply.cookies().is_empty(), "{reply:?}");
        }
        assert_eq!(log_in(path, "alice", "wonderland").await.status, 200, "another account");
    }
    Ok(())
}

#[tokio::test]
async fn a_logout_ends_both_tokens_at_once() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [bob, elsewhere] = [running.log_in("bob").await, running.log_in("bob").await];
    assert!(running.accepts(&bob.access).await);
    let logout = running.service.post("/auth/logout", Some(&bob.access), &json!({})).await;
    assert_eq!(logout.status, 204);
    assert!(!running.accepts(&bob.access).await);
    assert_eq!(running.refresh(&bob).await.status, 400);

    assert!(running.accepts(&elsewhere.access).await);
    let everywhere =
        running.service.post("/auth/logout-everywhere", Some(&elsewhere.access), &json!({})).await;
    assert_eq!(everywhere.status, 204);
    assert!(!running.accepts(&elsewhere.access).await);
    Ok(())
}

#[tokio::test]
async fn a_used_refresh_token_ends_the_session() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let bob = running.log_in("bob").await;
    let next = running.refresh(&bob).await;
    assert_eq!(next.status, 200);
    let next = Tokens { access: next.text("access_token"), refresh: next.text("refresh_token") };
    assert!(next.refresh != bob.refresh && running.accepts(&next.access).await);
    // For a minute the same successor is issued again: an answer may be lost.
    running.advance(Duration::from_secs(61)).await?;
    assert_eq!(running.refresh(&bob).await.status, 400);
    assert!(!running.accepts(&next.access).await, "one of the two who have it is a thief");
    assert_eq!(running.refresh(&next).await.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_refresh_token_is_no_access_token() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let bob = running.log_in("bob").await;
    assert!(running.accepts(&bob.access).await);
    assert!(!running.accepts(&bob.refresh).await);
    let sent = Tokens { refresh: bob.access, access: bob.refresh };
    assert_eq!(running.refresh(&sent).await.status, 400, "nor is an access token a refresh token");
    Ok(())
}

async fn names_of_cookies(running: &Running) -> Vec<String> {
    let sent = json!({ "username": "bob", "password": "builder" });
    let login = running.service.post("/web/auth/login", None, &sent).await;
    let names = login.set_cookies().into_iter().map(|cookie| {
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
        cookie.split('=').next().unwrap_or_default().to_owned()
    });
    names.collect()
}

#[tokio::test]
async fn cookies_have_the_names_of_the_document() -> Result<(), BoxError> {
    let running = Running::start().await?;
    assert_eq!(names_of_cookies(&running).await, ["access_token", "refresh_token"]);
    let sent = json!({ "username": "bob", "password": "builder" });
    let login = running.service.post("/web/auth/login", None, &sent).await;
    let cookies = login.cookies();
    let (access, refresh) = cookies.split_once("; ").ok_or("two cookies")?;
    let with = async |method, path, cookie: &str| {
        running.service.send(running.service.request(method, path).header(COOKIE, cookie)).await
    };
    assert_eq!(with(Method::GET, "/tickets", access).await.status, 200);
    let refreshed = with(Method::POST, "/web/auth/refresh", refresh).await;
    assert!(refreshed.status < 300 && refreshed.cookies() != cookies, "{refreshed:?}");
    // A request renews an access cookie that is gone.
    let renewed = with(Method::GET, "/tickets", refreshed.cookies().split_once("; ").ok_or("two")?.1).await;
    assert!(renewed.status == 200 && renewed.cookies().starts_with("access_token="), "{renewed:?}");
    Ok(())
}

/// The names for a service with TLS whose clients look for exactly these.
#[tokio::test]
async fn both_names_may_be_exact_over_tls() -> Result<(), BoxError> {
    let (folder, two) = (tempfile::tempdir()?, ["access_token", "refresh_token"]);
    let (_, accounts, _) = parts(&folder).await?;
    let key = SigningKey::secret(Algorithm::HS256, &SECRET)?;
    let issuer = TokenIssuer::new("https://desk.example", "desk", key, Arc::clone(&accounts));
    let cookies = CookieOptions::new().name(two[0]).refresh_name(two[1]);
    let auth = Auth::builder()
        .token_issuer(issuer.refresh_key(RefreshKey::new("1", SECRET)))
        .cookies(cookies)
        .build()?;
    let app = Router::new().nest("/auth", TokenRoutes::cookies(auth.tokens()?, accounts).router());
    let service = Service::start(app.finish(&auth)?, folder).await;
    let login = service.post("/auth/login", None, &json!({ "username": "bob", "password": "builder" })).await;
    let set = login.set_cookies();
    assert_eq!(set.len(), 2);
    for (cookie, name) in set.into_iter().zip(two) {
        assert!(cookie.starts_with(&format!("{name}=")) && cookie.contains("; Secure"), "{cookie}");
    }
    Ok(())
}

#[tokio::test]
async fn tokens_are_signed_with_the_configured_algorithm() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let token = running.log_in("bob").await.access;
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0])?)?;
    assert_eq!(header["alg"], "HS256");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &SECRET);
    let message = format!("{}.{}", parts[0], parts[1]);
    aws_lc_rs::hmac::verify(&key, message.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2])?)
        .map_err(|_| "the signature is not one of HS256")?;
    // A token chooses no algorithm: not even with the right key.
    for alg in ["none", "HS384", "HS512"] {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "kid": "1", "typ": "at+jwt" }).to_string());
        let message = format!("{header}.{}", parts[1]);
        let hash = if alg == "HS384" { aws_lc_rs::hmac::HMAC_SHA384 } else { aws_lc_rs::hmac::HMAC_SHA512 };
        let key = aws_lc_rs::hmac::Key::new(hash, &SECRET);
        let signature = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
        for signature in [&*signature, ""] {
            assert!(!running.accepts(&format!("{message}.{signature}")).await, "{alg}");
        }
    }
    Ok(())
}

/// With the right signature, and not of this service or not for it.
#[tokio::test]
async fn a_token_of_another_issuer_audience_or_type_is_rejected() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let token = running.log_in("bob").await.access;
    let part = |index| -> Result<Value, BoxError> {
        let part = token.split('.').nth(index).ok_or("a part")?;
        Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
    };
    let [header, claims] = [part(0)?, part(1)?];
    let signed = |header: &Value, claims: &Value| {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &SECRET);
        let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    assert!(running.accepts(&signed(&header, &claims)).await, "as the service signs it");
    for (name, value) in
        [("iss", json!("https://other.example")), ("aud", json!("another")), ("exp", Value::Null)]
    {
        let mut changed = claims.clone();
        changed[name] = value;
        assert!(!running.accepts(&signed(&header, &changed)).await, "{name}");
    }
    let mut changed = header.clone();
    changed["typ"] = json!("logout+jwt");
    assert!(!running.accepts(&signed(&changed, &claims)).await);
    Ok(())
}

#[tokio::test]
async fn no_key_is_a_default() -> Result<(), BoxError> {
    let [one, other] = [tempfile::tempdir()?, tempfile::tempdir()?];
    for secret_key in ["", "secret", "31 bytes are one byte too few.."] {
        let error = keys::signing_key(Some(secret_key.into()), one.path()).unwrap_err().to_string();
        assert!(error.contains("32"), "{error}");
    }
    keys::signing_key(Some("32 bytes are enough for HS256 ...".into()), one.path())?;
    assert!(!one.path().join("signing.key").exists());
    let made = async |folder: &TempDir| {
        keys::signing_key(None, folder.path())?;
        Ok::<_, BoxError>(std::fs::read(folder.path().join("signing.key"))?)
    };
    assert_eq!(made(&one).await?, made(&one).await?);
    assert_ne!(made(&one).await?, made(&other).await?);
    Ok(())
}
