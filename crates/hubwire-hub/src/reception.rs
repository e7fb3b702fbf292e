//! What has been received of a connection that outlives its sockets: messages are counted, and what comes twice is dropped.

use hubwire_protocol::HubMessage;
use hubwire_transport::DisconnectReason;

/// Counts what a client sends, and says when it should be told what has arrived (HubProtocol.md, "Stateful reconnect").
#[derive(Debug)]
pub(crate) struct Reception {
    /// The number of the next message that counts, and the highest that has come.
    next: u64,
    latest: u64,
    /// What the client was told on this socket.
    acked: u64,
    /// Bytes of messages since then, and how many make a word due at once.
    bytes: usize,
    quarter: usize,
}

impl Reception {
    /// For a client that keeps about `buffer` bytes which it was not told of, and then waits.
    pub(crate) fn new(buffer: usize) -> Self {
        Self { next: 1, latest: 0, acked: 0, bytes: 0, quarter: (buffer / 4).max(1) }
    }

    /// Whether a message of `bytes` is to be handled: not if it came before.
    pub(crate) fn accept(&mut self, message: &HubMessage, bytes: usize) -> bool {
        if !message.is_trackable() {
            return true;
        }
        self.bytes += bytes;
        let number = self.next;
        self.next += 1;
        let is_new = number > self.latest;
        self.latest = self.latest.max(number);
        is_new
    }

    /// The client says which number its next message has.
    pub(crate) fn begin_at(&mut self, number: u64) -> Result<(), DisconnectReason> {
        // Not the next one: when the link is cut while messages come again, the client may know already, from an earlier
        // word of ours, that it need not repeat those that it had not come to. ASP.NET ends the connection there.
        if number > self.latest + 1 {
            // The text of ASP.NET.
            let detail = "Sequence ID greater than amount of messages we've received.".to_owned();
            return Err(DisconnectReason::BadMessage { detail });
        }
        self.next = number;
        Ok(())
    }

    /// Another socket carries the connection: what the client was told may have been lost with the old one.
    pub(crate) fn resume(&mut self) {
        self.acked = 0;
    }

    /// Whether the client should be told in time what has arrived.
    pub(crate) fn is_ack_due(&self) -> bool {
        self.latest > self.acked
    }

    /// Whether it should be told at once, since it may soon have to wait.
    pub(crate) fn is_ack_urgent(&self) -> bool {
        self.is_ack_due() && self.bytes >= self.quarter
    }

    /// What the client is told now.
    pub(crate) fn ack(&mut self) -> u64 {
        self.bytes = 0;
        self.acked = self.latest;
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use hubwire_protocol::HubProtocol;

    use super::*;

    fn counted() -> HubMessage {
        HubProtocol::Json.parse(&br#"{"type":5,"invocationId":"1"}"#[..].into()).unwrap()
    }

    #[test]
    fn what_comes_twice_is_dropped() {
        let mut reception = Reception::new(100);
        assert!((0..3).all(|_| reception.accept(&counted(), 10)));
        assert_eq!(reception.begin_at(2), Ok(()));
        assert!(!reception.accept(&counted(), 10), "number 2");
        assert!(reception.accept(&HubMessage::Ping, 10));
        assert!(!reception.accept(&counted(), 10), "number 3");
        assert!(reception.accept(&counted(), 10), "number 4");
        assert_eq!(reception.ack(), 4);
    }

    #[test]
    fn a_number_that_leaves_a_gap_is_an_error() {
        let mut reception = Reception::new(100);
        assert!(reception.begin_at(1).is_ok());
        assert!(reception.begin_at(2).is_err());
        reception.accept(&counted(), 10);
        assert!(reception.begin_at(2).is_ok());
        assert!(reception.begin_at(u64::MAX).is_err());
        assert!(reception.begin_at(0).is_ok());
        assert!(!reception.accept(&counted(), 10), "what number 0 should be");
    }

    #[test]
    fn a_link_may_be_cut_while_messages_come_again() {
        let mut reception = Reception::new(100);
        assert!((0..9).all(|_| reception.accept(&counted(), 10)));
        assert!(reception.begin_at(2).is_ok());
        assert!(!reception.accept(&counted(), 10), "number 2, and no more");
        assert!(reception.begin_at(10).is_ok(), "the client was told of all nine meanwhile");
        assert!(reception.accept(&counted(), 10), "number 10");
        assert_eq!(reception.ack(), 10);
    }

    #[test]
    fn a_client_is_told_what_came_once_per_socket() {
        let mut reception = Reception::new(100);
        assert!(!reception.is_ack_due());
        reception.accept(&counted(), 10);
        assert!(reception.is_ack_due() && !reception.is_ack_urgent());
        reception.accept(&counted(), 15);
        assert!(reception.is_ack_urgent());
        assert_eq!(reception.ack(), 2);
        assert!(!reception.is_ack_due());
        reception.resume();
        assert!(reception.is_ack_due(), "the word may have been lost");
    }
}
