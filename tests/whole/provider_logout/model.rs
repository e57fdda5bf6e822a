//! Random logins, logout tokens and events, in any order and repeated, against a model of three lines.

use auth_runtime::verify::TrustedIssuer;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CAEP, NOW, RISC, Service, user};

/// A login's token: its subject, its session and its age in seconds.
type Login = (u8, u8, i64);

#[derive(Clone, Debug)]
enum Step {
    LogoutOfUser(u8, i64),
    LogoutOfSession(u8, u8),
    Disabled(u8, i64),
    /// `session-revoked` with another `iat` than its time.
    Revoked(u8, i64),
    /// The text that was sent in this step before, again.
    Again(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (subject, session, age) = (0u8..3, 0u8..3, 0i64..6);
    prop_oneof![
        (subject.clone(), age.clone()).prop_map(|(subject, age)| Step::LogoutOfUser(subject, age)),
        (subject.clone(), session).prop_map(|(subject, session)| Step::LogoutOfSession(subject, session)),
        (subject.clone(), age.clone()).prop_map(|(subject, age)| Step::Disabled(subject, age)),
        (subject, age).prop_map(|(subject, age)| Step::Revoked(subject, age)),
        (0usize..4).prop_map(Step::Again),
    ]
}

fn session_of(subject: u8, session: u8) -> String {
    format!("session {session} of {subject}")
}

/// What a step sends, and whether it is a logout token.
fn text(service: &Service, step: &Step) -> Option<(bool, String)> {
    let event = |name: String, payload: Value, subject: &u8, issued_at| {
        (false, service.event_token(issued_at, user(&subject.to_string()), json!({ name: payload })))
    };
    Some(match step {
        Step::LogoutOfUser(subject, age) => {
            (true, service.logout_token(NOW - age, json!({"sub": subject.to_string()})))
        }
        Step::LogoutOfSession(subject, session) => {
            (true, service.logout_token(NOW, json!({"sid": session_of(*subject, *session)})))
        }
        Step::Disabled(subject, age) => {
            event(format!("{RISC}account-disabled"), json!({}), subject, NOW - age)
        }
        Step::Revoked(subject, age) => {
            event(format!("{CAEP}session-revoked"), json!({"event_timestamp": NOW - age}), subject, NOW)
        }
        Step::Again(_) => return None,
    })
}

/// Whether the token of a login counts after these steps.
fn is_valid((subject, session, age): Login, steps: &[Step]) -> bool {
    !steps.iter().any(|step| match *step {
        Step::LogoutOfUser(of, bound) | Step::Disabled(of, bound) | Step::Revoked(of, bound) => {
            of == subject && age >= bound
        }
        Step::LogoutOfSession(of, ended) => (of, ended) == (subject, session),
        Step::Again(_) => false,
    })
}

async fn run(logins: &[Login], steps: &[Step]) -> Result<(), TestCaseError> {
    let service = Service::with(TrustedIssuer::access_tokens_have_sid, |builder| builder);
    let mut sent = Vec::new();
    for step in steps {
        let text = text(&service, step);
        let text = match (text, step) {
            (None, Step::Again(index)) => sent.get(*index).cloned(),
            (text, _) => text.inspect(|text| sent.push(text.clone())),
        };
        let Some((is_logout, text)) = text else { continue };
        let reply = if is_logout { service.log_out(&text).await } else { service.push(&text).await };
        prop_assert_eq!(reply.status.as_u16(), if is_logout { 200 } else { 202 });
    }
    for login in logins {
        let (subject, session, age) = *login;
        let claims = json!({"sub": subject.to_string(), "sid": session_of(subject, session)});
        let token = service.access_token(NOW - age, claims);
        prop_assert_eq!(service.is_let_in(&token).await, is_valid(*login, steps), "{:?}", login);
    }
    Ok(())
}

#[test]
fn what_has_ended_is_what_was_said_up_to_its_time_whatever_comes_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let logins = prop::collection::vec((0u8..3, 0u8..3, 0i64..6), 1..8);
    auth_tests_random::runner(60)
        .run(&(logins, prop::collection::vec(step(), 0..6)), |(logins, steps)| {
            runtime.block_on(run(&logins, &steps))
        })
        .unwrap();
}
