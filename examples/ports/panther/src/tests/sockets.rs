//! The socket of the panel.

use futures_util::StreamExt as _;
use reqwest::Method;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;

pub(super) struct Panel(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Panel {
    /// Opens the socket; or the status that it is answered with.
    pub(super) async fn open(
        service: &Service,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, u16> {
        let url = format!("{}{path}", service.origin().replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn see(&mut self) -> Value {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The code and the reason with which it is closed.
    async fn end(mut self) -> (CloseCode, String) {
        match self.0.next().await {
            Some(Ok(Message::Close(Some(frame)))) => (frame.code, frame.reason.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_socket_takes_the_token_of_the_url_and_nothing_else_does() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let token = running.log_in("alice").await.access;
    let query = format!("?authorization={token}");
    let mut panel = Panel::open(&running.service, &format!("/panel/live{query}"), &[]).await.unwrap();
    assert_eq!(panel.see().await, json!({ "agent": "alice" }));

    for (method, path, status) in [
        (Method::GET, "/", 401),
        (Method::GET, "/tickets", 401),
        (Method::GET, "/panel/live", 401),
        (Method::POST, "/tickets", 400),
        (Method::POST, "/auth/logout-everywhere", 400),
    ] {
        let reply = running.service.send(running.service.request(method, &format!("{path}{query}"))).await;
        assert_eq!(reply.status, status, "{path}");
    }
    let other = format!("/panel/live?access_token={token}");
    assert_eq!(Panel::open(&running.service, &other, &[]).await.err(), Some(401));
    assert_eq!(Panel::open(&running.service, "/panel/live?authorization=x", &[]).await.err(), Some(401));
    Ok(())
}

#[tokio::test]
async fn the_socket_knows_its_user_and_shows_what_is_opened() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [alice, bob] = [running.log_in("alice").await, running.log_in("bob").await];
    let bearer = |tokens: &Tokens| [("authorization", format!("Bearer {}", tokens.access))];
    let mut panel = Panel::open(&running.service, "/panel/live", &bearer(&alice)).await.unwrap();
    assert_eq!(panel.see().await, json!({ "agent": "alice" }));
    let opened = running.service.post("/tickets", Some(&bob.access), &json!({ "title": "No ink" })).await;
    assert_eq!(panel.see().await, json!({ "ticket": opened.json() }));

    assert_eq!(Panel::open(&running.service, "/panel/live", &bearer(&bob)).await.err(), Some(403));
    assert_eq!(Panel::open(&running.service, "/panel/live", &[]).await.err(), Some(401));
    let cookie =
        |origin: &str| [("cookie", format!("access_token={}", alice.access)), ("origin", origin.to_owned())];
    assert!(Panel::open(&running.service, "/panel/live", &cookie(running.service.origin())).await.is_ok());
    let foreign = cookie("https://evil.example");
    assert_eq!(Panel::open(&running.service, "/panel/live", &foreign).await.err(), Some(403));
    Ok(())
}

#[tokio::test]
async fn a_logout_closes_the_panel() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [here, there] = [running.log_in("alice").await, running.log_in("alice").await];
    let open = async |tokens: &Tokens| {
        let path = format!("/panel/live?authorization={}", tokens.access);
        let mut panel = Panel::open(&running.service, &path, &[]).await.unwrap();
        assert_eq!(panel.see().await, json!({ "agent": "alice" }));
        panel
    };
    let (closed, mut other) = (open(&here).await, open(&there).await);
    let log_out = async |path: &str, tokens: &Tokens| {
        assert_eq!(running.service.post(path, Some(&tokens.access), &json!({})).await.status, 204);
    };
    log_out("/auth/logout", &here).await;
    let logged_out = (CloseCode::Policy, "invalid_token".to_owned());
    assert_eq!(closed.end().await, logged_out);

    let opened = running.service.post("/tickets", Some(&there.access), &json!({ "title": "Tea" })).await;
    assert_eq!(other.see().await, json!({ "ticket": opened.json() }));
    log_out("/auth/logout-everywhere", &there).await;
    assert_eq!(other.end().await, logged_out);
    Ok(())
}

#[tokio::test]
async fn the_panel_of_an_agent_who_is_made_inactive_is_closed() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let token = running.log_in("alice").await.access;
    let mut panel =
        Panel::open(&running.service, &format!("/panel/live?authorization={token}"), &[]).await.unwrap();
    assert_eq!(panel.see().await, json!({ "agent": "alice" }));
    running.change("1", "update accounts set is_active = 0 where id = ?1").await?;
    assert_eq!(panel.end().await, (CloseCode::Policy, "invalid_token".to_owned()));
    Ok(())
}

/// The session goes on, and the role does not.
#[tokio::test]
async fn a_panel_shows_no_ticket_to_one_who_is_an_agent_no_longer() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [alice, bob] = [running.log_in("alice").await, running.log_in("bob").await];
    let path = format!("/panel/live?authorization={}", alice.access);
    let (mut panel, mut other) = (
        Panel::open(&running.service, &path, &[]).await.unwrap(),
        Panel::open(&running.service, &path, &[]).await.unwrap(),
    );
    assert_eq!(
        [panel.see().await, other.see().await],
        [json!({ "agent": "alice" }), json!({ "agent": "alice" })]
    );
    let open = async |title: &str| {
        running.service.post("/tickets", Some(&bob.access), &json!({ "title": title })).await.json()
    };
    let ticket = json!({ "ticket": open("No ink").await });
    assert_eq!([panel.see().await, other.see().await], [ticket.clone(), ticket]);

    running.change("1", "update accounts set is_agent = 0 where id = ?1").await?;
    open("No paper").await;
    for panel in [panel, other] {
        assert_eq!(panel.end().await, (CloseCode::Policy, "insufficient_scope".to_owned()));
    }
    assert!(running.accepts(&alice.access).await);
    assert_eq!(Panel::open(&running.service, &path, &[]).await.err(), Some(403));
    Ok(())
}

/// The row decides, also where nobody has said that it has changed.
#[tokio::test]
async fn a_panel_asks_for_the_role_and_not_for_what_is_remembered_of_it() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [alice, bob] = [running.log_in("alice").await, running.log_in("bob").await];
    let path = format!("/panel/live?authorization={}", alice.access);
    let mut panel = Panel::open(&running.service, &path, &[]).await.unwrap();
    assert_eq!(panel.see().await, json!({ "agent": "alice" }));
    query("update accounts set is_agent = 0 where id = '1'").execute(&running.database).await?;
    running.service.post("/tickets", Some(&bob.access), &json!({ "title": "No ink" })).await;
    assert_eq!(panel.end().await, (CloseCode::Policy, "insufficient_scope".to_owned()));
    Ok(())
}
