//! Keys and tokens.

use std::fs;

use auth_runtime::api_key::NewApiKey;
use auth_runtime::verify::{Key, TrustedIssuer};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;

#[tokio::test]
async fn a_program_with_a_key_is_let_in_and_no_other() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let reply = running.with_key("/api/protected", &running.key).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "program": "nightly-export" })));
    assert_eq!(
        running.with_key("/api/me", &running.key).await.json(),
        json!({ "user_id": "nightly-export" })
    );

    let other = NewApiKey::generate("notes")?;
    let token = running.alice().await;
    for wrong in
        [other.text(), "", "sk-abc123", token.as_str(), &running.key[1..], &format!("{}x", running.key)]
    {
        let reply = running.with_key("/api/protected", wrong).await;
        assert_eq!(reply.status, 401, "{wrong}: {reply:#?}");
    }
    assert_eq!(running.service.get("/api/protected", None).await.status, 401);
    assert_eq!(running.service.get("/api/protected", Some(&token)).await.status, 401, "a token is no key");
    assert_eq!(
        running.service.get("/api/protected", Some(&running.key)).await.status,
        401,
        "a key is no token"
    );
    // Notes are of users: a program has none, and may not write any.
    assert_eq!(running.with_key("/api/notes", &running.key).await.status, 401);
    Ok(())
}

