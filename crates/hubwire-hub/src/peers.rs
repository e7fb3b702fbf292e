//! The other servers of a hub, as far as they have been heard.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::backplane::ServerId;

/// How often a server says that it lives, in seconds.
pub(crate) const ALIVE_TICKS: u64 = 2;

/// How many seconds a server may be silent before it counts as lost: two of its signs may be.
pub(crate) const LEASE_TICKS: u64 = 6;

/// How long a lost server is remembered, in seconds. A bus may count it among those that it reaches until its connection times out, in Redis after five minutes at the latest.
const LOST_TICKS: u64 = 600;

/// More are not kept apart. No hub has as many servers; one that restarts all the time should not cost memory.
const PEERS_MAX: usize = 4096;

/// The other servers of a hub.
#[derive(Debug, Default)]
pub(crate) struct Peers(Mutex<HashMap<ServerId, Peer>>);

#[derive(Debug, Default)]
struct Peer {
    /// When it was last heard.
    heard: u64,
    is_lost: bool,
    /// The highest number that it has given what it told on several topics.
    latest: Option<u64>,
}

impl Peers {
    fn peers(&self) -> MutexGuard<'_, HashMap<ServerId, Peer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server was heard.
    pub(crate) fn heard(&self, server: &ServerId, now: u64) {
        let mut peers = self.peers();
        if let Some(peer) = peers.get_mut(server) {
            peer.heard = now;
            peer.is_lost = false;
        } else if peers.len() < PEERS_MAX {
            peers.insert(server.clone(), Peer { heard: now, ..Peer::default() });
        }
    }

    /// Whether this was not heard before, of what `server` tells on several topics.
    pub(crate) fn is_news(&self, server: &ServerId, number: u64) -> bool {
        let mut peers = self.peers();
        let Some(peer) = peers.get_mut(server) else { return true };
        let is_news = peer.latest.is_none_or(|latest| number > latest);
        peer.latest = peer.latest.max(Some(number));
        is_news
    }

    /// A server says that it goes away.
    pub(crate) fn left(&self, server: &ServerId) {
        self.peers().remove(server);
    }

    /// The servers that have now been silent for too long.
    pub(crate) fn lose(&self, now: u64) -> Vec<ServerId> {
        let mut peers = self.peers();
        peers.retain(|_, peer| now < peer.heard + LEASE_TICKS + LOST_TICKS);
        let silent = peers.iter_mut().filter(|(_, peer)| peer.heard + LEASE_TICKS < now);
        silent
            .filter_map(|(server, peer)| {
                (!std::mem::replace(&mut peer.is_lost, true)).then(|| server.clone())
            })
            .collect()
    }

    /// How many are lost.
    pub(crate) fn lost(&self) -> usize {
        self.peers().values().filter(|peer| peer.is_lost).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_silent_for_too_long_is_lost_once() {
        let peers = Peers::default();
        let (a, b) = (ServerId::from("a"), ServerId::from("b"));
        peers.heard(&a, 1);
        peers.heard(&b, 1);
        assert!(peers.lose(1 + LEASE_TICKS).is_empty());
        peers.heard(&b, 2);
        assert_eq!(peers.lose(2 + LEASE_TICKS), std::slice::from_ref(&a));
        assert!(peers.lose(2 + LEASE_TICKS).is_empty());
        assert_eq!(peers.lost(), 1);
        // It was only slow.
        peers.heard(&a, 9);
        assert_eq!(peers.lost(), 0);
        peers.left(&b);
        assert_eq!(peers.lose(9 + LEASE_TICKS + LOST_TICKS), []);
        assert_eq!(peers.lost(), 0);
    }

    #[test]
    fn what_is_told_on_several_topics_is_news_once() {
        let peers = Peers::default();
        let (a, b) = (ServerId::from("a"), ServerId::from("b"));
        peers.heard(&a, 1);
        peers.heard(&b, 1);
        assert!(peers.is_news(&a, 1));
        assert!(!peers.is_news(&a, 1));
        assert!(peers.is_news(&b, 1));
        assert!(peers.is_news(&a, 5));
        assert!(!peers.is_news(&a, 4));
    }
}
