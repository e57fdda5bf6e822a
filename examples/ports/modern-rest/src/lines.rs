//! What the port prints: lines for a second terminal.

use ports_support::Lines;

const TOKEN: &str = "-H \"Authorization: Bearer $TOKEN\"";

fn json(body: &str) -> String {
    format!("-H 'Content-Type: application/json' -d {body}")
}

fn log_in(email: &str, password: &str) -> String {
    json(&format!(r#"'{{"email": "{email}", "password": "{password}"}}'"#))
}

/// Prints it all, for a server at `origin`, such as `http://127.0.0.1:3000`.
pub(crate) fn print(origin: &str) {
    let ana = log_in("ana@new.example", "pineapple");
    let ben = log_in("ben@new.example", "blueberry");
    let contact = json(r#"'{"name": "Baker", "phone": "+49 731 5550103"}'"#);
    let refresh = json(r#""{\"refresh\": \"$REFRESH\"}""#);
    let blocked = json(r#""{\"jti\": \"$JTI\"}""#);
    Lines::new(origin)
        .group("Without a token, with a wrong password, and with the password of a user who is not active: 401 three times, in one form.")
        .curl("", "/api/contacts")
        .curl(&log_in("ben@new.example", "x"), "/api/auth")
        .curl(&log_in("ina@new.example", "raspberry"), "/api/auth")
        .group("Ben has contacts: 200, 201, 200, and 404 for one of Ana's.")
        .variable("TOKEN", "access", &ben, "/api/auth")
        .curl(TOKEN, "/api/contacts")
        .curl(&format!("{TOKEN} {contact}"), "/api/contacts")
        .curl(TOKEN, "/api/token")
        .curl(&format!("{TOKEN} -X DELETE"), "/api/contacts/1")
        .group("A token for one purpose, in a header of its own: 200, and 403 for anything else.")
        .variable("EXPORT", "token", &format!("{TOKEN} -X POST"), "/api/exports")
        .curl("-H \"X-Auth: JWT $EXPORT\"", "/api/exports/contacts")
        .curl("-H \"Authorization: Bearer $EXPORT\"", "/api/contacts")
        .group("A token for another service is no credential here: 401.")
        .variable("SYNC", "token", &format!("{TOKEN} -X POST"), "/api/sync")
        .curl("-H \"Authorization: Bearer $SYNC\"", "/api/contacts")
        .group("Otto is of the old domain, so his token is blocklisted when it is used: 200, and then 401.")
        .variable("TOKEN", "access", &log_in("otto@old.example", "gooseberry"), "/api/auth")
        .curl(TOKEN, "/api/me")
        .curl(TOKEN, "/api/me")
        .group("Ana is of the staff. She blocklists Ben's export, which is 201 and then 200, and sees what was blocklisted, and all sessions: 200 and 200.")
        .variable("TOKEN", "access", &ben, "/api/auth")
        .variable("JTI", "jti", &format!("{TOKEN} -X POST"), "/api/exports")
        .variable("TOKEN", "access", &ana, "/api/auth")
        .curl(&format!("{TOKEN} {blocked}"), "/api/staff/blocklist")
        .curl(&format!("{TOKEN} {blocked}"), "/api/staff/blocklist")
        .curl(TOKEN, "/api/staff/blocklist")
        .curl(TOKEN, "/api/staff/sessions")
        .group("A refresh token brings a new pair: 200. After the logout, both tokens are invalid: 204, 401 and 401.")
        .variable("REFRESH", "refresh", &ben, "/api/auth")
        .curl(&refresh, "/api/auth/refresh")
        .variable("REFRESH", "refresh", &ben, "/api/auth")
        .curl(&format!("{refresh} -X DELETE"), "/api/auth")
        .curl(&refresh, "/api/auth/refresh")
        .curl("-H \"Authorization: Bearer $REFRESH\"", "/api/contacts")
        .print();
}
