//! A value of a text that was read.

use serde_json::{Map, Number, Value};

use super::Document;
use super::node::{Kind, Node, Span};

/// A value of a text that was read. It is a place in that text, and is converted when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'d> {
    document: &'d Document,
    index: usize,
}

impl<'d> Json<'d> {
    pub(super) fn new(document: &'d Document, index: usize) -> Self {
        Self { document, index }
    }

    fn node(self) -> Option<&'d Node> {
        self.document.nodes.get(self.index)
    }

    fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, Node::kind)
    }

    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    pub(crate) fn is_string(self) -> bool {
        self.kind() == Kind::String
    }

    pub(crate) fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    pub(crate) fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self.kind(), Kind::Integer | Kind::Number)
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The text of a string.
    pub(crate) fn as_str(self) -> Option<&'d str> {
        Some(self.document.text_at(self.span_of_string()?))
    }

    /// The place of a string.
    pub(in crate::verify) fn span_of_string(self) -> Option<Span> {
        self.node().filter(|node| node.kind() == Kind::String).map(|node| node.span)
    }

    /// The place of an integer without fraction and exponent, of any size. A number type would round a large one.
    pub(in crate::verify) fn span_of_integer(self) -> Option<Span> {
        self.node().filter(|node| node.kind() == Kind::Integer).map(|node| node.span)
    }

    /// How it is written; of a string, its text.
    pub(in crate::verify) fn text(self) -> &'d str {
        self.node().map_or("", |node| self.document.text_at(node.span))
    }

    /// A number as `serde_json` has it.
    pub(crate) fn number(self) -> Option<Number> {
        let text = self.is_number().then(|| self.text())?;
        // Minus zero is no integer to `serde_json`.
        let whole = Some(text).filter(|text| self.kind() == Kind::Integer && *text != "-0");
        let unsigned = whole.and_then(|text| text.parse::<u64>().ok()).map(Number::from);
        unsigned
            .or_else(|| whole.and_then(|text| text.parse::<i64>().ok()).map(Number::from))
            .or_else(|| serde_json::from_str::<f64>(text).ok().and_then(Number::from_f64))
    }

    /// The elements of a list; of anything else, none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> + use<'d> {
        let end = if self.is_array() { self.after() } else { 0 };
        let mut next = Self::new(self.document, self.index + 1);
        std::iter::from_fn(move || {
            let element = (next.index < end).then_some(next)?;
            next.index = element.after();
            Some(element)
        })
    }

    /// The members of an object, with the places of their names; of anything else, none.
    pub(in crate::verify) fn members(self) -> impl Iterator<Item = (Span, Self)> + use<'d> {
        let end = if self.is_object() { self.after() } else { 0 };
        let mut next = Self::new(self.document, self.index + 1);
        std::iter::from_fn(move || {
            let name = (next.index < end).then_some(next)?;
            let value = Self::new(self.document, name.index + 1);
            next.index = value.after();
            Some((name.node()?.span, value))
        })
    }

    /// The index behind this node and all that is in it.
    fn after(self) -> usize {
        self.node().map_or(usize::MAX, Node::after)
    }

    /// The names of an object's members, and their values; of anything else, none.
    pub(crate) fn named_members(self) -> impl Iterator<Item = (&'d str, Self)> + use<'d> {
        self.members().map(move |(name, value)| (self.document.text_at(name), value))
    }

    /// The member of an object that has this name. Names are compared by their length first.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        let is_it = |span: Span| span.len() == name.len() && self.document.text_at(span) == name;
        self.members().find_map(|(span, value)| is_it(span).then_some(value))
    }

    /// Whether it is an empty string, list or object.
    pub(in crate::verify) fn has_nothing(self) -> bool {
        match self.kind() {
            Kind::String => self.text().is_empty(),
            Kind::Array | Kind::Object => self.after() == self.index + 1,
            _ => false,
        }
    }

    /// Whether it is equal to a value.
    pub(in crate::verify) fn equals(self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.as_str() == Some(text),
            Value::Bool(flag) => self.as_bool() == Some(*flag),
            other => self.to_value() == *other,
        }
    }

    /// The value as `serde_json` has it. The depth of what is in it is bounded.
    pub(crate) fn to_value(self) -> Value {
        match self.kind() {
            Kind::Null => Value::Null,
            Kind::False => Value::Bool(false),
            Kind::True => Value::Bool(true),
            Kind::Integer | Kind::Number => self.number().map_or(Value::Null, Value::Number),
            Kind::String => Value::String(self.text().to_owned()),
            Kind::Array => Value::Array(self.elements().map(Self::to_value).collect()),
            Kind::Object => Value::Object(self.to_map()),
        }
    }

    /// The members of an object; of anything else, none.
    pub(crate) fn to_map(self) -> Map<String, Value> {
        self.named_members().map(|(name, value)| (name.to_owned(), value.to_value())).collect()
    }
}
