//! What the port prints: where the page is, and lines for a second terminal.

use ports_support::Lines;

/// Prints it all, for a server at `origin`, such as `http://127.0.0.1:3000`.
pub(crate) fn print(origin: &str) {
    const JAR: &str = "-c \"$JAR\" -b \"$JAR\"";
    let json = |body: &str| format!("{JAR} -H 'Content-Type: application/json' -d '{body}'");
    let bob = json(r#"{"username": "bob", "password": "builder"}"#);
    let alice = json(r#"{"username": "alice", "password": "wonderland"}"#);
    println!(
        "Open {origin}/ and log in as bob (builder), or as alice (wonderland), who sees the sessions of all.\n"
    );
    Lines::new(origin)
        .group("Without a login: 200 and null, since the rule is `optional`; 401; and 403 for a wrong password.")
        .line("JAR=$(mktemp)".to_owned())
        .curl("", "/hello")
        .curl("", "/saved")
        .curl(&json(r#"{"username": "bob", "password": "wonderland"}"#), "/session")
        .group("Bob logs in, 204, and has both cookies. He sees his links, 200, and saves one, 201. He is no staff: 403.")
        .curl(&bob, "/session")
        .curl(JAR, "/saved")
        .curl(&json(r#"{"url": "https://www.rfc-editor.org/rfc/rfc2549", "title": "Pigeons with priority"}"#), "/saved")
        .curl(JAR, "/staff/sessions")
        .group("A page of another origin ends no session: 403.")
        .curl(&format!("{JAR} -X DELETE -H 'Origin: https://evil.example'"), "/session")
        .group("An access token is for programs too: 200. After the logout, 204, it is of no use at once: 401.")
        .line("TOKEN=$(awk '$6 == \"access_token\" { print $7 }' \"$JAR\")".to_owned())
        .curl("-H \"Authorization: Bearer $TOKEN\"", "/saved")
        .curl(&format!("{JAR} -X DELETE"), "/session")
        .curl("-H \"Authorization: Bearer $TOKEN\"", "/saved")
        .group("Alice is staff: 204, and by the ready route, 204. She sees her session, and what was revoked: 200, and 200.")
        .curl(&alice, "/session")
        .curl(&alice, "/login")
        .curl(JAR, "/staff/sessions")
        .curl(JAR, "/staff/revocations")
        .group("She logs bob out everywhere, 204.")
        .curl(&format!("{JAR} -X DELETE"), "/staff/users/2/sessions")
        .print();
}
