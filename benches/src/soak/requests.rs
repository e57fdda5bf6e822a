//! Requests with tokens, and what their answers must be.

use std::net::Ipv4Addr;
use std::time::Instant;

use benches::quickstart::client::{FORM, request, send};
use serde_json::Value;

use crate::books::{Ended, Tokens};
use crate::life::Life;
use crate::tally::Expected;

/// A refresh with these tokens.
pub(crate) fn refresh_request(tokens: &Tokens) -> Vec<u8> {
    let body = format!("grant_type=refresh_token&refresh_token={}", tokens.refresh);
    request("POST", "/auth/refresh", &[FORM], &body)
}

/// Refreshes, and returns the next tokens.
pub(crate) fn refresh(
    life: &Life<'_>,
    from: Ipv4Addr,
    kind: &'static str,
    tokens: &Tokens,
    expected: Expected,
) -> Option<Tokens> {
    let sent = send(life.port, from, &refresh_request(tokens));
    let answer = life.judge(kind, expected, sent)?;
    if answer.status == 200 { life.tokens(kind, &answer.body) } else { None }
}

/// Calls a route with an access token. Returns the status.
pub(crate) fn call(
    life: &Life<'_>,
    from: Ipv4Addr,
    kind: &'static str,
    path: &str,
    access: &str,
    expected: Expected,
) -> Option<u16> {
    let bytes = request("GET", path, &[("authorization", &format!("Bearer {access}"))], "");
    Some(life.judge(kind, expected, send(life.port, from, &bytes))?.status)
}

/// Checks that both tokens of a session that has ended are rejected.
pub(crate) fn check_ended(life: &Life<'_>, ended: &Ended, kind: &'static str) {
    /// Statuses that are counted as lost.
    const ANY: Expected = Expected::one_of(&[200, 400, 401]);
    let from = Ipv4Addr::new(127, 9, 9, 9);
    let text = || format!("{}, {:.0?} ago", ended.how, ended.tokens.at.elapsed());
    if call(life, from, kind, "/me", &ended.tokens.access, ANY) == Some(200) {
        life.soak.tally.lose(format!("{}: its access token is accepted", text()));
    }
    let sent = send(life.port, from, &refresh_request(&ended.tokens));
    if let Some(answer) = life.judge(kind, ANY, sent)
        && (answer.status != 400 || !answer.body.contains("invalid_grant"))
    {
        life.soak.tally.lose(format!("{}: its refresh token is answered {}", text(), answer.status));
    }
}

impl Life<'_> {
    /// The tokens of an answer.
    pub(crate) fn tokens(&self, kind: &str, body: &str) -> Option<Tokens> {
        let parsed: Option<Value> = serde_json::from_str(body).ok();
        let field = |name: &str| Some(parsed.as_ref()?.get(name)?.as_str()?.to_owned());
        let (access, refresh) = (field("access_token"), field("refresh_token"));
        match (access, refresh) {
            (Some(access), Some(refresh)) => Some(Tokens { access, refresh, at: Instant::now() }),
            _ => {
                self.soak.tally.fail(format!("{kind}: 200 without tokens"));
                None
            }
        }
    }
}
