//! The access table says what is enforced, and its lock who gained and who lost.

mod agreement;
mod lock;
mod lock_agreement;
mod lock_authenticators;
mod lock_errors;
mod lock_file;

use auth_runtime::access::{AccessTable, Verdict};
use auth_runtime::policy::{Condition, Rule};
use auth_runtime::routing::{any, get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, check, rule};
use auth_tests_declared::{VOCABULARY, handlers};

use crate::support::{get_as, request, send};

#[auth(public)]
async fn health() {}

#[auth(optional)]
async fn home() {}

#[auth]
async fn me() {}

#[auth(any(roles = ["editor"], all(roles = ["author"], scopes = ["write|all"])))]
async fn publish() {}

#[auth(claims(tenant = path("tenant")), check = owns)]
async fn invoice() {}

#[check]
async fn owns(user: &Principal) -> bool {
    user.subject() != "eve"
}

fn routes() -> Router {
    Router::new()
        .route("/health", any(health))
        .route("/", get(home).post(me))
        .route("/articles/{id}", post(publish))
        .nest(
            "/org/{tenant}",
            Router::new().route("/invoices", get(invoice)).require(rule!(not(roles = ["guest"]))),
        )
        .dangerously_merge_unguarded(axum::Router::new().route("/open", axum::routing::get(|| async {})))
        .access_page("/access", rule!(roles = ["admin"]))
}

fn table(test: &TestAuth) -> AccessTable {
    routes().routes().table(test.auth())
}

/// A reader can't know by the table alone what a rule without a source takes.
#[test]
fn where_a_rule_names_its_sources_a_line_names_those_of_the_others() {
    #[auth(source = "cookie")]
    async fn page() {}
    let test = TestAuth::with(|builder| builder.default_sources(["bearer", "cookie"]));
    let named = Router::new().route("/page", get(page)).route("/me", get(me));
    let note = "A rule without \"from\" takes a credential from bearer or cookie.";
    let table = named.routes().table(test.auth());
    assert!(table.to_string().ends_with(&format!("any authenticated caller\n\n{note}\n")), "{table}");
    assert!(table.to_markdown().ends_with(&format!(" |\n\n{note}\n")), "{}", table.to_markdown());
    assert!(
        table.to_html().contains("A rule without &quot;from&quot; takes a credential from bearer or cookie.")
    );
    let unnamed = Router::new().route("/me", get(me));
    assert!(!unnamed.routes().table(test.auth()).to_string().contains("takes a credential"));
}

#[test]
fn as_text() {
    let expected = "\
METHOD  PATH                    anonymous  no role  editor  author  guest  admin  WHO
ANY     /health                 yes        yes      yes     yes     yes    yes    public
GET     /                       yes        yes      yes     yes     yes    yes    optional
POST    /                       -          yes      yes     yes     yes    yes    any authenticated caller
POST    /articles/{id}          -          -        yes     if      -      -      role editor, or (role author, and scope write|all)
GET     /org/{tenant}/invoices  -          if       if      if      -      if     claim tenant equal to {tenant} of the path, and not role guest, and check owns
ANY     /(unknown)              ?          ?        ?       ?       ?      ?      NOT GUARDED
GET     /access                 -          -        -       -       -      yes    role admin
";
    assert_eq!(table(&TestAuth::new()).to_string(), expected);
}

#[test]
fn as_markdown() {
    let markdown = table(&TestAuth::new()).to_markdown();
    let lines: Vec<&str> = markdown.lines().collect();
    assert_eq!(lines[0], "| METHOD | PATH | anonymous | no role | editor | author | guest | admin | WHO |");
    assert_eq!(lines[1], "| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    assert!(
        lines[5].starts_with("| POST | <code>/articles/{id}</code> | - | - | yes | if |"),
        "{}",
        lines[5]
    );
    assert!(lines[5].contains(r"scope write\|all"), "a bar in a name is no border: {}", lines[5]);
}

/// A terminal is not coloured by a name, nor is a line ended; Markdown shows what stands there.
#[test]
fn names_are_shown_and_not_obeyed() {
    // The macros and `finish` refuse the first name.
    let names = ["a\u{1b}[31m\u{202e}\nb", "&lt;[x](http://e.test)"].map(str::to_owned).to_vec();
    let rule = Rule::authenticated().requires(vec![Condition::Roles(names)].leak());
    let strange = (axum::routing::get(|| async {}), rule);
    let table = Router::<()>::new().route("/", strange).routes().table(TestAuth::new().auth());
    let text = table.to_string();
    assert!(text.contains(r"a\u{1b}[31m\u{202e}\u{a}b"), "{text}");
    assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()) && text.lines().count() == 2);
    let markdown = table.to_markdown();
    assert!(markdown.contains(r"&amp;lt;\[x\](http://e.test)"), "{markdown}");
    assert_eq!(markdown.lines().count(), 3);
}

