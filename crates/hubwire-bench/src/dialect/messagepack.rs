//! SignalR's MessagePack protocol.

use std::str;

use rmp::{Marker, decode, encode};

use super::negotiate::{self, OPENED, SHAKEN};
use super::{Aside, Dialect, DialectError, Hear, Heard, Say, Step};
use crate::error::SwarmError;
use crate::frame::Opcode;
use crate::http::Exchange;
use crate::link::Link;

/// The protocol of the hub at `/hub`.
#[derive(Debug)]
pub(crate) struct MessagePack;

impl Dialect for MessagePack {
    fn opcode(&self) -> Opcode {
        Opcode::Binary
    }

    fn path(&self, link: Link, exchange: &mut Exchange) -> Result<String, SwarmError> {
        negotiate::path("/hub", link, exchange)
    }

    fn opening(&self, link: Link) -> &'static [Step] {
        const HANDSHAKE: Step = Step::Say(b"{\"protocol\":\"messagepack\",\"version\":1}\x1e");
        if link.polls() { &[OPENED, HANDSHAKE, SHAKEN] } else { &[HANDSHAKE, SHAKEN] }
    }

    fn aside(&self) -> Aside {
        Aside { heard: b"\x02\x91\x06", answer: None }
    }

    fn keep_alive(&self) -> Option<&'static [u8]> {
        Some(b"\x02\x91\x06")
    }

    fn write(&self, say: Say<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        match say {
            Say::Call { number, text } => invocation(out, Some(number), "Echo", &[text]),
            Say::Broadcast { text } => invocation(out, None, "Broadcast", &[text]),
            Say::Join { number, group } => invocation(out, Some(number), "Join", &[group]),
            Say::ToGroup { group, text } => invocation(out, None, "ToGroup", &[group, text]),
            Say::Stream { number, items } => {
                head(out, 4, Some(number), "Ticks", 1);
                let _ = encode::write_uint(out, items);
                let _ = encode::write_array_len(out, 0);
            }
            Say::Pong => unreachable!("a hub's pings are not answered"),
        }
        let mut prefix = Vec::with_capacity(5);
        let mut length = out.len() - start;
        while length > 0x7f {
            prefix.push(length as u8 | 0x80);
            length >>= 7;
        }
        prefix.push(length as u8);
        out.splice(start..start, prefix);
    }

    fn read<'a>(&self, payload: &'a [u8], hear: Hear<'_, 'a>) -> Result<(), SwarmError> {
        let mut rest = payload;
        while !rest.is_empty() {
            let mut length = 0;
            let mut shift = 0;
            loop {
                let (byte, behind) = rest.split_first().ok_or(DialectError::Unfinished)?;
                rest = behind;
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
                if shift > 28 {
                    return Err(DialectError::unexpected(payload).into());
                }
            }
            let (message, behind) =
                rest.split_at_checked(length).ok_or(DialectError::Unfinished)?;
            rest = behind;
            if let Some(heard) = read(message).ok_or_else(|| DialectError::unexpected(message))? {
                hear(heard)?;
            }
        }
        Ok(())
    }
}

/// As the official JavaScript client writes it. A Vec takes all that is written.
fn invocation(out: &mut Vec<u8>, number: Option<u64>, target: &str, texts: &[&str]) {
    head(out, 1, number, target, texts.len() as u32);
    for text in texts {
        let _ = encode::write_str(out, text);
    }
    let _ = encode::write_array_len(out, 0);
}

/// Up to the arguments.
fn head(out: &mut Vec<u8>, kind: u64, number: Option<u64>, target: &str, arguments: u32) {
    let _ = encode::write_array_len(out, 6);
    let _ = encode::write_uint(out, kind);
    let _ = encode::write_map_len(out, 0);
    let _ = match number {
        Some(number) => encode::write_str(out, &number.to_string()).map_err(drop),
        None => encode::write_nil(out).map_err(drop),
    };
    let _ = encode::write_str(out, target);
    let _ = encode::write_array_len(out, arguments);
}

/// What a message says, nothing where it is a ping; `None` where it is none that is expected here.
fn read(message: &[u8]) -> Option<Option<Heard<'_>>> {
    let mut rest = message;
    decode::read_array_len(&mut rest).ok()?;
    let kind: u8 = decode::read_int(&mut rest).ok()?;
    if kind == 6 {
        return Some(None);
    }
    if decode::read_map_len(&mut rest).ok()? != 0 {
        return None;
    }
    match kind {
        1 => {
            decode::read_nil(&mut rest).ok()?;
            if text(&mut rest)? != "message" || decode::read_array_len(&mut rest).ok()? != 1 {
                return None;
            }
            Some(Some(Heard::Told { text: text(&mut rest)? }))
        }
        2 => {
            text(&mut rest)?;
            Some(Some(Heard::Item { value: decode::read_int(&mut rest).ok()? }))
        }
        3 => {
            let number = text(&mut rest)?.parse().ok()?;
            match decode::read_int::<u8, _>(&mut rest).ok()? {
                2 => Some(Some(Heard::End)),
                3 => Some(Some(Heard::Answer { number: Some(number), text: text(&mut rest)? })),
                _ => None,
            }
        }
        _ => None,
    }
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (first, _) = rest.split_first()?;
    match Marker::from_u8(*first) {
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            let (text, behind) = decode::read_str_from_slice(*rest).ok()?;
            *rest = behind;
            Some(text)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{heard, written};

    #[test]
    fn speaks_as_the_official_client_does() {
        let expected = b"\x0e\x96\x01\x80\xa17\xa4Echo\x91\xa1a\x90";
        assert_eq!(written(&MessagePack, Say::Call { number: 7, text: "a" }), expected);
    }

    #[test]
    fn prefixes_long_messages_with_their_length() {
        let long = "a".repeat(1024);
        let message = written(&MessagePack, Say::Call { number: 7, text: &long });
        assert_eq!(
            usize::from(message[0] & 0x7f) | usize::from(message[1]) << 7,
            message.len() - 2
        );
    }

    #[test]
    fn hears_a_hub() {
        let payload =
            b"\x08\x95\x03\x80\xa17\x03\xa1a\x02\x91\x06\x0f\x95\x01\x80\xc0\xa7message\x91\xa1b";
        let expected = [Heard::Answer { number: Some(7), text: "a" }, Heard::Told { text: "b" }];
        assert_eq!(heard(&MessagePack, payload).unwrap(), expected);
        for end in [1, 5, payload.len() - 1] {
            assert!(heard(&MessagePack, &payload[..end]).is_err(), "{end} bytes");
        }
    }
}
