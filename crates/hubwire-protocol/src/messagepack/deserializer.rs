//! MessagePack as values: what the serializer writes, and what other libraries write for the same.
//!
//! A struct may come as a map or as an array of its fields, an integer as a float without a fraction or, as the key of a
//! map, as text (objects in JavaScript have no other keys), bytes as an array, and a point in time as the text that types
//! for it read.

use serde::{
    Deserialize,
    de::{
        self, DeserializeSeed, Error as _, IntoDeserializer as _, Unexpected, Visitor,
        value::SeqDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{
    TIMESTAMP,
    error::{MessagePackError, ReadError},
    input::{Head, Input},
};
use crate::{limits::MAX_DEPTH, raw::CAPTURE, timestamp::Timestamp};

/// Reads one value that is all of `bytes`.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
) -> Result<T, MessagePackError> {
    let mut deserializer = Deserializer::new(bytes);
    let value = T::deserialize(&mut deserializer)?;
    if !deserializer.input.is_at_end() {
        return Err(deserializer.input.malformed().into());
    }
    Ok(value)
}

#[derive(Debug)]
pub(crate) struct Deserializer<'de> {
    input: Input<'de>,
    /// How many collections are open.
    depth: usize,
    /// Whether the next value is the key of a map.
    is_key: bool,
}

impl<'de> Deserializer<'de> {
    pub(crate) fn new(bytes: &'de [u8]) -> Self {
        Self { input: Input::new(bytes), depth: 0, is_key: false }
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, MessagePackError>,
    ) -> Result<T, MessagePackError> {
        if self.depth == MAX_DEPTH {
            return Err(ReadError::TooDeep.into());
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array<V: Visitor<'de>>(
        &mut self,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        self.nested(|deserializer| {
            let mut elements = Elements { deserializer, left: count };
            let value = visitor.visit_seq(&mut elements)?;
            match elements.left {
                0 => Ok(value),
                left => Err(MessagePackError::invalid_length(count, &Fewer(count - left))),
            }
        })
    }

    fn map<V: Visitor<'de>>(
        &mut self,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        self.nested(|deserializer| {
            let mut elements = Elements { deserializer, left: count };
            let value = visitor.visit_map(&mut elements)?;
            match elements.left {
                0 => Ok(value),
                left => Err(MessagePackError::invalid_length(count, &Fewer(count - left))),
            }
        })
    }

    fn text<V: Visitor<'de>>(
        &mut self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        visitor.visit_borrowed_str(self.input.text(len)?)
    }

    /// An extension type, of which the timestamp is the only one that has a meaning here.
    fn extension<V: Visitor<'de>>(
        &mut self,
        tag: i8,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        let bytes = self.input.bytes(len)?;
        if tag != TIMESTAMP {
            let message = format_args!("a value of the extension type {tag}");
            return Err(MessagePackError::custom(message));
        }
        let timestamp = Timestamp::from_messagepack(bytes).ok_or_else(|| {
            MessagePackError::custom("a timestamp outside of the years 1 to 9999")
        })?;
        visitor.visit_string(timestamp.to_string())
    }

    /// The next value where a number is wanted.
    fn number<V: Visitor<'de>>(
        &mut self,
        is_wanted_whole: bool,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        let is_key = self.is_key;
        match self.input.peek()? {
            Head::Float64(float) if is_wanted_whole => {
                self.input.head()?;
                whole(float, visitor)
            }
            Head::Float32(float) if is_wanted_whole => {
                self.input.head()?;
                whole(float.into(), visitor)
            }
            Head::Text(len) if is_key => {
                self.input.head()?;
                let text = self.input.text(len)?;
                match (text.parse(), text.parse(), text.parse()) {
                    (Ok(number), _, _) => visitor.visit_u64(number),
                    (_, Ok(number), _) => visitor.visit_i64(number),
                    (_, _, Ok(number)) if !is_wanted_whole => visitor.visit_f64(number),
                    _ => visitor.visit_borrowed_str(text),
                }
            }
            _ => de::Deserializer::deserialize_any(self, visitor),
        }
    }
}

