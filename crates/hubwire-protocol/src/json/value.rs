//! Values as JSON: as serde_json has them, but bytes are base64, as .NET has them and clients expect.

use std::io;

use base64::{prelude::BASE64_STANDARD, write::EncoderWriter};
use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

/// Appends `value`.
pub(crate) fn to_writer<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), serde_json::Error> {
    value.serialize(&mut Serializer::with_formatter(out, Base64))
}

/// The compact form, in which `serialize_bytes` gives base64 instead of an array of numbers.
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
