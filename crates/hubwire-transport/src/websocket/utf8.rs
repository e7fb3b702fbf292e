//! UTF-8 that is judged while it arrives, in whatever pieces.

/// Finds the first byte that no UTF-8 text has at its place, as soon as it comes.
///
/// Every byte is looked at once, and nothing is kept but the beginning of a character whose end has not come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Utf8Validator {
    unfinished: [u8; 4],
    length: usize,
}

/// A text is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8;

impl Utf8Validator {
    /// Judges the next piece of the text.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<(), NotUtf8> {
        while self.length > 0
            && let Some((next, rest)) = piece.split_first()
        {
            self.unfinished[self.length] = *next;
            self.length += 1;
            piece = rest;
            if unfinished(&self.unfinished[..self.length])?.is_empty() {
                self.length = 0;
            }
        }
        let tail = unfinished(piece)?;
        if !tail.is_empty() {
            self.unfinished[..tail.len()].copy_from_slice(tail);
            self.length = tail.len();
        }
        Ok(())
    }

    /// Whether no character has begun whose end has not come.
    pub(crate) fn is_between_characters(&self) -> bool {
        self.length == 0
    }

    /// Ends the text; the next piece begins another.
    pub(crate) fn finish(&mut self) -> Result<(), NotUtf8> {
        match std::mem::take(self).length {
            0 => Ok(()),
            _ => Err(NotUtf8),
        }
    }
}

/// The character at the end of `piece` that has only begun: at most three bytes.
fn unfinished(piece: &[u8]) -> Result<&[u8], NotUtf8> {
    match std::str::from_utf8(piece) {
        Ok(_) => Ok(&[]),
        Err(error) if error.error_len().is_none() => Ok(&piece[error.valid_up_to()..]),
        Err(_) => Err(NotUtf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `text` is found not to be UTF-8: with which byte, or at its end.
    fn first_error(text: &[u8]) -> Option<usize> {
        let mut validator = Utf8Validator::default();
        let broken = text.iter().position(|byte| validator.push(&[*byte]).is_err());
        broken.or_else(|| validator.finish().is_err().then_some(text.len()))
    }

    #[test]
    fn the_first_wrong_byte_is_enough() {
        let cases: &[(&[u8], Option<usize>)] = &[
            (b"", None),
            ("aé€𝄞\u{10ffff}".as_bytes(), None),
            (b"ab\xff", Some(2)),
            (b"\x80", Some(0)),
            (b"\xc3(", Some(1)),
            (b"\xc0\x80", Some(0)),         // overlong
            (b"\xe0\x80\x80", Some(1)),     // overlong
            (b"\xed\xa0\x80", Some(1)),     // a surrogate
            (b"\xf4\x90\x80\x80", Some(1)), // past U+10FFFF
            (b"\xf0\x9d\x84(", Some(3)),
            (b"\xe2\x82", Some(2)),     // cut off
            (b"\xf0\x9d\x84", Some(3)), // cut off
        ];
        for (text, error) in cases {
            assert_eq!(first_error(text), *error, "{text:x?}");
        }
    }

    #[test]
    fn it_agrees_with_the_standard_library_however_a_text_is_torn() {
        let texts: [&[u8]; 5] = [
            "aé€𝄞z".as_bytes(),
            b"a\xc3\xa9\xe2\x82\xacz\xff",
            b"\xf0\x9d\x84\x9e\xf0\x9d\x84",
            b"\xed\xa0\x80",
            b"\xe2\x82\xac\xe2\x82\xac\xe2(",
        ];
        for text in texts {
            for (a, b) in (0..=text.len()).flat_map(|a| (a..=text.len()).map(move |b| (a, b))) {
                let mut validator = Utf8Validator::default();
                let pieces = [&text[..a], &text[a..b], &text[b..]];
                let pushed = pieces.iter().try_for_each(|piece| validator.push(piece));
                let judged = pushed.and_then(|()| validator.finish());
                assert_eq!(judged.is_ok(), std::str::from_utf8(text).is_ok(), "{text:x?} {a} {b}");
            }
        }
    }

    #[test]
    fn a_text_that_ended_leaves_nothing_behind() {
        let mut validator = Utf8Validator::default();
        assert_eq!(validator.push(b"\xe2\x82"), Ok(()));
        assert_eq!(validator.finish(), Err(NotUtf8));
        assert_eq!(validator.push("€".as_bytes()), Ok(()));
        assert_eq!(validator.finish(), Ok(()));
    }
}
