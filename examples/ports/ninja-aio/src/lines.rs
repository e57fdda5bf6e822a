//! For the reader of the example: a provider, and lines for a second terminal.

mod demo;

use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::session::BoxError;
use ports_support::Lines;

pub(crate) use self::demo::Demo;
#[cfg(test)]
pub(crate) use self::demo::{RESOURCE, options};

const ARTICLE: &str =
    r#"-H 'Content-Type: application/json' -d '{"title": "The flood", "body": "A draft."}'"#;
const KEY: &str =
    r#"-H 'Content-Type: application/json' -d '{"label": "import", "scopes": ["write"], "days": 90}'"#;

/// Prints tokens of the provider, and the lines, for a server at `origin`. Tokens of a provider of the reader's are the reader's to get.
pub(crate) async fn print(origin: &str, demo: Option<&Demo>) -> Result<(), BoxError> {
    let lines = Lines::new(origin).group("Everyone reads what is published: 200, 200, and 404 for a draft.");
    let lines = lines.curl("", "/article").curl("", "/article/1").curl("", "/article/2");
    match demo {
        Some(demo) => with_tokens(lines, demo).await?.print(),
        None => lines.print(),
    }
    Ok(())
}

async fn with_tokens(lines: Lines, demo: &Demo) -> Result<Lines, BoxError> {
    let bearer = |user: &str| format!("-H \"Authorization: Bearer ${user}\"");
    let send = |user: &str, more: &str| format!("{} {more}", bearer(user));
    let mut lines = lines.group(
        "Alice writes for the Herald, bob edits it, carol is of the Gazette and of the staff. They have logged in at the provider:",
    );
    for user in ["alice", "bob", "carol", "dave"] {
        lines = lines.line(format!("{}={}", user.to_uppercase(), demo.token(user).await));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(lines
        .line(format!("AGENCY={}", demo.agency_token(now, "127.0.0.1")?))
        .group("A draft is for its author to write, and for an editor of the paper to publish: 201, 200, 403, 404 and 200.")
        .curl(&send("ALICE", ARTICLE), "/article")
        .curl(&send("ALICE", &format!("-X PATCH {ARTICLE}")), "/article/2")
        .curl(&send("ALICE", "-X POST"), "/article/2/publish")
        .curl(&send("CAROL", "-X POST"), "/article/2/publish")
        .curl(&send("BOB", "-X POST"), "/article/2/publish")
        .group("Each paper has a desk, with its drafts: 200, 200 and 404.")
        .curl(&bearer("ALICE"), "/desk/article")
        .curl(&bearer("CAROL"), "/desk/article/5")
        .curl(&bearer("ALICE"), "/desk/article/5")
        .group("Subscribers alone print, and the staff alone deletes: 403, 200, 403 and 204.")
        .curl(&bearer("ALICE"), "/article/1/print")
        .curl(&bearer("CAROL"), "/article/1/print")
        .curl(&send("BOB", "-X DELETE"), "/article/6")
        .curl(&send("CAROL", "-X DELETE"), "/article/6")
        .group("Dave's account is not active, so the token of the provider does not count here. Nor does one that is made up: 401 and 401.")
        .curl(&bearer("DAVE"), "/me")
        .curl("-H 'Authorization: Bearer made-up'", "/me")
        .group("Alice makes a key for her program. It writes as alice, and makes no further keys: 201, 401 and 200.")
        .variable("KEY", "key", &send("ALICE", KEY), "/keys")
        .curl(&format!("-H \"X-API-Key: $KEY\" {ARTICLE}"), "/article")
        .curl(&format!("-H \"X-API-Key: $KEY\" {KEY}"), "/keys")
        .curl(&bearer("ALICE"), "/keys")
        .group("The token of the agency lists an address, and that of alice none: 200 and 403.")
        .curl(&bearer("AGENCY"), "/wire")
        .curl(&bearer("ALICE"), "/wire")
        .group("Alice has a password here, too: 200.")
        .curl("-d 'username=alice&password=wonderland'", "/auth/login"))
}
