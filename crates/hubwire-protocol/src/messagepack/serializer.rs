//! Values as MessagePack: structs are maps, unit variants their names, `()` and `None` nil.
//!
//! Human-readable, because what .NET and JavaScript expect is text: an id is `"67e5…"`, not 16 bytes. What has a form of
//! its own in MessagePack hands it over under the name [`VERBATIM`].

use serde::{
    Serialize,
    ser::{self, Error as _},
};

use super::{error::MessagePackError, output};
use crate::transcode::transcode;

/// The newtype struct whose content has a form of its own in MessagePack; see [`forms`](crate::forms).
pub(crate) const VERBATIM: &str = "$hubwire_protocol::Verbatim";

/// Appends `value`.
pub(crate) fn to_writer<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), MessagePackError> {
    value.serialize(&mut Serializer { out, content: Content::Value })
}

/// Appends a value that is written as JSON, within the depth that serde_json reads.
pub(crate) fn transcode_json(out: &mut Vec<u8>, json: &[u8]) -> Result<(), MessagePackError> {
    let mut from = serde_json::Deserializer::from_slice(json);
    transcode(&mut from, &mut Serializer { out, content: Content::Value })
}

#[derive(Debug)]
pub(super) struct Serializer<'o> {
    out: &'o mut Vec<u8>,
    content: Content,
}

/// What is about to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Content {
    /// Any value.
    Value,
    /// Something that has a form of its own and is told so: it is asked whether it knows whom it is told by.
    Asked,
    /// One value of MessagePack, as bytes.
    Verbatim,
}

impl<'o> Serializer<'o> {
    /// A collection of `announced` elements; where a type announces none or counts wrongly, its head is put right in the
    /// end.
    fn begin(
        &mut self,
        kind: Kind,
        announced: Option<usize>,
    ) -> Result<Collection<'_, 'o>, MessagePackError> {
        let start = self.out.len();
        let announced = announced.map(count).transpose()?;
        kind.write(self.out, announced.unwrap_or(0));
        let head = self.out.len();
        Ok(Collection { serializer: self, kind, start, head, announced, found: 0 })
    }

    /// The map of one entry that a variant with content is, as in JSON.
    fn variant(&mut self, variant: &str) {
        output::map(self.out, 1);
        output::text(self.out, variant);
    }
}

fn count(count: usize) -> Result<u32, MessagePackError> {
    u32::try_from(count).map_err(|_| MessagePackError::custom("more than 2^32 elements"))
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Array,
    Map,
}

impl Kind {
    fn write(self, out: &mut Vec<u8>, count: u32) {
        match self {
            Self::Array => output::array(out, count),
            Self::Map => output::map(out, count),
        }
    }
}

/// An array or a map that is being written.
#[derive(Debug)]
pub(super) struct Collection<'s, 'o> {
    serializer: &'s mut Serializer<'o>,
    kind: Kind,
    start: usize,
    /// Where its head ends.
    head: usize,
    announced: Option<u32>,
    found: usize,
}

impl Collection<'_, '_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), MessagePackError> {
        value.serialize(&mut *self.serializer)
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), MessagePackError> {
        self.found += 1;
        self.value(value)
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), MessagePackError> {
        output::text(self.serializer.out, name);
        self.element(value)
    }

    fn finish(self) -> Result<(), MessagePackError> {
        let found = count(self.found)?;
        if self.announced != Some(found) {
            let mut head = Vec::new();
            self.kind.write(&mut head, found);
            self.serializer.out.splice(self.start..self.head, head);
        }
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident($number:ty) => $write:ident;)*) => {
        $(fn $method(self, number: $number) -> Result<(), MessagePackError> {
            output::$write(self.out, number.into());
            Ok(())
        })*
    };
}

