//! Any bytes as the first message of either side.

use hubwire_protocol::handshake::{
    HandshakeError, HandshakeRequest, HandshakeResponse, write_response,
};

/// The longest text of an error: it goes into logs and to the peer.
const LONGEST_ERROR: usize = 400;

/// Reads an input as a request and as an answer; what is one comes back when it is written.
pub fn check(frame: &[u8]) {
    if let Some(request) = readable(HandshakeRequest::parse(frame)) {
        let mut out = Vec::new();
        request.write(&mut out);
        assert_eq!(HandshakeRequest::parse(framed(&out)), Ok(request));
    }
    if let Some(response) = readable(HandshakeResponse::parse(frame)) {
        let mut out = Vec::new();
        write_response(&mut out, response.error.as_deref());
        assert_eq!(HandshakeResponse::parse(framed(&out)), Ok(response));
    }
}

fn readable<T>(read: Result<T, HandshakeError>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            assert!(error.to_string().len() < LONGEST_ERROR, "{error}");
            None
        }
    }
}

/// What was written, without the separator that ends it and stands nowhere else.
fn framed(written: &[u8]) -> &[u8] {
    let (last, frame) = written.split_last().expect("something was written");
    assert_eq!((*last, frame.contains(&0x1e)), (0x1e, false));
    frame
}
