//! The service as its users reach it, and what its policies mean.

mod broken;
mod decisions;

use auth_runtime::Authorized;
use reqwest::{Client, Method, StatusCode};

use super::*;

/// A running service, and tokens of its users.
struct Service {
    app: App,
    origin: String,
    provider: Provider,
    client: Client,
}

/// What a client can see of an answer. The date is left out.
#[derive(Debug, PartialEq)]
struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

impl Service {
    async fn start() -> Result<Self, BoxError> {
        Self::start_with(Policies::load(&policies::folder())?).await
    }

    async fn start_with(policies: Policies) -> Result<Self, BoxError> {
        let app = App { articles: Arc::new(Articles::seeded()), policies: Arc::new(policies) };
        let provider = Provider::new()?;
        let auth = Auth::builder().issuer(provider.trusted()).build()?;
        let router = routes().with_state(app.clone()).finish(&auth)?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { app, origin, provider, client: Client::new() })
    }

    /// A user's token; `None` is an anonymous caller. Bob and alice are in the team physics, carol is its editor, and dave is an
    /// editor of biology.
    fn token(&self, user: &str) -> Result<Option<String>, BoxError> {
        let (team, roles): (_, &[&str]) = match user {
            "anonymous" => return Ok(None),
            "carol" => ("physics", &["editor"]),
            "dave" => ("biology", &["editor"]),
            _ => ("physics", &[]),
        };
        self.provider.token(user, team, roles).map(Some)
    }

    async fn ask(&self, user: &str, method: Method, path: &str) -> Result<Answer, BoxError> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.origin));
        if let Some(token) = self.token(user)? {
            request = request.bearer_auth(token);
        }
        if method == Method::PUT {
            request = request.body("A new text.");
        }
        let answer = request.send().await?;
        let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
        let headers = headers
            .map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())))
            .collect::<Result<_, BoxError>>()?;
        Ok(Answer { status: answer.status(), headers, body: answer.text().await? })
    }
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[test]
fn nobody_gains_access_unseen() -> Result<(), BoxError> {
    let auth = Auth::builder().issuer(Provider::new()?.trusted()).build()?;
    routes().routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn each_caller_gets_what_the_policies_permit() -> Result<(), BoxError> {
    let service = Service::start().await?;
    for (user, article, read, write) in [
        ("anonymous", "1", 401, 401),
        ("anonymous", "2", 401, 401),
        ("anonymous", "99", 401, 401),
        // Article 1 is published.
        ("alice", "1", 200, 403),
        ("bob", "1", 200, 403),
        ("carol", "1", 200, 200),
        ("dave", "1", 200, 403),
        // Article 2 is a draft.
        ("alice", "2", 200, 200),
        ("bob", "2", 200, 403),
        ("carol", "2", 200, 200),
        ("dave", "2", 404, 404),
        // There is no such article, and there can be none.
        ("carol", "99", 404, 404),
        ("carol", "x", 403, 403),
    ] {
        for (method, status) in [(Method::GET, read), (Method::PUT, write)] {
            let answer = service.ask(user, method.clone(), &format!("/articles/{article}")).await?;
            assert_eq!(answer.status, status, "{user}, {method} article {article}: {}", answer.body);
            assert!(!answer.body.contains("policies"), "{user}, {method} article {article}: {}", answer.body);
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_handler_gets_the_article_of_the_check() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let answer = service.ask("alice", Method::GET, "/articles/2").await?;
    let article = r#"{"id":2,"owner":"alice","team":"physics","state":"draft","text":"Why the sky is blue.","version":1}"#;
    assert_eq!(answer.body, article);
    let changed = article.replace("Why the sky is blue.", "A new text.").replace(":1}", ":2}");
    assert_eq!(service.ask("alice", Method::PUT, "/articles/2").await?.body, changed);
    assert_eq!(service.ask("bob", Method::GET, "/articles/2").await?.body, changed);
    Ok(())
}

#[tokio::test]
async fn an_article_that_is_hidden_is_answered_as_one_that_does_not_exist() -> Result<(), BoxError> {
    let service = Service::start().await?;
    for method in [Method::GET, Method::PUT] {
        let hidden = service.ask("dave", method.clone(), "/articles/2").await?;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND);
        assert_eq!(hidden, service.ask("dave", method, "/articles/99").await?);
    }
    Ok(())
}

/// The handler alone, with an article that somebody else has written since its check.
#[tokio::test]
async fn what_changed_since_the_check_is_not_written() -> Result<(), BoxError> {
    let Service { app, .. } = Service::start().await?;
    let loaded = app.articles.load(2)?.ok_or("article 2 is gone")?;
    for expected in [Ok(2), Err(StatusCode::CONFLICT)] {
        let (state, checked) = (State(app.clone()), Checked(loaded.clone()));
        let written = write(Authorized::for_test(), state, checked, "A text.".to_owned()).await;
        assert_eq!(written.map(|Json(article)| article.version), expected);
    }
    Ok(())
}
