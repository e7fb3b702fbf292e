//! The length before each binary message: seven bits per byte, the lowest first, the eighth for "more follows"
//! (HubProtocol.md, "MessagePack encoding").

use smallvec::SmallVec;

use crate::FrameError;

/// The most bytes that a prefix takes: 31 bits.
const LONGEST: u8 = 5;

/// A prefix that is being read, byte by byte, since it may arrive torn like everything else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LengthPrefix {
    bits: u32,
    bytes: u8,
    is_complete: bool,
}

impl LengthPrefix {
    /// Takes the prefix's bytes off the front of `payload`, and gives the length once the last of them is there.
    ///
    /// A prefix that is longer than it need be is understood too, as everywhere.
    pub(crate) fn read(&mut self, payload: &[u8]) -> Result<(usize, Option<usize>), FrameError> {
        let mut taken = 0;
        while !self.is_complete {
            let Some(byte) = payload.get(taken).copied() else { return Ok((taken, None)) };
            taken += 1;
            self.bytes += 1;
            // The fifth byte has the top three of 31 bits, and nothing may follow it.
            if self.bytes == LONGEST && byte > 0x07 {
                return Err(FrameError::LengthPrefix);
            }
            self.bits |= u32::from(byte & 0x7f) << (7 * (self.bytes - 1));
            self.is_complete = byte & 0x80 == 0;
        }
        Ok((taken, Some(self.bits as usize)))
    }

    /// How many bytes it has taken.
    pub(crate) fn len(&self) -> usize {
        self.bytes.into()
    }
}

/// The shortest prefix for `length`, which must be below 2³¹.
pub(crate) fn encode(mut length: u32) -> SmallVec<[u8; LONGEST as usize]> {
    let mut prefix = SmallVec::new();
    while length > 0x7f {
        prefix.push(length as u8 | 0x80);
        length >>= 7;
    }
    prefix.push(length as u8);
    prefix
}

#[cfg(test)]
mod tests {
    use super::{LengthPrefix, encode};
    use crate::FrameError;

    fn read(bytes: &[u8]) -> Result<(usize, Option<usize>), FrameError> {
        let whole = LengthPrefix::default().read(bytes);
        let mut torn = LengthPrefix::default();
        for at in 0..bytes.len() {
            match torn.read(&bytes[at..=at]) {
                Ok((_, None)) => {}
                Ok((1, length)) => {
                    assert_eq!(whole, Ok((at + 1, length)));
                    return whole;
                }
                other => {
                    assert_eq!(whole, other);
                    return whole;
                }
            }
        }
        whole
    }

    #[test]
    fn every_length_comes_back_from_its_shortest_prefix() {
        for (length, bytes) in [
            (0, &[0x00][..]),
            (1, &[0x01]),
            (0x7f, &[0x7f]),
            (0x80, &[0x80, 0x01]),
            (0x3fff, &[0xff, 0x7f]),
            (0x4000, &[0x80, 0x80, 0x01]),
            (0x0fff_ffff, &[0xff, 0xff, 0xff, 0x7f]),
            (0x1000_0000, &[0x80, 0x80, 0x80, 0x80, 0x01]),
            (0x7fff_ffff, &[0xff, 0xff, 0xff, 0xff, 0x07]),
        ] {
            let mut out = encode(length);
            assert_eq!(out.as_slice(), bytes);
            assert_eq!(read(bytes), Ok((bytes.len(), Some(length as usize))));
            out.push(0xc1);
            assert_eq!(read(&out), Ok((bytes.len(), Some(length as usize))));
        }
    }

    #[test]
    fn a_prefix_may_be_longer_than_needed_but_not_than_five_bytes_or_31_bits() {
        assert_eq!(read(&[0x81, 0x80, 0x00]), Ok((3, Some(1))));
        assert_eq!(read(&[0x81, 0x80, 0x80, 0x80, 0x00]), Ok((5, Some(1))));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff]), Ok((4, None)));
        for last in [0x08, 0x7f, 0x80, 0x87, 0xff] {
            assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, last]), Err(FrameError::LengthPrefix));
        }
    }
}
