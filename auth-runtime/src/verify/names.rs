//! The roles, scopes and permissions of a token, as places in its claims.

use std::collections::HashSet;
use std::ops::Range;

use super::claims::TokenClaims;
use super::json::{Json, Span};

/// The roles, scopes and permissions of a token, as places in its claims.
#[derive(Debug)]
pub(crate) struct Names {
    /// The roles, then the scopes, then the permissions.
    spans: Vec<Span>,
    /// Where each of the three lists ends.
    ends: [usize; 3],
    /// How many lists have ended.
    ended: usize,
}

/// Up to how many names are compared with each other: a set costs more.
const FEW: usize = 8;

impl Names {
    pub(super) fn with_space_for(most: usize) -> Self {
        Self { spans: Vec::with_capacity(most), ends: [0; 3], ended: 0 }
    }

    pub(crate) fn roles<'c>(&'c self, claims: &'c TokenClaims) -> impl Iterator<Item = &'c str> {
        self.texts(claims, 0)
    }

    pub(crate) fn scopes<'c>(&'c self, claims: &'c TokenClaims) -> impl Iterator<Item = &'c str> {
        self.texts(claims, 1)
    }

    pub(crate) fn permissions<'c>(&'c self, claims: &'c TokenClaims) -> impl Iterator<Item = &'c str> {
        self.texts(claims, 2)
    }

    /// The bytes that they take behind their own.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<Span>()
    }

    fn texts<'c>(&'c self, claims: &'c TokenClaims, list: usize) -> impl Iterator<Item = &'c str> {
        let end = |list: usize| self.ends.get(list).copied().unwrap_or(0);
        let start = list.checked_sub(1).map_or(0, end);
        let spans = self.spans.get(start..end(list)).unwrap_or_default();
        spans.iter().map(|span| claims.text_at(*span))
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
