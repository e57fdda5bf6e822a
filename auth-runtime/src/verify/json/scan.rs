//! The one pass over a text.

use std::cell::RefCell;
use std::hash::BuildHasher;

use super::Document;
use super::member_names::{MemberNames, OpenMember, Places, has_duplicate};
use super::node::{Kind, Node, Span};
use super::text::{special, unescape};

/// The maximum nesting depth. The outermost object counts as 1.
const MAX_DEPTH: usize = 16;

/// The maximum number of members of one object.
const MAX_MEMBERS: usize = 256;

/// The prefix of names that have a special meaning to `serde_json`.
pub(super) const RESERVED: &[u8] = b"$serde_json::private::";

/// Up to how many bytes a number without exponent is certainly finite.
const SURELY_FINITE: usize = 300;

/// The space that a thread keeps: what is kept of a text has exactly the size that it needs.
#[derive(Default)]
struct Space {
    nodes: Vec<Node>,
    open: Vec<OpenMember>,
    table: Vec<u16>,
    unescaped: String,
}

impl Space {
    /// How much of it a thread keeps: more than tokens need.
    const KEPT: usize = 4096;

    fn clear(&mut self) {
        self.nodes.clear();
        self.open.clear();
        self.unescaped.clear();
        self.nodes.shrink_to(Self::KEPT);
        self.open.shrink_to(Self::KEPT);
        self.unescaped.shrink_to(Self::KEPT);
    }
}

/// Reads one object.
pub(super) fn read(text: Box<str>) -> Option<Document> {
    thread_local! {
        static SPACE: RefCell<Space> = RefCell::default();
    }
    let names = MemberNames::of_process();
    let mut text = Some(text);
    let read = SPACE.try_with(|space| {
        let mut space = space.try_borrow_mut().ok()?;
        let document = read_with(text.take()?, names, &mut space);
        // A thread does not keep the space that a large text took.
        space.clear();
        Some(document)
    });
    match read {
        Ok(Some(document)) => document,
        // A thread that ends has no space any more.
        _ => read_with(text?, names, &mut Space::default()),
    }
}

#[cfg(test)]
pub(super) fn read_hashed_by<S: BuildHasher>(text: &str, state: S) -> Option<Document> {
    read_with(text.into(), &MemberNames::new(state), &mut Space::default())
}

fn read_with<S: BuildHasher>(text: Box<str>, names: &MemberNames<S>, space: &mut Space) -> Option<Document> {
    // Nodes of another text would be those of this one, if a panic had left them here.
    space.clear();
    if text.len() > Span::LONGEST {
        return None;
    }
    let mut scanner =
        Scanner { text: &text, bytes: text.as_bytes(), at: 0, names, space, known: Places::default() };
    scanner.document()?;
    let known = scanner.known;
    Some(Document {
        unescaped: space.unescaped.as_str().into(),
        nodes: space.nodes.as_slice().into(),
        text,
        known,
    })
}

struct Scanner<'s, S> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    names: &'s MemberNames<S>,
    space: &'s mut Space,
    known: Places,
}

