//! What the two halves of a WebSocket tell each other; both are on the worker of the socket.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Context, Waker};

use bytes::Bytes;
use hubwire_transport::websocket::{self, Close};

/// Pings that wait for their answer; of more than these only the latest are answered, which RFC 6455 section 5.5.3 allows.
const PONGS_MAX: usize = 16;

/// The reading half finds out, the writing half acts on it.
#[derive(Debug, Default)]
pub(crate) struct Socket(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    pongs: VecDeque<Bytes>,
    peer: Peer,
    writer: Option<Waker>,
}

/// What is known of the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Peer {
    /// It broke the rules of WebSocket, and may still answer when it is told so.
    Broken,
    /// It said goodbye.
    Closed(Option<Close>),
    /// The link is gone.
    Gone,
    /// No goodbye of its will be heard, or a further one.
    Mute,
    #[default]
    There,
}

impl Socket {
    pub(crate) fn ping(&self, payload: Bytes) {
        let mut state = self.0.borrow_mut();
        if state.pongs.len() == PONGS_MAX {
            state.pongs.pop_front();
        }
        state.pongs.push_back(payload);
        state.wake();
    }

    pub(crate) fn set_peer(&self, peer: Peer) {
        let mut state = self.0.borrow_mut();
        state.peer = peer;
        state.wake();
    }

    pub(crate) fn register(&self, cx: &Context<'_>) {
        let mut state = self.0.borrow_mut();
        match &mut state.writer {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    pub(crate) fn peer(&self) -> Peer {
        self.0.borrow().peer.clone()
    }

    pub(crate) fn has_pongs(&self) -> bool {
        !self.0.borrow().pongs.is_empty()
    }

    /// Appends the answers to all pings.
    pub(crate) fn write_pongs(&self, out: &mut Vec<u8>) {
        for payload in self.0.borrow_mut().pongs.drain(..) {
            websocket::write_pong(out, &payload);
        }
    }
}

impl State {
    fn wake(&mut self) {
        // Waking only schedules: nothing enters here before this returns.
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }
}