#[tokio::test]
async fn the_configuration_has_the_hash_and_not_the_key() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let file = running.service.folder().join("api-keys.txt");
    let written = fs::read_to_string(&file)?;
    assert!(written.contains(" nightly-export "), "{written}");
    assert!(!written.contains(&running.key) && !written.contains(&running.key[running.key.len() - 33..]));

    // A line more is a key more, and a line less is a key less: at the next start.
    let key = NewApiKey::generate("notes")?;
    fs::write(&file, format!("{} importer\n", key.hash()))?;
    let (keys, new) = api_keys::of_file(&file)?;
    assert!(new.is_none());
    let auth = Auth::builder().api_keys(keys).build()?;
    assert_eq!(auth.verify_with("api_key", key.text()).await?.subject(), "importer");
    assert!(auth.verify_with("api_key", &running.key).await.is_err());

    for wrong in ["no-hash", &format!("{} importer soon", key.hash()), &format!("{} importer -1", key.hash())]
    {
        fs::write(&file, wrong)?;
        assert!(api_keys::of_file(&file).is_err(), "{wrong}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_expires_when_its_line_says_so() -> Result<(), BoxError> {
    let (folder, clock) = (tempfile::tempdir()?, TestClock::new());
    let file = folder.path().join("api-keys.txt");
    let [expires, stays] = [NewApiKey::generate("notes")?, NewApiKey::generate("notes")?];
    let now = 1_800_000_000;
    clock.set(std::time::UNIX_EPOCH + Duration::from_secs(now));
    fs::write(&file, format!("{} importer {}\n{} exporter\n", expires.hash(), now + 60, stays.hash()))?;
    let (keys, _) = api_keys::of_file(&file)?;
    let auth = Auth::builder().api_keys(keys).clock(clock.clone()).build()?;
    for (after, is_valid) in [(59, true), (1, false)] {
        clock.advance(Duration::from_secs(after));
        assert_eq!(auth.verify_with("api_key", expires.text()).await.is_ok(), is_valid, "{after}");
        assert!(auth.verify_with("api_key", stays.text()).await.is_ok());
    }

    // A new one has a year.
    fs::remove_file(&file)?;
    let (keys, new) = api_keys::of_file(&file)?;
    let auth = Auth::builder().api_keys(keys).clock(clock.clone()).build()?;
    let text = new.ok_or("no key was made")?.text().to_owned();
    clock.set(std::time::SystemTime::now() + 364 * DAY);
    assert!(auth.verify_with("api_key", &text).await.is_ok());
    clock.advance(2 * DAY);
    assert!(auth.verify_with("api_key", &text).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_rejection_has_the_form_of_the_application() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (alice, admin) = (running.alice().await, running.admin().await);
    for (path, token, status, error) in [
        ("/api/protected", None, 401, "Invalid or missing API key or token"),
        ("/api/me", None, 401, "Invalid or missing API key or token"),
        ("/api/me", Some("x.y.z"), 401, "Invalid or missing API key or token"),
        ("/api/admin/users", Some(alice.as_str()), 403, "Insufficient permissions"),
        ("/api/notes/2", Some(admin.as_str()), 404, "Not found"),
    ] {
        let reply = running.service.get(path, token).await;
        assert_eq!((reply.status, reply.json()), (status, json!({ "error": error })), "{path}");
        assert_eq!(header(&reply, "content-type"), "application/json", "{path}");
        assert_eq!(reply.headers.contains_key("www-authenticate"), status != 404, "{path}");
    }
    let twice = running.service.request(Method::GET, "/api/notes").bearer_auth(&alice).bearer_auth(&alice);
    let reply = running.service.send(twice).await;
    assert_eq!((reply.status, reply.json()), (400, json!({ "error": "Send one credential, once" })));
    Ok(())
}

#[tokio::test]
async fn a_rejected_request_never_reaches_its_handler() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let before = running.number_of("notes").await?;
    for token in [None, Some("x.y.z")] {
        for body in [json!({ "text": "Mine" }), json!("of another form")] {
            let reply = running.service.post("/api/notes", token, &body).await;
            assert_eq!(reply.status, 401, "not 422: the body is not read");
        }
    }
    assert_eq!(running.number_of("notes").await?, before);

    let token = running.alice().await;
    let reply = running.service.post("/api/notes", Some(&token), &json!({ "text": "Mine" })).await;
    assert_eq!((reply.status, reply.text("text").as_str()), (201, "Mine"));
    assert_eq!(running.number_of("notes").await?, before + 1);
    Ok(())
}

#[tokio::test]
async fn a_login_answers_with_a_token() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let login = async |username: &str, password: &str| {
        let credentials = json!({ "username": username, "password": password });
        running.service.post("/api/login", None, &credentials).await
    };
    let reply = login("alice", "wonderland").await;
    assert_eq!(reply.status, 200);
    let members: Vec<_> =
        reply.json().as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    assert_eq!(members, ["token"]);
    assert!(reply.set_cookies().is_empty());

    for (username, password) in
        [("alice", "builder"), ("mallory", "wonderland"), ("", ""), ("1", "administrator")]
    {
        let reply = login(username, password).await;
        assert_eq!((reply.status, reply.json()), (401, json!({ "error": "Invalid credentials" })));
        assert_eq!(header(&reply, "www-authenticate"), r#"Bearer realm="restricted""#);
    }
    let reply = running.service.post("/api/login", None, &json!({ "username": "alice" })).await;
    assert_eq!((reply.status, reply.text("error").as_str()), (400, "Send a username and a password"));
    assert_eq!(running.service.get("/api/login", None).await.status, 405);
    Ok(())
}

/// A guess at either login counts: for the account, 10 at once.
#[tokio::test]
async fn both_logins_count_together() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let guess = json!({ "username": "Alice", "password": "a guess" });
    for _ in 0..5 {
        assert_eq!(running.service.post("/api/login", None, &guess).await.status, 401);
        let reply = running.submit("/auth/login", "", "username=alice&password=a+guess").await;
        assert_eq!(leads_to(&reply), "/login?error=invalid_grant");
    }
    let reply = running.service.post("/api/login", None, &guess).await;
    assert_eq!((reply.status, reply.text("error").as_str()), (429, "Too many attempts"));
    assert!(reply.headers.contains_key("retry-after"));
    let reply = running.submit("/auth/login", "", "username=alice&password=wonderland").await;
    assert_eq!(leads_to(&reply), "/login?error=temporarily_unavailable");
    Ok(())
}

#[tokio::test]
async fn a_token_is_valid_for_a_day_and_names_the_id() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let token = running.alice().await;
    let claims = claims(&token)?;
    assert_eq!(claims["sub"], "2");
    assert_eq!(claims["exp"].as_u64().zip(claims["iat"].as_u64()).map(|(exp, iat)| exp - iat), Some(86_400));
    assert!(token.starts_with("eyJ") && algorithm(&token)? == "HS256");

    running.pass(DAY - Duration::from_secs(60)).await?;
    assert_eq!(running.service.get("/api/me", Some(&token)).await.status, 200);
    // The leeway is a minute.
    running.pass(Duration::from_secs(121)).await?;
    assert_eq!(running.service.get("/api/me", Some(&token)).await.status, 401);
    Ok(())
}

