//! One JSON object, read in one pass from left to right: values that are not ours to understand are only found.
//!
//! A reader for everybody would build what we throw away; this one hands out slices of the message, and everything it
//! steps over was looked at: what it finds is JSON, and no deeper than it may be.

use std::{borrow::Cow, ops::Range, str::FromStr};

use bytestring::ByteString;

use super::text::plain_length;
use crate::{ParseError, arguments::Spans, limits::MAX_DEPTH};

/// How much of a header's name an error repeats: it may be as long as the message, and errors go to logs.
const SHOWN_NAME: usize = 64;

/// Reads `text` as one JSON object whose properties go to `read` in the order in which they come, so that the last of
/// several with one name wins.
pub(crate) fn read_object<'a>(
    text: &'a str,
    mut read: impl FnMut(&str, Value<'_, 'a>) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let mut reader = Reader { text, at: 0 };
    match reader.peek() {
        None => return Err(ParseError::Empty),
        Some(b'{') => {}
        Some(first) => {
            reader.value(0)?;
            return Err(ParseError::NotAnObject { found: token_type(first) });
        }
    }
    reader.object(|reader, name| read(name.as_str(), Value { reader }))?;
    match reader.peek() {
        None => Ok(()),
        Some(_) => Err(reader.malformed()),
    }
}

/// The value of a property, not read yet. Exactly one of its methods must be called.
pub(crate) struct Value<'r, 'a> {
    reader: &'r mut Reader<'a>,
}

