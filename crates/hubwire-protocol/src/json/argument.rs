//! One value, read as the type that was asked for.

use std::str;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor},
};
use serde_json::{Error, de::StrRead};

/// Reads one value. What serde_json reads byte by byte, a text without escapes, is taken as it is.
pub(crate) fn from_text<T: DeserializeOwned>(value: &str) -> Result<T, Error> {
    T::deserialize(Json { value })
}

pub(crate) fn from_slice<T: DeserializeOwned>(value: &[u8]) -> Result<T, Error> {
    // Once for the whole value, and not for each text in it.
    match str::from_utf8(value) {
        Ok(value) => from_text(value),
        Err(_) => serde_json::from_slice(value),
    }
}

struct Json<'a> {
    value: &'a str,
}

impl<'a> Json<'a> {
    /// The value, if it is a text that says what stands in it. It is JSON, or its message would have been refused: no
    /// quote stands in it alone.
    fn plain(&self) -> Option<&'a str> {
        let text = self.value.strip_prefix('"')?.strip_suffix('"')?;
        memchr::memchr(b'\\', text.as_bytes()).is_none().then_some(text)
    }

    fn read<R>(
        self,
        read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'a>>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut json = serde_json::Deserializer::from_str(self.value);
        let value = read(&mut json)?;
        json.end()?;
        Ok(value)
    }
}

macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.plain() {
                Some(text) => visitor.visit_borrowed_str(text),
                None => self.read(|json| json.$method(visitor)),
            }
        })*
    };
}

macro_rules! left_to_serde_json {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(
            self,
            $($name: $type,)*
            visitor: V,
        ) -> Result<V::Value, Error> {
            self.read(|json| json.$method($($name,)* visitor))
        })*
    };
}

impl<'de> Deserializer<'de> for Json<'de> {
    type Error = Error;

    texts! { deserialize_str deserialize_string }

    left_to_serde_json! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::from_slice;

    fn check<T: DeserializeOwned + PartialEq + Debug>(value: &str) {
        let (ours, theirs) = (from_slice::<T>(value.as_bytes()), serde_json::from_str::<T>(value));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
            (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
            (ours, theirs) => panic!("{value}: {ours:?}, {theirs:?}"),
        }
    }

    #[test]
    fn a_value_is_read_as_serde_json_does() {
        for value in [r#""""#, r#""ä""#, r#""a\n""#, r#""\"""#, "null", "1", r#"["a"]"#, "true"] {
            check::<String>(value);
            check::<char>(value);
            check::<Option<String>>(value);
            check::<(String,)>(value);
            check::<serde_json::Value>(value);
            check::<()>(value);
        }
    }
}
