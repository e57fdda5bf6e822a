//! The users of callers: loaded before the rule, remembered, forgotten.

mod checks;
mod configuration;
mod forgetting;
mod grants;
mod keys;
mod loads;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::audit::AuditEvent;
use auth_runtime::routing::get;
use auth_runtime::session::BoxError;
use auth_runtime::testing::{TestAuth, TestRequest as _, TestUser};
use auth_runtime::users::{Grants, UserCache, UserStore};
use auth_runtime::{Auth, AuthBuilder, Principal, Router, User, auth};
use axum::response::IntoResponse as _;
use tokio::sync::Semaphore;

use crate::support::{Reply, get_as, request, send, status};

const TEST_ISSUER: &str = "https://issuer.test";

#[derive(Clone, Debug, PartialEq)]
struct Account {
    name: String,
    is_active: bool,
    /// Roles in place of the token's.
    roles: Option<Vec<String>>,
}

/// The application's table of users, by issuer and subject.
#[derive(Clone, Default)]
struct Accounts(Arc<Table>);

#[derive(Default)]
struct Table {
    rows: Mutex<HashMap<(String, String), Account>>,
    loads: AtomicUsize,
    is_broken: AtomicBool,
    panics: AtomicBool,
    /// Loads that have read their row wait for a permit.
    gate: Mutex<Option<Arc<Semaphore>>>,
}

impl Accounts {
    /// With alice, who is active.
    fn new() -> Self {
        let accounts = Self::default();
        accounts.set(TEST_ISSUER, "alice", "Alice", true);
        accounts
    }

    fn set(&self, issuer: &str, subject: &str, name: &str, is_active: bool) {
        self.put(issuer, subject, Account { name: name.into(), is_active, roles: None });
    }

    fn put(&self, issuer: &str, subject: &str, account: Account) {
        self.0.rows.lock().unwrap().insert((issuer.into(), subject.into()), account);
    }

    fn loads(&self) -> usize {
        self.0.loads.load(Ordering::SeqCst)
    }

    fn set_broken(&self, is_broken: bool) {
        self.0.is_broken.store(is_broken, Ordering::SeqCst);
    }

    /// From now on loads wait for a permit.
    fn close_gate(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.0.gate.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }
}

impl UserStore for Accounts {
    type User = Account;

    async fn load(&self, caller: &Principal) -> Result<Option<Account>, BoxError> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        let key = (caller.issuer().unwrap_or_default().to_owned(), caller.subject().to_owned());
        let row = self.0.rows.lock().unwrap().get(&key).cloned();
        let gate = self.0.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.acquire().await?.forget();
        }
        assert!(!self.0.panics.load(Ordering::SeqCst), "the table is gone");
        if self.0.is_broken.load(Ordering::SeqCst) {
            return Err("the database is on fire".into());
        }
        Ok(row.filter(|account| account.is_active))
    }

    fn has_user(&self, caller: &Principal) -> bool {
        caller.claim("machine").is_none()
    }

    fn grants(&self, account: &Account) -> Option<Grants> {
        account.roles.as_ref().map(|roles| Grants::new().roles(roles))
    }
}

/// It does not ask for its user.
#[auth(source = ["bearer", "cookie"])]
async fn plain() -> &'static str {
    "plain"
}

#[auth(source = ["bearer", "cookie"])]
async fn name(User(account): User<Account>) -> String {
    account.name.clone()
}

#[auth(optional, source = ["bearer", "cookie"])]
async fn optional(user: Option<User<Account>>, principal: Option<Principal>) -> String {
    let subject = principal.map_or("nobody".to_owned(), |principal| principal.subject().to_owned());
    user.map_or(format!("{subject} without a user"), |user| user.name.clone())
}

#[auth(optional, source = ["bearer", "cookie"])]
async fn optional_with_user(user: User<Account>) -> String {
    user.name.clone()
}

#[auth(public)]
async fn open(user: Option<User<Account>>) -> String {
    user.map_or("nobody", |_| "somebody").to_owned()
}

fn app(auth: &Auth) -> axum::Router {
    let routes = Router::new()
        .route("/plain", get(plain))
        .route("/name", get(name))
        .route("/optional", get(optional))
        .route("/optional-with-user", get(optional_with_user))
        .route("/open", get(open));
    routes.finish(auth).unwrap()
}

