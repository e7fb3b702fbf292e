//! Texts in JSON, many bytes at a time: most of what a hub writes and reads lies inside of quotes.

/// How many bytes are looked at together.
const WORD: usize = 8;

/// The same in long texts; the compiler makes SIMD of it.
const WIDE: usize = 32;

/// Room for the quotes, and for the end of the message that nearly always follows.
const BEHIND: usize = 16;

/// Appends `text` in quotes, with the escapes that JSON demands and no others, as serde_json does.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + BEHIND);
    out.push(b'"');
    loop {
        let (plain, behind) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((&special, behind)) = behind.split_first() else { break };
        write_escape(out, special);
        rest = behind;
    }
    out.push(b'"');
}

/// How many bytes of `text` stand for themselves: neither quotes nor backslashes nor control characters.
#[inline]
pub(super) fn plain_length(text: &[u8]) -> usize {
    // Names end soon, and looking further would be for nothing.
    let first = text.first_chunk().and_then(|word| first_special(*word));
    first.unwrap_or_else(|| long_plain_length(text))
}

fn long_plain_length(text: &[u8]) -> usize {
    // Ids and most names end among the first.
    let (start, rest) = text.split_at(text.len().min(2 * WORD));
    if let Some(index) = find_special(start) {
        return index;
    }
    let (chunks, _) = rest.as_chunks();
    let at = start.len() + chunks.iter().take_while(|chunk| is_plain(chunk)).count() * WIDE;
    find_special(&text[at..]).map_or(text.len(), |index| at + index)
}

fn find_special(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks();
    for (index, word) in words.iter().enumerate() {
        if let Some(within) = first_special(*word) {
            return Some(index * WORD + within);
        }
    }
    if rest.is_empty() {
        return None;
    }
    match text.last_chunk() {
        // What it has of the word before is plain.
        Some(last) => first_special(*last).map(|within| text.len() - WORD + within),
        None => text.iter().position(|byte| is_special(*byte)),
    }
}

/// In two comparisons: with this bit turned, quotes follow the control characters, and a space is none of them.
const fn turned(byte: u8) -> u8 {
    byte ^ 0x02
}

fn is_special(byte: u8) -> bool {
    (turned(byte) <= turned(b'"')) | (byte == b'\\')
}

/// Without a branch per byte.
fn is_plain(chunk: &[u8; WIDE]) -> bool {
    !chunk.iter().fold(false, |found, byte| found | is_special(*byte))
}

/// Where the first special byte of eight is, all of them at once ("Determine if a word has a zero byte", Bit Twiddling Hacks).
///
/// A borrow makes it see special bytes too many only behind one that is, and the first is what is asked for.
#[inline]
fn first_special(chunk: [u8; WORD]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([0x01; WORD]);
    const HIGH: u64 = u64::from_le_bytes([0x80; WORD]);
    let word = u64::from_le_bytes(chunk);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let each = |byte: u8| ONES * u64::from(byte);
    let up_to_quotes = below(word ^ each(turned(0)), u64::from(turned(b'"')) + 1);
    let special = (up_to_quotes | below(word ^ each(b'\\'), 1)) & HIGH;
    (special != 0).then(|| special.trailing_zeros() as usize / WORD)
}

fn write_escape(out: &mut Vec<u8>, special: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match special {
        b'"' | b'\\' => special,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            let digit = |value: u8| DIGITS[usize::from(value & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(special >> 4), digit(special)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::{is_special, plain_length, write_text};

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        let others = (0..=255).filter(|byte| !is_special(*byte));
        let filling: Vec<u8> = others.cycle().take(100).collect();
        assert_eq!(plain_length(&filling), filling.len());
        for special in (0..=255).filter(|byte| is_special(*byte)) {
            for at in 0..filling.len() {
                let mut text = filling.clone();
                text[at] = special;
                text[at + 1..].fill(special.wrapping_add(1));
                assert_eq!(plain_length(&text), at, "{special:#x}");
            }
        }
    }

    #[test]
    fn texts_are_escaped_as_serde_json_does() {
        let every: String = (0..0x250).filter_map(char::from_u32).collect();
        for text in ["", "plain", &every, &every.repeat(3), "\u{1e}", "\"\\\"", "ä\u{1f600}\u{7f}"]
        {
            for from in (0..text.len()).filter(|from| text.is_char_boundary(*from)) {
                let mut out = Vec::new();
                write_text(&mut out, &text[from..]);
                assert_eq!(out, serde_json::to_vec(&text[from..]).unwrap());
            }
        }
    }
}
