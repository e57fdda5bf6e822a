//! Random services, and what happens to them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::reference::{
    Access, Account, Caller, ISSUERS, Judge, Need, OF_KEYS, OF_PARTNERS, OF_SESSIONS, Place, Route, SUBJECTS,
    Source, UserTimes,
};

pub(super) const TEXTS: [&str; 4] = ["k0", "k1", "k2", "k3"];
const ROLES: [&str; 2] = ["admin", "editor"];
const SCOPES: [&str; 2] = ["read", "write"];
const PERMISSIONS: [&str; 2] = ["print", "scan"];

/// Whose callers have users, and are forgotten.
const OWNERS: [&str; 5] = [OF_SESSIONS, OF_PARTNERS, OF_KEYS, ISSUERS[0], ISSUERS[1]];

/// All places, also those that no source of an engine takes a credential from.
pub(super) const PLACES: [Place; 9] = [
    Place::Authorization("Bearer"),
    Place::Authorization("Partner"),
    Place::Header("x-partner"),
    Place::Header("x-session"),
    Place::Cookie("__Host-access_token"),
    Place::Cookie("sid"),
    Place::Query("key"),
    Place::Header("x-api-key"),
    Place::Authorization("ApiKey"),
];

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) sources: Vec<Source>,
    pub(super) remember_for: [i64; 2],
    pub(super) remember_keys_for: i64,
    pub(super) users: Option<UserTimes>,
    pub(super) kept: Kept,
    pub(super) routes: Vec<Route>,
}

/// Where it keeps things. With a store, another process has it too.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kept {
    WithoutStore,
    Memory,
    Redb,
}

/// A text that a request sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    /// One of the newest tokens.
    Token(usize),
    Credential(usize),
    Key(KeyText),
    Empty,
    Malformed,
}

/// A key, or what is none.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyText {
    Own(KeyName),
    /// With the id of the newest, another secret and the right checksum.
    WrongSecret,
    /// With another last letter.
    Mistyped,
    /// Of a service with another prefix, in the same store.
    OfAnother,
    /// Of no store.
    Unknown,
}

