use std::{borrow::Cow, fmt, str};

use bytes::Bytes;
use bytestring::ByteString;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::{ParseError, json::depth};

/// How much of a header's name an error repeats: it may be as long as the message, and errors go to logs.
const SHOWN_NAME: usize = 64;

/// Reads `text` as one JSON object whose properties go to `into` in the order in which they come, so that the last of
/// several with one name wins.
pub(crate) fn read_object<'a>(
    text: &'a [u8],
    into: &mut impl Properties<'a>,
) -> Result<(), ParseError> {
    let text = str::from_utf8(text)
        .map_err(|error| ParseError::InvalidUtf8 { offset: error.valid_up_to() })?;
    depth::check(text.as_bytes())?;
    let Some(first) = text.bytes().find(|byte| !b" \t\r\n".contains(byte)) else {
        return Err(ParseError::Empty);
    };
    let mut blame = ParseError::NotAnObject { found: token_type(first) };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Object { into, blame: &mut blame }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| {
            if error.is_data() {
                blame
            } else {
                ParseError::Malformed { offset: offset(text, &error) }
            }
        })
}

/// Takes the properties of an object.
pub(crate) trait Properties<'a> {
    /// Reads the value of the property `name`.
    fn read<A: MapAccess<'a>>(
        &mut self,
        name: &str,
        value: PropertyValue<'_, A>,
    ) -> Result<(), A::Error>;
}

/// The value of a property, not read yet. Exactly one of its methods must be called.
pub(crate) struct PropertyValue<'r, A> {
    map: &'r mut A,
    /// What is wrong with the message if reading stops here for another reason than syntax.
    blame: &'r mut ParseError,
}

impl<'a, A: MapAccess<'a>> PropertyValue<'_, A> {
    pub(crate) fn any(self) -> Result<&'a RawValue, A::Error> {
        self.map.next_value()
    }

    pub(crate) fn boolean(self, property: &'static str) -> Result<bool, A::Error> {
        *self.blame = ParseError::WrongType { property, expected: "true or false" };
        self.map.next_value()
    }

    pub(crate) fn elements<T: Deserialize<'a>>(
        self,
        property: &'static str,
        limit: usize,
        expected: &'static str,
    ) -> Result<SmallVec<[T; 4]>, A::Error> {
        *self.blame = ParseError::WrongType { property, expected: "of type Array" };
        let mut elements = SmallVec::new();
        let into = &mut elements;
        let list = List { into, blame: self.blame, property, limit, expected };
        self.map.next_value_seed(list)?;
        Ok(elements)
    }

    pub(crate) fn headers(
        self,
        property: &'static str,
        limit: usize,
    ) -> Result<Vec<(Text<'a>, Text<'a>)>, A::Error> {
        *self.blame = ParseError::WrongType { property, expected: "of type Object" };
        let mut texts = Vec::new();
        let into = &mut texts;
        self.map.next_value_seed(TextMap { into, blame: self.blame, property, limit })?;
        Ok(texts)
    }

    pub(crate) fn number<T: Deserialize<'a>>(self, property: &'static str) -> Result<T, A::Error> {
        *self.blame = ParseError::WrongType { property, expected: "of type Number" };
        self.map.next_value()
    }

    pub(crate) fn skip(self) -> Result<(), A::Error> {
        self.map.next_value::<IgnoredAny>().map(drop)
    }

    pub(crate) fn text(self, property: &'static str) -> Result<Text<'a>, A::Error> {
        *self.blame = ParseError::WrongType { property, expected: "of type String" };
        self.map.next_value()
    }
}

/// A text that is copied only if it has escapes. (Serde's own `Cow` always copies.)
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// The text as a slice of the frame it lies in.
    pub(crate) fn share(self, frame: &Bytes) -> ByteString {
        match self.0 {
            Cow::Borrowed(text) => ByteString::try_from(frame.slice_ref(text.as_bytes()))
                .expect("a slice that was a str stays one"),
            Cow::Owned(text) => text.into(),
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0.into_owned()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;

        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(AnyText)
    }
}

struct Object<'o, P> {
    into: &'o mut P,
    blame: &'o mut ParseError,
}

impl<'de, P: Properties<'de>> DeserializeSeed<'de> for Object<'_, P> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, P: Properties<'de>> Visitor<'de> for Object<'_, P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let value = PropertyValue { map: &mut map, blame: self.blame };
            self.into.read(name.as_str(), value)?;
        }
        Ok(())
    }
}

struct List<'l, T> {
    into: &'l mut SmallVec<[T; 4]>,
    blame: &'l mut ParseError,
    property: &'static str,
    limit: usize,
    expected: &'static str,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for List<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { into, blame, property, limit, expected } = self;
        *blame = ParseError::WrongType { property, expected };
        while let Some(element) = seq.next_element()? {
            if into.len() == limit {
                *blame = ParseError::TooMany { property, limit };
                return Err(A::Error::custom("too many elements"));
            }
            into.push(element);
        }
        Ok(())
    }
}

struct TextMap<'t, 'de> {
    into: &'t mut Vec<(Text<'de>, Text<'de>)>,
    blame: &'t mut ParseError,
    property: &'static str,
    limit: usize,
}

impl<'de> DeserializeSeed<'de> for TextMap<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TextMap<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { into, blame, property, limit } = self;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            if into.len() == limit {
                *blame = ParseError::TooMany { property, limit };
                return Err(A::Error::custom("too many entries"));
            }
            *blame = ParseError::WrongHeader { name: name.0.chars().take(SHOWN_NAME).collect() };
            into.push((name, map.next_value()?));
        }
        Ok(())
    }
}

/// What .NET's reader calls the value that begins with `first`.
fn token_type(first: u8) -> &'static str {
    match first {
        b'[' => "Array",
        b'f' => "False",
        b'n' => "Null",
        b'"' => "String",
        b't' => "True",
        _ => "Number",
    }
}

/// Where in `text` reading stopped; serde_json counts lines, and within a line the bytes that it has taken.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    if error.is_eof() {
        return text.len();
    }
    let lines_before = error.line().saturating_sub(1);
    let line_start = match lines_before {
        0 => 0,
        _ => memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(lines_before - 1)
            .map_or(text.len(), |newline| newline + 1),
    };
    (line_start + error.column()).saturating_sub(1).min(text.len())
}
