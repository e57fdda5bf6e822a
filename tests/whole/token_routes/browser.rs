//! As a browser sees it: a real server, and a client with a standard cookie jar, over plain http.

use super::*;

struct Server {
    origin: String,
    clock: TestClock,
}

async fn serve(build: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Server {
    let shop =
        Shop::new(Delivery::Cookies, |builder| build(builder.dangerously_use_insecure_cookies()), |r| r);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (clock, app) = (shop.clock.clone(), shop.app.clone());
    tokio::spawn(async move {
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
    });
    Server { origin, clock }
}

impl Server {
    fn client(&self) -> reqwest::Client {
        reqwest::Client::builder().cookie_store(true).build().unwrap()
    }

    async fn get(&self, client: &reqwest::Client, path: &str) -> (u16, String) {
        let answer = client.get(format!("{}{path}", self.origin)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, client: &reqwest::Client, path: &str) -> u16 {
        let request = client.post(format!("{}{path}", self.origin)).header("origin", &self.origin);
        request.json(&credentials("alice")).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn cookies_are_set_sent_renewed_and_cleared() {
    let server = serve(|builder| builder).await;
    let client = server.client();
    assert_eq!(server.get(&client, "/who").await.0, 401);
    assert_eq!(server.post(&client, "/auth/login").await, 200);
    assert_eq!(server.get(&client, "/who").await, (200, "alice".into()));
    server.clock.advance(Duration::from_secs(7200));
    assert_eq!(server.get(&client, "/who").await.0, 401);
    assert_eq!(server.post(&client, "/auth/refresh").await, 200);
    assert_eq!(server.get(&client, "/who").await, (200, "alice".into()));
    assert_eq!(server.post(&client, "/auth/logout").await, 204);
    assert_eq!(server.get(&client, "/who").await.0, 401);
    assert_eq!(server.post(&client, "/auth/refresh").await, 400, "the jar has no refresh cookie either");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_that_refresh_at_once_stay_logged_in() {
    for transparently in [false, true] {
        let server =
            serve(|builder| if transparently { builder.renew_transparently() } else { builder }).await;
        let client = server.client();
        assert_eq!(server.post(&client, "/auth/login").await, 200);
        for _ in 0..5 {
            server.clock.advance(Duration::from_secs(7200));
            if transparently {
                let (one, two) = tokio::join!(server.get(&client, "/who"), server.get(&client, "/"));
                assert_eq!((one.0, two.1.as_str()), (200, "alice"));
            } else {
                let tabs = tokio::join!(
                    server.post(&client, "/auth/refresh"),
                    server.post(&client, "/auth/refresh")
                );
                assert_eq!(tabs, (200, 200));
            }
            assert_eq!(server.get(&client, "/who").await, (200, "alice".into()));
        }
    }
}
