//! What happened to each connection, kept after its end.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hubwire::prelude::*;

/// Connections that are remembered; then the oldest are forgotten.
const CONNECTIONS_MAX: usize = 10_000;

/// Entries of one connection; further ones are dropped.
const ENTRIES_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Connected,
    Disconnected,
    DisconnectedWithError,
    TicksCancelled,
}

#[derive(Default)]
pub struct Journal(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_connection: HashMap<ConnectionId, Vec<Entry>>,
    /// In the order of their first entries.
    connections: VecDeque<ConnectionId>,
}

impl Journal {
    pub fn write(&self, id: &ConnectionId, entry: Entry) {
        self.entries().write(id, entry);
    }

    pub fn of(&self, id: &ConnectionId) -> Vec<Entry> {
        self.entries().by_connection.get(id).cloned().unwrap_or_default()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn write(&mut self, id: &ConnectionId, entry: Entry) {
        if let Some(entries) = self.by_connection.get_mut(id) {
            if entries.len() < ENTRIES_MAX {
                entries.push(entry);
            }
            return;
        }
        if self.connections.len() == CONNECTIONS_MAX
            && let Some(oldest) = self.connections.pop_front()
        {
            self.by_connection.remove(&oldest);
        }
        self.connections.push_back(id.clone());
        self.by_connection.insert(id.clone(), vec![entry]);
    }
}

impl Entry {
    const ALL: [Self; 4] =
        [Self::Connected, Self::Disconnected, Self::DisconnectedWithError, Self::TicksCancelled];

    pub fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::DisconnectedWithError => "disconnected:error",
            Self::TicksCancelled => "ticks-cancelled",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entry| entry.name() == name)
    }

    /// How an end is written down: as an error where ASP.NET Core hands an exception to `OnDisconnectedAsync`.
    pub fn end(reason: &DisconnectReason) -> Self {
        match reason {
            DisconnectReason::BadMessage { .. }
            | DisconnectReason::ClientClosed { error: Some(_) }
            | DisconnectReason::ClientTimeout
            | DisconnectReason::MessageTooBig { .. }
            | DisconnectReason::SlowConsumer { .. } => Self::DisconnectedWithError,
            DisconnectReason::ClientClosed { error: None }
            | DisconnectReason::HandshakeTimeout
            | DisconnectReason::Kicked
            | DisconnectReason::NetworkLost
            | DisconnectReason::Refused { .. }
            | DisconnectReason::Shutdown
            | DisconnectReason::TokenExpired => Self::Disconnected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_connection_is_forgotten_first() {
        let journal = Journal::default();
        let id = |number: usize| ConnectionId::from(number.to_string());
        for number in 0..=CONNECTIONS_MAX {
            journal.write(&id(number), Entry::Connected);
        }
        journal.write(&id(1), Entry::Disconnected);
        assert_eq!(journal.of(&id(0)), []);
        assert_eq!(journal.of(&id(1)), [Entry::Connected, Entry::Disconnected]);
        assert_eq!(journal.of(&id(CONNECTIONS_MAX)), [Entry::Connected]);
    }
}
