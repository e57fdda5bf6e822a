//! A client that keeps the cookies of its login, also when a logout takes them away: as a thief does who has copied them.

use reqwest::Response;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use reqwest::redirect::Policy;
use tokio::time::timeout;

use crate::program::PATIENCE;

pub(crate) struct Client {
    http: reqwest::Client,
    cookies: String,
}

impl Client {
    /// Logs in at an instance, with a browser of this name.
    pub(crate) async fn log_in(instance: &str, name: &str, password: &str, browser: &str) -> Self {
        let answer = try_to_log_in(instance, name, password, browser).await;
        assert_eq!(leads_to(&answer), "/");
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        let cookies: Vec<_> =
            cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
        assert_eq!(cookies.len(), 2, "{cookies:?}");
        Self { http: http(), cookies: cookies.join("; ") }
    }

    /// The status and the text of the page of sessions.
    pub(crate) async fn page(&self, instance: &str) -> (u16, String) {
        let answer =
            self.http.get(format!("{instance}/")).header(COOKIE, &self.cookies).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Presses a button of the page.
    pub(crate) async fn press(&self, instance: &str, path: &str) {
        let request = self.http.post(format!("{instance}{path}")).header(ORIGIN, instance);
        let answer = request.header(ACCEPT, "text/html").header(COOKIE, &self.cookies).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}: the button leads back to a page");
    }

    /// Waits until the instance refuses the cookies.
    pub(crate) async fn is_refused(&self, instance: &str) {
        let refused = async {
            loop {
                match self.page(instance).await {
                    (200, _) => {}
                    (401, _) => return,
                    (status, text) => panic!("{status}: {text}"),
                }
            }
        };
        timeout(PATIENCE, refused).await.expect("the logout reaches the instance");
    }
}

/// Sends the form of the login page.
pub(crate) async fn try_to_log_in(instance: &str, name: &str, password: &str, browser: &str) -> Response {
    let request =
        http().post(format!("{instance}/auth/login")).header(ORIGIN, instance).header(ACCEPT, "text/html");
    let request =
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(USER_AGENT, browser);
    request.body(format!("username={name}&password={password}")).send().await.unwrap()
}

/// Where a browser is sent to.
pub(crate) fn leads_to(answer: &Response) -> &str {
    assert_eq!(answer.status(), 303);
    answer.headers()[LOCATION].to_str().unwrap()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}