#[test]
fn as_json() {
    let json: serde_json::Value = serde_json::from_str(&table(&TestAuth::new()).to_json()).unwrap();
    assert_eq!(json["roles"][0]["name"], "editor");
    let route = &json["routes"][4];
    assert_eq!((&route["method"], &route["anonymous"]), (&"GET".into(), &"denied".into()));
    assert_eq!(
        route["policy"],
        serde_json::json!({
            "access": "authenticated",
            "sources": ["bearer"],
            "all": [{ "not": { "roles": ["guest"] } }, { "claim": { "name": "tenant", "path": "tenant" } }],
            "check": "owns",
        })
    );
    assert_eq!(json["routes"][5]["policy"], serde_json::json!({ "access": "unguarded" }));
}

#[test]
fn with_a_vocabulary_the_columns_are_its_roles_and_what_they_bring() {
    let test = TestAuth::with(|builder| builder.vocabulary(&VOCABULARY));
    let routes: Router = Router::new()
        .route("/viewers", get(handlers::viewers))
        .route("/others", get(handlers::others))
        .route("/invoices", get(handlers::invoices));
    let table = routes.routes().table(test.auth());
    let names: Vec<&str> = table.roles.iter().map(|role| &*role.name).collect();
    assert_eq!(names, ["admin", "editor", "viewer", "auditor", "billing"]);
    assert_eq!(table.roles[0].description.as_deref(), Some("Runs the place"));
    use Verdict::{Allowed, Denied, Depends};
    assert_eq!(table.routes[0].cells, [Allowed, Allowed, Allowed, Denied, Denied]);
    assert_eq!(table.routes[1].cells, [Denied, Denied, Denied, Allowed, Allowed]);
    assert_eq!(table.routes[2].cells, [Allowed, Depends, Depends, Depends, Allowed]);
    assert_eq!(
        table.routes[0].policy.sources,
        ["bearer", "partner", "cookie"],
        "in the order in which they count"
    );
}

#[tokio::test]
async fn the_page_stands_behind_its_rule_and_needs_nothing_from_elsewhere() {
    let test = TestAuth::new();
    let app = routes().finish(test.auth()).unwrap();
    assert_eq!(send(&app, request("GET", "/access", &[])).await.status, 401);
    assert_eq!(get_as(&app, &test, &TestUser::new("bob"), "/access").await.status, 403);
    let reply = get_as(&app, &test, &TestUser::new("alice").roles(["admin"]), "/access").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
    for expected in [
        "<th scope=\"row\">/org/{tenant}/invoices</th>",
        "<td class=\"depends\" data-column=\"2\" data-name=\"editor\">depends</td>",
        "scope write|all",
        "<th scope=\"row\">/access</th>",
    ] {
        assert!(reply.body.contains(expected), "{expected}");
    }
    assert!(!reply.body.contains("http"), "nothing is loaded from elsewhere");
}

#[tokio::test]
async fn what_stands_on_the_page_is_text() {
    #[auth(roles = ["<script>alert('1')</script>"])]
    async fn odd() {}
    let test = TestAuth::new();
    let routes: Router = Router::new().route("/odd\"><i>", get(odd));
    let html = routes.routes().table(test.auth()).to_html();
    assert!(
        html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;")
            && html.contains("/odd&quot;&gt;&lt;i&gt;")
    );
    assert!(!html.contains("<script>alert") && !html.contains("<i>"));
}

#[tokio::test]
async fn a_router_that_is_finished_alone_has_a_page_of_its_own() {
    let test = TestAuth::new();
    let inner = Router::new().route("/me", get(me)).access_page("/table", rule!(public)).mounted_at("/v1");
    let app = axum::Router::new().nest("/v1", inner.finish(test.auth()).unwrap());
    let reply = send(&app, request("GET", "/v1/table", &[])).await;
    assert!(reply.body.contains("<th scope=\"row\">/v1/me</th>"), "{}", reply.body);
    // Nested and merged pages show the whole.
    let outer = Router::new()
        .nest("/v1", Router::new().access_page("/table", rule!(public)))
        .merge(Router::new().route("/me", get(me)));
    let app = outer.finish(test.auth()).unwrap();
    assert!(send(&app, request("GET", "/v1/table", &[])).await.body.contains("<th scope=\"row\">/me</th>"));
}
