//! What an event and the log must not contain.

use super::*;

/// Users type their password into the field of the name.
#[tokio::test]
async fn neither_the_name_of_a_failed_login_nor_a_token_is_in_an_event_or_in_the_log() {
    let (events, log) = (Events::default(), CapturedLog::start(tracing::Level::TRACE));
    let noted = events.clone();
    let shop = Shop::with_hook(
        Delivery::Json,
        |builder| builder,
        events,
        move |event| {
            noted.0.lock().unwrap().push(format!("{event:?}"));
        },
    );
    let mut secrets = vec!["hunter2".to_owned()];
    shop.send("POST", "/auth/login", &[], &credentials("hunter2", "hunter2")).await;
    let reply = shop.send("POST", "/auth/login", &[], &credentials("alice", "password of alice")).await;
    let login: Value = serde_json::from_str(&reply.body).unwrap();
    let refresh = json!({ "refresh_token": login["refresh_token"] });
    let reply = shop.send("POST", "/auth/refresh", &[], &refresh).await;
    let refreshed: Value = serde_json::from_str(&reply.body).unwrap();
    for tokens in [&login, &refreshed] {
        let text = |name: &str| tokens[name].as_str().unwrap();
        secrets.push(text("refresh_token").to_owned());
        secrets.extend(text("access_token").split('.').skip(1).map(str::to_owned));
    }
    let bearer = format!("Bearer {}", login["access_token"].as_str().unwrap());
    shop.send("GET", "/who", &[("authorization", &bearer)], &Value::Null).await;
    shop.clock.advance(Duration::from_secs(11));
    shop.send("POST", "/auth/refresh", &[], &refresh).await;
    shop.send("POST", "/auth/refresh", &[], &refresh).await;
    shop.send("POST", "/auth/logout", &[("authorization", &bearer)], &refresh).await;
    let events = shop.events.take();
    assert_eq!(events.len(), 6, "{events:#?}");
    let text = format!("{}\n{}", log.take(), events.join("\n"));
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
    }
}
