//! A value of one protocol written in another, piece by piece as it is read.
//!
//! The reader bounds how deep it goes, so this recurses no deeper than the reader allows.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
    ser::{Error as _, SerializeMap, SerializeSeq},
};

/// Writes what `from` reads.
pub(crate) fn transcode<'de, D: Deserializer<'de>, S: Serializer>(
    from: D,
    to: S,
) -> Result<S::Ok, S::Error> {
    from.deserialize_any(Writes(to)).map_err(S::Error::custom)
}

/// Writes what it is shown. The error of the serializer goes out through that of the deserializer.
struct Writes<S>(S);

macro_rules! leaves {
    ($($visit:ident($leaf:ty) => $serialize:ident;)*) => {
        $(fn $visit<E: serde::de::Error>(self, leaf: $leaf) -> Result<S::Ok, E> {
            self.0.$serialize(leaf).map_err(E::custom)
        })*
    };
}

impl<'de, S: Serializer> Visitor<'de> for Writes<S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    leaves! {
        visit_bool(bool) => serialize_bool;
        visit_i64(i64) => serialize_i64;
        visit_u64(u64) => serialize_u64;
        visit_f32(f32) => serialize_f32;
        visit_f64(f64) => serialize_f64;
        visit_str(&str) => serialize_str;
        visit_bytes(&[u8]) => serialize_bytes;
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<S::Ok, E> {
        self.0.serialize_unit().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<S::Ok, A::Error> {
        let mut to = self.0.serialize_seq(seq.size_hint()).map_err(A::Error::custom)?;
        while seq.next_element_seed(Element(&mut to))?.is_some() {}
        to.end().map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S::Ok, A::Error> {
        let mut to = self.0.serialize_map(map.size_hint()).map_err(A::Error::custom)?;
        while map.next_key_seed(Key(&mut to))?.is_some() {
            map.next_value_seed(Value(&mut to))?;
        }
        to.end().map_err(A::Error::custom)
    }
}

macro_rules! places {
    ($($(#[$doc:meta])* $place:ident of $collection:ident => $serialize:ident;)*) => {
        $($(#[$doc])*
        struct $place<'t, T>(&'t mut T);

        impl<'de, T: $collection> DeserializeSeed<'de> for $place<'_, T> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
                self.0.$serialize(&Once(Cell::new(Some(from)))).map_err(D::Error::custom)
            }
        })*
    };
}

places! {
    /// Where the next element of an array goes.
    Element of SerializeSeq => serialize_element;
    /// Where the next key of a map goes.
    Key of SerializeMap => serialize_key;
    /// Where the value of that key goes.
    Value of SerializeMap => serialize_value;
}

/// What is still to be read, as a value that can be written once.
struct Once<D>(Cell<Option<D>>);

impl<'de, D: Deserializer<'de>> Serialize for Once<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let from = self.0.take().ok_or_else(|| S::Error::custom("a value was written twice"))?;
        transcode(from, serializer)
    }
}
