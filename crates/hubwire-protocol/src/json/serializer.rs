//! Values as JSON: what serde_json writes, but texts many bytes at a time, and bytes as base64.
//!
//! serde_json looks at each byte of a text by itself, which for a kilobyte takes longer than all the rest of a call.
//! What it alone knows (how numbers look, which keys are texts, values that are written already) is left to it.

use std::{fmt::Display, io};

use base64::{prelude::BASE64_STANDARD, write::EncoderWriter};
use serde::{
    Serialize, Serializer,
    ser::{self, SerializeMap, SerializeStruct},
};
use serde_json::{Error, ser::Formatter};

use super::text::write_text;

/// How serde_json's own types are known that are written in another way than they say.
const TOKENS: &str = "$serde_json::private::";

/// Appends `value`.
pub(crate) fn to_writer<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(Json { out })
}

/// Writes one value.
struct Json<'o> {
    out: &'o mut Vec<u8>,
}

/// An array or an object that is being written.
struct Collection<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
    /// What ends it: of a variant with content the object around it too.
    end: &'static [u8],
    /// The name of the type, where it is one of serde_json's own.
    token: Option<&'static str>,
}

impl<'o> Json<'o> {
    fn foreign(self) -> serde_json::Serializer<&'o mut Vec<u8>, Base64> {
        serde_json::Serializer::with_formatter(self.out, Base64)
    }

    fn collection(self, begin: u8, end: &'static [u8]) -> Collection<'o> {
        self.out.push(begin);
        Collection { out: self.out, is_first: true, end, token: None }
    }

    /// The object of one entry that a variant with content is.
    fn variant(self, variant: &str) -> Self {
        self.out.push(b'{');
        write_text(self.out, variant);
        self.out.push(b':');
        self
    }
}

impl Collection<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Json { out: self.out })
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        self.value(value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if let Some(token) = self.token {
            return Foreign { token, name, value }.serialize(&mut Json { out: self.out }.foreign());
        }
        self.separate();
        write_text(self.out, name);
        self.out.push(b':');
        self.value(value)
    }

    fn finish(self) {
        self.out.extend_from_slice(self.end);
    }
}

macro_rules! left_to_serde_json {
    ($($method:ident($value:ty);)*) => {
        $(fn $method(self, value: $value) -> Result<(), Error> {
            self.foreign().$method(value)
        })*
    };
}

