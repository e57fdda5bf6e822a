//! An endpoint that is down, overloaded, or not what it should be: 503, and never a caller.

use std::sync::Arc;
use std::time::Duration;

use auth_runtime::verify::{Introspection, TrustedIssuer};
use serde_json::Value;

use super::server::{Answer, Server};
use super::{AUDIENCE, App, ISSUER, active, issuer};
use crate::captured_log::CapturedLog;
use crate::support::until;

fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer::Raw(status, vec![("content-type", content_type.to_owned())], body.into())
}

/// An answer with a further header.
fn with_header(name: &'static str, value: &str) -> Answer {
    let json = ("content-type", "application/json".to_owned());
    Answer::Raw(200, vec![json, (name, value.to_owned())], active().to_string().into_bytes())
}

#[tokio::test]
async fn an_answer_that_is_none_is_503_and_remembered_only_if_it_was_the_answer_about_the_token() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    let text = active().to_string();
    let long = format!("{{\"padding\":\"{}\",{}", "x".repeat(600 * 1024), &text[1..]);
    let elsewhere = Server::answering(active()).await;
    let redirect = |status: u16| {
        let location = ("location", elsewhere.url().to_owned());
        Answer::Raw(status, vec![location, ("content-type", "application/json".into())], text.clone().into())
    };
    let json = "application/json";
    let rows = [
        ("500", raw(500, json, text.clone())),
        ("502", raw(502, "text/html", "<h1>Bad gateway</h1>")),
        ("503", raw(503, json, text.clone())),
        ("429", raw(429, json, "{}")),
        ("404", raw(404, json, text.clone())),
        ("201", raw(201, json, text.clone())),
        ("204", raw(204, json, "")),
        ("301", redirect(301)),
        ("302", redirect(302)),
        ("307", redirect(307)),
        ("308", redirect(308)),
        ("a page", raw(200, "text/html", text.clone())),
        ("no type", Answer::Raw(200, Vec::new(), text.clone().into())),
        ("a text", raw(200, "text/plain", text.clone())),
        ("too long", raw(200, json, long)),
        ("without an end", Answer::Endless),
        ("encoded", with_header("content-encoding", "gzip")),
        // RFC 9701 is not supported, and was not asked for.
        ("signed", raw(200, "application/token-introspection+jwt", "e30.e30.e30")),
    ];
    for (what, answer) in rows {
        let (unknown, good) = (format!("token-of-{what}").replace(' ', "-"), server.count());
        server.set(answer);
        assert_eq!(app.status(&unknown).await, 503, "{what}");
        assert_eq!(server.count(), good + 1, "{what}");
        server.answer(active());
        // No new token is asked about right after a 429.
        app.clock.advance(Duration::from_secs(6));
        assert_eq!(app.status(&unknown).await, 200, "{what}");
    }
    assert_eq!(elsewhere.count(), 0, "a redirect is not followed");
    for (what, body) in
        [("not JSON", b"active".to_vec()), ("not UTF-8", b"{\"active\":true,\"sub\":\"\xff\"}".to_vec())]
    {
        let (unknown, before) = (format!("token-of-{what}").replace(' ', "-"), server.count());
        server.set(raw(200, json, body));
        assert_eq!((app.status(&unknown).await, server.count()), (503, before + 1), "{what}");
        server.answer(active());
        app.clock.advance(Duration::from_secs(10));
        assert_eq!((app.status(&unknown).await, server.count()), (200, before + 2), "{what}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_is_503_and_what_is_remembered_counts() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    assert_eq!(app.status("known").await, 200);
    drop(server);
    let mut tokens = (0..).map(|index| format!("new-{index}"));
    until("nothing listens", async || app.status(&tokens.next().unwrap()).await == 503).await;
    assert_eq!(app.status("known").await, 200);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(app.status("known").await, 503);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_503_after_five_seconds() {
    for answer in [Answer::Hang, raw(200, "application/json", active().to_string())] {
        let is_slow = matches!(answer, Answer::Hang);
        let server = Server::start(answer).await;
        let app = Arc::new(App::new(issuer(&server)));
        let asked = tokio::spawn({
            let app = Arc::clone(&app);
            async move { app.status("token").await }
        });
        until("the issuer is asked", async || server.count() == 1).await;
        if is_slow {
            tokio::time::pause();
            tokio::time::advance(Duration::from_millis(4_900)).await;
            assert!(!asked.is_finished());
            tokio::time::advance(Duration::from_millis(200)).await;
        }
        assert_eq!(asked.await.unwrap(), if is_slow { 503 } else { 200 });
        if is_slow {
            tokio::time::resume();
        }
    }
}

#[tokio::test]
async fn a_flood_of_unknown_tokens_is_bounded_and_concerns_no_known_caller() {
    let server = Server::answering(active()).await;
    let app = Arc::new(App::new(issuer(&server)));
    assert_eq!(app.status("known").await, 200);
    server.set(Answer::HangOn("random-", active()));
    let flood: Vec<_> = (0..1000)
        .map(|index| {
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.status(&format!("random-{index}")).await })
        })
        .collect();
    until("all but 32 are answered", async || {
        flood.iter().filter(|one| one.is_finished()).count() == 1000 - 32
    })
    .await;
    assert_eq!(app.status("known").await, 200, "it is remembered");
    app.clock.advance(Duration::from_secs(61));
    assert_eq!(app.status("known").await, 200, "it is asked about again");
    for one in flood.into_iter().filter(tokio::task::JoinHandle::is_finished) {
        assert_eq!(one.await.unwrap(), 503);
    }
    until("those that were admitted have asked", async || server.count() == 34).await;
}