impl<S: BuildHasher> Scanner<'_, S> {
    fn document(&mut self) -> Option<()> {
        self.expect(b'{')?;
        self.object(1)?;
        self.next();
        (self.at == self.bytes.len()).then_some(())
    }

    /// The byte here; 0, which begins nothing, at the end.
    fn here(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Skips space. Returns the byte behind it.
    fn next(&mut self) -> u8 {
        loop {
            let byte = self.here();
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
    }

    /// Skips space, and this byte.
    fn expect(&mut self, byte: u8) -> Option<()> {
        if self.next() != byte {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// Returns whether this byte is here, and skips it then.
    fn is_here(&mut self, byte: u8) -> bool {
        let is_here = self.here() == byte;
        self.at += usize::from(is_here);
        is_here
    }

    fn push(&mut self, kind: Kind, span: Span) {
        let after = self.space.nodes.len() + 1;
        self.space.nodes.push(Node::new(kind, span, after));
    }

    /// Reads a value that is in an object or a list of this depth.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.next() {
            b'"' => {
                self.at += 1;
                self.string().map(drop)
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'{' if depth < MAX_DEPTH => {
                self.at += 1;
                self.object(depth + 1)
            }
            b'[' if depth < MAX_DEPTH => {
                self.at += 1;
                self.array(depth + 1)
            }
            b't' => self.literal("true", Kind::True),
            b'f' => self.literal("false", Kind::False),
            b'n' => self.literal("null", Kind::Null),
            _ => None,
        }
    }

    /// Reads an object from behind its brace.
    fn object(&mut self, depth: usize) -> Option<()> {
        let (start, node, first) = (self.at - 1, self.space.nodes.len(), self.space.open.len());
        self.push(Kind::Object, Span::in_text(0..0));
        if self.next() != b'}' {
            loop {
                self.member(depth, first)?;
                if self.next() != b',' {
                    break;
                }
                self.at += 1;
            }
        }
        self.expect(b'}')?;
        self.check_names(first)?;
        self.close(Kind::Object, node, start)
    }

    /// Reads a list from behind its bracket.
    fn array(&mut self, depth: usize) -> Option<()> {
        let (start, node) = (self.at - 1, self.space.nodes.len());
        self.push(Kind::Array, Span::in_text(0..0));
        if self.next() != b']' {
            loop {
                self.value(depth)?;
                if self.next() != b',' {
                    break;
                }
                self.at += 1;
            }
        }
        self.expect(b']')?;
        self.close(Kind::Array, node, start)
    }

    /// Sets where a value ends that has others in it.
    fn close(&mut self, kind: Kind, node: usize, start: usize) -> Option<()> {
        let after = self.space.nodes.len();
        *self.space.nodes.get_mut(node)? = Node::new(kind, Span::in_text(start..self.at), after);
        Some(())
    }

    /// Reads a name and its value, in an object of this depth, of which the first open member is `first`.
    fn member(&mut self, depth: usize, first: usize) -> Option<()> {
        self.expect(b'"')?;
        let node = self.space.nodes.len();
        let span = self.string()?;
        let name = name_at(span, self.bytes, &self.space.unescaped)?;
        let hash = self.names.hash(name);
        if name.starts_with(RESERVED) || self.space.open.len() - first == MAX_MEMBERS {
            return None;
        }
        if depth == 1
            && let Some(known) = self.names.known(hash, name)
        {
            self.known.set(known, node + 1);
        }
        self.space.open.push(OpenMember { hash, node });
        self.expect(b':')?;
        self.value(depth)
    }

    /// Checks that no name of an object appears twice, and forgets the names.
    fn check_names(&mut self, first: usize) -> Option<()> {
        let Space { nodes, open, table, unescaped } = &mut *self.space;
        let name = |node: usize| name_at(nodes.get(node)?.span, self.bytes, unescaped);
        let are_equal = |one: usize, other: usize| name(one) == name(other);
        let is_strict = !has_duplicate(open.get(first..)?, table, are_equal);
        open.truncate(first);
        is_strict.then_some(())
    }

    /// Reads a string from behind its first quote.
    fn string(&mut self) -> Option<Span> {
        let start = self.at;
        self.at = special(self.bytes, start);
        let span = match self.here() {
            b'"' => Span::in_text(start..self.at),
            b'\\' => self.escaped(start)?,
            _ => return None,
        };
        self.at += 1;
        self.push(Kind::String, span);
        Some(span)
    }

    /// Reads the rest of a string that begins at `start`, from its first escape up to its last quote.
    fn escaped(&mut self, start: usize) -> Option<Span> {
        let (begin, mut plain) = (self.space.unescaped.len(), start);
        loop {
            self.space.unescaped.push_str(self.text.get(plain..self.at)?);
            match self.here() {
                b'"' => return Some(Span::in_unescaped(begin..self.space.unescaped.len())),
                b'\\' => self.at += 1,
                _ => return None,
            }
            self.at += unescape(self.bytes.get(self.at..)?, &mut self.space.unescaped)?;
            plain = self.at;
            self.at = special(self.bytes, plain);
        }
    }

    fn literal(&mut self, text: &str, kind: Kind) -> Option<()> {
        let end = self.at + text.len();
        (self.bytes.get(self.at..end)? == text.as_bytes()).then_some(())?;
        self.push(kind, Span::in_text(self.at..end));
        self.at = end;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        self.is_here(b'-');
        if !self.is_here(b'0') {
            self.digits()?;
        }
        let mut kind = Kind::Integer;
        if self.is_here(b'.') {
            kind = Kind::Number;
            self.digits()?;
        }
        let has_exponent = matches!(self.here(), b'e' | b'E');
        if has_exponent {
            kind = Kind::Number;
            self.at += 1;
            if matches!(self.here(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        if has_exponent || self.at - start > SURELY_FINITE {
            // Too large for a double is an error.
            serde_json::from_str::<f64>(self.text.get(start..self.at)?).ok()?;
        }
        self.push(kind, Span::in_text(start..self.at));
        Some(())
    }

    /// Skips one digit or more.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.here().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// A name, which is in the text or among the strings without escapes.
fn name_at<'s>(span: Span, text: &'s [u8], unescaped: &'s str) -> Option<&'s [u8]> {
    let bytes = if span.is_unescaped() { unescaped.as_bytes() } else { text };
    bytes.get(span.range())
}

#[cfg(test)]
mod tests {
    use super::{MemberNames, OpenMember, Places, Scanner, Space, read_with};

    /// Reads a text up to its end or an error, and leaves all that was read in the space.
    fn leave(text: &str, space: &mut Space) {
        let names = MemberNames::of_process();
        let known = Places::default();
        let _ = Scanner { text, bytes: text.as_bytes(), at: 0, names, space, known }.document();
    }

    #[test]
    fn nothing_that_was_left_in_the_space_is_read() {
        let text = r#"{"sub":"bob","\u0061":"\u0062","list":[{"x":1}]}"#;
        for left in [r#"{"sub":"alice","\u0061":"al\u0069ce","admin":true}"#, r#"{"a":[{"sub":"al\u0069ce","#]
        {
            let mut space = Space::default();
            leave(left, &mut space);
            space.open.push(OpenMember { hash: 0, node: 1 });
            assert!(!space.nodes.is_empty() && !space.unescaped.is_empty());
            let read = read_with(text.into(), MemberNames::of_process(), &mut space).unwrap();
            let expected: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(read.root().to_value(), expected);
            assert_eq!(read.heap_bytes(), super::read(text.into()).unwrap().heap_bytes());
        }
    }
}
