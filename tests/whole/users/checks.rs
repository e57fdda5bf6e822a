//! Users in checks: what a check saw, the handler gets.

use auth_runtime::check;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;

use super::*;

/// Of the application's own, built on the user.
struct Initial(char);

impl<S: Sync> FromRequestParts<S> for Initial {
    type Rejection = auth_runtime::rejection::Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let User(account) = User::<Account>::from_request_parts(head, state).await?;
        Ok(Self(account.name.chars().next().unwrap_or_default()))
    }
}

#[check]
async fn begins_with_a(_: &Principal, user: User<Account>, Initial(initial): Initial) -> bool {
    user.name.starts_with(initial) && initial == 'A'
}

#[auth(check = begins_with_a)]
async fn for_a(User(account): User<Account>) -> String {
    account.name.clone()
}

/// From now on the table is out of reach, and alice has another name.
#[check]
async fn breaks_the_table(_: &Principal, user: User<Account>, State(accounts): State<Accounts>) -> bool {
    accounts.set(TEST_ISSUER, "alice", "Another", true);
    accounts.set_broken(true);
    user.name == "Alice"
}

#[auth(check = breaks_the_table)]
async fn after_it(User(account): User<Account>) -> String {
    account.name.clone()
}

fn app(auth: &Auth, accounts: &Accounts) -> axum::Router {
    let routes = Router::new().route("/a", get(for_a)).route("/after", get(after_it));
    routes.finish(auth).unwrap().with_state(accounts.clone())
}

#[tokio::test]
async fn a_check_and_extractors_of_ones_own_have_the_user() {
    let accounts = Accounts::new();
    accounts.set(TEST_ISSUER, "bob", "Bob", true);
    for (test, _) in [service(&accounts), service_without_cache(&accounts)] {
        let app = app(test.auth(), &accounts);
        for (subject, expected) in [("alice", 200), ("bob", 403), ("unknown", 401)] {
            let reply = get_as(&app, &test, &TestUser::new(subject), "/a").await;
            assert_eq!(reply.status, expected, "{subject}");
        }
    }
}

/// A check needs a user as a handler does.
#[tokio::test]
async fn a_caller_for_which_there_is_no_user_fails_such_a_check() {
    let accounts = Accounts::new();
    let (test, _) = service(&accounts);
    let machine = TestUser::new("export").claim("machine", true);
    assert_eq!(get_as(&app(test.auth(), &accounts), &test, &machine, "/a").await.status, 403);
}

#[tokio::test]
async fn a_store_that_fails_between_check_and_handler_is_not_asked_again() {
    let accounts = Accounts::new();
    let (test, _) = service_without_cache(&accounts);
    let reply = get_as(&app(test.auth(), &accounts), &test, &alice(), "/after").await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "Alice"));
    assert_eq!(accounts.loads(), 1);
    let reply = get_as(&app(test.auth(), &accounts), &test, &alice(), "/after").await;
    assert_eq!(reply.status, 503, "the next request");
}
