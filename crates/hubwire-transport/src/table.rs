//! Where connections are found by their tokens.

use std::cmp::Reverse;
use std::collections::hash_map::RandomState;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::Notify;

use crate::token::{Claims, Issued, TokenError, TokenKey, TokenKind};
use crate::{Census, Connection, ConnectionId, DisconnectReason};

/// The connections of one application, found by public id or by token; shared by all workers.
///
/// A negotiated connection is not in it before its first transport: its token is proof enough.
/// A connection that has ended stays as a tombstone until its token expires, or the token would open it again.
#[derive(Clone, Debug)]
pub struct ConnectionTable(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    slots: DashMap<ConnectionId, Slot, RandomState>,
    /// When each tombstone may go, soonest first.
    tombstones: Mutex<BinaryHeap<Reverse<(u32, ConnectionId)>>>,
    key: TokenKey,
    /// By the names of endpoints, which every worker has an instance of.
    censuses: Mutex<HashMap<String, Arc<Census>>>,
    live: AtomicUsize,
    draining: AtomicBool,
    changed: Notify,
}

/// How many tombstones keep those of other servers out: what others tell must not grow memory, and a token that opens a connection twice does little harm.
const TOMBSTONES_MAX: usize = 100_000;

#[derive(Debug)]
enum Slot {
    Live(Connection),
    Ended,
}

/// What a token leads to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// A connection that has ended.
    Ended,
    /// A connection that was negotiated and has had no transport yet.
    Fresh {
        /// Its public id.
        connection_id: ConnectionId,
        /// When the token stops opening it, in seconds since 1970.
        expires: u32,
        /// Whether its client wants it to outlive its sockets.
        is_stateful: bool,
    },
    /// A connection that lives.
    Live(Connection),
    /// Nothing that this table knows or would accept.
    Unknown,
}

/// A connection's place in the table, given up when it is dropped.
#[derive(Debug)]
pub struct Registration {
    table: ConnectionTable,
    connection_id: ConnectionId,
    expires: Option<u32>,
}

impl ConnectionTable {
    /// An empty table that signs tokens with `key`.
    pub fn new(key: TokenKey) -> Self {
        Self(Arc::new(Shared {
            slots: DashMap::with_hasher(RandomState::new()),
            tombstones: Mutex::default(),
            key,
            censuses: Mutex::default(),
            live: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            changed: Notify::new(),
        }))
    }

    /// The census of the endpoint with this name.
    pub fn census(&self, endpoint: &str) -> Arc<Census> {
        let mut censuses = self.0.censuses.lock().unwrap_or_else(PoisonError::into_inner);
        censuses.entry(endpoint.to_owned()).or_default().clone()
    }

    /// A token for a connection to come.
    pub fn issue(&self, endpoint: &str, kind: TokenKind, expires: u32) -> Issued {
        self.0.key.issue(endpoint, kind, expires)
    }

    /// What `token` says, if it was issued here for `endpoint`; expired or not.
    ///
    /// # Errors
    ///
    /// When it is not a token, or not one of this table's key and endpoint.
    pub fn verify(&self, endpoint: &str, token: &str) -> Result<Claims, TokenError> {
        self.0.key.verify(endpoint, token)
    }

    /// What a token with these `claims` leads to, which another request may change at any moment; `now` in seconds since 1970.
    pub fn find(&self, claims: &Claims, now: u32) -> Found {
        match self.0.slots.get(&claims.connection_id).as_deref() {
            Some(Slot::Live(connection)) => Found::Live(connection.clone()),
            Some(Slot::Ended) => Found::Ended,
            None if claims.expires < now => Found::Unknown,
            None => {
                let Claims { ref connection_id, expires, is_stateful, .. } = *claims;
                Found::Fresh { connection_id: connection_id.clone(), expires, is_stateful }
            }
        }
    }

    /// The connection with this public id, if it lives.
    pub fn get(&self, id: &ConnectionId) -> Option<Connection> {
        self.0.slots.get(id).and_then(|slot| slot.live())
    }

    /// All that live, as they are now.
    pub fn all(&self) -> Vec<Connection> {
        self.0.slots.iter().filter_map(|slot| slot.live()).collect()
    }

    /// Enters a connection, or returns `None` if another one took its id in the meantime.
    ///
    /// `expires` is when its token stops opening it; without a token there is nothing to remember after its end.
    pub fn enter(&self, connection: &Connection, expires: Option<u32>) -> Option<Registration> {
        let connection_id = connection.id().clone();
        match self.0.slots.entry(connection_id.clone()) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(vacant) => {
                vacant.insert(Slot::Live(connection.clone()));
            }
        }
        self.0.live.fetch_add(1, Ordering::Relaxed);
        // Looked at behind the insertion, as `drain` looks at the slots behind its flag: one of the two sees the other.
        if self.is_draining() {
            connection.close(DisconnectReason::Shutdown);
        }
        Some(Registration { table: self.clone(), connection_id, expires })
    }

    /// Remembers that a connection was opened on another server with a token of the same key, which therefore opens none here.
    pub fn opened_elsewhere(&self, id: &ConnectionId, expires: u32) {
        let mut tombstones = self.0.tombstones.lock().unwrap_or_else(PoisonError::into_inner);
        if tombstones.len() < TOMBSTONES_MAX
            && let Entry::Vacant(vacant) = self.0.slots.entry(id.clone())
        {
            vacant.insert(Slot::Ended);
            tombstones.push(Reverse((expires, id.clone())));
        }
    }

    /// How many connections live.
    pub fn len(&self) -> usize {
        self.0.live.load(Ordering::Relaxed)
    }

    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the tombstones whose tokens have expired; `now` in seconds since 1970.
    pub fn sweep(&self, now: u32) {
        let mut tombstones = self.0.tombstones.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Reverse((expires, connection_id))) = tombstones.peek()
            && *expires < now
        {
            self.0.slots.remove(connection_id);
            tombstones.pop();
        }
    }

    /// Whether new connections are refused because the server goes down.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::SeqCst)
    }

    /// Accepts connections again, for another server after one that has gone down.
    pub fn reopen(&self) {
        self.0.draining.store(false, Ordering::SeqCst);
    }

    /// Refuses new connections; those that live are for the caller to end.
    pub fn drain(&self) -> Vec<Connection> {
        self.0.draining.store(true, Ordering::SeqCst);
        self.all()
    }

    /// Waits until no connection lives.
    pub async fn emptied(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.is_empty() {
                return;
            }
            changed.await;
        }
    }
}

