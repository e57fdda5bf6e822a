//! The address of the client, as an argument of handlers and checks, and in the events of requests.

use std::net::IpAddr;

use auth_runtime::{ClientAddress, check};
use axum::extract::ConnectInfo;

use super::*;

#[auth(public)]
async fn address(ClientAddress(address): ClientAddress) -> String {
    address.to_string()
}

#[auth(public)]
async fn optional(address: Option<ClientAddress>) -> String {
    address.map_or("unknown".into(), |address| address.0.to_string())
}

#[check]
async fn from_the_office(_: &Principal, ClientAddress(address): ClientAddress) -> bool {
    address == IpAddr::from([198, 51, 100, 7])
}

#[auth(check = from_the_office)]
async fn office() {}

fn app(events: &Events) -> (axum::Router, String) {
    let noted = events.clone();
    let builder = Auth::builder().token_issuer(issuer(&People::default()));
    let auth = builder
        .trusted_proxies(ForwardedHeader::XForwardedFor, ["192.0.2.0/24"])
        .audit(move |event| noted.note(event))
        .build()
        .unwrap();
    let routes = Router::new()
        .route("/address", get(address))
        .route("/optional", get(optional))
        .route("/office", get(office));
    let token = auth.tokens().unwrap().issue_access(&Subject::new("alice")).unwrap();
    (routes.finish(&auth).unwrap(), format!("Bearer {token}"))
}

#[tokio::test]
async fn handlers_checks_and_events_have_the_address_behind_trusted_proxies() {
    let events = Events::default();
    let (app, bearer) = app(&events);
    for (peer, forwarded, expected) in [
        ("192.0.2.1", "198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("2001:db8::1", "198.51.100.7", "2001:db8::1"),
        ("::ffff:192.0.2.1", "198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "", "192.0.2.1"),
    ] {
        let ask = async |path: &str| {
            let headers = [("x-forwarded-for", forwarded), ("authorization", &*bearer)];
            let mut request = request("GET", path, &headers);
            let peer = SocketAddr::from((peer.parse::<IpAddr>().unwrap(), 4711));
            request.extensions_mut().insert(ConnectInfo(peer));
            let reply = send(&app, request).await;
            (reply.status.as_u16(), reply.body)
        };
        assert_eq!(ask("/address").await, (200, expected.to_owned()));
        assert_eq!(ask("/optional").await, (200, expected.to_owned()));
        assert_eq!(events.take(), Vec::<String>::new(), "public routes decide nothing");
        let is_office = expected == "198.51.100.7";
        assert_eq!(ask("/office").await.0, if is_office { 200 } else { 403 }, "{expected}");
        let events = events.take();
        assert!(
            events.len() == 1 && events[0].starts_with(&format!("request alice - {expected}: ")),
            "{events:?}"
        );
    }
}

#[tokio::test]
async fn an_unknown_address_is_500_and_the_log_says_what_to_do() {
    let events = Events::default();
    let (app, bearer) = app(&events);
    let log = CapturedLog::start(tracing::Level::ERROR);
    let reply = send(&app, request("GET", "/address", &[])).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (500, "application/problem+json"));
    assert!(log.take().contains("app.into_make_service_with_connect_info::<SocketAddr>()"));
    assert_eq!(send(&app, request("GET", "/optional", &[])).await.body, "unknown");
    let reply = send(&app, request("GET", "/office", &[("authorization", &bearer)])).await;
    assert_eq!(reply.status, 500, "as in a handler");
    assert!(events.take()[0].starts_with("request alice - -: 500"));
    // Without the layer of the engine.
    let plain = axum::Router::new().route("/", axum::routing::get(async |_: ClientAddress| {}));
    assert_eq!(send(&plain, request("GET", "/", &[])).await.status, 500);
    assert!(log.take().contains("`ClientAddress` is extracted without the layer of `Auth`"));
}
