//! What somebody writes who knows the tokens of one issuer: the signature, and one strict pass over the claims into a type.
//!
//! It is as strict as the library: no name appears twice at any depth, no lone surrogate, at most 16 levels and 256 members. It knows the
//! header by heart, and its names are hashed.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::NO_PAD;
use base64::engine::Simd;

/// The claims that a service reads.
#[derive(Debug, Default)]
#[allow(dead_code)]
pub struct Claims {
    pub iss: Option<String>,
    pub sub: Option<String>,
    pub aud: Vec<String>,
    pub exp: Option<i64>,
    pub nbf: Option<i64>,
    pub iat: Option<i64>,
    pub jti: Option<String>,
    pub roles: Vec<String>,
    pub scope: Vec<String>,
}

/// Whether a signature of a message is valid.
pub type BareCheck = Box<dyn Fn(&[u8], &[u8]) -> bool>;

pub struct ByHand {
    pub header: String,
    pub bare: BareCheck,
    pub engine: Simd,
}

impl ByHand {
    pub fn new(token: &str, bare: BareCheck) -> Self {
        let header = token.split('.').next().unwrap().to_owned();
        Self { header, bare, engine: Simd::url_safe(NO_PAD) }
    }

    /// Verifies a token.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        if header != self.header {
            return None;
        }
        let mut buffer = [0; 514];
        let length = self.engine.decode_slice(signature, &mut buffer).ok()?;
        if !(self.bare)(message.as_bytes(), buffer.get(..length)?) {
            return None;
        }
        let payload = self.engine.decode(payload).ok()?;
        let claims = read(std::str::from_utf8(&payload).ok()?)?;
        let is_ours = claims.iss.as_deref() == Some("https://id.example.com")
            && claims.aud.iter().any(|aud| aud == "orders")
            && claims.exp.is_some();
        is_ours.then_some(claims)
    }
}

/// Reads one strict object.
pub fn read(text: &str) -> Option<Claims> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        names: Vec::with_capacity(32),
        state: foldhash::fast::RandomState::default(),
    };
    let mut claims = Claims::default();
    reader.object(1, |reader, name| {
        match name {
            "iss" => claims.iss = Some(reader.text()?.into_owned()),
            "sub" => claims.sub = Some(reader.text()?.into_owned()),
            "aud" => claims.aud = reader.texts()?,
            "exp" => claims.exp = Some(reader.seconds()?),
            "nbf" => claims.nbf = Some(reader.seconds()?),
            "iat" => claims.iat = Some(reader.seconds()?),
            "jti" => claims.jti = Some(reader.text()?.into_owned()),
            "roles" => claims.roles = reader.texts()?,
            "scope" => claims.scope = reader.text()?.split(' ').map(str::to_owned).collect(),
            _ => reader.skip(1)?,
        }
        Some(())
    })?;
    reader.space();
    (reader.at == text.len()).then_some(claims)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// The names of the objects that are open, with their hashes.
    names: Vec<(u64, Cow<'t, str>)>,
    state: foldhash::fast::RandomState,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.space();
        self.is_next(byte).then_some(())
    }

    fn is_next(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    fn object(&mut self, depth: usize, mut member: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        let first = self.names.len();
        self.space();
        if depth > 16 {
            return None;
        }
        if self.is_next(b'}') {
            return Some(());
        }
        loop {
            let name = self.text()?;
            let mut hasher = self.state.build_hasher();
            hasher.write(name.as_bytes());
            let hash = hasher.finish();
            let earlier = &self.names[first..];
            let is_known = earlier.iter().any(|(other, known)| *other == hash && *known == name);
            if is_known || earlier.len() == 256 || name.starts_with("$serde_json::private::") {
                return None;
            }
            self.names.push((hash, name.clone()));
            self.expect(b':')?;
            self.space();
            member(self, &name)?;
            self.space();
            if !self.is_next(b',') {
                self.names.truncate(first);
                return self.expect(b'}');
            }
        }
    }

    fn array(&mut self, depth: usize, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'[')?;
        if depth > 16 {
            return None;
        }
        self.space();
        if self.is_next(b']') {
            return Some(());
        }
        loop {
            self.space();
            element(self)?;
            self.space();
            if !self.is_next(b',') {
                return self.expect(b']');
            }
        }
    }

    /// A value that nothing asks for: it is checked all the same.
    fn skip(&mut self, depth: usize) -> Option<()> {
        match self.peek() {
            b'{' => self.object(depth + 1, |reader, _| reader.skip(depth + 1)),
            b'[' => self.array(depth + 1, |reader| reader.skip(depth + 1)),
            b'"' => self.text().map(drop),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number().map(drop),
        }
    }

    fn literal(&mut self, text: &str) -> Option<()> {
        let is_it = self.text.get(self.at..)?.starts_with(text);
        self.at += text.len();
        is_it.then_some(())
    }

    fn text(&mut self) -> Option<Cow<'t, str>> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.peek() {
                b'"' => break,
                b'\\' => return self.escaped(start),
                ..b' ' => return None,
                _ => self.at += 1,
            }
        }
        let text = self.text.get(start..self.at)?;
        self.at += 1;
        Some(Cow::Borrowed(text))
    }

    /// Escapes are rare: `serde_json` reads them.
    fn escaped(&mut self, start: usize) -> Option<Cow<'t, str>> {
        loop {
            match self.peek() {
                b'"' => break,
                b'\\' => self.at += 2,
                ..b' ' => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start - 1..self.at)?).ok().map(Cow::Owned)
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        if self.peek() == b'"' {
            return Some(vec![self.text()?.into_owned()]);
        }
        let mut texts = Vec::new();
        self.array(2, |reader| {
            texts.push(reader.text()?.into_owned());
            Some(())
        })?;
        Some(texts)
    }

    fn number(&mut self) -> Option<&'t str> {
        let start = self.at;
        self.is_next(b'-');
        if !self.is_next(b'0') {
            self.digits()?;
        }
        if self.is_next(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
            serde_json::from_str::<f64>(self.text.get(start..self.at)?).ok()?;
        }
        self.text.get(start..self.at)
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn seconds(&mut self) -> Option<i64> {
        self.number()?.parse().ok()
    }
}
