//! A name or a value, as a place in the text that was read.

use std::ops::Range;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Null,
    False,
    True,
    /// A number without fraction and exponent.
    Integer,
    /// Any other number.
    Number,
    /// A string, or the name of a member: its value is the next node.
    String,
    Array,
    Object,
}

/// A place in the text, or in the strings without their escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    /// The length; the highest bit says that it is a place in the strings without escapes.
    length: u32,
}

/// A name or a value. The nodes are in the order of the text: those in an object or a list come behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Of a string, what is between the quotes.
    pub(super) span: Span,
    /// The index of the first node behind this one and all that is in it, and the kind in the lowest bits.
    after: u32,
}

impl Span {
    /// The longest text that is read: a quarter of what the numbers could hold.
    pub(super) const LONGEST: usize = 1 << 28;

    const UNESCAPED: u32 = 1 << 31;

    /// A place in the text. Texts are never longer than `LONGEST`.
    pub(super) fn in_text(range: Range<usize>) -> Self {
        Self { start: number(range.start), length: number(range.end.saturating_sub(range.start)) }
    }

    /// A place in the strings without escapes.
    pub(super) fn in_unescaped(range: Range<usize>) -> Self {
        let Self { start, length } = Self::in_text(range);
        Self { start, length: length | Self::UNESCAPED }
    }

    pub(super) fn is_unescaped(self) -> bool {
        self.length & Self::UNESCAPED != 0
    }

    pub(super) fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len()
    }

    /// The length in bytes.
    pub(in crate::verify) fn len(self) -> usize {
        (self.length & !Self::UNESCAPED) as usize
    }

    /// A part of it, in bytes from its start.
    pub(in crate::verify) fn part(self, range: Range<usize>) -> Self {
        let length = number(range.end.saturating_sub(range.start));
        Self { start: self.start + number(range.start), length: length | (self.length & Self::UNESCAPED) }
    }
}

impl Node {
    const KIND_BITS: u32 = 3;

    pub(super) fn new(kind: Kind, span: Span, after: usize) -> Self {
        Self { span, after: number(after) << Self::KIND_BITS | kind as u32 }
    }

    /// An object of which the text is `{}`.
    pub(super) fn empty_object() -> Self {
        Self::new(Kind::Object, Span::in_text(0..2), 1)
    }

    pub(super) fn kind(&self) -> Kind {
        const KINDS: [Kind; 8] = [
            Kind::Null,
            Kind::False,
            Kind::True,
            Kind::Integer,
            Kind::Number,
            Kind::String,
            Kind::Array,
            Kind::Object,
        ];
        let index = (self.after & ((1 << Self::KIND_BITS) - 1)) as usize;
        KINDS.get(index).copied().unwrap_or(Kind::Null)
    }

    pub(super) fn after(&self) -> usize {
        (self.after >> Self::KIND_BITS) as usize
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
