//! An introspection endpoint that answers what a test says.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What is answered to every request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Json(Value),
    /// A status, headers, and a body.
    Raw(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Nothing.
    Hang,
    /// Nothing for tokens that begin so, and this for others.
    HangOn(&'static str, Value),
    /// A body without an end.
    Endless,
}

/// A request, as far as it is looked at.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) content_type: String,
    pub(super) accept: String,
    pub(super) authorization: Option<String>,
    pub(super) form: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.form.iter().filter(|(field, _)| field == name);
        let (_, value) = fields.next()?;
        assert!(fields.next().is_none(), "{name} is sent twice");
        Some(value)
    }
}

#[derive(Debug)]
struct Shared {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<Asked>>,
}

/// The endpoint, on a port that the system chose.
#[derive(Debug)]
pub(super) struct Server {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/introspect", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { answer: Mutex::new(answer), asked: Mutex::default() });
        let app = axum::Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared, task }
    }

    pub(super) async fn answering(answer: Value) -> Self {
        Self::start(Answer::Json(answer)).await
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn answer(&self, answer: Value) {
        self.set(Answer::Json(answer));
    }

    pub(super) fn set(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// How many requests there were.
    pub(super) fn count(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// The last request.
    pub(super) fn last(&self) -> Asked {
        self.shared.asked.lock().unwrap().last().cloned().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let header = |name| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    shared.asked.lock().unwrap().push(Asked {
        method: head.method.to_string(),
        content_type: header(CONTENT_TYPE).unwrap_or_default(),
        accept: header(ACCEPT).unwrap_or_default(),
        authorization: header(AUTHORIZATION),
        form: url::form_urlencoded::parse(&body).into_owned().collect(),
    });
    let answer = shared.answer.lock().unwrap().clone();
    let token = shared.asked.lock().unwrap().last().and_then(|asked| asked.field("token").map(str::to_owned));
    let answer = match answer {
        Answer::HangOn(prefix, _) if token.unwrap_or_default().starts_with(prefix) => Answer::Hang,
        Answer::HangOn(_, value) => Answer::Json(value),
        answer => answer,
    };
    let mut answer = answered(answer).await;
    // A client that asks again must connect again: the port may be closed by then.
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

async fn answered(answer: Answer) -> Response {
    match answer {
        Answer::Json(value) => ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response(),
        Answer::Raw(status, headers, body) => {
            let mut answer = Response::builder().status(status);
            for (name, value) in headers {
                answer = answer.header(name, value);
            }
            answer.body(body.into()).unwrap()
        }
        Answer::Hang | Answer::HangOn(..) => std::future::pending().await,
        Answer::Endless => {
            let chunk = || Ok::<_, Infallible>(Bytes::from_static(&[b' '; 16 * 1024]));
            let body = Body::from_stream(futures_util::stream::repeat_with(chunk));
            ([(CONTENT_TYPE, "application/json")], body).into_response()
        }
    }
}
