//! A strict JSON reader (RFC 8725 §2.4, RFC 7515 §4): one object, no duplicate name at any depth, no lone surrogate, bounded depth.
//!
//! Two readers that treat a duplicate name differently can disagree on who the caller is, so this is the only one. It reads a text
//! once, from the first byte to the last, and makes a list of nodes: where each name and value is in the text. What nothing asks for is
//! checked, and stays text.
//!
//! | file | purpose |
//! |---|---|
//! | `scan` | the one pass over the text |
//! | `text` | where strings end, and what their escapes mean |
//! | `member_names` | names that appear twice, and names that have a place of their own |
//! | `node` | a name or a value in the text |
//! | `value` | a value that is asked for |

mod member_names;
mod node;
mod scan;
#[cfg(test)]
mod tests;
mod text;
mod value;

use self::member_names::Places;
pub(super) use self::member_names::{Known, hash_of_name};
use self::node::Node;
pub(crate) use self::node::Span;
pub(crate) use self::value::Json;

/// A text of one JSON object that was read, and where its names and values are.
#[derive(Clone, Debug)]
pub(super) struct Document {
    text: Box<str>,
    /// The strings that have escapes, without these, one behind the other.
    unescaped: Box<str>,
    nodes: Box<[Node]>,
    known: Places,
}

impl Document {
    /// Reads one JSON object. `None` if the text is something else, or is not strict.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(bytes).ok()?.into_boxed_str();
        scan::read(text)
    }

    /// The text that was read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The outermost object.
    pub(super) fn root(&self) -> Json<'_> {
        Json::new(self, 0)
    }

    /// The member of the outermost object that has this place.
    pub(super) fn known(&self, name: Known) -> Option<Json<'_>> {
        self.known.of(name).map(|index| Json::new(self, index))
    }

    /// The text of a string, or a part of one.
    pub(super) fn text_at(&self, span: Span) -> &str {
        let text = if span.is_unescaped() { &self.unescaped } else { &self.text };
        text.get(span.range()).unwrap_or_default()
    }

    /// The bytes that it takes behind its own.
    pub(super) fn heap_bytes(&self) -> usize {
        self.text.len() + self.unescaped.len() + size_of_val(&*self.nodes)
    }
}

/// An object without members.
impl Default for Document {
    fn default() -> Self {
        Self {
            text: "{}".into(),
            unescaped: Box::default(),
            nodes: Box::new([Node::empty_object()]),
            known: Places::default(),
        }
    }
}
