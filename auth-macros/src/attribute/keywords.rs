//! The arguments that there are, and what is said of one that is unknown or given twice.

use auth_analysis::ListKind;

use crate::suggest::{list, nearest};

/// Which macro the arguments are of: `rule!` takes no `check`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Attribute,
    RuleMacro,
}

/// Whether an argument is inside of `any`, `all` or `not`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Top(Place),
    Nested,
}

/// Requirements other than lists of names.
const REQUIREMENTS: &[&str] = &["claims", "max_age", "any", "all", "not", "rule"];

/// What applies to the whole route.
const ROUTE: &[&str] = &["source", "check", "public", "optional", "crate"];

/// What may be given more than once at a level, since each use is a condition of its own.
const REPEATABLE: &[&str] = &["any", "all", "not"];

/// The arguments that are known at this level.
pub(super) fn known(level: Level) -> impl Iterator<Item = &'static str> {
    let of_route = ROUTE.iter().filter(move |keyword| match level {
        Level::Top(Place::Attribute) => true,
        Level::Top(Place::RuleMacro) => **keyword != "check",
        Level::Nested => false,
    });
    requirements().chain(of_route.copied())
}

fn requirements() -> impl Iterator<Item = &'static str> {
    ListKind::ALL.into_iter().map(ListKind::keyword).chain(REQUIREMENTS.iter().copied())
}

pub(super) fn may_be_repeated(keyword: &str) -> bool {
    REPEATABLE.contains(&keyword)
}

/// Words of other libraries, and what is written here instead.
const INSTEAD: &[(&[&str], &str)] = &[
    (
        &[
            "authenticated",
            "authorized",
            "logged_in",
            "login",
            "protected",
            "require_auth",
            "required",
            "user",
        ],
        "every caller of the route must be authenticated without it. Remove it: for any authenticated caller, write",
    ),
    (
        &["jwt", "oauth", "oauth2", "oidc", "token"],
        "a valid token is required without it. Remove it: for any authenticated caller, write",
    ),
    (
        &["allow_anonymous", "anonymous", "anyone", "everyone", "guest", "no_auth", "none", "open", "skip"],
        "write `public` for a route that looks at no credential, `optional` for one that uses a credential if it is sent, or, for any \
         authenticated caller,",
    ),
];

/// The kind of list that an unknown argument was probably meant to be: `role` → `roles`.
pub(super) fn near_list(keyword: &str) -> Option<ListKind> {
    ListKind::from_keyword(nearest(keyword, ListKind::ALL.map(ListKind::keyword))?)
}

/// For a string where an argument is expected.
pub(super) fn name_alone(name: &str) -> String {
    format!(
        "{name:?} does not say what it is the name of: write `roles = [{name:?}]`, `scopes = [{name:?}]` or `permissions = [{name:?}]`"
    )
}

pub(super) fn unknown(keyword: &str, level: Level, is_path: bool) -> String {
    let all = match level {
        Level::Top(Place::RuleMacro) => "`rule!()`",
        Level::Top(Place::Attribute) | Level::Nested => "`#[auth]`",
    };
    if let Some((_, instead)) = INSTEAD.iter().find(|(words, _)| words.contains(&keyword)) {
        return format!("unknown argument `{keyword}`: {instead} {all}");
    }
    if ["bearer", "cookie", "query"].contains(&keyword) {
        return format!("unknown argument `{keyword}`: write `source = \"{keyword}\"`");
    }
    if is_path {
        return format!(
            "expected an argument, found a path that begins with `{keyword}::`: names are written as strings, `roles = [\"admin\"]`, and \
             a constant that was made with `rule!(..)` as `rule = {keyword}::..`"
        );
    }
    match (keyword, level) {
        ("check", Level::Top(Place::RuleMacro)) => {
            "`check` is an argument of `#[auth]` only: write `#[auth(rule = NAME, check = function)]` on the handler, and remove it \
             from `rule!`"
                .into()
        }
        (_, Level::Nested) if ROUTE.contains(&keyword) => {
            format!(
                "`{keyword}` applies to the whole route: write it at the top level, outside of `any`, `all` and `not`"
            )
        }
        _ => match nearest(keyword, known(level)) {
            Some(near) => format!("unknown argument `{keyword}`: did you mean `{near}`?"),
            None => format!("unknown argument `{keyword}`: expected one of {}", list(known(level))),
        },
    }
}

pub(super) fn given_twice(keyword: &str) -> String {
    let example = match keyword {
        "claims" => "claims(..)".to_owned(),
        "rule" => "rule = ..".to_owned(),
        _ if ListKind::from_keyword(keyword).is_some() => format!("{keyword} = [..]"),
        _ => return format!("`{keyword}` is given twice here: remove one"),
    };
    format!(
        "`{keyword}` is given twice here: if both must hold, write the second as `all({example})`; if one of them is enough, \
         write `any(all({example}), all({example}))`"
    )
}
