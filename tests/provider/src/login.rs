//! A user's login at the provider.

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::Value;

use crate::Provider;
use crate::options::REDIRECT_URI;

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A user that has logged in, with the cookies of its browser.
#[derive(Debug)]
pub struct Login {
    browser: Client,
    issuer: String,
    tokens: Value,
}

impl Login {
    pub(crate) async fn new(provider: &Provider, user: &str, resource: &str, scopes: &str) -> Self {
        let browser = crate::new_connections().cookie_store(true).redirect(Policy::none()).build().unwrap();
        let scope = format!("openid {scopes}");
        let parameters = [
            ("client_id", "web"),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", &scope),
            ("resource", resource),
            ("login_hint", user),
            // Without it no refresh token is issued (OpenID Connect Core §11).
            ("prompt", "consent"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let start = Url::parse_with_params(&format!("{}/auth", provider.issuer()), parameters).unwrap();
        let returned = follow(&browser, start).await;
        let code = returned.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.unwrap_or_else(|| panic!("no code: {returned}"));
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
            ("resource", resource),
        ];
        let tokens = provider.post("/token", "web", &form).await;
        Self { browser, issuer: provider.issuer().to_owned(), tokens }
    }

    /// The access token.
    pub fn access_token(&self) -> &str {
        self.tokens["access_token"].as_str().unwrap()
    }

    /// The refresh token, if the scope `offline_access` was asked for.
    pub fn refresh_token(&self) -> Option<&str> {
        self.tokens["refresh_token"].as_str()
    }

    /// The ID token (OpenID Connect Core §2).
    pub fn id_token(&self) -> &str {
        self.tokens["id_token"].as_str().unwrap()
    }

    /// Logs the user out at the provider (OpenID Connect RP-Initiated Logout). It then sends logout tokens to the clients that have a
    /// back-channel, before it answers.
    pub async fn log_out(&self) {
        let page = self.browser.get(format!("{}/session/end", self.issuer)).send().await.unwrap();
        let page = page.text().await.unwrap();
        let secret = page.split_once("name=\"xsrf\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        let (secret, _) = secret.unwrap_or_else(|| panic!("no form to log out with: {page}"));
        let confirm = self.browser.post(format!("{}/session/end/confirm", self.issuer));
        let answer = confirm.form(&[("xsrf", secret), ("logout", "yes")]).send().await.unwrap();
        assert!(answer.status().is_redirection(), "{}", answer.status());
    }
}

/// Follows redirects as a browser does, up to the one that leads back to the client.
async fn follow(browser: &Client, start: Url) -> Url {
    let mut url = start;
    for _ in 0..10 {
        if url.as_str().starts_with(REDIRECT_URI) {
            return url;
        }
        let answer = browser.get(url.clone()).send().await.unwrap();
        let location = location(&answer);
        let Some(location) = location else {
            panic!("{url} answered {}: {}", answer.status(), answer.text().await.unwrap())
        };
        url = url.join(&location).unwrap();
    }
    panic!("too many redirects: {url}")
}

fn location(answer: &Response) -> Option<String> {
    Some(answer.headers().get(LOCATION)?.to_str().ok()?.to_owned())
}
