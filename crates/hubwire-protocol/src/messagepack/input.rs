//! MessagePack as it comes: the heads of values, the bytes behind them, and where a value ends.

use std::{ops::Range, str};

use super::error::ReadError;
use crate::limits::MAX_DEPTH;

/// What a value begins with.
///
/// Lengths and counts have been compared with the bytes that are left, so nothing of theirs needs a bound of its own:
/// each element takes a byte at least, and a map of 2³² entries is an error at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Nil,
    Bool(bool),
    /// Negative; whatever is not, however it was written, is `Unsigned`.
    Signed(i64),
    Unsigned(u64),
    Float32(f32),
    Float64(f64),
    /// This many bytes of UTF-8 follow.
    Text(usize),
    /// This many bytes follow.
    Binary(usize),
    /// This many values follow.
    Array(usize),
    /// This many pairs of values follow.
    Map(usize),
    /// This many bytes of an extension type follow.
    Extension(i8, usize),
}

impl Head {
    /// How many bytes follow it that are no values, and how many values.
    fn body(self) -> (usize, usize) {
        match self {
            Self::Nil
            | Self::Bool(_)
            | Self::Signed(_)
            | Self::Unsigned(_)
            | Self::Float32(_)
            | Self::Float64(_) => (0, 0),
            Self::Text(len) | Self::Binary(len) | Self::Extension(_, len) => (len, 0),
            Self::Array(count) => (0, count),
            // Each entry is two bytes that are there, so this does not overflow.
            Self::Map(count) => (0, count * 2),
        }
    }
}

/// Bytes that are read from the front.
#[derive(Clone, Debug)]
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Where something is wrong that began with the last value.
    pub(super) fn malformed(&self) -> ReadError {
        ReadError::Malformed { offset: self.at }
    }

    /// The head of the next value, without taking it.
    pub(super) fn peek(&self) -> Result<Head, ReadError> {
        self.clone().head()
    }

    /// Takes the head of the next value. On error nothing is taken.
    pub(super) fn head(&mut self) -> Result<Head, ReadError> {
        let start = self.at;
        let head = self.unchecked_head().filter(|head| {
            let (bytes, values) = head.body();
            bytes.max(values) <= self.left()
        });
        head.ok_or_else(|| {
            self.at = start;
            self.malformed()
        })
    }

    /// Takes `len` bytes, which a head has announced.
    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], ReadError> {
        self.take(len).ok_or_else(|| self.malformed())
    }

    /// Takes `len` bytes of text, which a head has announced.
    pub(super) fn text(&mut self, len: usize) -> Result<&'a str, ReadError> {
        let start = self.at;
        str::from_utf8(self.bytes(len)?)
            .map_err(|error| ReadError::InvalidUtf8 { offset: start + error.valid_up_to() })
    }

    /// Takes a whole value that lies inside of `depth` others, and tells where it lies.
    ///
    /// Nothing recurses, so nothing that a peer nests costs stack; texts are not looked into.
    pub(super) fn skip(&mut self, depth: usize) -> Result<Range<usize>, ReadError> {
        let start = self.at;
        // How many values are still to come on each level that is open.
        let mut open = [0_usize; MAX_DEPTH];
        let mut levels = 0;
        loop {
            let (bytes, values) = self.head()?.body();
            self.bytes(bytes)?;
            if values > 0 {
                if depth + levels == MAX_DEPTH {
                    return Err(ReadError::TooDeep);
                }
                open[levels] = values;
                levels += 1;
                continue;
            }
            loop {
                let Some(left) = levels.checked_sub(1).map(|level| &mut open[level]) else {
                    return Ok(start..self.at);
                };
                *left -= 1;
                if *left > 0 {
                    break;
                }
                levels -= 1;
            }
        }
    }

    /// The bytes of `span`, which has been read.
    pub(super) fn span(&self, span: Range<usize>) -> &'a [u8] {
        &self.bytes[span]
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn unchecked_head(&mut self) -> Option<Head> {
        let [marker] = self.array()?;
        Some(match marker {
            0x00..=0x7f => Head::Unsigned(marker.into()),
            0x80..=0x8f => Head::Map((marker & 0x0f).into()),
            0x90..=0x9f => Head::Array((marker & 0x0f).into()),
            0xa0..=0xbf => Head::Text((marker & 0x1f).into()),
            0xc0 => Head::Nil,
            // Reserved.
            0xc1 => return None,
            0xc2 => Head::Bool(false),
            0xc3 => Head::Bool(true),
            0xc4 => Head::Binary(self.length::<1>()?),
            0xc5 => Head::Binary(self.length::<2>()?),
            0xc6 => Head::Binary(self.length::<4>()?),
            0xc7 => self.extension::<1>()?,
            0xc8 => self.extension::<2>()?,
            0xc9 => self.extension::<4>()?,
            0xca => Head::Float32(f32::from_be_bytes(self.array()?)),
            0xcb => Head::Float64(f64::from_be_bytes(self.array()?)),
            0xcc => Head::Unsigned(u8::from_be_bytes(self.array()?).into()),
            0xcd => Head::Unsigned(u16::from_be_bytes(self.array()?).into()),
            0xce => Head::Unsigned(u32::from_be_bytes(self.array()?).into()),
            0xcf => Head::Unsigned(u64::from_be_bytes(self.array()?)),
            0xd0 => integer(i8::from_be_bytes(self.array()?).into()),
            0xd1 => integer(i16::from_be_bytes(self.array()?).into()),
            0xd2 => integer(i32::from_be_bytes(self.array()?).into()),
            0xd3 => integer(i64::from_be_bytes(self.array()?)),
            0xd4..=0xd8 => {
                let [tag] = self.array()?;
                Head::Extension(tag as i8, 1 << (marker - 0xd4))
            }
            0xd9 => Head::Text(self.length::<1>()?),
            0xda => Head::Text(self.length::<2>()?),
            0xdb => Head::Text(self.length::<4>()?),
            0xdc => Head::Array(self.length::<2>()?),
            0xdd => Head::Array(self.length::<4>()?),
            0xde => self.map::<2>()?,
            0xdf => self.map::<4>()?,
            0xe0..=0xff => Head::Signed((marker as i8).into()),
        })
    }

    fn extension<const N: usize>(&mut self) -> Option<Head> {
        let len = self.length::<N>()?;
        let [tag] = self.array()?;
        Some(Head::Extension(tag as i8, len))
    }

    /// Twice the count must fit, because that is compared with what is left.
    fn map<const N: usize>(&mut self) -> Option<Head> {
        self.length::<N>().filter(|count| count.checked_mul(2).is_some()).map(Head::Map)
    }

    fn length<const N: usize>(&mut self) -> Option<usize> {
        let bytes = self.array::<N>()?;
        Some(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.bytes[self.at..].get(..len)?;
        self.at += len;
        Some(taken)
    }
}

