//! What a caller in one paper tries who wants the drafts of the other.

use super::*;

const PAPERS: [(&str, &str, i64); 2] = [("alice", "/desk/article/5", 5), ("carol", "/desk/article/2", 2)];

#[tokio::test]
async fn a_desk_has_the_articles_of_its_paper() {
    let magazine = Magazine::open().await;
    let desk = async |name| {
        let reply = magazine.service.get("/desk/article", Some(&magazine.token(name))).await.json();
        reply.as_array().unwrap().iter().map(|article| article["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(desk("alice").await, [1, 2, 3]);
    assert_eq!(desk("erin").await, [4, 5, 6]);
}

#[tokio::test]
async fn an_article_of_another_paper_is_answered_as_one_that_does_not_exist() {
    let magazine = Magazine::open().await;
    for (name, path, id) in PAPERS {
        let token = magazine.token(name);
        let get = async |path: &str| magazine.service.get(path, Some(&token)).await;
        let (of_another, missing) = (get(path).await, get("/desk/article/99").await);
        assert_eq!((of_another.status, of_another.body), (404, missing.body), "{name}");
        // Nothing of the request chooses a paper.
        for path in
            [format!("{path}?tenant_id=gazette&tenant_id=herald"), format!("/desk/article/{id}%20or%201=1")]
        {
            let request = magazine.service.request(Method::GET, &path).bearer_auth(&token);
            let request = request.header("tenant-id", "gazette").header("cookie", "tenant_id=herald");
            let status = magazine.service.send(request).await.status;
            assert!([400, 404].contains(&status), "{path}: {status}");
        }
    }
    // An editor publishes for the own paper alone.
    assert_eq!(magazine.status(Method::POST, "/article/5/publish", "bob").await, 404);
    assert_eq!(magazine.status(Method::POST, "/article/5/publish", "carol").await, 200);
}

/// The account says which paper it is. A token that names none, or another one, opens no desk; also when the account is remembered from a
/// token before that was right.
#[tokio::test]
async fn a_token_of_another_tenant_than_its_account_opens_no_desk() {
    let magazine = Magazine::open().await;
    let status = async |tenant: &Value| {
        let token = magazine.test.token(&user("alice").claim("tenant_id", tenant));
        magazine.service.get("/desk/article", Some(&token)).await.status
    };
    assert_eq!(status(&json!("herald")).await, 200);
    for tenant in [
        json!("gazette"),
        json!("Herald"),
        json!("herald "),
        json!(""),
        json!("%"),
        json!(null),
        json!(1),
        json!(true),
        json!(["herald"]),
        json!({ "herald": true }),
    ] {
        assert_eq!(status(&tenant).await, 403, "{tenant}");
    }
    assert_eq!(status(&json!("herald")).await, 200);
}

#[tokio::test]
async fn an_inactive_account_has_no_desk() {
    let magazine = Magazine::open().await;
    assert_eq!(magazine.status(Method::GET, "/desk/article", "dave").await, 401);
}
