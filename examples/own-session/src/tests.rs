//! The service as a browser and a program use it.

use reqwest::header::{ACCEPT, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};

use super::*;

/// A client that keeps cookies and follows redirects, and asks for pages.
struct Browser {
    client: Client,
    origin: String,
}

impl Browser {
    async fn new() -> Result<Self, Box<dyn Error>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let app = app()?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { client: Client::builder().cookie_store(true).build()?, origin })
    }

    async fn open(&self, path: &str) -> reqwest::Result<Response> {
        self.client.get(format!("{}{path}", self.origin)).header(ACCEPT, "text/html").send().await
    }

    async fn log_in(&self, password: &str, return_to: &str) -> reqwest::Result<Response> {
        let form = [("name", "alice"), ("password", password), ("return_to", return_to)];
        self.client
            .post(format!("{}/login", self.origin))
            .header(ACCEPT, "text/html")
            .form(&form)
            .send()
            .await
    }
}

#[tokio::test]
async fn a_user_is_sent_to_the_login_and_back() -> Result<(), Box<dyn Error>> {
    let browser = Browser::new().await?;
    let page = browser.open("/account?x=1&y=2").await?;
    assert_eq!(page.url().path(), "/login");
    let form = page.text().await?;
    assert!(form.contains(r#"value="/account?x=1&amp;y=2""#), "{form}");

    assert_eq!(browser.log_in("wrong", "/account").await?.status(), StatusCode::FORBIDDEN);
    assert_eq!(browser.open("/account").await?.url().path(), "/login");

    let page = browser.log_in("wonderland", "/account?x=1&y=2").await?;
    assert_eq!((page.url().path(), page.url().query()), ("/account", Some("x=1&y=2")));
    assert!(page.text().await?.contains("<p>alice</p>"));

    let logout = browser.client.post(format!("{}/logout", browser.origin)).send().await?;
    assert_eq!(logout.url().path(), "/login");
    assert_eq!(browser.open("/account").await?.url().path(), "/login");
    Ok(())
}

#[tokio::test]
async fn a_login_leads_to_no_other_site() -> Result<(), Box<dyn Error>> {
    let browser = Browser::new().await?;
    let page = browser.log_in("wonderland", "//evil.example/account").await?;
    assert_eq!((page.url().host_str(), page.url().path()), (Some("127.0.0.1"), "/"));
    Ok(())
}

#[tokio::test]
async fn a_program_gets_401_and_another_site_403() -> Result<(), Box<dyn Error>> {
    let browser = Browser::new().await?;
    let account = format!("{}/account", browser.origin);
    let program = Client::new().get(&account).header(ACCEPT, "application/json").send().await?;
    assert_eq!(program.status(), StatusCode::UNAUTHORIZED);
    assert!(program.headers().contains_key("www-authenticate"));

    browser.log_in("wonderland", "/account").await?;
    let logout = format!("{}/logout", browser.origin);
    let foreign = browser.client.post(&logout).header(ORIGIN, "https://evil.example").send().await?;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    assert_eq!(browser.open("/account").await?.url().path(), "/account", "still logged in");
    Ok(())
}

/// A session that was there before the login, such as one that somebody else put into the browser, is not that of the user after it.
#[tokio::test]
async fn the_session_has_a_new_id_after_the_login() -> Result<(), Box<dyn Error>> {
    let browser = Browser::new().await?;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let log_in = async |cookie: &str| {
        let form = [("name", "alice"), ("password", "wonderland")];
        let login = client.post(format!("{}/login", browser.origin)).header(COOKIE, cookie).form(&form);
        let answer = login.send().await?;
        let set = answer.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok::<_, reqwest::Error>(set.split(';').next().unwrap_or_default().to_owned())
    };
    let first = log_in("").await?;
    let second = log_in(&first).await?;
    assert!(first.starts_with("sid=") && second.starts_with("sid=") && first != second, "{first} {second}");
    for (cookie, status) in [(first, StatusCode::UNAUTHORIZED), (second, StatusCode::OK)] {
        let account = client.get(format!("{}/account", browser.origin)).header(COOKIE, cookie).send().await?;
        assert_eq!(account.status(), status);
    }
    Ok(())
}
