//! What the program prints: lines for a second terminal.

use auth_runtime::session::BoxError;

use crate::provider::Provider;

/// Prints tokens of four users and the lines, for a server at `origin`, such as `http://127.0.0.1:3000`.
pub(crate) fn print(origin: &str, provider: &Provider) -> Result<(), BoxError> {
    println!("Run these lines in a second terminal. The first line of each answer is the status.\n");
    for (variable, name, team, roles) in [
        ("ALICE", "alice", "physics", &[][..]),
        ("BOB", "bob", "physics", &[]),
        ("CAROL", "carol", "physics", &["editor"]),
        ("DAVE", "dave", "biology", &["editor"]),
    ] {
        println!("  {variable}={}", provider.token(name, team, roles)?);
    }
    let get =
        |user: &str, id: u32| format!("curl -i -H \"Authorization: Bearer ${user}\" {origin}/articles/{id}");
    let put = |user: &str, id: u32| format!("{} -X PUT -d 'A new text.'", get(user, id));
    for (what_to_look_at, lines) in [
        ("Article 1 is published: 200 for everyone with a token.", vec![get("BOB", 1), get("DAVE", 1)]),
        (
            "Article 2 is a draft of the team physics: 200 for bob, and 404 for dave, as for an article that does not exist.",
            vec![get("BOB", 2), get("DAVE", 2), get("DAVE", 99)],
        ),
        (
            "Only alice, whose draft it is, and carol, an editor of her team, may edit it: 200, 200, 403 and 404.",
            vec![put("ALICE", 2), put("CAROL", 2), put("BOB", 2), put("DAVE", 2)],
        ),
        (
            "What is published is for the editors of the team to change: 403 for alice and dave, and 200 for carol.",
            vec![put("ALICE", 1), put("DAVE", 1), put("CAROL", 1)],
        ),
    ] {
        println!("\n{what_to_look_at}\n");
        lines.iter().for_each(|line| println!("  {line}"));
    }
    println!("\nThe log of this terminal names the policies that decided. Ctrl-C ends it.");
    Ok(())
}
