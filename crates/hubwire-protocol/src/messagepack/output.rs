//! MessagePack as it goes: each head in its shortest form, as all of SignalR's writers have it.

pub(super) fn nil(out: &mut Vec<u8>) {
    out.push(0xc0);
}

pub(super) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { 0xc3 } else { 0xc2 });
}

pub(super) fn unsigned(out: &mut Vec<u8>, number: u64) {
    if let Ok(number) = u8::try_from(number) {
        if number > 0x7f {
            out.push(0xcc);
        }
        out.push(number);
    } else if let Ok(number) = u16::try_from(number) {
        put(out, 0xcd, number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        put(out, 0xce, number.to_be_bytes());
    } else {
        put(out, 0xcf, number.to_be_bytes());
    }
}

pub(super) fn signed(out: &mut Vec<u8>, number: i64) {
    if let Ok(number) = u64::try_from(number) {
        unsigned(out, number);
    } else if let Ok(number) = i8::try_from(number) {
        if number < -0x20 {
            out.push(0xd0);
        }
        out.push(number as u8);
    } else if let Ok(number) = i16::try_from(number) {
        put(out, 0xd1, number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        put(out, 0xd2, number.to_be_bytes());
    } else {
        put(out, 0xd3, number.to_be_bytes());
    }
}

pub(super) fn float32(out: &mut Vec<u8>, number: f32) {
    put(out, 0xca, number.to_be_bytes());
}

pub(super) fn float64(out: &mut Vec<u8>, number: f64) {
    put(out, 0xcb, number.to_be_bytes());
}

/// A text of 2³² bytes and more has no form; its head would be wrong, and no transport carries it.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    match text.len() {
        len @ 0..0x20 => out.push(0xa0 | len as u8),
        len @ 0x20..0x100 => put(out, 0xd9, (len as u8).to_be_bytes()),
        len @ 0x100..0x1_0000 => put(out, 0xda, (len as u16).to_be_bytes()),
        len => put(out, 0xdb, (len as u32).to_be_bytes()),
    }
    out.extend_from_slice(text.as_bytes());
}

/// See [`text`] about the length.
pub(super) fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        len @ 0..0x100 => put(out, 0xc4, (len as u8).to_be_bytes()),
        len @ 0x100..0x1_0000 => put(out, 0xc5, (len as u16).to_be_bytes()),
        len => put(out, 0xc6, (len as u32).to_be_bytes()),
    }
    out.extend_from_slice(bytes);
}

pub(super) fn array(out: &mut Vec<u8>, count: u32) {
    match count {
        0..0x10 => out.push(0x90 | count as u8),
        0x10..0x1_0000 => put(out, 0xdc, (count as u16).to_be_bytes()),
        _ => put(out, 0xdd, count.to_be_bytes()),
    }
}

pub(super) fn map(out: &mut Vec<u8>, count: u32) {
    match count {
        0..0x10 => out.push(0x80 | count as u8),
        0x10..0x1_0000 => put(out, 0xde, (count as u16).to_be_bytes()),
        _ => put(out, 0xdf, count.to_be_bytes()),
    }
}

fn put<const N: usize>(out: &mut Vec<u8>, marker: u8, bytes: [u8; N]) {
    out.push(marker);
    out.extend_from_slice(&bytes);
}