impl Slot {
    fn live(&self) -> Option<Connection> {
        match self {
            Self::Live(connection) => Some(connection.clone()),
            Self::Ended => None,
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let shared = &self.table.0;
        match self.expires {
            Some(expires) => {
                shared.slots.insert(self.connection_id.clone(), Slot::Ended);
                let mut tombstones =
                    shared.tombstones.lock().unwrap_or_else(PoisonError::into_inner);
                tombstones.push(Reverse((expires, self.connection_id.clone())));
            }
            None => {
                shared.slots.remove(&self.connection_id);
            }
        }
        shared.live.fetch_sub(1, Ordering::Relaxed);
        shared.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attachment, ConnectRequest, EndpointOptions, Transport};

    fn open(id: ConnectionId) -> (Connection, Attachment) {
        let request = ConnectRequest::local("/chat", Transport::WebSockets);
        Connection::open(id, request, Arc::new(EndpointOptions::default()))
    }

    #[test]
    fn a_token_opens_its_connection_once() {
        let table = ConnectionTable::new(TokenKey::random());
        let token = table.issue("/chat", TokenKind::Secret, 100).token;
        let claims = table.verify("/chat", &token).unwrap();
        let Found::Fresh { connection_id, expires, .. } = table.find(&claims, 90) else {
            panic!("a fresh token opens a connection")
        };
        let (connection, _attachment) = open(connection_id);
        let registration = table.enter(&connection, Some(expires)).unwrap();
        assert!(matches!(table.find(&claims, 101), Found::Live(_)));
        assert!(table.enter(&connection, Some(expires)).is_none());
        drop(registration);
        assert!(table.is_empty());
        assert!(matches!(table.find(&claims, 100), Found::Ended));
        table.sweep(101);
        assert!(matches!(table.find(&claims, 101), Found::Unknown));
        assert!(table.0.slots.is_empty());
    }

    #[test]
    fn an_expired_or_foreign_token_opens_nothing() {
        let table = ConnectionTable::new(TokenKey::random());
        let token = table.issue("/chat", TokenKind::Secret, 100).token;
        let claims = table.verify("/chat", &token).unwrap();
        assert!(matches!(table.find(&claims, 101), Found::Unknown));
        assert_eq!(table.verify("/other", &token), Err(TokenError::Forged));
        assert_eq!(table.verify("/chat", ""), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_that_opened_its_connection_elsewhere_opens_none_here() {
        let table = ConnectionTable::new(TokenKey::random());
        let token = table.issue("/chat", TokenKind::Secret, 100).token;
        let claims = table.verify("/chat", &token).unwrap();
        let Found::Fresh { connection_id, expires, .. } = table.find(&claims, 90) else {
            panic!("a fresh token opens a connection")
        };
        table.opened_elsewhere(&connection_id, expires);
        table.opened_elsewhere(&connection_id, expires);
        assert!(matches!(table.find(&claims, 90), Found::Ended));
        assert!(table.is_empty());
        table.sweep(101);
        assert!(table.0.slots.is_empty());

        // One that lives here is not forgotten for it.
        let (connection, _attachment) = open("a".into());
        let registration = table.enter(&connection, None);
        table.opened_elsewhere(connection.id(), expires);
        assert!(table.get(connection.id()).is_some());
        drop(registration);
        assert!(table.0.slots.is_empty());
    }

    #[test]
    fn what_others_opened_is_bounded() {
        let table = ConnectionTable::new(TokenKey::random());
        for number in 0..=TOMBSTONES_MAX {
            table.opened_elsewhere(&number.to_string().into(), 100);
        }
        assert_eq!(table.0.slots.len(), TOMBSTONES_MAX);
    }

    #[test]
    fn draining_lets_nobody_in() {
        let table = ConnectionTable::new(TokenKey::random());
        let (connection, _attachment) = open("a".into());
        let registration = table.enter(&connection, None);
        let draining: Vec<_> = table.drain().iter().map(|left| left.id().clone()).collect();
        assert_eq!(draining, [connection.id().clone()]);
        assert!(table.is_draining());
        let (late, _late_attachment) = open("b".into());
        let late_registration = table.enter(&late, None);
        assert_eq!(late.disconnect_reason(), Some(DisconnectReason::Shutdown));
        drop((registration, late_registration));
        assert!(table.is_empty());
        table.reopen();
        assert!(!table.is_draining());
    }
}
