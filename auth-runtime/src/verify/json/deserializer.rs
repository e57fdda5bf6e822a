//! Values that were read, for types of `serde`. What a value means does not depend on the features of `serde_json`, and no text is read again.

#[cfg(test)]
mod tests;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::node::Kind;
use super::scan::RESERVED;
use super::value::{Json, Numeric};

impl<'de> Json<'de> {
    fn visit_list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut elements = SeqDeserializer::new(self.elements());
        let value = visitor.visit_seq(&mut elements)?;
        elements.end()?;
        Ok(value)
    }

    fn visit_members<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut members = MapDeserializer::new(self.keyed_members());
        let value = visitor.visit_map(&mut members)?;
        members.end()?;
        Ok(value)
    }

    fn keyed_members(self) -> impl Iterator<Item = (Key<'de>, Self)> + use<'de> {
        self.named_members().map(|(name, value)| (Key(name), value))
    }

    fn visit_number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.numeric() {
            Some(Numeric::Unsigned(number)) => visitor.visit_u64(number),
            Some(Numeric::Signed(number)) => visitor.visit_i64(number),
            Some(Numeric::Float(number)) => visitor.visit_f64(number),
            None => Err(Error::custom("a number that is not finite")),
        }
    }

    /// What it is, in errors.
    fn unexpected(self) -> Unexpected<'de> {
        match (self.kind(), self.numeric()) {
            (Kind::Null, _) => Unexpected::Unit,
            (Kind::False, _) => Unexpected::Bool(false),
            (Kind::True, _) => Unexpected::Bool(true),
            (Kind::String, _) => Unexpected::Str(self.text()),
            (Kind::Array, _) => Unexpected::Seq,
            (Kind::Object, _) => Unexpected::Map,
            (_, Some(Numeric::Unsigned(number))) => Unexpected::Unsigned(number),
            (_, Some(Numeric::Signed(number))) => Unexpected::Signed(number),
            (_, Some(Numeric::Float(number))) => Unexpected::Float(number),
            (_, None) => Unexpected::Other("number"),
        }
    }
}

impl<'de> Deserializer<'de> for Json<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::False => visitor.visit_bool(false),
            Kind::True => visitor.visit_bool(true),
            Kind::Integer | Kind::Number => self.visit_number(visitor),
            Kind::String => visitor.visit_borrowed_str(self.text()),
            Kind::Array => self.visit_list(visitor),
            Kind::Object => self.visit_members(visitor),
        }
    }

    /// An integer that is too large for 64 bits is exact here.
    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.whole().and_then(|text| text.parse().ok()) {
            Some(number) => visitor.visit_u128(number),
            None => self.deserialize_any(visitor),
        }
    }

    /// As [`deserialize_u128`](Self::deserialize_u128).
    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.whole().and_then(|text| text.parse().ok()) {
            Some(number) => visitor.visit_i128(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if !name.as_bytes().starts_with(RESERVED) {
            return visitor.visit_newtype_struct(self);
        }
        // `RawValue` is the text of a value, which `serde_json` takes as an object of one member of this name.
        let quoted = self.is_string().then(|| serde_json::to_string(self.text())).transpose()?;
        let text = quoted.unwrap_or_else(|| self.text().to_owned());
        visitor.visit_map(MapDeserializer::new(std::iter::once((name, text))))
    }

    /// A string is the name of a variant without data, and an object with one member is a variant and its data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.kind() {
            Kind::String => visitor.visit_enum(BorrowedStrDeserializer::new(self.text())),
            Kind::Object if self.members().count() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(self.keyed_members())))
            }
            Kind::Object => Err(Error::invalid_value(Unexpected::Map, &"an object with a single member")),
            _ => Err(Error::invalid_type(self.unexpected(), &"string or object")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier
    }
}

impl<'de> IntoDeserializer<'de, Error> for Json<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A name of a member.
#[derive(Clone, Copy)]
struct Key<'de>(&'de str);

/// Types that are numbers or booleans in text: a map may have them as its keys.
macro_rules! keys_of_numbers {
    ($($method:ident $visit:ident $type:ty),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            // An integer has one form, or two names would be one key: `007` and `+7` are not 7.
            match self.0.parse::<$type>() {
                Ok(number) if number.to_string() == self.0 => visitor.$visit(number),
                _ => visitor.visit_borrowed_str(self.0),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    keys_of_numbers! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Key<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
