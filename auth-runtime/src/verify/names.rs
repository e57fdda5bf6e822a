//! The roles, scopes and permissions of a token, as places in its claims.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::OnceLock;

use super::claims::TokenClaims;
use super::json::{Json, Span, hash_of_name};

/// The roles, scopes and permissions of a token, as places in its claims.
#[derive(Debug)]
pub(crate) struct Names {
    /// The roles, then the scopes, then the permissions.
    spans: Vec<Span>,
    /// Where each of the three lists ends.
    ends: [usize; 3],
    /// How many lists have ended.
    ended: usize,
    /// The names by their hashes; made when one of many is first looked for.
    index: OnceLock<NameIndex>,
}

/// One of the three lists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NameList {
    Roles,
    Scopes,
    Permissions,
}

/// A table in which a name is found by its hash: half of the hash, and one more than its place in the list of all names; 0 where none is.
///
/// The key of the hash is random in each process. Whoever could guess hashes, and have them signed, would make a search as long as one
/// without the table.
#[derive(Debug)]
struct NameIndex(Box<[u32]>);

/// Up to how many names are compared one by one: a set or a table costs more.
const FEW: usize = 16;

impl NameIndex {
    /// How many slots a table of so many names has. Half of them stay empty, so that a search ends soon.
    fn slots(names: usize) -> usize {
        (2 * names).next_power_of_two()
    }

    fn new(spans: &[Span], claims: &TokenClaims) -> Self {
        let mut index = Self(vec![0; Self::slots(spans.len())].into());
        for (place, span) in (1_u16..).zip(spans) {
            let hash = hash_of_name(claims.text_at(*span));
            if let Some(slot) = index.search(hash).find(|slot| index.at(*slot) == 0)
                && let Some(free) = index.0.get_mut(slot)
            {
                *free = Self::half(hash) | u32::from(place);
            }
        }
        index
    }

    /// The half of a hash that is in the table.
    fn half(hash: u32) -> u32 {
        hash & 0xffff_0000
    }

    /// The places of the names that may have this hash.
    fn places(&self, hash: u32) -> impl Iterator<Item = usize> {
        let entries = self.search(hash).map(|slot| self.at(slot)).take_while(|entry| *entry != 0);
        let may_be = entries.filter(move |entry| Self::half(*entry) == Self::half(hash));
        may_be.map(|entry| (entry & 0xffff) as usize - 1)
    }

    /// The slots in which a name of this hash may be, in their order.
    fn search(&self, hash: u32) -> impl Iterator<Item = usize> + use<> {
        let count = self.0.len();
        (0..count).map(move |step| (hash as usize + step) & (count - 1))
    }

    fn at(&self, slot: usize) -> u32 {
        self.0.get(slot).copied().unwrap_or(0)
    }
}

impl Names {
    pub(super) fn with_space_for(most: usize) -> Self {
        Self { spans: Vec::with_capacity(most), ends: [0; 3], ended: 0, index: OnceLock::new() }
    }

    /// The names of a list.
    pub(crate) fn of<'c>(&'c self, list: NameList, claims: &'c TokenClaims) -> impl Iterator<Item = &'c str> {
        let spans = self.spans.get(self.range(list)).unwrap_or_default();
        spans.iter().map(|span| claims.text_at(*span))
    }

    /// Whether a name is in a list.
    pub(crate) fn has(&self, list: NameList, name: &str, claims: &TokenClaims) -> bool {
        let range = self.range(list);
        if range.len() <= FEW || !self.may_have_index() {
            return self.of(list, claims).any(|held| held == name);
        }
        let index = self.index.get_or_init(|| NameIndex::new(&self.spans, claims));
        let is_it = |place: usize| self.spans.get(place).is_some_and(|span| claims.text_at(*span) == name);
        index.places(hash_of_name(name)).any(|place| range.contains(&place) && is_it(place))
    }

    /// Whether the places of all names fit into the table.
    fn may_have_index(&self) -> bool {
        self.spans.len() < usize::from(u16::MAX)
    }

    /// The bytes that they take behind their own, with those of the table that may be made later.
    pub(crate) fn heap_bytes(&self) -> usize {
        let is_long = |list: NameList| self.range(list).len() > FEW;
        let needs_index = [NameList::Roles, NameList::Scopes, NameList::Permissions].into_iter().any(is_long);
        let slots = if needs_index && self.may_have_index() { NameIndex::slots(self.spans.len()) } else { 0 };
        self.spans.capacity() * size_of::<Span>() + slots * size_of::<u32>()
    }

    fn range(&self, list: NameList) -> Range<usize> {
        let end = |list: usize| self.ends.get(list).copied().unwrap_or(0);
        let list = list as usize;
        list.checked_sub(1).map_or(0, end)..end(list)
    }

    /// Ends a list: what is added from now on is in the next.
    pub(super) fn end_list(&mut self) {
        if let Some(end) = self.ends.get_mut(self.ended) {
            *end = self.spans.len();
        }
        self.ended += 1;
    }

    pub(super) fn add(&mut self, name: Span) {
        if name.len() > 0 {
            self.spans.push(name);
        }
    }

    /// Adds what is between the spaces of a text.
    pub(super) fn add_words(&mut self, span: Span, text: &str) {
        let mut start = 0;
        for word in text.split(' ') {
            let end = start + word.len();
            self.add(span.part(start..end));
            start = end + 1;
        }
    }

