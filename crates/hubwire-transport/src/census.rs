//! How many clients an endpoint has, over all workers, and whether there is a place for one more.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use thiserror::Error;

/// The clients of one endpoint.
#[derive(Debug, Default)]
pub struct Census {
    seated: AtomicUsize,
    by_address: DashMap<IpAddr, usize>,
    /// Bytes that the compression contexts of clients take.
    contexts: AtomicUsize,
    /// Negotiations that no connection came of yet, by the second at which their tokens expire, soonest first.
    pending: Mutex<VecDeque<(u32, usize)>>,
}

/// A client's place at an endpoint, given up when it is dropped.
#[derive(Debug)]
pub struct Seat {
    census: Arc<Census>,
    address: Option<IpAddr>,
}

/// Memory that is set aside for the compression context of a client, given up when it is dropped.
#[derive(Debug)]
pub struct ContextSeat {
    census: Arc<Census>,
    bytes: usize,
}

/// Why there is no place for another client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Full {
    /// The client's address has as many connections as one may have.
    #[error("max_connections_per_address ({limit}) is reached")]
    Address {
        /// `max_connections_per_address`.
        limit: usize,
    },
    /// The endpoint has as many connections as it may have.
    #[error("max_connections ({limit}) is reached")]
    Connections {
        /// `max_connections`.
        limit: usize,
    },
    /// As many clients have negotiated and not come back as may be awaited.
    #[error("max_pending_negotiations ({limit}) is reached")]
    Negotiations {
        /// `max_pending_negotiations`.
        limit: usize,
    },
}

impl Census {
    /// How many clients have a seat.
    pub fn seated(&self) -> usize {
        self.seated.load(Ordering::Relaxed)
    }

    /// Takes a seat for a client of `address`, if there is one.
    ///
    /// # Errors
    ///
    /// Which limit is reached.
    pub fn take_seat(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        max_connections: Option<usize>,
        max_per_address: Option<usize>,
    ) -> Result<Seat, Full> {
        let address = address.filter(|_| max_per_address.is_some()).map(network);
        let before = self.seated.fetch_add(1, Ordering::Relaxed);
        // Given back by its drop where a limit is reached.
        let mut seat = Seat { census: self.clone(), address: None };
        if let Some(limit) = max_connections.filter(|limit| before >= *limit) {
            return Err(Full::Connections { limit });
        }
        if let (Some(address), Some(limit)) = (address, max_per_address) {
            let mut seats = self.by_address.entry(address).or_default();
            if *seats >= limit {
                return Err(Full::Address { limit });
            }
            *seats += 1;
            seat.address = Some(address);
        }
        Ok(seat)
    }

    /// Sets memory aside for a context, if no more than `limit` bytes are then.
    pub fn take_context(self: &Arc<Self>, bytes: usize, limit: usize) -> Option<ContextSeat> {
        let before = self.contexts.fetch_add(bytes, Ordering::Relaxed);
        // Given back by its drop where there is not enough.
        let seat = ContextSeat { census: self.clone(), bytes };
        (before.saturating_add(bytes) <= limit).then_some(seat)
    }

    /// Counts a negotiation whose token expires at `expires`, if another one may be awaited; both times in seconds since 1970.
    ///
    /// # Errors
    ///
    /// When the limit is reached.
    pub fn await_client(&self, expires: u32, now: u32, max: Option<usize>) -> Result<(), Full> {
        let Some(limit) = max else { return Ok(()) };
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        while pending.front().is_some_and(|(expires, _)| *expires < now) {
            pending.pop_front();
        }
        if pending.iter().map(|(_, count)| count).sum::<usize>() >= limit {
            return Err(Full::Negotiations { limit });
        }
        match pending.back_mut() {
            // A clock that was set back counts with the latest.
            Some((latest, count)) if *latest >= expires => *count += 1,
            _ => pending.push_back((expires, 1)),
        }
        Ok(())
    }

    /// A client came with a token that expires at `expires`.
    pub fn client_came(&self, expires: u32) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = pending.iter_mut().find(|(second, _)| *second >= expires) {
            *count = count.saturating_sub(1);
        }
    }
}

/// Whoever has one address of IPv6 usually has the 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.census.seated.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        if let Some(mut seats) = self.census.by_address.get_mut(&address) {
            *seats -= 1;
        }
        self.census.by_address.remove_if(&address, |_, seats| *seats == 0);
    }
}

impl Drop for ContextSeat {
    fn drop(&mut self) {
        self.census.contexts.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn seats_are_given_back() {
        let census = Arc::new(Census::default());
        let take = || census.take_seat(None, Some(2), None);
        let (first, _second) = (take().unwrap(), take().unwrap());
        assert_eq!(take().unwrap_err(), Full::Connections { limit: 2 });
        drop(first);
        assert_eq!(census.seated(), 1);
        assert!(take().is_ok());
    }

    #[test]
    fn an_address_has_seats_of_its_own() {
        let census = Arc::new(Census::default());
        let take = |last| {
            let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
            census.take_seat(Some(address), None, Some(1))
        };
        let first = take(1).unwrap();
        assert_eq!(take(1).unwrap_err(), Full::Address { limit: 1 });
        let _other = take(2).unwrap();
        assert_eq!(census.seated(), 2);
        drop(first);
        assert_eq!(census.by_address.len(), 1);
        assert!(take(1).is_ok());
    }

    #[test]
    fn negotiations_are_pending_until_their_client_comes_or_may_come_no_more() {
        let census = Census::default();
        let negotiate = |now| census.await_client(now + 15, now, Some(2));
        assert_eq!((negotiate(100), negotiate(101)), (Ok(()), Ok(())));
        assert_eq!(negotiate(101), Err(Full::Negotiations { limit: 2 }));
        census.client_came(116);
        assert_eq!(negotiate(115), Ok(()));
        assert_eq!(negotiate(115), Err(Full::Negotiations { limit: 2 }));
        assert_eq!(negotiate(116), Ok(()), "the first has expired");
        assert_eq!(census.await_client(0, 0, None), Ok(()));
    }
}
