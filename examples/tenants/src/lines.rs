//! What the program prints: lines for a second terminal.

use auth_runtime::session::BoxError;
use serde_json::{Value, json};

use crate::provider::Provider;

/// Prints three tokens and the lines, for a server at `origin`, such as `http://127.0.0.1:3000`.
pub(crate) fn print(origin: &str, provider: &Provider) -> Result<(), BoxError> {
    println!("Run these lines in a second terminal. The first line of each answer is the status.\n");
    println!("  ACME={}", provider.token("alice", &json!("acme"), &[])?);
    println!("  GLOBEX={}", provider.token("bob", &json!("globex"), &[])?);
    println!("  OPERATOR={}", provider.token("olga", &Value::Null, &["operator"])?);
    let get =
        |token: &str, path: &str| format!("curl -i -H \"Authorization: Bearer ${token}\" {origin}{path}");
    let send = |method: &str, token: &str, path: &str| {
        let json = "-H 'Content-Type: application/json' -d '{\"name\": \"A balloon\"}'";
        format!("{} -X {method} {json}", get(token, path))
    };
    for (what_to_look_at, lines) in [
        (
            "Each tenant has its own projects. 200:",
            vec![get("ACME", "/projects"), get("GLOBEX", "/projects"), get("ACME", "/projects/rocket")],
        ),
        (
            "A project of another tenant is answered as one that does not exist. 404:",
            vec![
                get("GLOBEX", "/projects/rocket"),
                get("GLOBEX", "/projects/nothing"),
                send("PUT", "GLOBEX", "/projects/rocket"),
                format!("{} -X DELETE", get("GLOBEX", "/projects/rocket")),
            ],
        ),
        (
            "A new project is one of the caller's tenant, and another name is for one of its projects: 201 and 200.",
            vec![send("POST", "ACME", "/projects"), send("PUT", "ACME", "/projects/rocket")],
        ),
        (
            "How many projects each tenant has is for operators, who are of no tenant: 200, and 403 three times.",
            vec![
                get("OPERATOR", "/tenants"),
                get("ACME", "/tenants"),
                get("OPERATOR", "/projects"),
                get("OPERATOR", "/projects/rocket"),
            ],
        ),
    ] {
        println!("\n{what_to_look_at}\n");
        lines.iter().for_each(|line| println!("  {line}"));
    }
    println!("\nCtrl-C ends it.");
    Ok(())
}
