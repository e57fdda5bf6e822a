//! The vocabulary of an engine: every declared name is a bit, and a caller's names are expanded and checked.

use std::collections::HashMap;
use std::fmt;

use super::declared::{DeclaredRole, Vocabulary};
use super::name::NameKind;

/// What an engine knows of names. Without a vocabulary: nothing, and every name is allowed.
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

/// The roles and permissions that take the place of others', a bit each.
#[derive(Debug)]
pub(crate) struct ReplacedBits {
    bits: Bits,
    /// The bits that are not replaced: those of scopes.
    remaining: Bits,
}

/// The declared names that a caller has: those of its credential, and those of its user if there are any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitsOf<'a> {
    own: &'a Bits,
    of_user: OfUser<'a>,
}

/// What the roles and permissions of a user do to those of the credential. Its scopes stay.
#[derive(Clone, Copy, Debug)]
enum OfUser<'a> {
    None,
    Replace(&'a ReplacedBits),
    /// Those count that both have.
    Both(&'a ReplacedBits),
    /// Those count that one of the two has.
    Either(&'a ReplacedBits),
}

/// Two roles of one caller that exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clash(&'static str, &'static str);

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the roles `{}` and `{}`, which the vocabulary says exclude each other", self.0, self.1)
    }
}

/// Some declared names, as the words of [`Bits`] that contain one of them.
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
    pub(crate) fn names(&self, kind: NameKind) -> Vec<&'static str> {
        let Some(declared) = self.vocabulary else { return Vec::new() };
        match kind {
            NameKind::Role => declared.roles.iter().map(|role| role.name).collect(),
            NameKind::Scope => declared.scopes.iter().map(|scope| scope.name).collect(),
            NameKind::Permission => declared.permissions.iter().map(|permission| permission.name).collect(),
        }
    }

    pub(crate) fn is_declared(&self, kind: NameKind, name: &str) -> bool {
        self.bits.contains_key(&(kind, name))
    }

    /// Whether who has the one role has the other.
    pub(crate) fn counts_as(&self, role: &str, other: &str) -> bool {
        role == other || self.role(role).is_some_and(|role| role.implies.contains(&other))
    }

    /// Whether no caller has both roles.
    pub(crate) fn excludes(&self, one: &str, other: &str) -> bool {
        self.exclusions().any(|(a, b)| {
            self.counts_as(one, a) && self.counts_as(other, b)
                || self.counts_as(one, b) && self.counts_as(other, a)
        })
    }

    /// Whether who has the role has the permission.
    pub(crate) fn grants(&self, role: &str, permission: &str) -> bool {
        let mut permissions = self.vocabulary.into_iter().flat_map(|vocabulary| vocabulary.permissions);
        permissions
            .find(|declared| declared.name == permission)
            .is_some_and(|declared| declared.roles.contains(&role))
    }

    fn role(&self, name: &str) -> Option<&'static DeclaredRole> {
        self.vocabulary?.roles.iter().find(|role| role.name == name)
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

    /// Sets the bits of what the roles imply and are granted. Returns what was not there before.
    pub(crate) fn bring<'n>(
        &self,
        roles: impl Iterator<Item = &'n str>,
        bits: &mut Bits,
    ) -> Box<[(NameKind, &'static str)]> {
        if self.vocabulary.is_none() {
            return Box::default();
        }
        let role = |role: &'n str| self.brings.get(self.bit(NameKind::Role, role)?);
        let brought = roles.filter_map(role).flatten().copied();
        brought.filter(|(kind, name)| self.bit(*kind, name).is_some_and(|bit| bits.set(bit))).collect()
    }

    /// Two of these roles that exclude each other, if there are such. The roles must have been expanded.
    pub(crate) fn clash(&self, roles: &[Box<str>]) -> Option<Clash> {
        self.clash_where(|name| roles.iter().any(|role| **role == *name))
    }

    /// Two of these roles that exclude each other, if there are such.
    pub(crate) fn clash_of(&self, bits: &Bits) -> Option<Clash> {
        self.clash_where(|name| self.bit(NameKind::Role, name).is_some_and(|bit| bits.has(bit)))
    }

    fn clash_where(&self, holds: impl Fn(&str) -> bool) -> Option<Clash> {
        let clash = self.exclusions().find(|(one, other)| holds(one) && holds(other));
        clash.map(|(one, other)| Clash(one, other))
    }

    fn bit(&self, kind: NameKind, name: &str) -> Option<usize> {
        self.bits.get(&(kind, name)).copied()
    }

    /// Each pair of roles that exclude each other, as it is written.
    fn exclusions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let roles = self.vocabulary.map_or(&[][..], |vocabulary| vocabulary.roles);
        roles.iter().flat_map(|role| role.excludes.iter().map(|other| (role.name, *other)))
    }

    /// The declared ones among a caller's names.
    pub(crate) fn bits<'n>(&self, names: impl Iterator<Item = (NameKind, &'n str)>) -> Bits {
        let mut bits = Bits(vec![0; self.bits.len().div_ceil(64)].into());
        if self.vocabulary.is_some() {
            names.filter_map(|(kind, name)| self.bit(kind, name)).for_each(|bit| {
                bits.set(bit);
            });
        }
        bits
    }

    /// These roles and permissions, in place of those that a caller has.
    pub(crate) fn replaced_bits(&self, roles: &[Box<str>], permissions: &[Box<str>]) -> ReplacedBits {
        let roles = roles.iter().map(|role| (NameKind::Role, &**role));
        let permissions = permissions.iter().map(|permission| (NameKind::Permission, &**permission));
        let scopes = self.names(NameKind::Scope).into_iter().map(|scope| (NameKind::Scope, scope));
        ReplacedBits { bits: self.bits(roles.chain(permissions)), remaining: self.bits(scopes) }
    }

    /// These names as a mask; `None` if one is not declared.
    pub(crate) fn mask(&self, kind: NameKind, names: &[String]) -> Option<Mask> {
        names.iter().try_fold(Mask::default(), |mut mask, name| {
            let bit = *self.bits.get(&(kind, &**name))?;
            mask.add(bit / 64, 1 << (bit % 64));
            Some(mask)
        })
    }
}

