//! What servers compressed (RFC 7692), without a context between messages.

use flate2::{Decompress, FlushDecompress};

use crate::error::SwarmError;

/// Cut off by whoever compresses (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// Longer than any message here.
const LONGEST: usize = 1 << 20;

/// Inflates messages, and the same bytes only once: everyone is told the same.
#[derive(Debug)]
pub(crate) struct Inflate {
    inflater: Decompress,
    compressed: Vec<u8>,
    message: Vec<u8>,
}

impl Inflate {
    pub(crate) fn new() -> Self {
        let inflater = Decompress::new(false);
        Self { inflater, compressed: Vec::new(), message: Vec::with_capacity(LONGEST) }
    }

    pub(crate) fn message(&mut self, compressed: &[u8]) -> Result<&[u8], SwarmError> {
        if self.compressed != compressed {
            self.compressed.clear();
            self.message.clear();
            self.inflater.reset(false);
            for part in [compressed, &TAIL] {
                let before = self.inflater.total_in();
                self.inflater.decompress_vec(part, &mut self.message, FlushDecompress::Sync)?;
                if self.inflater.total_in() - before != part.len() as u64 {
                    return Err(SwarmError::Unfinished);
                }
            }
            self.compressed.extend(compressed);
        }
        Ok(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflates_the_examples_of_the_specification() {
        // RFC 7692, sections 7.2.3.1 and 7.2.3.4.
        let short = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let blocks = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        let mut inflate = Inflate::new();
        for compressed in [&short[..], &short, &blocks] {
            assert_eq!(inflate.message(compressed).unwrap(), b"Hello");
        }
        assert!(inflate.message(&[0xff; 8]).is_err());
    }
}
