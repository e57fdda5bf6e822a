//! The vocabulary in force: every declared name is a bit, and a caller's names are expanded and checked.

use std::collections::HashMap;
use std::fmt;

use super::{NameKind, Vocabulary};
use crate::policy::{Relies, Requirement, Rule};

/// What an engine knows of names. Without a vocabulary: nothing, and any name is as good as another.
#[derive(Debug, Default)]
pub(crate) struct VocabularyIndex {
    vocabulary: Option<&'static Vocabulary>,
    /// The bit of each declared name.
    bits: HashMap<(NameKind, &'static str), usize>,
    /// For each role by its bit, the names that it brings along.
    brings: Vec<Vec<(NameKind, &'static str)>>,
}

/// The declared names that a caller has, a bit each.
#[derive(Debug, Default)]
pub(crate) struct Bits(Box<[u64]>);

/// Two roles of one caller that nobody may hold both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clash(&'static str, &'static str);

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the roles `{}` and `{}`, which the vocabulary says exclude each other", self.0, self.1)
    }
}

/// Some declared names, as the words of [`Bits`] in which one of them stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mask(Vec<(usize, u64)>);

impl VocabularyIndex {
    pub(crate) fn new(vocabulary: Option<&'static Vocabulary>) -> Self {
        let Some(declared) = vocabulary else { return Self::default() };
        let roles = declared.roles.iter().map(|role| (NameKind::Role, role.name));
        let scopes = declared.scopes.iter().map(|scope| (NameKind::Scope, scope.name));
        let permissions =
            declared.permissions.iter().map(|permission| (NameKind::Permission, permission.name));
        let bits = roles.chain(scopes).chain(permissions).enumerate().map(|(bit, name)| (name, bit));
        let brings = declared.roles.iter().map(|role| {
            let implied = role.implies.iter().map(|implied| (NameKind::Role, *implied));
            let granted =
                declared.permissions.iter().filter(|permission| permission.roles.contains(&role.name));
            implied.chain(granted.map(|permission| (NameKind::Permission, permission.name))).collect()
        });
        Self { vocabulary, bits: bits.collect(), brings: brings.collect() }
    }

