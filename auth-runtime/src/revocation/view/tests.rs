use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::*;

use super::{GENERATION_LAG, Revocation, RevocationView, TokenIdentity};
use crate::store::{LoggedRevocation, Note};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Returns a view with buckets of 60 seconds.
fn view() -> RevocationView {
    RevocationView::new(Duration::from_secs(720), None)
}

fn token<'a>(jti: &'a str, sid: &'a str, sub: &'a str, iat: Option<i64>) -> TokenIdentity<'a> {
    TokenIdentity {
        issuer: "i",
        subject: sub,
        sub: None,
        token_id: Some(jti),
        session_id: Some(sid),
        issued_at: iat,
        user_generation: 0,
        issuer_generation: 0,
    }
}

fn revoke(view: &RevocationView, revocation: Revocation, keep_until: u64) {
    view.apply(&[LoggedRevocation { revocation, keep_until: at(keep_until), tag: 0, note: Note::default() }]);
}

fn revoke_token(view: &RevocationView, id: &str, keep_until: u64) {
    revoke(view, Revocation::Token { issuer: "i".into(), token_id: id.into() }, keep_until);
}

fn revoke_user(view: &RevocationView, subject: &str, bound: SystemTime, keep_until: u64) {
    let user = Revocation::User { issuer: "i".into(), subject: subject.into(), issued_at_or_before: bound };
    revoke(view, user, keep_until);
}

#[test]
fn by_token_session_and_user() {
    let view = view();
    revoke_token(&view, "t1", 100);
    revoke(&view, Revocation::Session { issuer: "i".into(), session_id: "s1".into() }, 100);
    revoke_user(&view, "u1", at(50), 100);

    assert!(view.is_revoked(&token("t1", "s", "u", Some(60))));
    assert!(view.is_revoked(&token("t", "s1", "u", Some(60))));
    assert!(view.is_revoked(&token("t", "s", "u1", Some(50))));
    assert!(view.is_revoked(&token("t", "s", "u1", None)), "no iat, and a bound");
    assert!(!view.is_revoked(&token("t", "s", "u1", Some(51))));
    assert!(!view.is_revoked(&token("s1", "t1", "u", None)), "kinds are not mixed");
    assert!(!view.is_revoked(&TokenIdentity { issuer: "other", ..token("t1", "s1", "u1", Some(1)) }));
}

/// Also one that seems to be later: after a store has lost its data, the numbers begin again.
#[test]
fn tokens_of_all_other_generations_are_revoked() {
    let view = view();
    let token = |user_generation| TokenIdentity { user_generation, ..token("t", "s", "u", Some(60)) };
    let [earlier, known, later] = [1 << 20 | 9, 2 << 20 | 5, 3 << 20 | 1];
    for generation in [0, earlier, known, later] {
        assert!(!view.is_revoked(&token(generation)), "the user was never logged out everywhere");
    }
    let revocation =
        Revocation::OtherGenerations { issuer: "i".into(), subject: "u".into(), generation: known };
    revoke(&view, revocation, 2_000_000);
    for generation in [0, earlier, known, later] {
        assert_eq!(view.is_revoked(&token(generation)), generation != known, "{generation:x}");
    }
}

#[test]
fn a_bound_never_moves_back() {
    let view = view();
    for (bound, keep_until) in [(50, 100), (40, 100), (45, 300)] {
        revoke_user(&view, "u", at(bound), keep_until);
    }
    assert!(view.is_revoked(&token("t", "s", "u", Some(50))));
    assert!(!view.is_revoked(&token("t", "s", "u", Some(51))));
}

/// Others are revoked until this time.
fn set_generation(view: &RevocationView, subject: &str, generation: u32, keep_until: u64) {
    let (issuer, subject) = ("i".into(), subject.into());
    let keep_until = keep_until + GENERATION_LAG.unsigned_abs();
    revoke(view, Revocation::OtherGenerations { issuer, subject, generation }, keep_until);
}

