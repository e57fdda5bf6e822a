//! Random services, and what happens to them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::reference::{Access, Caller, Judge, Need, Place, Route, SUBJECTS, Source};

pub(super) const TEXTS: [&str; 4] = ["k0", "k1", "k2", "k3"];
const ROLES: [&str; 2] = ["admin", "editor"];
const SCOPES: [&str; 2] = ["read", "write"];
const PERMISSIONS: [&str; 2] = ["print", "scan"];

const FORGOTTEN: [&str; 3] =
    ["urn:auth-runtime:scheme:session", "urn:auth-runtime:scheme:partner", "https://one.test"];

/// All places, also those that no source of an engine takes a credential from.
pub(super) const PLACES: [Place; 7] = [
    Place::Authorization("Bearer"),
    Place::Authorization("Partner"),
    Place::Header("x-partner"),
    Place::Header("x-session"),
    Place::Cookie("__Host-access_token"),
    Place::Cookie("sid"),
    Place::Query("key"),
];

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) sources: Vec<Source>,
    pub(super) remember_for: [i64; 2],
    pub(super) routes: Vec<Route>,
}

/// A text that a request sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    /// One of the newest tokens.
    Token(usize),
    Credential(usize),
    Empty,
    Malformed,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum NewEntry {
    Valid { expires_in: Option<i64> },
    Unknown,
    Absent,
    Unavailable,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A token of an issuer; of an unknown one who takes its name; of one that takes the name of an authenticator.
    Issue {
        issuer: usize,
        caller: Caller,
        lifetime: i64,
    },
    /// What an authenticator says of a credential from now on.
    Set {
        scheme: usize,
        text: usize,
        entry: NewEntry,
        caller: Caller,
    },
    RevokeToken(usize),
    RevokeSession(usize),
    RevokeUser(usize, &'static str),
    /// What can't be revoked.
    RevokeOfAuthenticator(&'static str),
    /// Of a scheme, or of an issuer of tokens, of which nothing is remembered so.
    Forget(&'static str, &'static str),
    Wait(i64),
    Request {
        route: usize,
        changes_state: bool,
        is_of_another_origin: bool,
        sent: Vec<(Place, Text)>,
    },
}

fn caller() -> impl Strategy<Value = Caller> {
    let some = |names: &'static [&'static str]| subsequence(names, 0..=names.len());
    let names = (some(&ROLES), some(&SCOPES), some(&PERMISSIONS));
    (select(&SUBJECTS[..]), names, any::<bool>()).prop_map(
        |(subject, (roles, scopes, permissions), is_pro)| Caller {
            subject,
            roles,
            scopes,
            permissions,
            is_pro,
        },
    )
}

fn need() -> impl Strategy<Value = Need> {
    let some = |names: &'static [&'static str]| subsequence(names, 1..=names.len());
    prop_oneof![
        some(&ROLES).prop_map(Need::Roles),
        some(&SCOPES).prop_map(Need::Scopes),
        some(&PERMISSIONS).prop_map(Need::Permissions),
        Just(Need::Plan),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    let access = prop_oneof![
        1 => Just(Access::Public),
        3 => Just(Access::Optional),
        6 => Just(Access::Required),
    ];
    let sources = subsequence(vec![0, 1, 2, 3], 1..=4).prop_shuffle();
    let needs = prop_oneof![2 => Just(Vec::new()), 1 => vec(need(), 1..3)];
    (access, sources, needs).prop_map(|(access, sources, needs)| {
        let needs = if access == Access::Required { needs } else { Vec::new() };
        Route { access, sources, needs }
    })
}

pub(super) fn service() -> impl Strategy<Value = Service> {
    let partner = select(vec![Place::Authorization("Partner"), Place::Header("x-partner")]);
    let session = select(vec![Place::Cookie("sid"), Place::Cookie("sid"), Place::Header("x-session")]);
    (partner, session, select(vec![10, 40]), vec(route(), 1..4)).prop_map(
        |(partner, session, remember_for, routes)| {
            let source = |name, place, judge| Source { name, place, judge };
            let sources = vec![
                source("bearer", Place::Authorization("Bearer"), Judge::Tokens),
                source("cookie", Place::Cookie("__Host-access_token"), Judge::Tokens),
                source("partner", partner, Judge::Authenticator(0)),
                source("session", session, Judge::Authenticator(1)),
            ];
            Service { sources, remember_for: [0, remember_for], routes }
        },
    )
}

/// Mostly what the place is for.
fn sent() -> impl Strategy<Value = (Place, Text)> {
    let text = prop_oneof![
        10 => (0..3_usize).prop_map(Text::Token),
        10 => (0..TEXTS.len()).prop_map(Text::Credential),
        1 => Just(Text::Empty),
        1 => Just(Text::Malformed),
    ];
    (select(&PLACES[..]), text, any::<[bool; 2]>()).prop_map(|(place, text, swaps)| {
        let takes_tokens =
            matches!(place, Place::Authorization("Bearer") | Place::Cookie("__Host-access_token"));
        let text = match text {
            Text::Token(number) if !takes_tokens && swaps != [true; 2] => Text::Credential(number),
            Text::Credential(number) if takes_tokens && swaps != [true; 2] => Text::Token(number),
            text => text,
        };
        (place, text)
    })
}

fn asked() -> impl Strategy<Value = Step> {
    let sent = prop_oneof![1 => vec(sent(), 0..1), 8 => vec(sent(), 1..2), 5 => vec(sent(), 2..4)];
    (0..3_usize, any::<bool>(), any::<bool>(), sent).prop_map(
        |(route, changes_state, is_of_another_origin, sent)| Step::Request {
            route,
            changes_state,
            is_of_another_origin,
            sent,
        },
    )
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let entry = prop_oneof![
        6 => select(vec![None, None, Some(5), Some(30)]).prop_map(|expires_in| NewEntry::Valid { expires_in }),
        2 => Just(NewEntry::Unknown),
        2 => Just(NewEntry::Absent),
        1 => Just(NewEntry::Unavailable),
    ];
    let step = prop_oneof![
        6 => (select(vec![0, 0, 0, 1, 1, 1, 2, 3]), caller(), select(vec![20, 120]))
            .prop_map(|(issuer, caller, lifetime)| Step::Issue { issuer, caller, lifetime }),
        5 => (0..2_usize, 0..TEXTS.len(), entry, caller())
            .prop_map(|(scheme, text, entry, caller)| Step::Set { scheme, text, entry, caller }),
        1 => (0..3_usize).prop_map(Step::RevokeToken),
        1 => (0..3_usize).prop_map(Step::RevokeSession),
        1 => (0..2_usize, select(&SUBJECTS[..])).prop_map(|(issuer, subject)| Step::RevokeUser(issuer, subject)),
        1 => select(&SUBJECTS[..]).prop_map(Step::RevokeOfAuthenticator),
        2 => (select(&FORGOTTEN[..]), select(&SUBJECTS[..]))
            .prop_map(|(issuer, subject)| Step::Forget(issuer, subject)),
        3 => select(vec![1, 4, 9, 10, 30, 40]).prop_map(Step::Wait),
        20 => asked(),
    ];
    vec(step, 10..60)
}
