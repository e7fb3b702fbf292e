//! Server-Sent Events as data: how payloads become events.
//!
//! One payload is one event: `data: `, the payload, a line end and an empty line.
//! A line feed inside the payload begins another `data: ` line and a carriage return before it is dropped, so that the client puts the payload together again but for its line ends; JSON never contains either.
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
    for line in payload.split(|byte| *byte == b'\n') {
        out.extend_from_slice(DATA);
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        out.extend_from_slice(END_OF_LINE);
    }
    out.extend_from_slice(END_OF_LINE);
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
    }
}
