//! What arrived together, for an application that wants bytes and no messages.

use bytes::BytesMut;
use hubwire_transport::Payload;

/// A longer payload goes on alone: copying it would cost more than its way does.
const LONG: usize = 4 * 1024;

/// Joins the short payloads of one read, which a busy client sends many of, so that they go one way together.
///
/// What is joined is a copy of its own size: a payload alone keeps the buffer that it was read into, whatever else was in that.
#[derive(Debug)]
pub(crate) struct Batch {
    first: Option<Payload>,
    joined: BytesMut,
    /// How many bytes of payloads there may be.
    expected: usize,
}

impl Batch {
    /// For the payloads in so many bytes that were read.
    pub(crate) fn new(expected: usize) -> Self {
        Self { first: None, joined: BytesMut::new(), expected }
    }

    /// Takes a payload in; those before it come out where it cannot join them.
    pub(crate) fn add(&mut self, payload: Payload) -> Option<Payload> {
        match &self.first {
            Some(first) if first.format == payload.format && payload.bytes.len() <= LONG => {
                if self.joined.is_empty() {
                    self.joined.reserve(self.expected.max(first.bytes.len()));
                    self.joined.extend_from_slice(&first.bytes);
                }
                self.joined.extend_from_slice(&payload.bytes);
                None
            }
            Some(_) | None => {
                let before = self.take();
                self.first = Some(payload);
                before
            }
        }
    }

    /// All of them.
    pub(crate) fn take(&mut self) -> Option<Payload> {
        let mut payload = self.first.take()?;
        if !self.joined.is_empty() {
            payload.bytes = std::mem::take(&mut self.joined).freeze();
        }
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hubwire_transport::{Payload, TransferFormat};

    use super::{Batch, LONG};

    #[test]
    fn what_is_short_and_alike_goes_together_and_in_order() {
        let mut batch = Batch::new(3);
        let long = Payload::new(Bytes::from(vec![b'x'; LONG + 1]), TransferFormat::Text);
        let binary = Payload::new(Bytes::from_static(b"e"), TransferFormat::Binary);
        assert_eq!(batch.take(), None);
        assert_eq!(batch.add(Payload::text("a")), None);
        assert_eq!(batch.add(Payload::text("b")), None);
        assert_eq!(batch.add(long.clone()), Some(Payload::text("ab")));
        assert_eq!(batch.add(binary.clone()), Some(long));
        assert_eq!(batch.add(Payload::text("c")), Some(binary));
        assert_eq!(batch.add(Payload::text("d")), None);
        assert_eq!(batch.take(), Some(Payload::text("cd")));
        assert_eq!(batch.take(), None);
    }
}
