//! A vocabulary, and rules of thirty names of which none could be left out: a warning would take time of its own.
//!
//! A rule joins five parts of six names each. One name of a part is a scope that stands nowhere else in the rule: with
//! it a caller can be had for whom the other parts do not matter. The other five are one of [`FORMS`], in which by itself
//! each name matters, whatever the vocabulary says of them. Names come again from part to part, so that there is
//! something to analyse without the vocabulary too.

use std::collections::BTreeSet;

const CHAINS: usize = 8;
const STEPS: usize = 5;
/// Eight chains of five roles, each of which implies the next.
pub const ROLES: usize = CHAINS * STEPS;
const SCOPES: usize = 20;
/// The scopes that mark a part; the others are inside of parts.
const MARKS: usize = 10;
const PERMISSIONS: usize = 20;
const CLAIMS: [&str; 6] = [
    "plan = \"pro\"",
    "plan = \"team\"",
    "region = \"eu\"",
    "level = 3",
    "staff = true",
    "tenant = path(\"id\")",
];
const PARTS: usize = 5;

/// `auth.toml`. The first role of a chain is granted permissions, the second excludes that of the chain beside it.
pub fn vocabulary() -> String {
    let mut text = "[roles]\n".to_owned();
    for role in 0..ROLES {
        let (chain, step) = (role / STEPS, role % STEPS);
        let mut says = vec![format!("description = \"Number {role}\"")];
        if step + 1 < STEPS {
            says.push(format!("implies = [\"role{}\"]", role + 1));
        }
        if step == 1 && chain % 2 == 0 {
            says.push(format!("excludes = [\"role{}\"]", role + STEPS));
        }
        text += &format!("role{role} = {{ {} }}\n", says.join(", "));
    }
    text += "\n[scopes]\n";
    for scope in 0..SCOPES {
        text += &format!("\"scope:{scope}\" = \"Scope {scope}\"\n");
    }
    text += "\n[permissions]\n";
    for permission in 0..PERMISSIONS {
        let [one, other] = [permission % CHAINS, (permission + 3) % CHAINS].map(|chain| chain * STEPS);
        text += &format!("\"permission.{permission}\" = [\"role{one}\", \"role{other}\"]\n");
    }
    text
}

/// The arguments of one `#[auth(..)]`: any of five `all(..)`, or all of five `any(..)`.
pub fn thirty_names(random: &mut Random) -> String {
    let mut marks = BTreeSet::new();
    while marks.len() < PARTS {
        marks.insert(random.below(MARKS));
    }
    let (joins, joined) = if random.below(2) == 0 { ("any", "all") } else { ("all", "any") };
    let parts: Vec<String> = marks
        .into_iter()
        .map(|mark| {
            let (form, five) = FORMS[random.below(FORMS.len())](random);
            let five = if form == joined { five } else { format!("{form}({five})") };
            format!("{joined}(scopes = [\"scope:{mark}\"], {five})")
        })
        .collect();
    format!("{joins}({})", parts.join(", "))
}

type Form = fn(&mut Random) -> (&'static str, String);

/// How the five names are joined, and what is joined.
const FORMS: [Form; 4] = [
    // Below, but not the one that implies it and may be granted the permission.
    |random| {
        let (chain, other) = random.chains();
        let (top, below, beside) = (role(chain, 0), role(chain, random.step()), role(other, random.step()));
        let (permission, claim) = (random.permission(), random.claim());
        ("all", format!("roles = [{below}, {beside}], not(roles = [{top}]), {permission}, {claim}"))
    },
    |random| {
        let (chain, other) = random.chains();
        let (one, beside) = (role(chain, random.below(STEPS)), role(other, random.step()));
        let (scope, permission, claim) = (random.scope(), random.permission(), random.claim());
        ("any", format!("all(roles = [{one}], {scope}), all(roles = [{beside}], not({permission})), {claim}"))
    },
    |random| {
        let (chain, other) = random.chains();
        let (top, beside) = (role(chain, 0), role(other, random.step()));
        let (scope, permission, claim) = (random.scope(), random.permission(), random.claim());
        ("all", format!("not(roles = [{top}, {beside}]), any({permission}, {scope}), {claim}"))
    },
    // Two that exclude each other.
    |random| {
        let pair = random.below(CHAINS / 2) * 2;
        let (one, other) = (role(pair, 1), role(pair + 1, 1));
        let (scope, permission, claim) = (random.scope(), random.permission(), random.claim());
        ("any", format!("all(roles = [{one}], {scope}), all(roles = [{other}], {permission}), {claim}"))
    },
];

fn role(chain: usize, step: usize) -> String {
    format!("\"role{}\"", chain * STEPS + step)
}

/// Vigna's SplitMix64: the same rules in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    /// Two that differ.
    fn chains(&mut self) -> (usize, usize) {
        let one = self.below(CHAINS);
        (one, (one + 1 + self.below(CHAINS - 1)) % CHAINS)
    }

    /// Not the first of a chain, which alone is granted permissions.
    fn step(&mut self) -> usize {
        1 + self.below(STEPS - 1)
    }

    fn scope(&mut self) -> String {
        format!("scopes = [\"scope:{}\"]", MARKS + self.below(SCOPES - MARKS))
    }

    fn permission(&mut self) -> String {
        format!("permissions = [\"permission.{}\"]", self.below(PERMISSIONS))
    }

    fn claim(&mut self) -> String {
        format!("claims({})", CLAIMS[self.below(CLAIMS.len())])
    }
}
