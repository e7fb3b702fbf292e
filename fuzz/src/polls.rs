//! Any order of polls, answers and losses on a connection whose client acknowledges.
//!
//! Every byte of an input is one act: three bits say which, the other five how much.
//! Whatever happens, what the client has is the beginning of what was sent, each message once; and in the end it has all of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hubwire_transport::{
    Attachment, ConnectRequest, Connection, EndpointOptions, Message, Receipt, ReceiptError, Room,
    Taken, Transport,
};

/// Plays an input on a connection.
pub fn check(input: &[u8]) {
    let mut play = Play::new();
    for act in input {
        play.act(act & 7, usize::from(act >> 3));
        play.check();
    }
    play.end();
}

struct Play {
    connection: Connection,
    /// What was accepted, by number: the message with number n has n as its text.
    sent: usize,
    /// Messages that the client has, and answers that brought them.
    arrived: usize,
    answers: u64,
    poll: Option<Answer>,
    /// Polls that another one has taken over from, not dropped yet.
    superseded: Vec<Attachment>,
}

/// A poll, and what was taken for its answer.
struct Answer {
    poll: Attachment,
    taken: VecDeque<Message>,
}

impl Play {
    fn new() -> Self {
        let request = ConnectRequest::local("/fuzz", Transport::LongPolling);
        // So small that an input reaches them.
        let options = EndpointOptions::default().transport_max_buffer_size(40).max_backlog(200);
        Self {
            connection: Connection::open_polled("fuzz".into(), request, Arc::new(options)),
            sent: 0,
            arrived: 0,
            answers: 0,
            poll: None,
            superseded: Vec::new(),
        }
    }

    fn act(&mut self, act: u8, amount: usize) {
        match act {
            0 => self.send(),
            1 => self.attach(),
            2 => drop(self.take(amount)),
            3 => self.hand_on(amount),
            4 => self.arrive(),
            5 => self.lose(amount),
            6 => (0..amount).for_each(|_| self.connection.tick()),
            _ => self.attach_wrongly(amount),
        }
    }

    fn send(&mut self) {
        let was_cut = self.connection.is_cut();
        match self.connection.send(Message::text(&self.sent.to_string())) {
            Room::Available | Room::Exhausted => {
                assert!(!was_cut, "accepted for nobody");
                self.sent += 1;
            }
            Room::Closed => assert!(self.connection.is_closing(), "refused for no reason"),
        }
    }

    fn attach(&mut self) {
        let receipt = Receipt::Acknowledged(self.answers);
        let poll = self.connection.attach_poll(receipt).expect("the client counts right");
        let before = self.poll.replace(Answer { poll, taken: VecDeque::new() });
        self.superseded.extend(before.map(|answer| answer.poll));
    }

    /// Takes for the answer that is open, and in vain for those that are superseded.
    fn take(&mut self, budget: usize) -> Poll<Taken> {
        let cx = Context::from_waker(Waker::noop());
        for poll in &self.superseded {
            let mut taken = VecDeque::new();
            let outcome = poll.poll_take(&cx, budget, budget, &mut taken);
            assert_eq!((outcome, taken.len()), (Poll::Ready(Taken::Superseded), 0));
        }
        let Some(Answer { poll, taken }) = &mut self.poll else { return Poll::Pending };
        poll.poll_take(&cx, 0, budget, taken)
    }

    /// Passes bytes on, which says nothing where answers are acknowledged.
    fn hand_on(&mut self, bytes: usize) {
        let is_last = bytes.is_multiple_of(2);
        self.superseded.iter().for_each(|poll| poll.handed_on(bytes, is_last));
        if let Some(answer) = &self.poll {
            answer.poll.handed_on(bytes, is_last);
        }
    }

    /// The client has the answer, if there is one: an empty one carries nothing and is not counted.
    fn arrive(&mut self) {
        let Some(Answer { taken, .. }) = self.poll.take() else { return };
        self.answers += u64::from(!taken.is_empty());
        for message in taken {
            assert_eq!(message.payload(), self.arrived.to_string().as_bytes(), "out of order");
            self.arrived += 1;
        }
    }

    /// The network has the answer, and the client never will.
    fn lose(&mut self, amount: usize) {
        if amount.is_multiple_of(2) {
            self.poll = None;
        } else {
            self.superseded.clear();
        }
    }

    /// A poll that does not fit changes nothing, so the one that is open goes on.
    fn attach_wrongly(&mut self, amount: usize) {
        if self.connection.is_cut() {
            // Nobody looks at receipts any more.
            return;
        }
        let (answers, error) = match amount % 2 {
            0 => (self.answers + 2 + amount as u64, ReceiptError::NotGiven),
            _ if self.answers == 0 => return,
            _ => {
                // What it has been told already, it will not be told again.
                self.attach();
                (self.answers - 1, ReceiptError::Overtaken)
            }
        };
        let outcome = self.connection.attach_poll(Receipt::Acknowledged(answers));
        assert_eq!(outcome.map(drop), Err(error));
    }

    fn check(&self) {
        assert!(self.arrived <= self.sent);
        let waits = self.sent > self.arrived && !self.connection.is_closing();
        assert!(!waits || self.connection.backlog() > 0, "what did not arrive is kept");
    }

    /// An application that ends in order leaves nothing behind.
    fn end(mut self) {
        let is_orderly = !self.connection.is_closing();
        self.connection.finish(None);
        loop {
            self.attach();
            match self.take(usize::MAX) {
                Poll::Ready(Taken::Messages) => self.arrive(),
                Poll::Ready(Taken::Cut | Taken::Finished) => break,
                other @ (Poll::Ready(Taken::Heartbeat | Taken::Superseded) | Poll::Pending) => {
                    panic!("the end does not come: {other:?}")
                }
            }
        }
        assert!(!is_orderly || self.arrived == self.sent, "{} of {}", self.arrived, self.sent);
    }
}
