//! What the log has of rejections.

use ports_support::testing::log::take;

use super::*;

#[tokio::test]
async fn a_rejection_is_logged_with_its_reason_and_without_a_credential() {
    let magazine = Magazine::open().await;
    take();

    let forged = TestAuth::new().token(&user("alice"));
    magazine.service.get("/me", Some(&forged)).await;
    let lines = take();
    assert!(
        lines.contains("rejected") && lines.contains("route=\"/me\"") && lines.contains("127.0.0.1"),
        "{lines}"
    );
    assert!(!lines.contains(&forged) && !lines.contains("alice"), "{lines}");

    let token = magazine.token("bob");
    magazine.ask(Method::DELETE, "/article/1", With::Token(&token), None).await;
    let lines = take();
    assert!(lines.contains("subject=\"bob\"") && lines.contains("route=\"/article/{id}\""), "{lines}");
    assert!(!lines.contains(&token), "{lines}");

    // Somebody may have typed a password where the name goes.
    let wrong = json!({ "username": "hunter2", "password": "letmein" });
    magazine.service.post("/auth/login", None, &wrong).await;
    let lines = take();
    assert!(lines.contains("action=\"login\"") && lines.contains("rejected"), "{lines}");
    assert!(!lines.contains("hunter2") && !lines.contains("letmein"), "{lines}");

    magazine.service.get("/me", Some(&token)).await;
    assert!(!take().contains("rejected"), "what is let in is no failure");
}