#[test]
fn of_the_generations_of_a_user_the_newest_is_valid_in_whichever_order_they_arrive() {
    let view = view();
    let of = |generation| TokenIdentity { user_generation: generation, ..token("t", "s", "u", Some(50)) };
    assert_eq!(view.user_generation("i", "u"), 0);
    // The newest is kept as long as any before it, whatever the clock showed when it was recorded.
    for (set, valid, keep_until) in [(7, 7, 1000), (3, 7, 100), (9, 9, 500), (7, 9, 900)] {
        set_generation(&view, "u", set, keep_until);
        assert_eq!(view.user_generation("i", "u"), valid);
        for generation in [0, 3, 7, 9] {
            assert_eq!(view.is_revoked(&of(generation)), generation != valid, "{generation}");
        }
    }
    assert!(!view.is_revoked(&TokenIdentity { subject: "v", ..of(0) }));
    assert!(!view.is_revoked(&TokenIdentity { issuer: "j", ..of(0) }));
    // Others are revoked for less long than new sessions are of the generation.
    let lag = GENERATION_LAG;
    for (now, revoked, generation, entries) in
        [(1000, true, 9, 2), (1021, false, 9, 1), (lag + 1000, false, 9, 1), (lag + 1100, false, 0, 0)]
    {
        view.drop_expired(now);
        assert_eq!(view.is_revoked(&of(0)), revoked, "at {now}");
        assert!(!view.is_revoked(&of(9)));
        assert_eq!((view.user_generation("i", "u"), view.size().0), (generation, entries), "at {now}");
    }
}

#[test]
fn a_session_of_the_own_issuer_is_not_judged_by_a_time() {
    let view = RevocationView::new(Duration::from_secs(720), Some("i".to_owned()));
    revoke_user(&view, "u", at(100), 1000);
    let of_session = token("t", "s", "u", Some(50));
    assert!(!view.is_revoked(&of_session));
    assert!(view.is_revoked(&TokenIdentity { session_id: None, ..of_session }));
    let other = Revocation::User { issuer: "j".into(), subject: "u".into(), issued_at_or_before: at(100) };
    revoke(&view, other, 1000);
    assert!(view.is_revoked(&TokenIdentity { issuer: "j", ..of_session }));
    set_generation(&view, "u", 7, 1000);
    assert!(view.is_revoked(&of_session));
    assert!(!view.is_revoked(&TokenIdentity { user_generation: 7, ..of_session }));
    revoke_token(&view, "t", 1000);
    assert!(view.is_revoked(&TokenIdentity { user_generation: 7, ..of_session }), "itself");
}

#[test]
fn a_bound_outside_of_the_range_revokes_all() {
    let view = view();
    // A clock before the epoch is wrong.
    revoke_user(&view, "u", UNIX_EPOCH - Duration::from_secs(1), 100);
    assert!(view.is_revoked(&token("t", "s", "u", Some(i64::MAX))));
}

#[test]
fn buckets_are_deleted_whole_and_not_too_early() {
    let view = view();
    for (id, keep_until) in [("a", 60), ("b", 61), ("c", 120), ("d", 121), ("a", 180)] {
        revoke_token(&view, id, keep_until);
    }
    assert_eq!(view.size().0, 5);
    for (now, entries, revoked) in
        [(60, 5, "abcd"), (61, 4, "abcd"), (120, 4, "abcd"), (121, 2, "ad"), (180, 2, "ad"), (181, 0, "")]
    {
        view.drop_expired(now);
        assert_eq!(view.size().0, entries, "at {now}");
        for id in ["a", "b", "c", "d"] {
            let expected = revoked.contains(id);
            assert_eq!(view.is_revoked(&token(id, "s", "u", None)), expected, "{id} at {now}");
        }
    }
}

#[test]
fn a_wrong_clock_deletes_nothing() {
    let view = view();
    revoke_token(&view, "a", 60);
    view.drop_expired(i64::MAX);
    assert_eq!(view.size().0, 1);
}

#[test]
fn the_epoch_changes_with_every_change() {
    let view = view();
    let before = view.epoch();
    revoke_token(&view, "a", 60);
    assert_ne!(view.epoch(), before);
}

/// The issuer names its users by `sub`, where the subject here is another claim: neither name is taken for the other.
#[test]
fn by_the_sub_of_a_token_whose_subject_is_another_claim() {
    let view = view();
    let of = |sub, iat| TokenIdentity { sub, ..token("t", "s", "alice", Some(iat)) };
    let by_sub = |sub: &str| Revocation::UserBySub {
        issuer: "i".into(),
        sub: sub.into(),
        issued_at_or_before: at(50),
    };
    revoke(&view, by_sub("pairwise"), 1000);
    assert!(view.is_revoked(&of(Some("pairwise"), 50)));
    assert!(!view.is_revoked(&of(Some("pairwise"), 51)), "of a later login");
    assert!(!view.is_revoked(&of(Some("other"), 50)) && !view.is_revoked(&of(None, 50)));
    let of_other_issuer = TokenIdentity { issuer: "j", ..of(Some("pairwise"), 50) };
    assert!(!view.is_revoked(&of_other_issuer));
    revoke(&view, by_sub("alice"), 1000);
    revoke_user(&view, "other", at(60), 1000);
    assert!(!view.is_revoked(&of(Some("other"), 50)), "a name of the other kind");
    revoke_user(&view, "alice", at(60), 1000);
    assert!(view.is_revoked(&of(Some("other"), 60)) && view.is_revoked(&of(None, 60)), "by the subject too");
}

