//! How long tokens live, how they are renewed, and how a logout ends them.

use super::*;

#[tokio::test]
async fn a_logout_ends_both_tokens_before_it_is_answered() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    let elsewhere = running.log_in(BOB).await;
    let [access, _] = bob.tokens();
    let mut thief = bob.clone();
    assert_eq!(running.status_of(&access).await, 200);
    assert_eq!(bob.delete("/session").await, 204);
    assert!(bob.cookies.is_empty());
    assert_eq!(running.status_of(&access).await, 401);
    assert_eq!(thief.get("/saved").await.status, 401);
    assert_eq!(bob.delete("/session").await, 204, "who is logged out may log out");
    assert_eq!(running.status_of(&elsewhere.tokens()[0]).await, 200, "the session elsewhere goes on");
    for method in [Method::GET, Method::PUT] {
        assert_eq!(elsewhere.clone().ask(method, "/session", None).await.status, 405);
    }
    Ok(())
}

#[tokio::test]
async fn an_access_token_lives_for_five_minutes_and_a_session_for_a_day() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [access, _] = running.log_in(BOB).await.tokens();
    running.advance(Duration::from_mins(5)).await?;
    assert_eq!(running.status_of(&access).await, 200, "the leeway is a minute");
    running.advance(Duration::from_secs(61)).await?;
    assert_eq!(running.status_of(&access).await, 401);

    let day = Duration::from_hours(24);
    for (after, status) in [(day - Duration::from_secs(1), 200), (day, 401)] {
        let mut bob = running.log_in(BOB).await;
        running.advance(after).await?;
        assert_eq!(bob.get("/saved").await.status, status, "{after:?}");
    }
    // However often it is renewed.
    let mut bob = running.log_in(BOB).await;
    for (hours, status) in [(12, 200), (11, 200), (1, 401)] {
        running.advance(Duration::from_hours(hours)).await?;
        assert_eq!(bob.get("/saved").await.status, status, "{hours}");
    }
    Ok(())
}

#[tokio::test]
async fn a_request_renews_an_access_token_that_has_expired() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    let before = bob.tokens();
    running.advance(Duration::from_mins(7)).await?;
    let reply = bob.get("/saved").await;
    assert_eq!((reply.status, reply.json().as_array().map(Vec::len)), (200, Some(3)));
    let after = bob.tokens();
    assert!(before.iter().zip(&after).all(|(before, after)| before != after && !after.is_empty()));
    assert_eq!(running.status_of(&after[0]).await, 200);
    assert!(bob.get("/saved").await.set_cookies().is_empty(), "it is valid now");
    // Also one that changes something.
    running.advance(Duration::from_mins(7)).await?;
    assert_eq!(bob.delete("/saved/1").await, 204);
    Ok(())
}

#[tokio::test]
async fn a_used_refresh_token_ends_the_session() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    let mut thief = bob.clone();
    running.advance(Duration::from_mins(7)).await?;
    assert_eq!(bob.get("/saved").await.status, 200);
    running.advance(Duration::from_mins(2)).await?;
    assert_eq!(thief.get("/saved").await.status, 401);
    assert_eq!(bob.get("/saved").await.status, 401, "one of the two who have it is a thief");
    Ok(())
}

#[tokio::test]
async fn a_user_who_is_deactivated_is_not_renewed() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    query("update accounts set is_active = 0 where id = '2'").execute(&running.database).await?;
    running.advance(Duration::from_mins(7)).await?;
    assert_eq!(bob.get("/saved").await.status, 401);
    Ok(())
}

/// Nothing asks the engine for it: the time of its timers passes.
#[tokio::test]
async fn what_has_expired_is_dropped_from_the_store() -> Result<(), BoxError> {
    use auth_runtime::store::{LogCursor, RefreshTokenStore as _, RevocationLog as _};

    let running = Running::start().await?;
    let [mut ended, _stays] = [running.log_in(BOB).await, running.log_in(BOB).await];
    assert_eq!(ended.delete("/session").await, 204);
    let rows = async || {
        let sessions = running.store.list("https://list.example", None, 10).await?.len();
        let log = running.store.read(LogCursor::START, 10).await?.page().ok_or("no log")?;
        Ok::<_, BoxError>([sessions, log.entries.len()])
    };
    assert_eq!(rows().await?, [1, 1]);
    running.advance(Duration::from_hours(48)).await?;
    tokio::time::pause();
    for _ in 0..1000 {
        if rows().await? == [0, 0] {
            return Ok(());
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        // A write is behind those of the engine, so these get their time.
        running.store.set_confirmed_time(running.auth.now()).await?;
    }
    panic!("{:?}", rows().await?)
}

#[tokio::test]
async fn the_store_has_no_token() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut bob = running.log_in(BOB).await;
    let mut tokens = bob.tokens().to_vec();
    running.advance(Duration::from_mins(7)).await?;
    assert_eq!(bob.get("/saved").await.status, 200);
    tokens.extend(bob.tokens());
    assert_eq!(bob.delete("/session").await, 204);
    // Of each token every part: what a thief would need is the signature, or the secret half of a refresh token.
    let parts: Vec<&str> =
        tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() > 30).collect();
    assert!(parts.len() >= 8, "{parts:?}");
    for (files, there) in [
        (&["sessions.redb"][..], "https://list.example"),
        (&["reading.sqlite", "reading.sqlite-wal"], "Packets by pigeon"),
    ] {
        let mut text = String::new();
        for file in files {
            text += &String::from_utf8_lossy(&std::fs::read(running.service.folder().join(file))?);
        }
        assert!(!parts.iter().any(|part| text.contains(part)), "{files:?}");
        assert!(text.contains(there), "what is there is found: {files:?}");
    }
    Ok(())
}