impl<'a> BitsOf<'a> {
    /// The same, with these in place of the roles and permissions.
    pub(crate) fn replaced_by(self, bits: &'a ReplacedBits) -> Self {
        Self { of_user: OfUser::Replace(bits), ..self }
    }

    /// The same, without the roles and permissions that are not among these.
    pub(crate) fn limited_to(self, bits: &'a ReplacedBits) -> Self {
        Self { of_user: OfUser::Both(bits), ..self }
    }

    /// The same, and these.
    pub(crate) fn and(self, bits: &'a ReplacedBits) -> Self {
        Self { of_user: OfUser::Either(bits), ..self }
    }

    pub(crate) fn has_any(self, mask: &Mask) -> bool {
        mask.0.iter().any(|&(word, bits)| self.word(word) & bits != 0)
    }

    pub(crate) fn has_all(self, mask: &Mask) -> bool {
        mask.0.iter().all(|&(word, bits)| self.word(word) & bits == bits)
    }

    fn word(self, index: usize) -> u64 {
        let own = self.own.word(index);
        match self.of_user {
            OfUser::None => own,
            OfUser::Replace(by) => own & by.remaining.word(index) | by.bits.word(index),
            OfUser::Both(with) => own & (with.remaining.word(index) | with.bits.word(index)),
            OfUser::Either(with) => own | with.bits.word(index),
        }
    }
}

impl<'a> From<&'a Bits> for BitsOf<'a> {
    fn from(own: &'a Bits) -> Self {
        Self { own, of_user: OfUser::None }
    }
}

impl Bits {
    /// Sets a bit. Returns whether it was not set.
    fn set(&mut self, bit: usize) -> bool {
        let Some(word) = self.0.get_mut(bit / 64) else { return false };
        let mask = 1 << (bit % 64);
        let is_new = *word & mask == 0;
        *word |= mask;
        is_new
    }

    fn has(&self, bit: usize) -> bool {
        self.word(bit / 64) >> (bit % 64) & 1 == 1
    }

    /// The bytes that they take behind their own.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0)
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