fn revoke_issuer(view: &RevocationView, issuer: &str, bound: u64, keep_until: u64) {
    revoke(view, Revocation::Issuer { issuer: issuer.into(), issued_at_or_before: at(bound) }, keep_until);
}

#[test]
fn all_tokens_of_an_issuer_up_to_a_time() {
    let view = view();
    revoke_issuer(&view, "i", 50, 1000);
    for subject in ["u", "v", ""] {
        assert!(view.is_revoked(&token("t", "s", subject, Some(50))), "{subject}");
        assert!(view.is_revoked(&token("t", "s", subject, None)), "no iat, and a bound");
        assert!(!view.is_revoked(&token("t", "s", subject, Some(51))), "{subject}");
        assert!(!view.is_revoked(&TokenIdentity { issuer: "j", ..token("t", "s", subject, Some(50)) }));
    }
    revoke_issuer(&view, "i", 40, 1000);
    assert!(view.is_revoked(&token("t", "s", "u", Some(50))), "a bound never moves back");
    let issuer = |bound| Revocation::Issuer { issuer: "i".into(), issued_at_or_before: at(bound) };
    assert!(view.enforces(&issuer(50)) && view.enforces(&issuer(45)) && !view.enforces(&issuer(51)));
    view.drop_expired(1061);
    assert!(!view.is_revoked(&token("t", "s", "u", Some(50))));
}

/// Others are revoked until this time.
fn set_issuer_generation(view: &RevocationView, generation: u32, keep_until: u64) {
    let keep_until = keep_until + GENERATION_LAG.unsigned_abs();
    revoke(view, Revocation::OtherIssuerGenerations { issuer: "i".into(), generation }, keep_until);
}

#[test]
fn of_the_generations_of_all_users_the_newest_is_valid_in_whichever_order_they_arrive() {
    let view = view();
    let of = |generation| TokenIdentity { issuer_generation: generation, ..token("t", "s", "u", Some(50)) };
    assert_eq!(view.issuer_generation("i"), 0);
    for (set, valid, keep_until) in [(7, 7, 1000), (3, 7, 100), (9, 9, 500), (7, 9, 900)] {
        set_issuer_generation(&view, set, keep_until);
        assert_eq!(view.issuer_generation("i"), valid);
        for generation in [0, 3, 7, 9] {
            for subject in ["u", "v"] {
                let token = TokenIdentity { subject, ..of(generation) };
                assert_eq!(view.is_revoked(&token), generation != valid, "{generation}");
            }
        }
    }
    assert!(!view.is_revoked(&TokenIdentity { issuer: "j", ..of(0) }));
    assert_eq!((view.issuer_generation("j"), view.user_generation("i", "")), (0, 0));
    for (now, revoked, generation) in [
        (1000, true, 9),
        (1021, false, 9),
        (GENERATION_LAG + 1000, false, 9),
        (GENERATION_LAG + 1100, false, 0),
    ] {
        view.drop_expired(now);
        assert_eq!(view.is_revoked(&of(0)), revoked, "at {now}");
        assert_eq!(view.issuer_generation("i"), generation, "at {now}");
    }
}

#[test]
fn a_session_of_the_own_issuer_ends_by_the_generation_of_all_users_and_not_by_a_time() {
    let view = RevocationView::new(Duration::from_secs(720), Some("i".to_owned()));
    let of_session = token("t", "s", "u", Some(50));
    revoke_issuer(&view, "i", 100, 1000);
    assert!(!view.is_revoked(&of_session));
    assert!(view.is_revoked(&TokenIdentity { session_id: None, ..of_session }));
    set_issuer_generation(&view, 7, 1000);
    assert!(view.is_revoked(&of_session));
    assert!(!view.is_revoked(&TokenIdentity { issuer_generation: 7, ..of_session }));
    assert!(view.is_revoked(&TokenIdentity { issuer_generation: 7, session_id: None, ..of_session }));
    set_generation(&view, "u", 3, 1000);
    assert!(view.is_revoked(&TokenIdentity { issuer_generation: 7, ..of_session }), "each counts by itself");
    assert!(!view.is_revoked(&TokenIdentity { issuer_generation: 7, user_generation: 3, ..of_session }));
}

/// The names are those of users too: the kinds are not mixed.
const ISSUERS: [&str; 2] = ["i", "j"];
const SUBJECTS: [&str; 3] = ["", "i", "u"];

