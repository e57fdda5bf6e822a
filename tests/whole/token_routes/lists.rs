//! The lists for administrators, through the routes: the sessions of all users, and what is revoked.

use std::collections::BTreeSet;

use auth_runtime::session::Subject;
use auth_runtime::store::MemoryStore;

use super::*;

const LISTS: [&str; 2] = ["/auth/users/sessions", "/auth/revocations"];

fn mounted(routes: TokenRoutes<People>) -> TokenRoutes<People> {
    let admins = rule!(source = ["bearer", "cookie"], roles = ["admin"]);
    routes.administration(admins).revoked(admins)
}

async fn shop(delivery: Delivery, store: &FlakyStore) -> Shop {
    let store = store.clone();
    let build = |builder: AuthBuilder| builder.store(store).max_staleness(Duration::MAX);
    let shop = Shop::new(delivery, build, mounted);
    shop.auth.start().await.unwrap();
    shop
}

async fn get_as(shop: &Shop, token: &str, path: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    send(&shop.app, request("GET", path, &[("authorization", &bearer)])).await
}

/// The list, which is not kept by any cache.
async fn listed(shop: &Shop, token: &str, path: &str) -> Value {
    let reply = get_as(shop, token, path).await;
    let head = (reply.status.as_u16(), reply.header("cache-control"), reply.header("content-type"));
    assert_eq!(head, (200, "no-store", "application/json"), "{path}: {}", reply.body);
    body(&reply)
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn issue(shop: &Shop, user: &str) -> IssuedTokens {
    let subject = shop.people.find(user).unwrap().unwrap();
    shop.auth.tokens().unwrap().issue(&subject.session_label("desk")).await.unwrap()
}

#[tokio::test]
async fn an_administrator_sees_who_is_logged_in() {
    let shop = shop(Delivery::Json, &FlakyStore::default()).await;
    let alice = issue(&shop, "alice").await;
    shop.clock.advance(Duration::from_secs(60));
    let bob = issue(&shop, "bob").await;
    let list = listed(&shop, &alice.access_token, LISTS[0]).await;
    assert_eq!(names(&list), BTreeSet::from(["sessions"]));
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    for (tokens, user, started_at) in [(&alice, "alice", 1_800_000_000_u64), (&bob, "bob", 1_800_000_060)] {
        let session = sessions.iter().find(|session| session["id"] == *tokens.session_id).unwrap();
        assert_eq!(
            *session,
            json!({
                "id": tokens.session_id, "user": user, "started_at": started_at, "last_refreshed_at": started_at,
                "expires_at": started_at + 14 * 86_400, "label": "desk", "current": user == "alice",
            })
        );
    }
    // A user may have the name of the list.
    shop.people.set("sessions", &[]);
    let odd = issue(&shop, "sessions").await;
    let list = listed(&shop, &alice.access_token, "/auth/users/sessions/sessions").await;
    assert_eq!((&list["not_listed"], &list["sessions"][0]["id"]), (&json!(0), &json!(odd.session_id)));
    shop.auth.tokens().unwrap().log_out_everywhere("sessions").await.unwrap();
    // It ends one that it sees there.
    let one = format!("/auth/users/bob/sessions/{}", bob.session_id);
    let bearer = format!("Bearer {}", alice.access_token);
    assert_eq!(send(&shop.app, request("DELETE", &one, &[("authorization", &bearer)])).await.status, 204);
    let list = listed(&shop, &alice.access_token, LISTS[0]).await;
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    let ended = listed(&shop, &alice.access_token, &format!("{}?user=bob", LISTS[1])).await;
    let kept_until = ended["revocations"][0]["kept_until"].clone();
    assert!(kept_until.as_u64().unwrap() > 1_800_000_960, "{ended}");
    assert_eq!(
        ended,
        json!({ "revocations": [{
            "kind": "session", "issuer": "https://shop.test", "session_id": bob.session_id, "user": "bob",
            "recorded_at": 1_800_000_060, "kept_until": kept_until,
        }] })
    );
}

/// Each kind has the members that say what it is about, and no other.
#[tokio::test]
async fn each_kind_of_revocation_says_what_it_is_about() {
    use auth_runtime::revocation::Revocation;

    let shop = shop(Delivery::Json, &FlakyStore::default()).await;
    let bob = issue(&shop, "bob").await;
    let issuer = || "https://shop.test".to_owned();
    shop.auth.tokens().unwrap().revoke(&bob.access_token).await.unwrap();
    let earlier = std::time::UNIX_EPOCH + Duration::from_secs(1_799_999_000);
    for revocation in [
        Revocation::User { issuer: issuer(), subject: "carol".into(), issued_at_or_before: earlier },
        Revocation::UserBySub { issuer: issuer(), sub: "dave".into(), issued_at_or_before: earlier },
    ] {
        shop.auth.revocations().revoke(revocation).await.unwrap();
    }
    shop.auth.tokens().unwrap().log_out_everywhere("erin").await.unwrap();
    shop.auth.tokens().unwrap().log_out_all_users().await.unwrap();
    let alice = issue(&shop, "alice").await;
    let list = listed(&shop, &alice.access_token, LISTS[1]).await;
    let mut found = list["revocations"].as_array().unwrap().clone();
    for recorded in &mut found {
        let recorded = recorded.as_object_mut().unwrap();
        assert_eq!(recorded.remove("issuer").unwrap(), "https://shop.test");
        assert_eq!(recorded.remove("recorded_at").unwrap(), 1_800_000_000_u64);
        assert!(recorded.remove("kept_until").unwrap().as_u64().unwrap() > 1_800_000_000);
    }
    let jti = found[0]["token_id"].clone();
    assert_eq!(jti.as_str().unwrap().len(), 22);
    assert_eq!(
        found,
        [
            json!({ "kind": "token", "token_id": jti, "user": "bob" }),
            json!({ "kind": "user", "user": "carol", "issued_at_or_before": 1_799_999_000 }),
            json!({ "kind": "user", "sub": "dave", "issued_at_or_before": 1_799_999_000 }),
            json!({ "kind": "user", "user": "erin" }),
            json!({ "kind": "issuer" }),
        ]
    );
    // Of one user, also where its name must be encoded.
    for (user, count) in [("bob", 1), ("dave", 1), ("frank", 0), ("er%69n", 1), ("", 0)] {
        let list = listed(&shop, &alice.access_token, &format!("{}?user={user}", LISTS[1])).await;
        assert_eq!(list["revocations"].as_array().unwrap().len(), count, "{user}");
    }
    let twice = format!("{}?user=bob&user=erin", LISTS[1]);
    assert_eq!(get_as(&shop, &alice.access_token, &twice).await.status, 400);
}

#[tokio::test]
async fn the_lists_come_in_pages() {
    let shop = shop(Delivery::Json, &FlakyStore::default()).await;
    let alice = issue(&shop, "alice").await;
    let tokens = shop.auth.tokens().unwrap();
    for number in 0..205 {
        tokens.issue(&Subject::new(format!("user {number}"))).await.unwrap();
        let lone = tokens.issue_access(&Subject::new(format!("user {number}"))).unwrap();
        tokens.revoke(&lone).await.unwrap();
    }
    for (path, name, member, count) in
        [(LISTS[0], "sessions", "id", 206), (LISTS[1], "revocations", "token_id", 205)]
    {
        let (mut found, mut sizes, mut next) = (BTreeSet::new(), Vec::new(), String::new());
        loop {
            let page = listed(&shop, &alice.access_token, &format!("{path}?other=1{next}")).await;
            let items = page[name].as_array().unwrap();
            sizes.push(items.len());
            found.extend(items.iter().map(|item| item[member].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(after) => next = format!("&after={after}"),
                None => break,
            }
        }
        assert_eq!((found.len(), sizes), (count, vec![100, 100, count - 200]), "{path}");
        let twice = format!("{path}?after=x&after=x");
        for wrong in
            [&format!("{path}?after="), &format!("{path}?after=x"), &format!("{path}?after=%FF"), &twice]
        {
            let reply = get_as(&shop, &alice.access_token, wrong).await;
            let answer = (reply.status.as_u16(), body(&reply));
            assert_eq!(answer, (400, json!({ "error": "invalid_request" })), "{wrong}");
        }
    }
}

/// A list of all users is for those alone whom the rule names.
#[tokio::test]
async fn nobody_else_sees_the_lists() {
    let shop = shop(Delivery::Cookies, &FlakyStore::default()).await;
    let admin = cookie_header(&shop.log_in("alice").await);
    let bob = cookie_header(&shop.log_in("bob").await);
    for path in LISTS {
        let ask = async |headers: &[(&str, &str)]| send(&shop.app, request("GET", path, headers)).await;
        assert_eq!(ask(&[]).await.status, 401, "{path}");
        let reply = ask(&[("cookie", &bob)]).await;
        assert_eq!(reply.status, 403, "{path}");
        assert!(!reply.body.contains("alice"), "{}", reply.body);
        assert_eq!(ask(&[("cookie", &admin)]).await.status, 200, "{path}");
        for method in ["POST", "DELETE", "PUT"] {
            let reply = send(&shop.app, request(method, path, &[("cookie", &admin)])).await;
            assert_eq!(reply.status, 405, "{method} {path}");
        }
    }
}

/// What a list is mounted with must require a caller: otherwise the service does not start.
#[tokio::test]
async fn a_list_for_everybody_is_an_error_of_finish() {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).store(MemoryStore::new()).build().unwrap();
    let finish = |configure: Configure| {
        let routes = configure(TokenRoutes::json(auth.tokens().unwrap(), people.clone()));
        let app: Router = Router::new().nest("/auth", routes.router());
        app.finish(&auth).map(drop).map_err(|error| error.to_string())
    };
    let lists: [(&str, [Configure; 2]); 2] = [
        (
            "GET /auth/users/sessions",
            [|r| r.administration(rule!(public)), |r| r.administration(rule!(optional))],
        ),
        ("GET /auth/revocations", [|r| r.revoked(rule!(public)), |r| r.revoked(rule!(optional))]),
    ];
    for (route, configures) in lists {
        for configure in configures {
            let error = finish(configure).unwrap_err();
            assert!(error.contains(route) && error.contains("anonymous"), "{error}");
        }
    }
    assert_eq!(finish(mounted), Ok(()));
}

/// Neither a list nor its cursor has anything that a caller could use as a token, or a hash of it.
#[tokio::test]
async fn no_token_is_in_a_list() {
    let shop = shop(Delivery::Json, &FlakyStore::default()).await;
    let mut all = Vec::new();
    for number in 0..120 {
        let user = format!("user {number}");
        shop.people.set(&user, &[]);
        let tokens = issue(&shop, &user).await;
        let next = shop.auth.tokens().unwrap().refresh(&tokens.refresh_token).await.unwrap();
        all.extend([tokens, next]);
    }
    let alice = issue(&shop, "alice").await;
    for tokens in all.iter().take(110) {
        shop.auth.tokens().unwrap().revoke(&tokens.access_token).await.unwrap();
    }
    for path in LISTS {
        let text = get_as(&shop, &alice.access_token, path).await.body;
        assert!(text.contains("\"next\":"), "{path}");
        for tokens in all.iter().chain([&alice]) {
            for token in [&tokens.access_token, &tokens.refresh_token] {
                // Neither whole nor a part, such as the signature. A part of an access token is also the same header in all.
                for part in token.split('.').filter(|part| part.len() > 24) {
                    assert!(!text.contains(part), "{path} has {part}");
                }
            }
        }
        let keys: BTreeSet<String> = serde_json::from_str::<Value>(&text).unwrap()
            [path.rsplit('/').next().unwrap()]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|item| item.as_object().unwrap().keys().cloned())
        .collect();
        let sessions = ["current", "expires_at", "id", "label", "last_refreshed_at", "started_at", "user"];
        let revocations = ["issuer", "kept_until", "kind", "recorded_at", "token_id", "user"];
        let expected: &[&str] = if path == LISTS[0] { &sessions } else { &revocations };
        assert_eq!(keys.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn while_the_store_fails_the_lists_are_503() {
    let store = FlakyStore::default();
    let shop = shop(Delivery::Json, &store).await;
    let alice = issue(&shop, "alice").await;
    for broken in [true, false] {
        store.set_broken(broken);
        for path in LISTS {
            let reply = get_as(&shop, &alice.access_token, path).await;
            let expected = if broken { (503, "5") } else { (200, "") };
            assert_eq!((reply.status.as_u16(), reply.header("retry-after")), expected, "{path}");
            assert!(
                !broken || body(&reply) == json!({ "error": "temporarily_unavailable" }),
                "{}",
                reply.body
            );
        }
    }
}

/// Without a store there is no log to read, which is said at the start, and not to each request.
#[tokio::test]
async fn without_a_store_there_are_sessions_and_no_list_of_revocations() {
    const ADMINS: auth_runtime::policy::Rule = rule!(source = ["bearer", "cookie"], roles = ["admin"]);
    let shop = Shop::new(Delivery::Json, |builder| builder, |routes| routes.administration(ADMINS));
    let alice = issue(&shop, "alice").await;
    assert_eq!(listed(&shop, &alice.access_token, LISTS[0]).await["sessions"].as_array().unwrap().len(), 1);
    let routes = || TokenRoutes::json(shop.auth.tokens().unwrap(), shop.people.clone());
    let mounted: Router = Router::new().nest("/auth", routes().revoked(ADMINS).router());
    let endpoints = routes().endpoints();
    let alone: Router =
        Router::new().route(LISTS[1], endpoints.guarded_route(TokenRoute::Revocations, ADMINS));
    for router in [mounted, alone] {
        let error = router.finish(&shop.auth).unwrap_err();
        let errors: Vec<&str> = error.errors().collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("GET /auth/revocations"), "{errors:?}");
        assert!(
            errors[0].contains("the engine has no store") && errors[0].contains(".store(..)"),
            "{errors:?}"
        );
    }
}

#[auth(public)]
async fn open(Extension(endpoints): Extension<TokenEndpoints<People>>, request: Request) -> Response {
    endpoints.all_sessions(request).await
}

#[auth(public)]
async fn open_revocations(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    request: Request,
) -> Response {
    endpoints.revocations(request).await
}

/// In a handler of the application's own, whose rule `finish` can't compare with what it calls.
#[tokio::test]
async fn a_handler_for_everybody_shows_nothing() {
    let people = People::default();
    let builder = Auth::builder().token_issuer(issuer(&people)).store(MemoryStore::new());
    let auth = builder.build().unwrap();
    auth.start().await.unwrap();
    let endpoints = TokenRoutes::json(auth.tokens().unwrap(), people).endpoints();
    let app = Router::new()
        .route("/sessions", get(open))
        .route("/revocations", get(open_revocations))
        .layer(Extension(endpoints))
        .finish(&auth)
        .unwrap();
    let token = auth.tokens().unwrap().issue(&Subject::new("alice").roles(["admin"])).await.unwrap();
    let bearer = format!("Bearer {}", token.access_token);
    for path in ["/sessions", "/revocations"] {
        let reply = send(&app, request("GET", path, &[("authorization", &bearer)])).await;
        assert_eq!(
            (reply.status.as_u16(), body(&reply)),
            (500, json!({ "error": "server_error" })),
            "{path}"
        );
    }
}

/// They are mounted by a call each, and then they are in the list of routes with what they require.
#[test]
fn the_lists_are_mounted_by_a_call_each() {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let listed = |configure: Configure| {
        let routes = configure(TokenRoutes::cookies(auth.tokens().unwrap(), people.clone()));
        let router: Router = routes.router();
        let routes = router.routes();
        let lists = routes.iter().filter(|route| LISTS.contains(&&*format!("/auth{}", route.path)));
        lists.map(|route| format!("{} {}: {}", route.method, route.path, route.who())).collect::<Vec<_>>()
    };
    assert!(listed(TokenRoutes::sessions).is_empty());
    let admins: Configure = |routes| routes.administration(rule!(roles = ["admin"], max_age = "5m"));
    assert_eq!(listed(admins), ["GET /users/sessions: role admin, and a login at most 300 s old"]);
    let auditors: Configure = |routes| routes.revoked(rule!(roles = ["auditor"]));
    assert_eq!(listed(auditors), ["GET /revocations: role auditor"]);
}