fn part(token: &str, index: usize) -> Result<Value, BoxError> {
    let part = token.split('.').nth(index).ok_or("no such part")?;
    Ok(serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part)?)?)
}

fn claims(token: &str) -> Result<Value, BoxError> {
    part(token, 1)
}

fn algorithm(token: &str) -> Result<Value, BoxError> {
    Ok(part(token, 0)?["alg"].take())
}

#[tokio::test]
async fn missing_and_invalid_tokens_differ_in_the_challenge_alone() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let missing = running.service.get("/api/me", None).await;
    assert_eq!(header(&missing, "www-authenticate"), r#"Bearer realm="restricted""#,);
    let token = running.alice().await;
    let (signed, _) = token.rsplit_once('.').ok_or("a token has dots")?;
    let forged = format!("{signed}.{}", "A".repeat(43));
    let logged_out = running.alice().await;
    let logout = running.service.request(Method::POST, "/api/logout").bearer_auth(&logged_out);
    assert_eq!(running.service.send(logout).await.status, 204);
    for invalid in ["x.y.z", &forged, &logged_out] {
        let reply = running.service.get("/api/me", Some(invalid)).await;
        assert_eq!((reply.status, &reply.body), (401, &missing.body));
        assert!(header(&reply, "www-authenticate").contains(r#"error="invalid_token""#));
    }
    assert_eq!(running.service.get("/api/me", Some(&token)).await.status, 200);
    // Another scheme counts as no token.
    let basic =
        running.service.request(Method::GET, "/api/me").header("authorization", format!("Token {token}"));
    assert_eq!(running.service.send(basic).await.status, 401);
    Ok(())
}

#[tokio::test]
async fn a_handler_knows_the_caller() -> Result<(), BoxError> {
    let running = Running::start().await?;
    for (token, id) in [(running.admin().await, "1"), (running.alice().await, "2")] {
        assert_eq!(running.service.get("/api/me", Some(&token)).await.json(), json!({ "user_id": id }));
    }
    let notes = running.service.get("/api/notes", Some(&running.alice().await)).await.json();
    let expected = json!([{ "id": 2, "text": "Water the plants" }, { "id": 3, "text": "Buy milk" }]);
    assert_eq!(notes, expected);
    Ok(())
}

/// Its token says 24 hours, and counts no longer.
#[tokio::test]
async fn a_logout_ends_a_token_before_its_time() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [ended, other] = [running.alice().await, running.alice().await];
    let logout = running.service.request(Method::POST, "/api/logout").bearer_auth(&ended);
    assert_eq!(running.service.send(logout).await.status, 204);
    for (token, status) in [(&ended, 401), (&other, 200)] {
        assert_eq!(running.service.get("/api/me", Some(token)).await.status, status);
    }
    Ok(())
}

#[tokio::test]
async fn any_code_can_reject_in_the_same_form() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let alice = running.alice().await;
    let missing = running.service.get("/api/notes/99", Some(&alice)).await;
    let of_another = running.service.get("/api/notes/1", Some(&alice)).await;
    assert_eq!((missing.status, missing.json()), (404, json!({ "error": "Not found" })));
    assert_eq!((of_another.status, of_another.body), (missing.status, missing.body));
    let own = running.service.get("/api/notes/2", Some(&alice)).await;
    assert_eq!((own.status, own.text("text").as_str()), (200, "Water the plants"));
    Ok(())
}

#[tokio::test]
async fn the_role_is_in_the_token() -> Result<(), BoxError> {
    let running = Running::start().await?;
    assert_eq!(claims(&running.admin().await)?["roles"], json!(["admin"]));
    let new = running.submit("/signup", "", "username=carol&password=teapot").await;
    assert_eq!(new.status, 303, "{new:#?}");
    let carol = running.token("carol", "teapot").await;
    assert_eq!(claims(&carol)?["roles"], json!(["user"]), "where nothing else is said");
    assert_eq!(running.service.get("/api/admin/users", Some(&carol)).await.status, 403);
    Ok(())
}