impl<'a> Value<'_, 'a> {
    /// Whatever it is, as it is written.
    pub(crate) fn any(self) -> Result<&'a str, ParseError> {
        let span = self.reader.value(1)?;
        Ok(&self.reader.text[span])
    }

    pub(crate) fn boolean(self, property: &'static str) -> Result<bool, ParseError> {
        match self.reader.peek() {
            Some(b't') => self.reader.word("true").map(|()| true),
            Some(b'f') => self.reader.word("false").map(|()| false),
            _ => {
                let expected = "true or false";
                Err(self.reader.unfit(ParseError::WrongType { property, expected }))
            }
        }
    }

    /// Where the elements of an array lie in the message.
    pub(crate) fn elements(
        self,
        property: &'static str,
        limit: usize,
    ) -> Result<Spans, ParseError> {
        let mut spans = Spans::new();
        self.list(property, limit, |reader| {
            spans.push(reader.value(2)?);
            Ok(())
        })?;
        Ok(spans)
    }

    /// The elements of an array of texts.
    pub(crate) fn texts(
        self,
        property: &'static str,
        limit: usize,
    ) -> Result<Vec<Text<'a>>, ParseError> {
        let mut texts = Vec::new();
        let expected = "an array of strings";
        self.list(property, limit, |reader| {
            texts.push(reader.text(|| ParseError::WrongType { property, expected })?);
            Ok(())
        })?;
        Ok(texts)
    }

    fn list(
        self,
        property: &'static str,
        limit: usize,
        mut element: impl FnMut(&mut Reader<'a>) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        let reader = self.reader;
        if reader.peek() != Some(b'[') {
            return Err(reader.unfit(ParseError::WrongType { property, expected: "of type Array" }));
        }
        reader.at += 1;
        if reader.peek() == Some(b']') {
            reader.at += 1;
            return Ok(());
        }
        for _ in 0..limit {
            element(reader)?;
            match reader.peek() {
                Some(b',') => reader.at += 1,
                Some(b']') => {
                    reader.at += 1;
                    return Ok(());
                }
                _ => return Err(reader.malformed()),
            }
        }
        Err(ParseError::TooMany { property, limit })
    }

    /// An object of texts.
    pub(crate) fn headers(
        self,
        property: &'static str,
        limit: usize,
    ) -> Result<Vec<(Text<'a>, Text<'a>)>, ParseError> {
        let reader = self.reader;
        if reader.peek() != Some(b'{') {
            return Err(
                reader.unfit(ParseError::WrongType { property, expected: "of type Object" })
            );
        }
        let mut texts = Vec::new();
        reader.object(|reader, name| {
            if texts.len() == limit {
                return Err(ParseError::TooMany { property, limit });
            }
            let shown = || name.as_str().chars().take(SHOWN_NAME).collect();
            let value = reader.text(|| ParseError::WrongHeader { name: shown() })?;
            texts.push((name, value));
            Ok(())
        })?;
        Ok(texts)
    }

    /// A whole number that a `T` holds.
    pub(crate) fn number<T: FromStr>(self, property: &'static str) -> Result<T, ParseError> {
        let wrong = ParseError::WrongType { property, expected: "of type Number" };
        match self.reader.peek() {
            Some(b'-' | b'0'..=b'9') => self.reader.number()?.parse().map_err(|_| wrong),
            _ => Err(self.reader.unfit(wrong)),
        }
    }

    /// The same, or nothing where there is null.
    pub(crate) fn number_or_null<T: FromStr>(
        self,
        property: &'static str,
    ) -> Result<Option<T>, ParseError> {
        match self.reader.peek() {
            Some(b'n') => self.reader.word("null").map(|()| None),
            _ => self.number(property).map(Some),
        }
    }

    pub(crate) fn skip(self) -> Result<(), ParseError> {
        self.any().map(drop)
    }

    pub(crate) fn text(self, property: &'static str) -> Result<Text<'a>, ParseError> {
        self.reader.text(|| ParseError::WrongType { property, expected: "of type String" })
    }
}

/// A text that is copied only if it has escapes.
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// The text as a slice of the frame it lies in.
    pub(crate) fn share(self, frame: &ByteString) -> ByteString {
        match self.0 {
            Cow::Borrowed(text) => frame.slice_ref(text),
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

/// Goes through JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no whitespace.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Here it stops being JSON.
    fn malformed(&self) -> ParseError {
        ParseError::Malformed { offset: self.at }
    }

    /// What is wrong with a value that is not of the type that it should have: that, unless it is not even JSON.
    fn unfit(&mut self, wrong: ParseError) -> ParseError {
        match self.peek() {
            // They cannot be right whatever is in them.
            Some(b'{' | b'[') => wrong,
            _ => self.value(1).err().unwrap_or(wrong),
        }
    }

    /// Reads the object that begins here; `read` reads the value of each name.
    fn object(
        &mut self,
        mut read: impl FnMut(&mut Self, Text<'a>) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let name = self.name()?;
            read(self, name)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.malformed()),
            }
        }
    }

    /// A name with its colon.
    #[inline]
    fn name(&mut self) -> Result<Text<'a>, ParseError> {
        if self.peek() != Some(b'"') {
            return Err(self.malformed());
        }
        let name = self.quoted()?;
        if self.peek() != Some(b':') {
            return Err(self.malformed());
        }
        self.at += 1;
        Ok(name)
    }

    fn text(&mut self, wrong: impl FnOnce() -> ParseError) -> Result<Text<'a>, ParseError> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            _ => Err(self.unfit(wrong())),
        }
    }

    /// The text that begins here.
    #[inline]
    fn quoted(&mut self) -> Result<Text<'a>, ParseError> {
        let start = self.at;
        match self.skip_quoted()? {
            Escapes::None => Ok(Text(Cow::Borrowed(&self.text[start + 1..self.at - 1]))),
            Escapes::Some => unescape(&self.text[start..self.at], start),
        }
    }

    #[inline]
    fn skip_quoted(&mut self) -> Result<Escapes, ParseError> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        self.at += plain_length(&bytes[self.at..]);
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Escapes::None);
        }
        self.skip_escaped()
    }

    /// The rest of a text, from the first byte on that does not stand for itself.
    #[cold]
    fn skip_escaped(&mut self) -> Result<Escapes, ParseError> {
        let bytes = self.text.as_bytes();
        let mut escapes = Escapes::None;
        loop {
            self.at += plain_length(&bytes[self.at..]);
            match bytes[self.at..] {
                [b'"', ..] => {
                    self.at += 1;
                    return Ok(escapes);
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
                [b'\\', b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) => {
                    self.at += 6;
                }
                [b'\\', ref rest @ ..] => {
                    // Where an escape is cut short the message is.
                    let is_short = rest.len() < 5 && matches!(rest, [] | [b'u', ..]);
                    self.at = if is_short { bytes.len() } else { self.at + 1 };
                    return Err(self.malformed());
                }
                _ => return Err(self.malformed()),
            }
            escapes = Escapes::Some;
        }
    }

    /// Any value, around which there are so many levels.
    fn value(&mut self, outside: usize) -> Result<Range<usize>, ParseError> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'{' | b'[') => self.skip_nested(outside)?,
            _ => self.skip_scalar(first)?,
        }
        Ok(start..self.at)
    }

    fn skip_scalar(&mut self, first: Option<u8>) -> Result<(), ParseError> {
        match first {
            Some(b'"') => self.skip_quoted().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(self.malformed()),
        }
    }

    /// An array or an object with all that is in it.
    fn skip_nested(&mut self, outside: usize) -> Result<(), ParseError> {
        let mut levels = Levels { outside, depth: 0, objects: 0 };
        loop {
            match self.peek() {
                Some(b'{') => {
                    levels.enter(Level::Object)?;
                    self.at += 1;
                    if self.peek() != Some(b'}') {
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    levels.enter(Level::Array)?;
                    self.at += 1;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                first => self.skip_scalar(first)?,
            }
            // Behind a value, or at the end of an empty one.
            loop {
                let Some(level) = levels.innermost() else { return Ok(()) };
                match (level, self.peek()) {
                    (Level::Object, Some(b'}')) | (Level::Array, Some(b']')) => levels.leave(),
                    (Level::Array, Some(b',')) => {
                        self.at += 1;
                        break;
                    }
                    (Level::Object, Some(b',')) => {
                        self.at += 1;
                        self.name()?;
                        break;
                    }
                    (Level::Array | Level::Object, _) => return Err(self.malformed()),
                }
                self.at += 1;
            }
        }
    }

    fn word(&mut self, word: &str) -> Result<(), ParseError> {
        let rest = &self.text.as_bytes()[self.at..];
        let common = rest.iter().zip(word.as_bytes()).take_while(|(is, due)| is == due).count();
        self.at += common;
        if common == word.len() { Ok(()) } else { Err(self.malformed()) }
    }

    fn number(&mut self) -> Result<&'a str, ParseError> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        // Nothing but a fraction or an exponent follows a zero in front.
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// One digit at least.
    fn digits(&mut self) -> Result<(), ParseError> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count > 0 { Ok(()) } else { Err(self.malformed()) }
    }
}

#[cold]
fn unescape(quoted: &str, offset: usize) -> Result<Text<'_>, ParseError> {
    serde_json::from_str(quoted).map(|text: String| Text(Cow::Owned(text))).map_err(|error| {
        // Half a surrogate pair. A text has no line breaks in it, so its column is a number of bytes.
        ParseError::Malformed { offset: offset + error.column().saturating_sub(1) }
    })
}

/// Whether a text says anything in another way than by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escapes {
    None,
    Some,
}

/// The arrays and objects around a place.
struct Levels {
    outside: usize,
    depth: usize,
    /// Which of them are objects, a bit for each, the innermost lowest. No more are asked for than [`MAX_DEPTH`].
    objects: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Array,
    Object,
}

impl Levels {
    fn enter(&mut self, level: Level) -> Result<(), ParseError> {
        if self.outside + self.depth == MAX_DEPTH {
            return Err(ParseError::TooDeep { limit: MAX_DEPTH });
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(level == Level::Object);
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    fn innermost(&self) -> Option<Level> {
        let level = if self.objects & 1 == 1 { Level::Object } else { Level::Array };
        (self.depth > 0).then_some(level)
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

#[cfg(test)]
#[path = "object_tests.rs"]
mod tests;
