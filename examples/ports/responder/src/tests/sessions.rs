//! What a session remembers.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::*;

#[tokio::test]
async fn what_a_session_remembers_is_in_no_cookie() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let cookies = running.alice_in_a_browser().await;
    let page = running.open("/dashboard", &cookies).await;
    assert!(page.body.contains(r#"data-theme="light""#), "{page:#?}");

    let reply = running.submit("/dashboard/theme", &cookies, "theme=dark").await;
    assert_eq!(leads_to(&reply), "/dashboard");
    assert!(reply.set_cookies().is_empty(), "{reply:#?}");
    let page = running.open("/dashboard", &cookies).await;
    assert!(page.body.contains(r#"data-theme="dark""#), "{page:#?}");

    // No token has it, either: not the one that is issued when the cookies are renewed.
    running.pass(DAY + Duration::from_secs(120)).await?;
    let renewed = running.open("/dashboard", &cookies).await;
    assert!(renewed.body.contains(r#"data-theme="dark""#), "{renewed:#?}");
    let cookies = renewed.cookies();
    let access = cookies.split("access_token=").nth(1).and_then(|rest| rest.split('.').nth(1));
    let claims = BASE64_URL_SAFE_NO_PAD.decode(access.ok_or("no access token")?)?;
    let claims = String::from_utf8(claims)?;
    assert!(
        claims.contains(r#""sub":"2""#) && !claims.contains("dark") && !claims.contains("theme"),
        "{claims}"
    );

    let reply = running.submit("/dashboard/theme", &cookies, "theme=pink").await;
    assert_eq!(reply.status, 422, "what is no theme is not kept");
    Ok(())
}

#[tokio::test]
async fn two_sessions_of_a_user_remember_their_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (phone, laptop) = (running.alice_in_a_browser().await, running.alice_in_a_browser().await);
    running.submit("/dashboard/theme", &phone, "theme=dark").await;
    for (cookies, theme) in [(&phone, "dark"), (&laptop, "light")] {
        let page = running.open("/dashboard", cookies).await;
        assert!(page.body.contains(&format!(r#"data-theme="{theme}""#)), "{page:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_note_is_new_until_the_session_has_shown_it() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let cookies = running.alice_in_a_browser().await;
    let new = async || running.open("/dashboard", &cookies).await.body.matches(r#"class="new""#).count();
    assert_eq!(new().await, 2);
    assert_eq!(new().await, 0);
    running
        .service
        .post("/api/notes", Some(&running.alice().await), &json!({ "text": "Call the bank" }))
        .await;
    assert_eq!(new().await, 1);
    running.submit("/dashboard/theme", &cookies, "theme=dark").await;
    assert_eq!(new().await, 0, "the theme does not touch what was seen");
    Ok(())
}

#[tokio::test]
async fn a_logout_forgets_what_the_session_remembered() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let cookies = running.alice_in_a_browser().await;
    running.submit("/dashboard/theme", &cookies, "theme=dark").await;
    running.submit("/auth/logout", &cookies, "").await;
    assert_eq!(running.submit("/dashboard/theme", &cookies, "theme=dark").await.status, 303);
    let page = running.open("/dashboard", &running.alice_in_a_browser().await).await;
    assert!(page.body.contains(r#"data-theme="light""#), "{page:#?}");
    Ok(())
}

/// The service decides how long a session goes on, whatever the browser has.
#[tokio::test]
async fn a_session_of_an_account_that_is_gone_is_not_renewed() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (gone, stays) = (running.alice_in_a_browser().await, running.alice_in_a_browser().await);
    let role = "update accounts set role = 'admin' where username = 'alice'";
    sqlx::query(role).execute(&running.users.database).await?;
    assert_eq!(running.open("/admin/users", &stays).await.status, 403, "the token has the former role");
    running.pass(DAY + Duration::from_secs(120)).await?;
    assert_eq!(running.open("/admin/users", &stays).await.status, 200, "the next one has the new role");
    for statement in ["delete from notes where owner = 2", "delete from accounts where id = 2"] {
        sqlx::query(statement).execute(&running.users.database).await?;
    }
    assert_eq!(leads_to(&running.open("/dashboard", &gone).await), "/login?return_to=%2Fdashboard");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn the_secrets_are_files_for_their_owner_alone() -> Result<(), BoxError> {
    use std::os::unix::fs::PermissionsExt as _;
    let running = Running::start().await?;
    for file in ["signing.key", "refresh.key", "sessions.redb"] {
        let file = running.service.folder().join(file);
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    Ok(())
}
