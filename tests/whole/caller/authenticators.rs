//! An authenticator is called for a middleware that asks for it by name, and then not again for the gate.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_runtime::authenticator::{Authenticated, Authentication, Authenticator, BoxError, Subject};
use auth_runtime::source::CredentialPlace;
use axum::http::request::Parts;

use super::*;

/// Knows the credential `good`, finds no caller behind `empty`, fails at `down`, and takes the caller of `x-as` in its place.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Authenticator for Counting {
    async fn authenticate(&self, credential: &str, head: &Parts) -> Result<Authentication, BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let name = head.headers.get("x-as").map_or("partner", |name| name.to_str().unwrap());
        match credential {
            "good" => Ok(Subject::new(name).into()),
            "kept" => Ok(Authenticated::new(Subject::new(name)).remember_for(Duration::from_secs(60)).into()),
            "empty" => Ok(Authentication::Absent),
            "down" => Err("the database is down".into()),
            _ => Ok(Authentication::Invalid("unknown".into())),
        }
    }
}

#[auth(source = ["one", "two", "bearer"])]
async fn partner(user: Principal) -> String {
    user.subject().to_owned()
}

struct Service {
    test: TestAuth,
    one: Counting,
    two: Counting,
    seen: Seen,
}

impl Service {
    fn new() -> Self {
        let (one, two) = (Counting::default(), Counting::default());
        let test = TestAuth::with(|builder| {
            builder.authenticator("one", CredentialPlace::header("x-one"), one.clone()).authenticator(
                "two",
                CredentialPlace::header("x-two"),
                two.clone(),
            )
        });
        Self { test, one, two, seen: Seen::default() }
    }

    /// Below a prefix, which the gate does not see.
    fn app(&self, schemes: &'static [&'static str]) -> axum::Router {
        let seen = self.seen.clone();
        let ask = move |request: Request, next: Next| {
            let seen = seen.clone();
            async move {
                let (mut head, body) = request.into_parts();
                let caller = Caller::by(&head, schemes).await;
                seen.0.lock().unwrap().push(words(&caller));
                if let Some(name) = head.headers.remove("x-then-as") {
                    head.headers.insert("x-as", name);
                }
                next.run(Request::from_parts(head, body)).await
            }
        };
        let inner = Router::new().route("/", get(partner)).route("/x", get(partner));
        Router::new().nest("/v1", inner).layer(from_fn(ask)).finish(self.test.auth()).unwrap()
    }
}

#[tokio::test]
async fn it_is_called_for_who_asks_for_it_by_name_and_once() {
    let service = Service::new();
    type Row<'a> = (&'static [&'static str], &'a [(&'a str, &'a str)], &'a str, u16, [usize; 2]);
    let table: &[Row<'_>] = &[
        (&[], &[("x-one", "good")], "not judged: one", 200, [1, 0]),
        (&["two"], &[("x-one", "good")], "not judged: one", 200, [1, 0]),
        (&["one"], &[("x-one", "good")], "partner", 200, [1, 0]),
        (&["one"], &[("x-one", "bad")], "invalid: 401", 401, [1, 0]),
        (&["one"], &[("x-one", "down")], "invalid: 503", 503, [1, 0]),
        (&["one"], &[], "anonymous", 401, [0, 0]),
        // The next one counts, which was not asked for.
        (&["one"], &[("x-one", "empty"), ("x-two", "good")], "not judged: two", 200, [2, 1]),
        (&["one", "two"], &[("x-one", "empty"), ("x-two", "good")], "partner", 200, [1, 1]),
        (&["one", "two"], &[("x-one", "empty"), ("x-two", "empty")], "anonymous", 401, [1, 1]),
    ];
    for (schemes, headers, expected, status, calls) in table {
        let app = service.app(schemes);
        for path in ["/v1/x", "/v1"] {
            let reply = send(&app, request("GET", path, headers)).await;
            assert_eq!(reply.status.as_u16(), *status, "{schemes:?} {headers:?}");
            assert_eq!(service.seen.take(), [*expected], "{schemes:?} {headers:?}");
            assert_eq!([service.one.take(), service.two.take()], *calls, "{path} {schemes:?} {headers:?}");
        }
    }
    // Tokens are judged without a name.
    let bearer = format!("Bearer {}", service.test.token(&TestUser::new("alice")));
    let reply = send(&service.app(&[]), request("GET", "/v1/x", &[("authorization", &bearer)])).await;
    assert_eq!((&*reply.body, service.seen.take()), ("alice", vec!["alice".to_owned()]));
}

/// It may read the whole head, so whatever of it changed, it is asked again.
#[tokio::test]
async fn what_it_may_have_read_and_has_changed_is_read_again() {
    let service = Service::new();
    let app = service.app(&["one"]);
    let headers = [("x-one", "good"), ("x-then-as", "other")];
    let reply = send(&app, request("GET", "/v1/x", &headers)).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "other"));
    assert_eq!((service.seen.take(), service.one.take()), (vec!["partner".to_owned()], 2));
}

#[tokio::test]
async fn an_answer_that_is_remembered_needs_no_name() {
    let service = Service::new();
    let app = service.app(&[]);
    for (seen, calls) in [("not judged: one", 1), ("partner", 0)] {
        let reply = send(&app, request("GET", "/v1/x", &[("x-one", "kept")])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, "partner"));
        assert_eq!((service.seen.take(), service.one.take()), (vec![seen.to_owned()], calls));
    }
}