fn service(accounts: &Accounts) -> (TestAuth, axum::Router) {
    service_with(accounts, |builder| builder)
}

fn service_with(
    accounts: &Accounts,
    configure: impl FnOnce(AuthBuilder) -> AuthBuilder,
) -> (TestAuth, axum::Router) {
    let test = TestAuth::with(|builder| configure(builder.users(accounts.clone())));
    let app = app(test.auth());
    (test, app)
}

/// Without a cache of users.
fn service_without_cache(accounts: &Accounts) -> (TestAuth, axum::Router) {
    service_with(accounts, |builder| builder.user_cache(UserCache::new().time(Duration::ZERO)))
}

fn alice() -> TestUser {
    TestUser::new("alice")
}

async fn by_cookie(app: &axum::Router, token: &str, path: &str) -> Reply {
    let cookie = format!("__Host-access_token={token}");
    send(app, request("GET", path, &[("cookie", &cookie)])).await
}

#[tokio::test]
async fn a_caller_with_an_active_user_comes_to_every_route() {
    let accounts = Accounts::new();
    for (test, app) in [service(&accounts), service_without_cache(&accounts)] {
        for (path, body) in [
            ("/plain", "plain"),
            ("/name", "Alice"),
            ("/optional", "Alice"),
            ("/optional-with-user", "Alice"),
            ("/open", "nobody"),
        ] {
            let reply = get_as(&app, &test, &alice(), path).await;
            assert_eq!((reply.status.as_u16(), &*reply.body), (200, body), "{path}");
            let reply = by_cookie(&app, &test.token(&alice()), path).await;
            assert_eq!((reply.status.as_u16(), &*reply.body), (200, body), "{path}");
        }
    }
}

/// As with a credential that was revoked: also where no handler asks for the user.
#[tokio::test]
async fn a_caller_without_an_active_user_counts_as_one_with_a_revoked_credential() {
    let accounts = Accounts::new();
    accounts.set(TEST_ISSUER, "inactive", "Ina", false);
    for (test, app) in [service(&accounts), service_without_cache(&accounts)] {
        for subject in ["inactive", "unknown"] {
            let user = TestUser::new(subject);
            let revoked = test.token(&alice().claim("jti", "revoked"));
            test.auth()
                .revocations()
                .revoke(auth_runtime::revocation::Revocation::Token {
                    issuer: TEST_ISSUER.into(),
                    token_id: "revoked".into(),
                })
                .await
                .unwrap();
            for path in ["/plain", "/name", "/optional", "/optional-with-user", "/open"] {
                let token = test.token(&user);
                let bearer =
                    |token: &str| request("GET", path, &[("authorization", &format!("Bearer {token}"))]);
                let expected = send(&app, bearer(&revoked)).await;
                let reply = send(&app, bearer(&token)).await;
                assert_eq!(describe(&reply), describe(&expected), "{path}");
                let is_let_in = path == "/open";
                assert_eq!(reply.status, if is_let_in { 200 } else { 401 }, "{path}");
                assert_eq!(reply.header("www-authenticate").contains("invalid_token"), !is_let_in, "{path}");

                let expected = by_cookie(&app, &revoked, path).await;
                let reply = by_cookie(&app, &token, path).await;
                assert_eq!(describe(&reply), describe(&expected), "{path}");
                if path == "/optional" {
                    assert_eq!(reply.body, "nobody without a user");
                    assert!(reply.header("set-cookie").starts_with("__Host-access_token=;"), "{path}");
                }
            }
        }
    }
}

fn describe(reply: &Reply) -> (u16, String, String, String) {
    let headers = ["www-authenticate", "set-cookie"].map(|name| reply.header(name).to_owned());
    let [challenge, cookie] = headers;
    (reply.status.as_u16(), reply.body.clone(), challenge, cookie)
}

#[tokio::test]
async fn a_caller_without_a_credential_has_no_user() {
    let accounts = Accounts::new();
    let (_, app) = service(&accounts);
    for (path, expected) in
        [("/plain", 401), ("/name", 401), ("/optional", 200), ("/optional-with-user", 401), ("/open", 200)]
    {
        assert_eq!(status(&app, "GET", path, None).await, expected, "{path}");
    }
    assert_eq!(accounts.loads(), 0);
}