#[tokio::test]
async fn tokens_that_are_not_active_are_asked_about_so_often_at_most() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    assert_eq!(app.status("known").await, 200);
    server.answer(serde_json::json!({ "active": false }));
    let mut random = (0..).map(|index| format!("random-{index}"));
    let mut refused = 0;
    while refused < 10 {
        match app.status(&random.next().unwrap()).await {
            401 => assert_eq!(refused, 0),
            status => {
                assert_eq!(status, 503);
                refused += 1;
            }
        }
    }
    assert_eq!(server.count(), 1 + 1001);
    app.clock.advance(Duration::from_secs(61));
    server.answer(active());
    assert_eq!(app.status("known").await, 200);
    // The time has paid for new ones too.
    assert_eq!(app.status("new").await, 200);
}

#[tokio::test]
async fn known_callers_are_asked_about_where_the_issuer_is_asked_too_often() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    assert_eq!(app.status("known").await, 200);
    app.clock.advance(Duration::from_secs(61));
    server.set(raw(429, "application/json", "{}"));
    assert_eq!(app.status("random-1").await, 503);
    server.answer(active());
    let asked = server.count();
    assert_eq!([app.status("random-2").await, app.status("known").await], [503, 200]);
    assert_eq!(server.count(), asked + 1);
    app.clock.advance(Duration::from_secs(6));
    assert_eq!(app.status("random-2").await, 200);
}

/// The metadata is not asked for with each token while it can't be read.
#[tokio::test]
async fn metadata_that_is_not_there_is_asked_for_every_five_seconds() {
    let server = Server::start(raw(500, "application/json", "{}")).await;
    let base = server.url().trim_end_matches("/introspect").to_owned();
    let introspection = Introspection::discovered().client_secret_basic("orders", "a secret");
    let app = App::new(TrustedIssuer::new(base).audience(AUDIENCE).introspection(introspection));
    for (pause, expected) in [(0, 1), (0, 1), (4, 1), (1, 2), (0, 2)] {
        app.clock.advance(Duration::from_secs(pause));
        assert_eq!((app.status(&format!("token-{pause}")).await, server.count()), (503, expected));
    }
}

/// The issuer moves its endpoint, and then its metadata can't be read.
#[tokio::test]
async fn metadata_is_read_again_after_an_hour_and_its_last_word_counts_meanwhile() {
    let [home, moved] = [Server::answering(Value::Null).await, Server::answering(Value::Null).await];
    let base = home.url().trim_end_matches("/introspect").to_owned();
    // What is answered to both questions.
    let both = |endpoint: &str| {
        let mut answer = active();
        answer["exp"] = (super::NOW + 4 * 3600).into();
        for name in ["iss", "issuer"] {
            answer[name] = base.clone().into();
        }
        answer["introspection_endpoint"] = endpoint.into();
        answer
    };
    let introspection = Introspection::discovered().client_secret_basic("orders", "a secret");
    let app = App::new(TrustedIssuer::new(&*base).audience(AUDIENCE).introspection(introspection));
    home.answer(both(home.url()));
    moved.answer(both(moved.url()));
    let down = || raw(500, "application/json", "{}");
    for (step, pause, metadata, expected) in [
        ("it is found", 0, None, [2, 0]),
        ("it is known", 3599, None, [3, 0]),
        ("it has moved", 1, Some(Answer::Json(both(moved.url()))), [4, 1]),
        ("there it is known", 3599, Some(down()), [4, 2]),
        ("its metadata is down", 1, None, [5, 3]),
        ("which is not tried again at once", 4, None, [5, 4]),
        ("but soon", 1, None, [6, 5]),
        ("it has moved back", 5, Some(Answer::Json(both(home.url()))), [8, 5]),
    ] {
        if let Some(metadata) = metadata {
            home.set(metadata);
        }
        app.clock.advance(Duration::from_secs(pause));
        assert_eq!(app.status(&step.replace(' ', "-")).await, 200, "{step}");
        assert_eq!([home.count(), moved.count()], expected, "{step}");
    }
}

/// What strangers can cause as often as they like is no error for each.
#[tokio::test]
async fn a_flood_leaves_a_line_a_minute_in_the_log() {
    let server = Server::start(Answer::Raw(
        401,
        vec![("content-type", "application/json".into())],
        br#"{"error":"invalid_client"}"#.to_vec(),
    ))
    .await;
    let app = App::new(issuer(&server));
    let log = CapturedLog::start(tracing::Level::WARN);
    for index in 0..100 {
        assert_eq!(app.status(&format!("random-{index}")).await, 503);
    }
    let text = log.take();
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in
        [server.url(), "401", "invalid_client", "client_secret_basic", "the clock of this service", ISSUER]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(app.status("again").await, 503);
    assert!(log.text().contains("count=100"), "{}", log.text());
}

#[tokio::test]
async fn a_deep_answer_or_one_with_many_members_is_none() {
    let server = Server::answering(active()).await;
    let app = App::new(issuer(&server));
    let mut deep = Value::from(1);
    for _ in 0..40 {
        deep = serde_json::json!({ "a": deep });
    }
    let mut answer = active();
    answer["deep"] = deep;
    server.answer(answer);
    assert_eq!(app.status("deep").await, 503);
    let mut answer = active();
    for index in 0..300 {
        answer[format!("member-{index}")] = 1.into();
    }
    server.answer(answer);
    assert_eq!(app.status("wide").await, 503);
}