#[tokio::test]
async fn only_admins_may_list_the_accounts() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (alice, admin) = (running.alice().await, running.admin().await);
    for (token, status) in [(None, 401), (Some(&alice), 403), (Some(&admin), 200)] {
        assert_eq!(running.service.get("/api/admin/users", token.map(String::as_str)).await.status, status);
    }
    assert_eq!(running.with_key("/api/admin/users", &running.key).await.status, 403, "a key has no role");

    let reply = running.submit("/auth/login", "", "username=admin&password=administrator").await;
    let (admin, alice) = (reply.cookies(), running.alice_in_a_browser().await);
    let page = running.open("/admin/users", &alice).await;
    assert!(page.status == 403 && page.body.contains("You may not do this here."), "{page:#?}");
    let page = running.open("/admin/users", &admin).await;
    assert!(page.status == 200 && page.body.contains("<td>alice</td><td>user</td>"), "{page:#?}");
    assert_eq!(leads_to(&running.open("/admin/users", "").await), "/login?return_to=%2Fadmin%2Fusers");
    Ok(())
}

#[tokio::test]
async fn a_guard_may_name_several_roles() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let audrey = running.token("audrey", "bookkeeping").await;
    for (token, figures, accounts) in
        [(&running.alice().await, 403, 403), (&audrey, 200, 403), (&running.admin().await, 200, 200)]
    {
        let reply = running.service.get("/api/figures", Some(token)).await;
        assert_eq!(reply.status, figures, "{reply:#?}");
        let expected = match figures {
            200 => json!({ "accounts": 3, "notes": 3 }),
            _ => json!({ "error": "Insufficient permissions" }),
        };
        assert_eq!(reply.json(), expected);
        assert_eq!(running.service.get("/api/admin/users", Some(token)).await.status, accounts);
    }
    assert_eq!(running.service.get("/api/figures", None).await.status, 401);
    Ok(())
}

#[tokio::test]
async fn the_accounts_are_listed_without_their_passwords() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let reply = running.service.get("/api/admin/users", Some(&running.admin().await)).await;
    let expected = json!([
        { "id": 1, "username": "admin", "role": "admin" },
        { "id": 2, "username": "alice", "role": "user" },
        { "id": 3, "username": "audrey", "role": "auditor" },
    ]);
    assert_eq!(reply.json(), expected);
    Ok(())
}

/// As the README says: while you move, the tokens that are out there are accepted beside ours.
#[tokio::test]
async fn tokens_that_pyjwt_made_move_over() -> Result<(), BoxError> {
    let (folder, clock) = (tempfile::tempdir()?, TestClock::new());
    let users = Users::open(folder.path(), PasswordHasher::with_cost(8, 1, 1)?).await?;
    let (keys, _) = api_keys::of_file(&folder.path().join("api-keys.txt"))?;
    let secret = [7; 32];
    let before = TrustedIssuer::dangerously_expect_no_issuer()
        .dangerously_expect_no_audience()
        .key(Key::secret(Algorithm::HS256, secret))
        .accept_integer_sub()
        .roles_at("role");
    let auth = engine(folder.path(), users, keys)?.issuer(before).clock(clock).build()?;
    auth.start().await?;

    let now = auth.now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let token_with = |secret: [u8; 32], claims: Value| {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let claims = claims.to_string();
        let signed = format!("{}.{}", encode(br#"{"alg":"HS256","typ":"JWT"}"#), encode(claims.as_bytes()));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        format!("{signed}.{}", encode(signature.as_ref()))
    };
    let token =
        |secret: [u8; 32], exp: u64| token_with(secret, json!({ "sub": 2, "role": "admin", "exp": exp }));
    let without_role = auth.verify(&token_with(secret, json!({ "sub": 2, "exp": now + 3600 }))).await?;
    assert_eq!(without_role.roles().count(), 0, "no role is made up");
    let caller = auth.verify(&token(secret, now + 3600)).await?;
    assert!(caller.subject() == "2" && caller.has_role("admin"));
    assert!(auth.verify(&token(secret, now - 120)).await.is_err(), "expired");
    assert!(auth.verify(&token([8; 32], now + 3600)).await.is_err(), "of another secret");
    Ok(())
}
