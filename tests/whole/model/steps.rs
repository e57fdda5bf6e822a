//! What may happen, in random order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::USERS;
use super::reference::{FAMILY, LEEWAY, REFRESH, Settings};

/// Which of the tokens that were issued, counted from the newest; modulo how many there are.
pub(super) type Back = usize;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Login(usize),
    IssueAccess(usize),
    Refresh(Back),
    Logout(Back),
    LogoutEverywhere(usize),
    LogoutAllUsers,
    RevokeAccess(Back),
    RevokeSession(Back),
    /// The session of this access token, as this user's.
    EndUserSession(Back, usize),
    /// All sessions but that of this access token.
    EndOtherSessions(Back),
    /// Up to so many seconds from now.
    RevokeUser(usize, i64),
    /// Gone; or there, as admin or not.
    Change(usize, Option<bool>),
    Wait(i64),
    RotateSigningKey,
    /// After so many seconds in which nothing ran.
    Restart {
        down_for: i64,
        new_refresh_key: bool,
    },
}

pub(super) fn steps(settings: Settings) -> impl Strategy<Value = Vec<Step>> {
    let user = || prop_oneof![2 => Just(0), 1 => 0..USERS.len()];
    let back = || prop_oneof![3 => 0..2_usize, 2 => 0..5_usize, 1 => 0..40_usize];
    let bound = prop::sample::select(vec![-settings.any_number, -1, 0, 2]);
    let roles = prop::option::weighted(0.5, any::<bool>());
    let Settings { access, any_number, once } = settings;
    let expiry = access + LEEWAY;
    let wait = prop_oneof![
        4 => Just(1),
        2 => any_number..=any_number + 1,
        2 => once..=once + 1,
        2 => expiry - 1..=expiry,
        2 => REFRESH - 1..=REFRESH,
        1 => Just(FAMILY),
    ];
    // The third is longer than a revocation is kept.
    let down_for = prop::sample::select(vec![0, 0, 2 * expiry + 60, REFRESH - 1]);
    let restart = (down_for, any::<bool>());
    let step = prop_oneof![
        4 => user().prop_map(Step::Login),
        1 => user().prop_map(Step::IssueAccess),
        16 => back().prop_map(Step::Refresh),
        1 => back().prop_map(Step::Logout),
        2 => user().prop_map(Step::LogoutEverywhere),
        1 => Just(Step::LogoutAllUsers),
        1 => back().prop_map(Step::RevokeAccess),
        1 => back().prop_map(Step::RevokeSession),
        2 => (back(), user()).prop_map(|(back, user)| Step::EndUserSession(back, user)),
        2 => back().prop_map(Step::EndOtherSessions),
        1 => (user(), bound).prop_map(|(user, bound)| Step::RevokeUser(user, bound)),
        3 => (user(), roles).prop_map(|(user, roles)| Step::Change(user, roles)),
        6 => wait.prop_map(Step::Wait),
        1 => Just(Step::RotateSigningKey),
        3 => restart.prop_map(|(down_for, new_refresh_key)| Step::Restart { down_for, new_refresh_key }),
    ];
    // The newest token is used, and after so many seconds again.
    let repeat = prop::sample::select(vec![any_number, any_number + 1, once, once + 1])
        .prop_map(|seconds| vec![Step::Refresh(0), Step::Wait(seconds), Step::Refresh(1)]);
    let steps = prop_oneof![24 => step.prop_map(|step| vec![step]), 1 => repeat];
    vec(steps, 1..80).prop_map(|steps| steps.concat())
}