#[tokio::test]
async fn callers_for_which_there_is_no_user_pass_without_one() {
    let accounts = Accounts::new();
    let (test, app) = service(&accounts);
    let machine = TestUser::new("export").claim("machine", true);
    for (path, expected) in
        [("/plain", 200), ("/name", 403), ("/optional", 200), ("/optional-with-user", 403)]
    {
        let reply = get_as(&app, &test, &machine, path).await;
        assert_eq!(reply.status, expected, "{path}");
        if path == "/optional" {
            assert_eq!(reply.body, "export without a user");
        }
    }
    assert_eq!(accounts.loads(), 0);
}

#[tokio::test]
async fn a_principal_that_a_test_brings_along_has_its_user() {
    let (_test, app) = service(&Accounts::new());
    for (subject, expected) in [("alice", 200), ("unknown", 401)] {
        let request = request("GET", "/name", &[]).with_principal(TestUser::new(subject).principal());
        assert_eq!(send(&app, request).await.status, expected, "{subject}");
    }
}

#[tokio::test]
async fn what_a_caller_without_a_user_is_answered_goes_through_hook_and_audit() {
    let events: Arc<Mutex<Vec<(u16, String)>>> = Arc::default();
    let noted = Arc::clone(&events);
    let (test, app) = service_with(&Accounts::new(), |builder| {
        builder
            .render_rejections(|rejection, _| (rejection.status(), "as the application says").into_response())
            .audit(move |event: &AuditEvent<'_>| {
                let status = event.rejection.map_or(200, |kind| kind.status().as_u16());
                noted.lock().unwrap().push((status, event.reason.to_owned()));
            })
    });
    let reply = get_as(&app, &test, &TestUser::new("un\nknown"), "/plain").await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (401, "as the application says"));
    assert!(reply.header("www-authenticate").contains("invalid_token"));
    let expected = "the credential of \"un\\nknown\" is valid, but the `UserStore` has no user for it, or the user is inactive. If \
                    callers as this one have no user, return false from `UserStore::has_user` for them";
    assert_eq!(*events.lock().unwrap(), [(401, expected.to_owned())]);
}

#[tokio::test]
async fn an_issuer_is_a_part_of_who_somebody_is() {
    use auth_runtime::session::Subject;

    use crate::support::people::{ISSUER, People, issuer};

    let accounts = Accounts::new();
    accounts.set(ISSUER, "alice", "Alice of the shop", true);
    let (test, app) = service_with(&accounts, |builder| builder.token_issuer(issuer(&People::default())));
    let of_shop = test.auth().tokens().unwrap().issue_access(&Subject::new("alice")).unwrap();
    let bearer = format!("Bearer {of_shop}");
    for _ in 0..2 {
        assert_eq!(get_as(&app, &test, &alice(), "/name").await.body, "Alice");
        let reply = send(&app, request("GET", "/name", &[("authorization", &bearer)])).await;
        assert_eq!(reply.body, "Alice of the shop");
    }
    assert_eq!(accounts.loads(), 2);
    accounts.set(ISSUER, "alice", "Alice of the shop", false);
    test.auth().revocations().forget(ISSUER, "alice").await.unwrap();
    assert_eq!(get_as(&app, &test, &alice(), "/name").await.body, "Alice");
    assert_eq!(status(&app, "GET", "/name", Some(&of_shop)).await, 401);
    assert_eq!(accounts.loads(), 3);
}

/// As a request: a socket or a queue lets in no other caller.
#[tokio::test]
async fn outside_of_a_request_a_caller_needs_an_active_user_too() {
    use auth_runtime::rejection::CallerErrorKind;

    let accounts = Accounts::new();
    let roles = Some(vec!["editor".to_owned()]);
    accounts.put(TEST_ISSUER, "alice", Account { name: "Alice".into(), is_active: true, roles });
    let (test, _) = service(&accounts);
    let verify = async |subject| {
        let token = test.token(&TestUser::new(subject));
        test.auth().verify(&token).await.map_err(|error| error.kind())
    };
    assert!(verify("alice").await.unwrap().has_role("editor"));
    assert_eq!(verify("unknown").await.unwrap_err(), CallerErrorKind::Revoked);
    accounts.set_broken(true);
    assert_eq!(verify("another").await.unwrap_err(), CallerErrorKind::Unavailable);
    assert!(verify("alice").await.is_ok(), "she is remembered");
}
