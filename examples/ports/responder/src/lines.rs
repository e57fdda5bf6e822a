//! What the program prints: a page to open, and lines for a second terminal.

use auth_runtime::api_key::NewApiKey;
use ports_support::Lines;

const TOKEN: &str = r#"-H "Authorization: Bearer $TOKEN""#;

/// Prints it all, for a server at `origin`. The lines for a key are there at the start that made it: nothing has its text later.
pub(crate) fn print(origin: &str, new_key: Option<&NewApiKey>) {
    println!("Open {origin}/dashboard and log in as alice (wonderland) or admin (administrator).");
    println!("The document of the API, as a page: {origin}/docs\n");
    let mut lines = Lines::new(origin)
        .group("A browser without a login is sent to the form: 303. A program is answered 401, in JSON.")
        .curl("-H 'Accept: text/html'", "/dashboard")
        .curl("", "/dashboard")
        .group("Wrong credentials: 401. With the token of alice: 200 three times, 201, and 403 for what is for admins.")
        .curl("-d 'username=alice&password=builder'", "/api/login")
        .variable("TOKEN", "token", "-d 'username=alice&password=wonderland'", "/api/login")
        .curl(TOKEN, "/api/me")
        .curl(TOKEN, "/api/notes")
        .curl(TOKEN, "/api/notes/2")
        .curl(
            &format!(r#"{TOKEN} -H 'Content-Type: application/json' -d '{{"text": "Call the bank"}}'"#),
            "/api/notes",
        )
        .curl(TOKEN, "/api/admin/users")
        .group("An auditor sees how much there is: 200. The accounts are for admins alone: 403.")
        .variable("AUDITOR", "token", "-d 'username=audrey&password=bookkeeping'", "/api/login")
        .curl(r#"-H "Authorization: Bearer $AUDITOR""#, "/api/figures")
        .curl(r#"-H "Authorization: Bearer $AUDITOR""#, "/api/admin/users")
        .group("A note of another user, and one that does not exist: 404, and no difference.")
        .curl(TOKEN, "/api/notes/1")
        .curl(TOKEN, "/api/notes/99")
        .group("After the logout the token is revoked, although it was valid for 24 hours: 204, then 401.")
        .curl(&format!("-X POST {TOKEN}"), "/api/logout")
        .curl(TOKEN, "/api/me")
        .group("The admin may list the accounts: 200.")
        .variable("TOKEN", "token", "-d 'username=admin&password=administrator'", "/api/login")
        .curl(TOKEN, "/api/admin/users");
    if let Some(key) = new_key {
        lines = lines
            .group("A program with a key, which is shown this once: 200. Without it: 401. Notes are for users with a token: 401.")
            .line(format!("KEY={}", key.text()))
            .curl(r#"-H "X-API-Key: $KEY""#, "/api/protected")
            .curl("", "/api/protected")
            .curl(r#"-H "X-API-Key: $KEY""#, "/api/notes");
    }
    lines.print();
}