fn integer(number: i64) -> Head {
    u64::try_from(number).map_or(Head::Signed(number), Head::Unsigned)
}

#[cfg(test)]
mod tests {
    use super::{Head, Input, ReadError};
    use crate::limits::MAX_DEPTH;

    #[test]
    fn a_count_that_the_rest_cannot_hold_is_an_error_at_once() {
        for head in [
            &[0xdf, 0xff, 0xff, 0xff, 0xff][..],
            &[0xdf, 0x80, 0, 0, 0],
            &[0xdd, 0xff, 0xff, 0xff, 0xff],
            &[0xdb, 0xff, 0xff, 0xff, 0xff],
            &[0xc6, 0xff, 0xff, 0xff, 0xff],
            &[0xc9, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x92],
            &[0x82],
            &[0xa2],
            &[0xd8, 0x01],
            &[0xc1],
            &[],
        ] {
            let mut bytes = head.to_vec();
            if !head.is_empty() {
                bytes.push(0);
            }
            assert_eq!(Input::new(&bytes).head(), Err(ReadError::Malformed { offset: 0 }));
            assert_eq!(Input::new(&bytes).skip(0), Err(ReadError::Malformed { offset: 0 }));
        }
    }

    #[test]
    fn the_last_level_is_skipped_and_the_next_is_not() {
        for one in [&[0x91][..], &[0x81, 0x01], &[0xdc, 0x00, 0x01], &[0xdf, 0, 0, 0, 1, 0xc0]] {
            for depth in [0, 1, MAX_DEPTH] {
                let mut bytes = one.repeat(MAX_DEPTH - depth);
                bytes.push(0x90);
                assert_eq!(Input::new(&bytes).skip(depth), Ok(0..bytes.len()));
                let mut bytes = one.repeat(MAX_DEPTH - depth + 1);
                bytes.push(0x90);
                assert_eq!(Input::new(&bytes).skip(depth), Err(ReadError::TooDeep));
            }
        }
    }

    #[test]
    fn levels_side_by_side_do_not_add_up() {
        let mut bytes = vec![0xdc, 0x03, 0xe8];
        bytes.extend([0x92, 0x90, 0x81, 0x91, 0x01, 0x80].repeat(1000));
        bytes.push(0x07);
        let mut input = Input::new(&bytes);
        assert_eq!(input.skip(MAX_DEPTH - 4), Ok(0..bytes.len() - 1));
        assert_eq!(input.head(), Ok(Head::Unsigned(7)));
        assert!(input.is_at_end());
    }

    #[test]
    fn a_value_cut_short_anywhere_is_an_error() {
        let values: [&[u8]; 9] = [
            &[0x93, 0xc0, 0xc2, 0x81, 0xa1, b'a', 0x05],
            &[0xcb, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xca, 0, 0, 0, 0],
            &[0xd3, 0xff, 0, 0, 0, 0, 0, 0, 0],
            &[0xcd, 1, 2],
            &[0xda, 0, 2, b'a', b'b'],
            &[0xc5, 0, 2, 1, 2],
            &[0xc7, 2, 0xff, 1, 2],
            &[0xd7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0],
        ];
        for value in values {
            assert_eq!(Input::new(value).skip(0), Ok(0..value.len()));
            for end in 0..value.len() {
                let cut = Input::new(&value[..end]).skip(0);
                assert!(matches!(cut, Err(ReadError::Malformed { offset }) if offset <= end));
            }
        }
    }
}