/// A key of the service.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyName {
    /// One of the newest.
    Made(usize),
    /// Of the configuration.
    Static(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum NewEntry {
    Valid { expires_in: Option<i64> },
    Unknown,
    Absent,
    Unavailable,
}

/// A step, and who does it.
#[derive(Clone, Debug)]
pub(super) struct Doing {
    pub(super) step: Step,
    /// Whether another process with the same store does it, and this one reads the log.
    pub(super) is_elsewhere: bool,
    /// Whether the credentials that it concerns are sent before it and after it.
    pub(super) is_probed: bool,
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
        /// Whether the subject that it was of is forgotten.
        is_forgotten: bool,
    },
    /// What the application knows of a user from now on.
    SetAccount {
        issuer: &'static str,
        subject: &'static str,
        account: Account,
        is_forgotten: bool,
    },
    MakeKey {
        caller: Caller,
        lifetime: Option<i64>,
    },
    RevokeKey(KeyName),
    RevokeKeysOf(&'static str),
    RotateKey {
        key: KeyName,
        overlap: i64,
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
    let sources = subsequence(vec![0, 1, 2, 3, 4], 1..=5).prop_shuffle();
    let needs = prop_oneof![2 => Just(Vec::new()), 1 => vec(need(), 1..3)];
    (access, sources, needs).prop_map(|(access, sources, needs)| {
        let needs = if access == Access::Required { needs } else { Vec::new() };
        Route { access, sources, needs }
    })
}

pub(super) fn service() -> impl Strategy<Value = Service> {
    let partner = select(vec![Place::Authorization("Partner"), Place::Header("x-partner")]);
    let session = select(vec![Place::Cookie("sid"), Place::Cookie("sid"), Place::Header("x-session")]);
    let keys = select(vec![Place::Header("x-api-key"), Place::Authorization("ApiKey")]);
    let times = (select(vec![20, 300]), select(vec![0, 15]), any::<bool>());
    let times = times.prop_map(|(found, missing, of_keys)| UserTimes { found, missing, of_keys });
    let users = prop_oneof![1 => Just(None), 3 => times.prop_map(Some)];
    let kept = prop_oneof![3 => Just(Kept::WithoutStore), 6 => Just(Kept::Memory), 1 => Just(Kept::Redb)];
    let remembered = (select(vec![10, 40]), select(vec![0, 60, 60]));
    (partner, session, keys, remembered, users, kept, vec(route(), 1..4)).prop_map(
        |(partner, session, keys, (remember_for, remember_keys_for), users, kept, routes)| {
            let source = |name, place, judge| Source { name, place, judge };
            let sources = vec![
                source("bearer", Place::Authorization("Bearer"), Judge::Tokens),
                source("cookie", Place::Cookie("__Host-access_token"), Judge::Tokens),
                source("partner", partner, Judge::Authenticator(0)),
                source("session", session, Judge::Authenticator(1)),
                source("api_key", keys, Judge::Keys),
            ];
            Service { sources, remember_for: [0, remember_for], remember_keys_for, users, kept, routes }
        },
    )
}

fn key_name() -> impl Strategy<Value = KeyName> {
    prop_oneof![5 => (0..3_usize).prop_map(KeyName::Made), 1 => (0..2_usize).prop_map(KeyName::Static)]
}

fn key_text() -> impl Strategy<Value = KeyText> {
    prop_oneof![
        8 => key_name().prop_map(KeyText::Own),
        1 => Just(KeyText::WrongSecret),
        1 => Just(KeyText::Mistyped),
        1 => Just(KeyText::OfAnother),
        1 => Just(KeyText::Unknown),
    ]
}

/// Mostly what the place is for.
fn sent() -> impl Strategy<Value = (Place, Text)> {
    let text = prop_oneof![
        10 => (0..3_usize).prop_map(Text::Token),
        10 => (0..TEXTS.len()).prop_map(Text::Credential),
        10 => key_text().prop_map(Text::Key),
        2 => Just(Text::Empty),
        2 => Just(Text::Malformed),
    ];
    let fitting = ((0..3_usize).prop_map(Text::Token), (0..TEXTS.len()).prop_map(Text::Credential));
    let fitting = (fitting, key_text().prop_map(Text::Key));
    let is_odd = prop_oneof![1 => Just(true), 4 => Just(false)];
    (select(&PLACES[..]), text, fitting, is_odd).prop_map(
        |(place, text, ((token, credential), key), is_odd)| {
            let fitting = match place {
                Place::Authorization("Bearer") | Place::Cookie("__Host-access_token") => token,
                Place::Header("x-api-key") | Place::Authorization("ApiKey") => key,
                _ => credential,
            };
            (place, if is_odd { text } else { fitting })
        },
    )
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

fn account() -> impl Strategy<Value = Account> {
    let some = |names: &'static [&'static str]| subsequence(names, 0..=names.len());
    prop_oneof![
        2 => Just(Account::Active(None)),
        5 => (some(&ROLES), some(&PERMISSIONS)).prop_map(|names| Account::Active(Some(names))),
        4 => Just(Account::Gone),
        1 => Just(Account::Unavailable),
    ]
}

/// What changes who is let in.
fn change() -> impl Strategy<Value = Step> {
    let entry = prop_oneof![
        6 => select(vec![None, None, Some(5), Some(30)]).prop_map(|expires_in| NewEntry::Valid { expires_in }),
        2 => Just(NewEntry::Unknown),
        2 => Just(NewEntry::Absent),
        1 => Just(NewEntry::Unavailable),
    ];
    let subject = || select(&SUBJECTS[..]);
    let owner = || select(&OWNERS[..]);
    prop_oneof![
        6 => (select(vec![0, 0, 0, 1, 1, 1, 2, 3]), caller(), select(vec![20, 120]))
            .prop_map(|(issuer, caller, lifetime)| Step::Issue { issuer, caller, lifetime }),
        5 => (0..2_usize, 0..TEXTS.len(), entry, caller(), any::<bool>()).prop_map(
            |(scheme, text, entry, caller, is_forgotten)| Step::Set { scheme, text, entry, caller, is_forgotten }
        ),
        4 => (owner(), subject(), account(), any::<bool>()).prop_map(
            |(issuer, subject, account, is_forgotten)| Step::SetAccount { issuer, subject, account, is_forgotten }
        ),
        4 => (caller(), select(vec![None, Some(15), Some(50)]))
            .prop_map(|(caller, lifetime)| Step::MakeKey { caller, lifetime }),
        2 => key_name().prop_map(Step::RevokeKey),
        1 => subject().prop_map(Step::RevokeKeysOf),
        2 => (key_name(), select(vec![0, 10, 100])).prop_map(|(key, overlap)| Step::RotateKey { key, overlap }),
        1 => (0..3_usize).prop_map(Step::RevokeToken),
        1 => (0..3_usize).prop_map(Step::RevokeSession),
        1 => (0..2_usize, subject()).prop_map(|(issuer, subject)| Step::RevokeUser(issuer, subject)),
        1 => subject().prop_map(Step::RevokeOfAuthenticator),
        2 => (owner(), subject()).prop_map(|(issuer, subject)| Step::Forget(issuer, subject)),
        4 => select(vec![1, 4, 9, 10, 30, 40, 200_000]).prop_map(Step::Wait),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Doing>> {
    let step = prop_oneof![3 => change(), 2 => asked()];
    let is_probed = prop_oneof![3 => Just(true), 1 => Just(false)];
    let doing = (step, any::<bool>(), is_probed).prop_map(|(step, is_elsewhere, is_probed)| Doing {
        step,
        is_elsewhere,
        is_probed,
    });
    vec(doing, 10..50)
}
