//! Keys, cookies, and where a token may be.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

/// The cookies that a login sets, by name, with their attributes.
async fn cookies_of(
    engine: AuthBuilder,
    accounts: &Accounts,
    folder: TempDir,
) -> Result<BTreeMap<String, String>, BoxError> {
    let auth = engine.build()?;
    let app = Router::new().route("/login", sessions(&auth, accounts)?.route(TokenRoute::Login));
    let service = Service::start(app.finish(&auth)?, folder).await;
    let login = service.post("/login", None, &json!({ "username": "bob", "password": "builder" })).await;
    let cookies = login.set_cookies().into_iter().map(|cookie| {
        let (name, rest) = cookie.split_once('=').unwrap_or_default();
        (name.to_owned(), rest.split_once("; ").unwrap_or_default().1.to_owned())
    });
    Ok(cookies.collect())
}

#[tokio::test]
async fn cookies_are_strict_and_no_script_reads_them() -> Result<(), BoxError> {
    for (is_secure, names) in
        [(true, ["__Host-access_token", "__Host-refresh_token"]), (false, ["access_token", "refresh_token"])]
    {
        let folder = tempfile::tempdir()?;
        let (_, accounts, store) = parts(&folder).await?;
        let engine = engine(&accounts, settings(&[], &folder)?, store);
        let engine = if is_secure { engine } else { engine.dangerously_use_insecure_cookies() };
        let cookies = cookies_of(engine, &accounts, folder).await?;
        assert_eq!(cookies.keys().collect::<Vec<_>>(), names);
        for attributes in cookies.values() {
            let mut attributes: Vec<&str> = attributes.split("; ").collect();
            attributes.sort_unstable();
            let secure: &[&str] = if is_secure { &["Secure"] } else { &[] };
            // Without `Max-Age`: the box "Stay logged in" is not ticked.
            assert_eq!(attributes, [&["HttpOnly", "Path=/", "SameSite=Strict"], secure].concat());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_user_who_is_remembered_has_cookies_that_stay_for_the_session() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let sent = json!({ "username": "bob", "password": "builder", "remember": true });
    let login = running.browser().ask(Method::POST, "/session", Some(sent)).await;
    let set = login.set_cookies();
    assert!(set.len() == 2 && set.iter().all(|cookie| cookie.contains("; Max-Age=")), "{set:?}");
    Ok(())
}

#[tokio::test]
async fn both_cookies_have_the_names_that_the_settings_say() -> Result<(), BoxError> {
    // Those of the document, exactly, over TLS; and two others.
    for names in [["access_token", "refresh_token"], ["reader", "reader_renewal"]] {
        let folder = tempfile::tempdir()?;
        let (_, accounts, store) = parts(&folder).await?;
        let [access, refresh] = names;
        let variables = [("ACCESS_TOKEN_COOKIE_NAME", access), ("REFRESH_TOKEN_COOKIE_NAME", refresh)];
        let engine = engine(&accounts, settings(&variables, &folder)?, store);
        let cookies = cookies_of(engine, &accounts, folder).await?;
        assert_eq!(cookies.keys().collect::<Vec<_>>(), names);
        assert!(cookies.values().all(|attributes| attributes.contains("Secure")), "{cookies:?}");
    }
    // A name that no cookie can have, and one name for both, are errors at the start.
    for (access, refresh) in [("access token", "refresh_token"), ("token", "token"), ("", "refresh_token")] {
        let folder = tempfile::tempdir()?;
        let (_, accounts, store) = parts(&folder).await?;
        let variables = [("ACCESS_TOKEN_COOKIE_NAME", access), ("REFRESH_TOKEN_COOKIE_NAME", refresh)];
        assert!(engine(&accounts, settings(&variables, &folder)?, store).build().is_err(), "{access}");
    }
    Ok(())
}

#[tokio::test]
async fn a_token_may_be_in_the_header_and_an_invalid_one_is_not_passed_over() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let bob = running.log_in(BOB).await;
    let [access, refresh] = bob.tokens();
    assert_eq!(running.status_of(&access).await, 200);
    assert_eq!(running.status_of(&refresh).await, 401, "a refresh token is no access token");
    let request = running.service.request(Method::GET, "/saved").bearer_auth("x");
    let both = running.service.send(request.header(COOKIE, format!("access_token={access}"))).await;
    assert_eq!(both.status, 401, "{both:?}");
    for path in [format!("/saved?access_token={access}"), format!("/saved?token={access}")] {
        assert_eq!(running.browser().get(&path).await.status, 401);
    }
    // A program has no cookies, so no page could misuse them: it needs no origin.
    let request = running.service.request(Method::DELETE, "/saved/1").bearer_auth(&access);
    assert_eq!(running.service.send(request).await.status, 204);
    Ok(())
}

#[tokio::test]
async fn tokens_are_signed_with_the_configured_algorithm() -> Result<(), BoxError> {
    use aws_lc_rs::hmac;

    let running = Running::start().await?;
    let [token, _] = running.log_in(BOB).await.tokens();
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0])?)?;
    assert_eq!(header["alg"], "HS256");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = format!("{}.{}", parts[0], parts[1]);
    hmac::verify(&key, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2])?)
        .map_err(|_| "the signature is not one of HS256")?;
    // A token chooses no algorithm: not even with the right key.
    for (alg, hash) in [("none", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "kid": "1", "typ": "at+jwt" }).to_string());
        let message = format!("{header}.{}", parts[1]);
        let signature = hmac::sign(&hmac::Key::new(hash, SECRET.as_bytes()), message.as_bytes());
        for signature in [URL_SAFE_NO_PAD.encode(signature), String::new()] {
            assert_eq!(running.status_of(&format!("{message}.{signature}")).await, 401, "{alg}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_key_is_a_default() -> Result<(), BoxError> {
    let [one, other] = [tempfile::tempdir()?, tempfile::tempdir()?];
    for key in ["", "secret", "31 bytes are one byte too few.."] {
        let error = settings(&[("SIGNING_KEY", key)], &one).err().ok_or("accepted")?.to_string();
        assert!(error.contains("32"), "{error}");
    }
    assert!(!one.path().join("signing.key").exists());
    let made = |folder: &TempDir| {
        Settings::read(|_| None, folder.path())?;
        Ok::<_, BoxError>(std::fs::read(folder.path().join("signing.key"))?)
    };
    assert_eq!(made(&one)?, made(&one)?);
    assert_ne!(made(&one)?, made(&other)?);
    Ok(())
}