/// `float` as an integer, if it is one: JavaScript writes those beyond 2⁵³ as floats.
fn whole<'de, V: Visitor<'de>>(float: f64, visitor: V) -> Result<V::Value, MessagePackError> {
    // The casts saturate, so at the very ends of the ranges it is the way back that tells.
    if float >= 0.0 && (float as u64) as f64 == float && float < u64::MAX as f64 {
        visitor.visit_u64(float as u64)
    } else if float < 0.0 && (float as i64) as f64 == float {
        visitor.visit_i64(float as i64)
    } else {
        visitor.visit_f64(float)
    }
}

/// What a type wanted that left elements behind.
struct Fewer(usize);

impl de::Expected for Fewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "fewer elements: {}", self.0)
    }
}

macro_rules! numbers {
    ($is_wanted_whole:literal: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, MessagePackError> {
            self.number($is_wanted_whole, visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = MessagePackError;

    fn is_human_readable(&self) -> bool {
        true
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, MessagePackError> {
        match self.input.head()? {
            Head::Nil => visitor.visit_unit(),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Signed(number) => visitor.visit_i64(number),
            Head::Unsigned(number) => visitor.visit_u64(number),
            Head::Float32(number) => visitor.visit_f32(number),
            Head::Float64(number) => visitor.visit_f64(number),
            Head::Text(len) => self.text(len, visitor),
            Head::Binary(len) => visitor.visit_borrowed_bytes(self.input.bytes(len)?),
            Head::Array(count) => self.array(count, visitor),
            Head::Map(count) => self.map(count, visitor),
            Head::Extension(tag, len) => self.extension(tag, len, visitor),
        }
    }

    numbers! { true:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    numbers! { false: deserialize_f32 deserialize_f64 }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, MessagePackError> {
        match self.input.peek()? {
            Head::Nil => {
                self.input.head()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        if name == CAPTURE {
            let span = self.input.skip(self.depth)?;
            return visitor.visit_borrowed_bytes(self.input.span(span));
        }
        visitor.visit_newtype_struct(self)
    }

    /// Bytes are a sequence too where one is wanted: `Vec<u8>` takes both.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, MessagePackError> {
        let mut ahead = self.input.clone();
        let Head::Binary(len) = ahead.head()? else { return self.deserialize_any(visitor) };
        let bytes = ahead.bytes(len)?;
        self.input = ahead;
        let mut elements = SeqDeserializer::<_, MessagePackError>::new(bytes.iter().copied());
        let value = visitor.visit_seq(&mut elements)?;
        elements.end()?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        match self.input.head()? {
            Head::Text(len) => visitor.visit_enum(self.input.text(len)?.into_deserializer()),
            Head::Map(1) => {
                self.nested(|deserializer| visitor.visit_enum(Variant { deserializer }))
            }
            Head::Map(count) => Err(MessagePackError::invalid_length(count, &"a map of one entry")),
            _ => Err(MessagePackError::invalid_type(
                Unexpected::Other("neither a string nor a map"),
                &"the name of a variant, or a map from it to its content",
            )),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        self.input.skip(self.depth)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool char str string bytes byte_buf unit unit_struct map struct identifier
    }
}

/// The elements of an array, or the entries of a map.
struct Elements<'d, 'de> {
    deserializer: &'d mut Deserializer<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = MessagePackError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, MessagePackError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.deserializer.is_key = false;
        seed.deserialize(&mut *self.deserializer).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_, 'de> {
    type Error = MessagePackError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, MessagePackError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.deserializer.is_key = true;
        let key = seed.deserialize(&mut *self.deserializer);
        self.deserializer.is_key = false;
        key.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, MessagePackError> {
        seed.deserialize(&mut *self.deserializer)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A variant with content: the entry of a map.
struct Variant<'d, 'de> {
    deserializer: &'d mut Deserializer<'de>,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = MessagePackError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), MessagePackError> {
        let variant = seed.deserialize(&mut *self.deserializer)?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = MessagePackError;

    fn unit_variant(self) -> Result<(), MessagePackError> {
        Deserialize::deserialize(self.deserializer)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, MessagePackError> {
        seed.deserialize(self.deserializer)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        de::Deserializer::deserialize_tuple(self.deserializer, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, MessagePackError> {
        de::Deserializer::deserialize_struct(self.deserializer, "", fields, visitor)
    }
}