    pub(crate) fn vocabulary(&self) -> Option<&'static Vocabulary> {
        self.vocabulary
    }

    /// The declared names of a kind.
    fn names(&self, kind: NameKind) -> Vec<&'static str> {
        let Some(declared) = self.vocabulary else { return Vec::new() };
        match kind {
            NameKind::Role => declared.roles.iter().map(|role| role.name).collect(),
            NameKind::Scope => declared.scopes.iter().map(|scope| scope.name).collect(),
            NameKind::Permission => declared.permissions.iter().map(|permission| permission.name).collect(),
        }
    }

    /// Why rules can't be kept to by this vocabulary, each reason once; empty where they can.
    pub(crate) fn objections(&self, rules: &[Rule]) -> Vec<String> {
        let mut objections: Vec<String> = rules.iter().filter_map(Rule::fault).map(str::to_owned).collect();
        let mut relies = rules.iter().flat_map(Rule::read).filter_map(|read| read.relies.as_ref());
        if self.vocabulary.is_none() {
            if relies.next().is_some() {
                objections.push(
                    "the compiler checked the rule by an auth.toml, which the engine does not know, so it would mean something \
                     else: call `.vocabulary(&VOCABULARY)` on the builder, with what `auth_runtime::vocabulary!()` makes"
                        .to_owned(),
                );
            }
            return objections;
        }
        for rule in rules {
            rule.visit(&mut |part| {
                let (kind, names) = match part {
                    Requirement::Roles(names) => (NameKind::Role, names),
                    Requirement::Scopes(names) => (NameKind::Scope, names),
                    Requirement::Permissions(names) => (NameKind::Permission, names),
                    _ => return,
                };
                let undeclared = names.iter().filter(|name| !self.bits.contains_key(&(kind, **name)));
                objections.extend(undeclared.map(|name| self.undeclared(kind, name)));
            });
        }
        objections.extend(relies.filter_map(|relies| self.disagreement(relies)).map(|told| {
            format!(
                "the compiler was told by an auth.toml that {told}, and the engine's vocabulary does not say so: make the two \
                 files agree, or the rule would mean something else than was checked"
            )
        }));
        let mut distinct: Vec<String> = Vec::new();
        for objection in objections {
            if !distinct.contains(&objection) {
                distinct.push(objection);
            }
        }
        distinct
    }

    fn undeclared(&self, kind: NameKind, name: &str) -> String {
        let declared = self.names(kind);
        let declared = if declared.is_empty() { "none".to_owned() } else { declared.join(", ") };
        format!(
            "the rule names the {kind} `{name}`, which the engine's vocabulary does not declare: add it to auth.toml, or use \
             one of those that are declared ({declared})"
        )
    }

    /// What the compiler was told and this vocabulary does not say, if there is such a thing: then a rule would let in whom it was
    /// written to keep out.
    fn disagreement(&self, relies: &Relies) -> Option<String> {
        let declared = self.vocabulary?;
        let role = |name: &str| declared.roles.iter().find(|role| role.name == name);
        let counts_as = |name: &str, other: &str| {
            name == other || role(name).is_some_and(|role| role.implies.contains(&other))
        };
        for (implied, by) in &relies.implied {
            if let Some(role) = by.iter().find(|role| !counts_as(role, implied)) {
                return Some(format!("`{role}` implies `{implied}`"));
            }
        }
        for (one, other) in &relies.excluded {
            let excludes = self.exclusions().any(|(a, b)| {
                counts_as(one, a) && counts_as(other, b) || counts_as(one, b) && counts_as(other, a)
            });
            if !excludes {
                return Some(format!("nobody holds both `{one}` and `{other}`"));
            }
        }
        for (permission, roles) in &relies.granted {
            let granted = declared.permissions.iter().find(|declared| declared.name == permission);
            let granted = granted.map_or(&[][..], |declared| declared.roles);
            if let Some(role) = roles.iter().find(|role| !granted.contains(&role.as_str())) {
                return Some(format!("`{role}` is granted `{permission}`"));
            }
        }
        None
    }

    /// Adds what the roles imply and are granted.
    pub(crate) fn expand(&self, roles: &mut Vec<Box<str>>, permissions: &mut Vec<Box<str>>) {
        if self.vocabulary.is_none() {
            return;
        }
        let brought: Vec<(NameKind, &'static str)> = roles
            .iter()
            .filter_map(|role| self.brings.get(*self.bits.get(&(NameKind::Role, &**role))?))
            .flatten()
            .copied()
            .collect();
        for (kind, name) in brought {
            let names = if kind == NameKind::Role { &mut *roles } else { &mut *permissions };
            if !names.iter().any(|has| **has == *name) {
                names.push(name.into());
            }
        }
    }

    /// Two of these roles that exclude each other, if there are such. Of roles that were expanded.
    pub(crate) fn clash(&self, roles: &[Box<str>]) -> Option<Clash> {
        let holds = |name: &str| roles.iter().any(|role| **role == *name);
        let clash = self.exclusions().find(|(one, other)| holds(one) && holds(other));
        clash.map(|(one, other)| Clash(one, other))
    }

    /// Each pair of roles that nobody may hold both, as it is written.
    fn exclusions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let roles = self.vocabulary.map_or(&[][..], |vocabulary| vocabulary.roles);
        roles.iter().flat_map(|role| role.excludes.iter().map(|other| (role.name, *other)))
    }

    /// The declared ones among a caller's names.
    pub(crate) fn bits(&self, roles: &[Box<str>], scopes: &[Box<str>], permissions: &[Box<str>]) -> Bits {
        let mut words = vec![0; self.bits.len().div_ceil(64)];
        let kinds = [(NameKind::Role, roles), (NameKind::Scope, scopes), (NameKind::Permission, permissions)];
        for (kind, names) in kinds {
            for name in names {
                let bit = self.bits.get(&(kind, &**name));
                if let Some((word, bit)) = bit.and_then(|bit| Some((words.get_mut(bit / 64)?, bit % 64))) {
                    *word |= 1 << bit;
                }
            }
        }
        Bits(words.into())
    }

    /// These names as a mask; `None` if one is not declared.
    pub(crate) fn mask(&self, kind: NameKind, names: &[&'static str]) -> Option<Mask> {
        names.iter().try_fold(Mask::default(), |mut mask, name| {
            let bit = *self.bits.get(&(kind, *name))?;
            mask.add(bit / 64, 1 << (bit % 64));
            Some(mask)
        })
    }
}

impl Bits {
    pub(crate) fn has_any(&self, mask: &Mask) -> bool {
        mask.0.iter().any(|&(word, bits)| self.word(word) & bits != 0)
    }

    pub(crate) fn has_all(&self, mask: &Mask) -> bool {
        mask.0.iter().all(|&(word, bits)| self.word(word) & bits == bits)
    }

    fn word(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }
}

impl Mask {
    pub(crate) fn join(&mut self, other: &Self) {
        other.0.iter().for_each(|&(word, bits)| self.add(word, bits));
    }

    /// Whether it is of one name.
    pub(crate) fn is_single(&self) -> bool {
        matches!(self.0.as_slice(), [(_, bits)] if bits.is_power_of_two())
    }

    fn add(&mut self, word: usize, bits: u64) {
        match self.0.iter_mut().find(|(at, _)| *at == word) {
            Some((_, there)) => *there |= bits,
            None => self.0.push((word, bits)),
        }
    }
}
