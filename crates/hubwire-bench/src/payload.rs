//! Texts that say whose they are, so that no answer can pass for another.

use std::fmt::Write as _;

/// What fills a text up: the alphabet, over and over.
const FILLER: [u8; 4096] = {
    let mut filler = [0; 4096];
    let mut index = 0;
    while index < filler.len() {
        filler[index] = b'a' + (index % 26) as u8;
        index += 1;
    }
    filler
};

/// Writes texts of one length.
#[derive(Debug)]
pub(crate) struct Payload {
    /// As long as a text; each covers its beginning.
    filler: String,
    text: String,
}

impl Payload {
    /// Shorter than a client and a number take would not tell texts apart.
    pub(crate) const SHORTEST: usize = 16;

    pub(crate) fn new(length: usize) -> Self {
        assert!((Self::SHORTEST..=FILLER.len()).contains(&length), "no text of {length} bytes");
        let filler = String::from_utf8_lossy(&FILLER[..length]).into_owned();
        Self { filler, text: String::with_capacity(length) }
    }

    /// The text of one message: no escapes in JSON, no [`TO_ALL`](crate::dialect::TO_ALL), another for every client and number.
    pub(crate) fn of(&mut self, client: usize, number: u64) -> &str {
        self.text.clear();
        // A String takes all that is written.
        let _ = write!(self.text, "{client:06}:{number:08}:");
        let start = self.text.len();
        self.text.push_str(&self.filler[start..]);
        &self.text
    }

    /// The number that a text says it has.
    pub(crate) fn number_of(text: &str) -> Option<u64> {
        text.split(':').nth(1)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_differ() {
        for length in [16, 32, 1024] {
            let mut payload = Payload::new(length);
            let first = payload.of(1, 2).to_owned();
            assert_eq!(first.len(), length);
            assert_ne!(first, payload.of(2, 1));
            assert_ne!(first, payload.of(1, 3));
            assert_eq!(first, payload.of(1, 2));
            assert_eq!(Payload::number_of(&first), Some(2));
        }
    }
}
