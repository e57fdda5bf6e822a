//! What is decided: who asks, and whom the rule admits.

/// A decision that all are asked for.
pub struct Case {
    pub name: &'static str,
    pub rule: Rule,
    pub caller: Caller,
    pub is_allowed: bool,
}

/// Whom the rule admits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A caller with the role `admin`.
    OneRole,
    /// A caller with one of the roles `role0` to `role63`.
    OneOf64,
    /// The owner of the order, and a caller with the role `admin`.
    OwnerOrAdmin,
}

pub struct Caller {
    pub subject: &'static str,
    pub roles: Vec<String>,
}

/// Who owns the order.
pub const OWNER: &str = "alice";

impl Rule {
    /// The roles of which one is enough.
    pub fn roles(self) -> Vec<String> {
        match self {
            Self::OneRole | Self::OwnerOrAdmin => vec!["admin".to_owned()],
            Self::OneOf64 => (0..64).map(|number| format!("role{number}")).collect(),
        }
    }
}

pub fn cases() -> Vec<Case> {
    let case = |name, rule, subject, roles: Vec<String>, is_allowed| {
        let caller = Caller { subject, roles };
        Case { name, rule, caller, is_allowed }
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let thousand = |last: &str| {
        let others = (0..999).map(|number| format!("other{number}"));
        others.chain([last.to_owned()]).collect::<Vec<_>>()
    };
    vec![
        case("one role, held", Rule::OneRole, "bob", names(&["editor", "admin"]), true),
        case("one role, not held", Rule::OneRole, "bob", names(&["editor", "author"]), false),
        case("any of 64 roles, the last held", Rule::OneOf64, "bob", names(&["editor", "role63"]), true),
        case("any of 64 roles, none held", Rule::OneOf64, "bob", names(&["editor", "author"]), false),
        case("one role of 1,000 held", Rule::OneRole, "bob", thousand("admin"), true),
        case("one role, 1,000 others held", Rule::OneRole, "bob", thousand("other999"), false),
        case("any of 64 roles, 1,000 others held", Rule::OneOf64, "bob", thousand("other999"), false),
        case("owner or admin: the owner", Rule::OwnerOrAdmin, OWNER, names(&["editor"]), true),
        case("owner or admin: an admin", Rule::OwnerOrAdmin, "bob", names(&["editor", "admin"]), true),
        case("owner or admin: neither", Rule::OwnerOrAdmin, "bob", names(&["editor"]), false),
    ]
}
