//! What the quickstart prints: where to look, and lines for a second terminal.

/// Prints it all, for a server at `origin`, such as `http://127.0.0.1:3000`.
pub(crate) fn print(origin: &str) {
    println!("The same table as a page: {origin}/access");
    println!(
        "The API in Swagger UI:    {origin}/docs (after the lines below, `Authorize` takes the token: echo $TOKEN)\n"
    );
    println!("Run these lines in a second terminal. The first line of each answer is the status.");
    for (what_to_look_at, lines) in steps(origin) {
        println!("\n{what_to_look_at}\n");
        for line in lines {
            println!("  {line}");
        }
    }
    println!("\nCtrl-C ends it.");
}

/// What to look at, and the lines.
fn steps(origin: &str) -> Vec<(&'static str, Vec<String>)> {
    let get = |path: &str| format!("curl -i {origin}{path}");
    let get_with_token = |path: &str| format!("curl -i -H \"Authorization: Bearer $TOKEN\" {origin}{path}");
    let log_in = |variable: &str, field: &str, credentials: &str| {
        let field = format!(r#"sed 's/.*"{field}":"\([^"]*\)".*/\1/'"#);
        format!("{variable}=$(curl -s -d '{credentials}' {origin}/auth/login | {field})")
    };
    let alice = "username=alice&password=wonderland";
    vec![
        (
            "Without a token: 200 where the rule is `public` or `optional`, and 401 from /me.",
            ["/", "/hello", "/me"].map(get).to_vec(),
        ),
        (
            "Alice has the role admin. Her token is put into a variable; it is valid for 15 minutes. All answers are 200.",
            [
                vec![log_in("TOKEN", "access_token", alice)],
                ["/me", "/admin", "/reports", "/org/acme/invoices", "/notes/1"].map(get_with_token).to_vec(),
            ]
            .concat(),
        ),
        (
            "What is not hers: 403 for the invoices of another tenant (a claim), and for bob's note (a check).",
            ["/org/other/invoices", "/notes/2"].map(get_with_token).to_vec(),
        ),
        (
            "A refresh token is exchanged for the next two tokens, once. The answer has them.",
            vec![
                log_in("REFRESH", "refresh_token", alice),
                format!("curl -i -d \"refresh_token=$REFRESH\" {origin}/auth/refresh"),
            ],
        ),
        (
            "After a logout the token is revoked: 204, then 401.",
            vec![get_with_token("/auth/logout").replace("curl -i", "curl -i -X POST"), get_with_token("/me")],
        ),
        (
            "Bob has no role: 200 from /me, and 403 from /admin.",
            vec![
                log_in("TOKEN", "access_token", "username=bob&password=builder"),
                get_with_token("/me"),
                get_with_token("/admin"),
            ],
        ),
    ]
}
