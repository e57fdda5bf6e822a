//! What the port prints: where the panel is, and lines for a second terminal.

use ports_support::Lines;

/// Prints it all, for a server at `origin`, such as `http://127.0.0.1:3000`.
pub(crate) fn print(origin: &str, key_of_mailgate: &str) {
    const TOKEN: &str = "-H \"Authorization: Bearer $TOKEN\"";
    const REFRESH: &str = "-d \"refresh_token=$REFRESH\"";
    let json = |body: &str| format!("-H 'Content-Type: application/json' -d '{body}'");
    let mail = json(r#"{"from": "bob", "subject": "The printer smokes again"}"#);
    println!("Open {origin}/panel and log in as alice (wonderland): she sees each ticket as it is opened.\n");
    Lines::new(origin)
        .group("Without a token: 200 and null, since the rule is `optional`; and 401. A token that is wrong is 401 in both places.")
        .curl("", "/")
        .curl("", "/tickets")
        .curl("-H 'Authorization: Bearer x'", "/")
        .group("Bob is a customer: 200 twice, 201, and 403, since only agents close tickets.")
        .variable("TOKEN", "access_token", "-d 'username=bob&password=builder'", "/auth/login")
        .curl(TOKEN, "/")
        .curl(TOKEN, "/tickets")
        .curl(&format!("{TOKEN} {}", json(r#"{"title": "No ink"}"#)), "/tickets")
        .curl(&format!("{TOKEN} -X POST"), "/tickets/1/close")
        .group("A token in the URL is for WebSockets, and for nothing else: 401.")
        .curl("", "/tickets?authorization='$TOKEN'")
        .group("Alice is an agent: 200. Carol is not active, so her password is wrong: 400.")
        .variable("TOKEN", "access_token", "-d 'username=alice&password=wonderland'", "/auth/login")
        .curl(&format!("{TOKEN} -X POST"), "/tickets/1/close")
        .curl("-d 'username=carol&password=christmas'", "/auth/login")
        .group("A partner has a key of its own: 201, and 401 with another key.")
        .curl(&format!("-H 'X-Partner: {key_of_mailgate}' {mail}"), "/inbox")
        .curl(&format!("-H 'X-Partner: x' {mail}"), "/inbox")
        .group("Cookies for pages: 200, with `access_token` and `refresh_token`.")
        .curl("-d 'username=alice&password=wonderland'", "/web/auth/login")
        .group("A refresh token can be used once: 200. After the logout both tokens are invalid: 204, then 401 and 400.")
        .variable("REFRESH", "refresh_token", "-d 'username=bob&password=builder'", "/auth/login")
        .curl(REFRESH, "/auth/refresh")
        .variable("REFRESH", "refresh_token", "-d 'username=bob&password=builder'", "/auth/login")
        .curl(&format!("{TOKEN} {REFRESH}"), "/auth/logout")
        .curl(TOKEN, "/tickets")
        .curl(REFRESH, "/auth/refresh")
        .print();
}