impl<'o> Serializer for Json<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Collection<'o>;
    type SerializeTuple = Collection<'o>;
    type SerializeTupleStruct = Collection<'o>;
    type SerializeTupleVariant = Collection<'o>;
    type SerializeMap = Collection<'o>;
    type SerializeStruct = Collection<'o>;
    type SerializeStructVariant = Collection<'o>;

    left_to_serde_json! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_bytes(&[u8]);
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        write_text(self.out, text);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        // Piece by piece, where serde would make a String first.
        self.foreign().collect_str(value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let Self { out } = self.variant(variant);
        value.serialize(Json { out: &mut *out })?;
        out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Collection<'o>, Error> {
        Ok(self.collection(b'[', b"]"))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Collection<'o>, Error> {
        Ok(self.collection(b'[', b"]"))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Collection<'o>, Error> {
        Ok(self.collection(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Collection<'o>, Error> {
        Ok(self.variant(variant).collection(b'[', b"]}"))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Collection<'o>, Error> {
        Ok(self.collection(b'{', b"}"))
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Collection<'o>, Error> {
        if name.starts_with(TOKENS) {
            return Ok(Collection { out: self.out, is_first: true, end: b"", token: Some(name) });
        }
        Ok(self.collection(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Collection<'o>, Error> {
        Ok(self.variant(variant).collection(b'{', b"}}"))
    }
}

macro_rules! collections {
    ($($collection:ident: $method:ident($($name:ident)?) => $add:ident;)*) => {
        $(impl ser::$collection for Collection<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), Error> {
                self.$add($($name,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
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

impl SerializeMap for Collection<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        Key(key).serialize(&mut serde_json::Serializer::with_formatter(&mut *self.out, KeyAlone))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

/// A type of serde_json's own, as it shows itself.
struct Foreign<'f, T: ?Sized> {
    token: &'static str,
    name: &'static str,
    value: &'f T,
}

impl<T: Serialize + ?Sized> Serialize for Foreign<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct(self.token, 1)?;
        fields.serialize_field(self.name, self.value)?;
        fields.end()
    }
}

/// A key, in an object around nothing else.
struct Key<'k, K: ?Sized>(&'k K);

impl<K: Serialize + ?Sized> Serialize for Key<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_key(self.0)?;
        map.end()
    }
}

/// Writes of that object the key.
struct KeyAlone;

impl Formatter for KeyAlone {
    fn begin_object<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        Ok(())
    }
}

/// The compact form, in which `serialize_bytes` gives base64 instead of an array of numbers: as .NET has it, and clients expect.
struct Base64;

impl Formatter for Base64 {
    fn write_byte_array<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        value: &[u8],
    ) -> io::Result<()> {
        self.begin_string(writer)?;
        // Nothing of the alphabet needs an escape.
        let mut encoder = EncoderWriter::new(&mut *writer, &BASE64_STANDARD);
        io::Write::write_all(&mut encoder, value)?;
        encoder.finish()?;
        drop(encoder);
        self.end_string(writer)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::{json, value::RawValue};

    use super::to_writer;

    /// One of each that serde knows.
    #[derive(Serialize)]
    enum Shape {
        Point,
        Circle(f64),
        Line(i8, &'static str),
        Named { name: Option<&'static str>, whole: bool },
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Pair(u128, i128);

    #[derive(Serialize)]
    struct All {
        unit: Unit,
        pair: Pair,
        shapes: [Shape; 4],
        letters: (char, char),
        floats: [f32; 3],
        doubles: [f64; 4],
        empty: (Vec<u8>, BTreeMap<u8, u8>, [u8; 0]),
        by_number: BTreeMap<i16, &'static str>,
        by_letter: BTreeMap<char, ()>,
        by_truth: BTreeMap<bool, u64>,
        raw: Box<RawValue>,
        value: serde_json::Value,
    }

    fn check<T: Serialize + ?Sized>(value: &T) {
        let mut out = Vec::new();
        match (to_writer(&mut out, value), serde_json::to_string(value)) {
            (Ok(()), Ok(expected)) => assert_eq!(String::from_utf8(out).unwrap(), expected),
            (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
            (ours, theirs) => panic!("{ours:?}, {theirs:?}"),
        }
    }

    #[test]
    fn every_kind_of_value_is_written_as_serde_json_does() {
        check(&All {
            unit: Unit,
            pair: Pair(u128::MAX, i128::MIN),
            shapes: [
                Shape::Point,
                Shape::Circle(1.0),
                Shape::Line(-1, "\n"),
                Shape::Named { name: Some("\""), whole: true },
            ],
            letters: ('"', 'ß'),
            floats: [0.1, f32::NAN, 1e30],
            doubles: [0.1, f64::INFINITY, 1e300, -0.0],
            empty: (Vec::new(), BTreeMap::new(), []),
            by_number: BTreeMap::from([(-1, "a"), (2, "b")]),
            by_letter: BTreeMap::from([('"', ())]),
            by_truth: BTreeMap::from([(false, 0), (true, u64::MAX)]),
            raw: RawValue::from_string("{ \"as\": [\"it\" , \"is\"] }".to_owned()).unwrap(),
            value: json!({"a": [1, 2.5, null, {"b": "\u{1e}"}], "": {}}),
        });
    }

    #[test]
    fn what_has_no_form_is_the_same_error() {
        check(&BTreeMap::from([([1], 2)]));
        check(&BTreeMap::from([((), 2)]));
        check(&BTreeMap::from([(Some("a"), 2)]));
    }
}
