//! Every form that an authenticator can have, compiled and called.

use auth_runtime::authenticator::{Authenticator, BoxError, CredentialPlace, Subject};
use auth_runtime::routing::get;
use auth_runtime::{Auth, Principal, Router, auth, authenticator};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method};

use crate::support::{request, send};

type Answer = Result<Option<Subject>, BoxError>;

fn named(credential: &str, is_valid: bool) -> Answer {
    Ok(is_valid.then(|| Subject::new(credential)))
}

/// Arguments that are there or not, in any order.
#[authenticator]
async fn conditional(
    credential: &str,
    #[cfg(not(any()))] Query(query): Query<std::collections::BTreeMap<String, String>>,
    #[cfg(any())] _: NoSuchType,
    #[cfg_attr(all(), cfg(any()))] _: NoSuchType,
    #[cfg_attr(any(), cfg(any()))] method: Method,
    #[allow(unused_variables, reason = "an attribute on an argument")] headers: HeaderMap,
) -> Answer {
    named(credential, query.is_empty() && method == Method::GET)
}

#[authenticator]
async fn patterns(
    credential: &str,
    State((mut first, second)): State<(String, u32)>,
) -> Result<Option<Subject>, std::io::Error> {
    first.push('e');
    Ok((credential == first && second == 1).then(|| Subject::new(credential)))
}

#[authenticator]
async fn r#move(credential: &str) -> Answer {
    named(credential, true)
}

#[authenticator]
#[allow(clippy::needless_lifetimes, reason = "an authenticator may name them")]
async fn lifetimes<'c>(credential: &'c str, State(()): State<()>) -> Answer {
    named(credential, true)
}

#[tracing::instrument(skip_all)]
#[authenticator]
async fn instrumented_above(credential: &str, method: Method) -> Answer {
    named(credential, method == Method::GET)
}

#[authenticator]
#[tracing::instrument(skip_all)]
async fn instrumented_below(credential: &str, headers: HeaderMap) -> Answer {
    named(credential, headers.contains_key("x-own"))
}

#[authenticator]
#[cfg(any())]
async fn absent(_: &str, _: NoSuchType) -> Answer {}

#[cfg(any())]
#[authenticator]
async fn absent_too(_: &str, _: NoSuchType) -> Answer {}

/// A crate of this name is there, too.
#[authenticator]
async fn tower(credential: &str) -> Answer {
    let _ = ::tower::ServiceBuilder::new();
    named(credential, true)
}

mod elsewhere {
    #[auth_runtime::authenticator(crate = ::auth_runtime)]
    pub(super) async fn exported(credential: &str) -> super::Answer {
        super::named(credential, true)
    }
}
use elsewhere::exported;

/// Name and types of the caller's; the rest of the macro's.
macro_rules! authenticator_of {
    ($name:ident, $credential:ty, $extracted:ty, $answer:ty) => {
        #[authenticator]
        async fn $name(credential: $credential, method: $extracted, State(()): State<()>) -> $answer {
            named(credential, method == Method::GET)
        }
    };
}
authenticator_of!(named_by_caller, &str, Method, Answer);

/// The name is the macro's, the arguments are the caller's.
macro_rules! authenticator_with {
    ($($argument:pat => $ty:ty),* ; $body:block) => {
        #[authenticator]
        async fn named_by_macro($($argument: $ty),*) -> Answer $body
    };
}
authenticator_with!(credential => &str, method => Method; { named(credential, method == Method::GET) });

/// All of it is the macro's.
macro_rules! whole_authenticator {
    () => {
        #[authenticator]
        async fn of_macro(credential: &str, method: Method) -> Answer {
            named(credential, method == Method::GET)
        }
    };
}
whole_authenticator!();

/// All of it is the caller's.
macro_rules! authenticator_above {
    ($item:item) => {
        #[authenticator]
        $item
    };
}
authenticator_above! {
    async fn item_of_caller(credential: &str, method: Method) -> Answer {
        named(credential, method == Method::GET)
    }
}

#[auth(source = "own")]
async fn own(caller: Principal) -> String {
    caller.subject().to_owned()
}

async fn calls(authenticator: impl Authenticator) {
    let auth = Auth::builder()
        .authenticator("own", CredentialPlace::header("X-Own"), authenticator)
        .build()
        .unwrap();
    let app = Router::new().route("/", get(own)).finish(&auth).unwrap();
    let reply = send(&app, request("GET", "/", &[("x-own", "alice")])).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "alice"));
    let reply = send(&app, request("GET", "/", &[])).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn each_is_called() {
    #[authenticator]
    async fn inside_a_function(credential: &str) -> Answer {
        named(credential, true)
    }

    calls(conditional::with_state(())).await;
    calls(patterns::with_state(("alic".to_owned(), 1))).await;
    calls(r#move::with_state(())).await;
    calls(lifetimes::with_state(())).await;
    calls(instrumented_above::with_state(())).await;
    calls(instrumented_below::with_state(())).await;
    calls(tower::with_state(())).await;
    calls(exported::with_state(())).await;
    calls(inside_a_function::with_state(())).await;
    calls(named_by_caller::with_state(())).await;
    calls(named_by_macro::with_state(())).await;
    calls(of_macro::with_state(())).await;
    calls(item_of_caller::with_state(())).await;
    calls(auth_tests_renamed::partner::with_state("alice")).await;
}

/// An authenticator stays a function.
#[tokio::test]
async fn each_can_be_called() {
    assert!(tower("alice").await.unwrap().is_some() && exported("alice").await.unwrap().is_some());
}
