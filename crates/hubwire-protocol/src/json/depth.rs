use crate::{ParseError, limits::MAX_DEPTH};

/// Refuses text that is nested too deep, before anything that reads values gets to see it.
///
/// What is no JSON may pass, and is refused by the reader that comes next.
pub(crate) fn check(text: &[u8]) -> Result<(), ParseError> {
    // Nearly every message has fewer brackets than it may have levels, and counting them is many times faster than
    // following them.
    if memchr::memchr2_iter(b'[', b'{', text).take(MAX_DEPTH + 1).count() <= MAX_DEPTH {
        return Ok(());
    }
    let mut depth = 0_usize;
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' if depth == MAX_DEPTH => {
                return Err(ParseError::TooDeep { limit: MAX_DEPTH });
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                let rest = bytes.as_slice();
                bytes = rest[string_end(rest)..].iter();
            }
            _ => {}
        }
    }
    Ok(())
}

/// How far the string reaches that `text` begins inside of, its closing quote included.
fn string_end(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &text[at..]) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        // The escaped byte is skipped with its backslash: it may be a quote.
        at += 2;
        if at >= text.len() {
            break;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{MAX_DEPTH, check};
    use crate::ParseError;

    fn nested(levels: usize, inner: &str) -> String {
        format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn the_last_level_passes_and_the_next_does_not() {
        for inner in ["", "\"[[[\"", "[],{},[]", r#""\"[\\","#] {
            let levels = MAX_DEPTH - usize::from(inner.starts_with('['));
            assert_eq!(check(nested(levels, inner).as_bytes()), Ok(()), "{inner}");
            assert_eq!(
                check(nested(levels + 1, inner).as_bytes()),
                Err(ParseError::TooDeep { limit: MAX_DEPTH }),
                "{inner}"
            );
        }
    }

    #[test]
    fn brackets_side_by_side_and_in_strings_are_no_levels() {
        assert_eq!(check(format!("[{}[]]", "[],".repeat(1000)).as_bytes()), Ok(()));
        assert_eq!(check(format!("[\"{}\"]", r#"[\"{\\"#.repeat(1000)).as_bytes()), Ok(()));
    }

    #[test]
    fn broken_text_is_left_to_the_reader() {
        for end in ["\"", "\"\\", "\"\\\\", "]]]]"] {
            assert_eq!(check(format!("{}{end}", "[]".repeat(100)).as_bytes()), Ok(()), "{end}");
        }
    }
}
