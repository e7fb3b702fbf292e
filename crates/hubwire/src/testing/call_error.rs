//! How a call fails.

/// The error that a client gets for its call: one text, as SignalR has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct CallError {
    text: String,
}

impl CallError {
    pub(super) fn new(text: String) -> Self {
        Self { text }
    }

    /// The text as clients get it: a sentence of SignalR's, and behind it what the method said.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the method said, where it failed with [`HubError::new`](crate::HubError::new); `None` for every other error, which clients are told nothing of.
    pub fn message(&self) -> Option<&str> {
        self.text.split_once(" HubException: ").map(|(_, message)| message)
    }
}
