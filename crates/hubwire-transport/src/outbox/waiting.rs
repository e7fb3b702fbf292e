//! Messages in a row, and what they count for.

use std::collections::{VecDeque, vec_deque};

use crate::Message;
use crate::inbox::KEPT_CAPACITY;

#[derive(Debug, Default)]
pub(crate) struct Waiting {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Waiting {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn front(&self) -> Option<&Message> {
        self.messages.front()
    }

    pub(super) fn push(&mut self, message: Message) {
        self.bytes += message.cost();
        self.messages.push_back(message);
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.cost();
        Some(message)
    }

    /// Puts these in front.
    pub(super) fn put_back(&mut self, messages: VecDeque<Message>) {
        for message in messages.into_iter().rev() {
            self.bytes += message.cost();
            self.messages.push_front(message);
        }
    }

    /// Gives back room that a crowd took.
    pub(super) fn shrink(&mut self) {
        if self.messages.is_empty() && self.messages.capacity() > KEPT_CAPACITY {
            self.messages = VecDeque::new();
        }
    }
}

impl FromIterator<Message> for Waiting {
    fn from_iter<I: IntoIterator<Item = Message>>(messages: I) -> Self {
        let messages: VecDeque<_> = messages.into_iter().collect();
        let bytes = messages.iter().map(Message::cost).sum();
        Self { messages, bytes }
    }
}

impl IntoIterator for Waiting {
    type Item = Message;
    type IntoIter = vec_deque::IntoIter<Message>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.into_iter()
    }
}
