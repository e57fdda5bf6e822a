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

pub(super) fn unknown(keyword: &str, level: Level) -> String {
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