#[derive(Clone, Debug)]
enum Entry {
    User(usize, usize, u32),
    Issuer(usize, u32),
    Generation(usize, usize, u32),
    IssuerGeneration(usize, u32),
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let (issuer, subject) = (|| 0..ISSUERS.len(), || 0..SUBJECTS.len());
    let entry = prop_oneof![
        (issuer(), subject(), 1..4_u32)
            .prop_map(|(issuer, subject, bound)| Entry::User(issuer, subject, bound)),
        (issuer(), 1..4_u32).prop_map(|(issuer, bound)| Entry::Issuer(issuer, bound)),
        (issuer(), subject(), 1..4_u32)
            .prop_map(|(issuer, subject, one)| Entry::Generation(issuer, subject, one)),
        (issuer(), 1..4_u32).prop_map(|(issuer, one)| Entry::IssuerGeneration(issuer, one)),
    ];
    vec(entry, 0..6)
}

impl Entry {
    fn revocation(&self) -> Revocation {
        let (name, id) =
            (|issuer: usize| ISSUERS[issuer].to_owned(), |subject: usize| SUBJECTS[subject].to_owned());
        match *self {
            Self::User(issuer, subject, bound) => Revocation::User {
                issuer: name(issuer),
                subject: id(subject),
                issued_at_or_before: at(bound.into()),
            },
            Self::Issuer(issuer, bound) => {
                Revocation::Issuer { issuer: name(issuer), issued_at_or_before: at(bound.into()) }
            }
            Self::Generation(issuer, subject, generation) => {
                Revocation::OtherGenerations { issuer: name(issuer), subject: id(subject), generation }
            }
            Self::IssuerGeneration(issuer, generation) => {
                Revocation::OtherIssuerGenerations { issuer: name(issuer), generation }
            }
        }
    }
}

/// Whether the entries revoke a token: the latest bound and the newest generation of its user and of its issuer count.
fn must_revoke(entries: &[Entry], token: &TokenIdentity<'_>, [issuer, subject]: [usize; 2]) -> bool {
    let greatest = |value: &dyn Fn(&Entry) -> Option<u32>| entries.iter().filter_map(value).max();
    let bound = greatest(&|entry| match *entry {
        Entry::User(of, user, bound) if (of, user) == (issuer, subject) => Some(bound),
        Entry::Issuer(of, bound) if of == issuer => Some(bound),
        _ => None,
    });
    let of_user = greatest(&|entry| match *entry {
        Entry::Generation(of, user, one) if (of, user) == (issuer, subject) => Some(one),
        _ => None,
    });
    let of_issuer = greatest(&|entry| match *entry {
        Entry::IssuerGeneration(of, one) if of == issuer => Some(one),
        _ => None,
    });
    bound.is_some_and(|bound| token.issued_at.is_none_or(|issued_at| issued_at <= i64::from(bound)))
        || of_user.is_some_and(|one| one != token.user_generation)
        || of_issuer.is_some_and(|one| one != token.issuer_generation)
}

/// Each combination of a user, an issuer and the rest that decides about a token.
fn tokens() -> impl Iterator<Item = ([usize; 2], TokenIdentity<'static>)> {
    let users =
        (0..ISSUERS.len()).flat_map(|issuer| (0..SUBJECTS.len()).map(move |subject| [issuer, subject]));
    let generations = [(0, 0), (3, 0), (0, 3), (3, 3), (1, 2)];
    let facts = [None, Some(1), Some(3), Some(4)].map(|iat| generations.map(|of| (iat, of))).concat();
    users.flat_map(move |user| facts.clone().into_iter().map(move |facts| (user, facts))).map(
        |([issuer, subject], (iat, (user_generation, issuer_generation)))| {
            let token = token("t", "s", SUBJECTS[subject], iat);
            let issued =
                TokenIdentity { issuer: ISSUERS[issuer], user_generation, issuer_generation, ..token };
            ([issuer, subject], issued)
        },
    )
}

/// Also if the log is read again.
#[test]
fn users_and_issuers_are_revoked_as_the_entries_say_in_any_order() {
    let order = vec(any::<prop::sample::Index>(), 12);
    auth_tests_random::runner(500)
        .run(&(entries(), order), |(entries, order)| {
            let (in_order, shuffled) = (view(), view());
            entries.iter().for_each(|entry| revoke(&in_order, entry.revocation(), 10_000_000));
            let again = order.iter().filter(|_| !entries.is_empty()).map(|index| index.get(&entries));
            again.chain(&entries).for_each(|entry| revoke(&shuffled, entry.revocation(), 10_000_000));
            for (user, token) in tokens() {
                let expected = must_revoke(&entries, &token, user);
                prop_assert_eq!(in_order.is_revoked(&token), expected, "{:?}", token);
                prop_assert_eq!(shuffled.is_revoked(&token), expected, "{:?}, in another order", token);
            }
            Ok(())
        })
        .unwrap();
}