    /// Adds names, also empty ones; `None` if one is none.
    pub(super) fn add_all(&mut self, mut names: impl Iterator<Item = Option<Span>>) -> Option<()> {
        names.try_for_each(|name| name.map(|name| self.spans.push(name)))
    }

    /// Adds names, each once.
    pub(super) fn add_once<'c>(&mut self, claims: &'c TokenClaims, names: impl Iterator<Item = Span>) {
        let start = self.spans.len();
        self.spans.extend(names);
        let mut known: HashSet<&'c str> = HashSet::new();
        let mut kept = start;
        for index in start..self.spans.len() {
            let Some(span) = self.spans.get(index).copied() else { break };
            if known.insert(claims.text_at(span)) {
                self.keep(&mut kept, span);
            }
        }
        self.spans.truncate(kept);
    }

    /// The names of the list so far, of its earlier claims.
    pub(super) fn begin_claim(&self) -> Range<usize> {
        let start = self.ended.checked_sub(1).and_then(|list| self.ends.get(list)).copied().unwrap_or(0);
        start..self.spans.len()
    }

    /// Removes the names behind `earlier` that are among these.
    pub(super) fn remove_repeated(&mut self, claims: &TokenClaims, earlier: Range<usize>) {
        let mut kept = earlier.end;
        let known: HashSet<&str> = if earlier.len() > FEW {
            self.spans
                .get(earlier.clone())
                .unwrap_or_default()
                .iter()
                .map(|span| claims.text_at(*span))
                .collect()
        } else {
            HashSet::new()
        };
        for index in earlier.end..self.spans.len() {
            let Some(span) = self.spans.get(index).copied() else { break };
            let name = claims.text_at(span);
            let is_known = if earlier.len() > FEW {
                known.contains(name)
            } else {
                let few = self.spans.get(earlier.clone()).unwrap_or_default();
                few.iter().any(|span| claims.text_at(*span) == name)
            };
            if !is_known {
                self.keep(&mut kept, span);
            }
        }
        self.spans.truncate(kept);
    }

    fn keep(&mut self, kept: &mut usize, span: Span) {
        if let Some(place) = self.spans.get_mut(*kept) {
            *place = span;
        }
        *kept += 1;
    }
}

/// The names of an object's members, or of the objects of a list. A member with an empty value is left out, since its name is not held.
/// `None` if there is something else than objects.
pub(super) fn keys_in(value: Json<'_>) -> Option<impl Iterator<Item = Span>> {
    let objects = move || value.elements().chain((!value.is_array()).then_some(value));
    if !objects().all(Json::is_object) {
        return None;
    }
    let is_held = |(name, value): &(Span, Json<'_>)| name.len() > 0 && !is_empty(*value);
    Some(objects().flat_map(Json::members).filter(is_held).map(|(name, _)| name))
}

fn is_empty(value: Json<'_>) -> bool {
    value.is_null() || value.as_bool() == Some(false) || value.has_nothing()
}

#[cfg(test)]
mod tests {
    use super::{FEW, NameIndex, NameList, Names};
    use crate::verify::{TokenClaims, VerifiedToken};

    fn of(claims: &serde_json::Value) -> (Names, TokenClaims) {
        let claims = TokenClaims::from_json(claims.to_string().as_bytes()).unwrap();
        (VerifiedToken::new(claims.clone()).held_names().unwrap(), claims)
    }

    #[test]
    fn a_name_is_found_among_few_and_among_many_in_its_own_list_alone() {
        for count in [0, 1, FEW, FEW + 1, 100, 1_000, 70_000] {
            let name = |kind: &str, n: usize| format!("{kind}-{n}{}", if n % 3 == 0 { "\n" } else { "" });
            let list = |kind: &str| {
                (0..count).map(|n| name(kind, n)).chain(["shared".to_owned()]).collect::<Vec<_>>()
            };
            let scopes: Vec<_> = list("s").iter().map(|scope| scope.trim().to_owned()).collect();
            let (names, claims) = of(
                &serde_json::json!({ "roles": list("r"), "scope": scopes.join(" "), "permissions": ["p", "r-1"] }),
            );
            let has = |list: NameList, name: &str| names.has(list, name, &claims);
            for n in (0..count + 2).step_by(1 + count / 200) {
                assert_eq!(has(NameList::Roles, &name("r", n)), n < count, "{n} of {count}");
                assert_eq!(has(NameList::Scopes, name("s", n).trim()), n < count, "{n} of {count}");
                assert!(!has(NameList::Scopes, &name("r", n)) && !has(NameList::Roles, &name("s", n)));
            }
            assert!(
                has(NameList::Permissions, "p")
                    && has(NameList::Permissions, "r-1")
                    && !has(NameList::Permissions, "r-2")
            );
            assert!(
                has(NameList::Roles, "shared")
                    && has(NameList::Scopes, "shared")
                    && !has(NameList::Permissions, "shared")
            );
            assert!(!has(NameList::Roles, ""));
        }
    }

    /// The work, in place of the time: what is looked for is compared with few names.
    #[test]
    fn a_search_among_a_thousand_looks_at_few() {
        let roles: Vec<_> = (0..1_000).map(|n| format!("role-{n}")).collect();
        let (names, claims) = of(&serde_json::json!({ "roles": roles }));
        let index = NameIndex::new(&names.spans, &claims);
        let searches = roles.iter().cloned().chain((0..1_000).map(|n| format!("other-{n}")));
        let looked_at: usize = searches.map(|name| index.places(super::hash_of_name(&name)).count()).sum();
        assert!(looked_at < 2_000 * 5, "{looked_at} in 2,000 searches");
    }
}
