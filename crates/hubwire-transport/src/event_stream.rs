//! Server-Sent Events as data: how payloads become events.
//!
//! One payload is one event: `data: `, the payload, a line end and an empty line.
//! A line end inside the payload, be it CR LF, LF or CR as in the standard, begins another `data: ` line, so that the client puts the payload together again with line feeds for its line ends; JSON never contains any.
//! A carriage return that went out as it is would cut the payload short, and two of them would end the event and let the payload write another.
//! Events carry no name, id or retry time: the official clients close the stream at its first error and never use the browser's own reconnection.

/// A comment, which clients skip. It opens a stream, since some browsers and proxies report it open only once there are bytes, and it shows that a quiet stream lives.
pub const COMMENT: &[u8] = b":\r\n";

const DATA: &[u8] = b"data: ";
const END_OF_LINE: &[u8] = b"\r\n";

/// Appends one payload as an event.
///
/// ```
/// let mut out = Vec::new();
/// hubwire_transport::event_stream::write_event(&mut out, b"{\"type\":6}\x1e");
/// assert_eq!(out, b"data: {\"type\":6}\x1e\r\n\r\n");
/// ```
pub fn write_event(out: &mut Vec<u8>, payload: &[u8]) {
    out.reserve(DATA.len() + payload.len() + 2 * END_OF_LINE.len());
    let mut rest = Some(payload);
    while let Some(text) = rest {
        let (line, behind) = split_line(text);
        out.extend_from_slice(DATA);
        out.extend_from_slice(line);
        out.extend_from_slice(END_OF_LINE);
        rest = behind;
    }
    out.extend_from_slice(END_OF_LINE);
}

/// The first line, and what stands behind its end if it has one.
fn split_line(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(end) = text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
        return (text, None);
    };
    let (line, behind) = text.split_at(end);
    (line, behind.strip_prefix(b"\r\n").or_else(|| behind.get(1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(payload: &str, event: &str) {
        let mut out = Vec::new();
        write_event(&mut out, payload.as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), event);
    }

    #[test]
    fn every_line_of_a_payload_is_a_line_of_data() {
        check("a", "data: a\r\n\r\n");
        check("", "data: \r\n\r\n");
        check("a\nb", "data: a\r\ndata: b\r\n\r\n");
        check("a\r\nb\n", "data: a\r\ndata: b\r\ndata: \r\n\r\n");
        check("a\rb\r", "data: a\r\ndata: b\r\ndata: \r\n\r\n");
        check("a\n\r", "data: a\r\ndata: \r\ndata: \r\n\r\n");
    }

    #[test]
    fn a_payload_writes_no_event_of_its_own() {
        check("a\r\rdata: b", "data: a\r\ndata: \r\ndata: data: b\r\n\r\n");
    }
}