impl<'s, 'o> ser::Serializer for &'s mut Serializer<'o> {
    type Ok = ();
    type Error = MessagePackError;
    type SerializeSeq = Collection<'s, 'o>;
    type SerializeTuple = Collection<'s, 'o>;
    type SerializeTupleStruct = Collection<'s, 'o>;
    type SerializeTupleVariant = Collection<'s, 'o>;
    type SerializeMap = Collection<'s, 'o>;
    type SerializeStruct = Collection<'s, 'o>;
    type SerializeStructVariant = Collection<'s, 'o>;

    fn is_human_readable(&self) -> bool {
        self.content != Content::Asked
    }

    numbers! {
        serialize_bool(bool) => boolean;
        serialize_i8(i8) => signed;
        serialize_i16(i16) => signed;
        serialize_i32(i32) => signed;
        serialize_i64(i64) => signed;
        serialize_u8(u8) => unsigned;
        serialize_u16(u16) => unsigned;
        serialize_u32(u32) => unsigned;
        serialize_u64(u64) => unsigned;
        serialize_f32(f32) => float32;
        serialize_f64(f64) => float64;
    }

    fn serialize_i128(self, number: i128) -> Result<(), MessagePackError> {
        match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => self.serialize_u64(number),
            (_, Ok(number)) => self.serialize_i64(number),
            _ => Err(MessagePackError::custom("MessagePack has no integers beyond 64 bits")),
        }
    }

    fn serialize_u128(self, number: u128) -> Result<(), MessagePackError> {
        self.serialize_i128(number.try_into().unwrap_or(i128::MAX))
    }

    fn serialize_char(self, value: char) -> Result<(), MessagePackError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), MessagePackError> {
        count(text.len())?;
        output::text(self.out, text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), MessagePackError> {
        count(bytes.len())?;
        if self.content == Content::Verbatim {
            self.out.extend_from_slice(bytes);
        } else {
            output::binary(self.out, bytes);
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), MessagePackError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), MessagePackError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), MessagePackError> {
        output::nil(self.out);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), MessagePackError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), MessagePackError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), MessagePackError> {
        if name != VERBATIM {
            return value.serialize(self);
        }
        let content = match self.content {
            Content::Value => Content::Asked,
            Content::Asked | Content::Verbatim => Content::Verbatim,
        };
        value.serialize(&mut Serializer { out: self.out, content })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), MessagePackError> {
        self.variant(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Collection<'s, 'o>, MessagePackError> {
        self.begin(Kind::Array, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Collection<'s, 'o>, MessagePackError> {
        self.begin(Kind::Array, Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Collection<'s, 'o>, MessagePackError> {
        self.begin(Kind::Array, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Collection<'s, 'o>, MessagePackError> {
        self.variant(variant);
        self.begin(Kind::Array, Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Collection<'s, 'o>, MessagePackError> {
        self.begin(Kind::Map, len)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Collection<'s, 'o>, MessagePackError> {
        self.begin(Kind::Map, Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Collection<'s, 'o>, MessagePackError> {
        self.variant(variant);
        self.begin(Kind::Map, Some(len))
    }
}

macro_rules! collections {
    ($($collection:ident: $method:ident($($name:ident)?) => $add:ident;)*) => {
        $(impl ser::$collection for Collection<'_, '_> {
            type Ok = ();
            type Error = MessagePackError;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), MessagePackError> {
                self.$add($($name,)? value)
            }

            fn end(self) -> Result<(), MessagePackError> {
                self.finish()
            }
        })*
    };
}

collections! {
    SerializeSeq: serialize_element() => element;
    SerializeTuple: serialize_element() => element;
    SerializeTupleStruct: serialize_field() => element;
    SerializeTupleVariant: serialize_field() => element;
    SerializeStruct: serialize_field(name) => field;
    SerializeStructVariant: serialize_field(name) => field;
}

impl ser::SerializeMap for Collection<'_, '_> {
    type Ok = ();
    type Error = MessagePackError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), MessagePackError> {
        self.value(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), MessagePackError> {
        self.element(value)
    }

    fn end(self) -> Result<(), MessagePackError> {
        self.finish()
    }
}
