//! When to ping a client, and when to give it up.

use hubwire_transport::{Transport, ticks};

use crate::options::HubOptions;

/// The two clocks of a session, in ticks of a second.
///
/// Pings go out at a fixed rhythm whatever else is sent, as from the official server.
/// A client is given up only after it has pinged once: before that it may be one that never pings.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    interval: u64,
    timeout: u64,
    next_ping: u64,
    last_received: u64,
    /// Whether the client has ever pinged.
    is_watched: bool,
}

/// Ticks that no connection lives to see, with room to add to them.
const NEVER: u64 = u64::MAX / 4;

/// What a tick asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    Timeout,
}

impl KeepAlive {
    pub(crate) fn new(options: &HubOptions, transport: Transport, now: u64) -> Self {
        // Polls are a sign of life by themselves: nobody pings over them, and a missing one is noticed below.
        let (interval, timeout) = match transport.is_lasting() {
            true => (ticks(options.keep_alive_interval), ticks(options.client_timeout_interval)),
            false => (NEVER, NEVER),
        };
        Self { interval, timeout, next_ping: now + interval, last_received: now, is_watched: false }
    }

    /// The client is alive: it sent something, or it could not because we did not read.
    pub(crate) fn received(&mut self, now: u64) {
        self.last_received = now;
    }

    /// The client pings, so it can be expected to go on.
    pub(crate) fn watch(&mut self) {
        self.is_watched = true;
    }

    /// What is due at this tick.
    pub(crate) fn tick(&mut self, now: u64) -> Due {
        if self.is_watched && now > self.last_received + self.timeout {
            return Due::Timeout;
        }
        if now < self.next_ping {
            return Due::Nothing;
        }
        self.next_ping = now + self.interval;
        Due::Ping
    }

    /// The tick at which something may be due.
    pub(crate) fn deadline(&self) -> u64 {
        let timeout = self.last_received + self.timeout + 1;
        if self.is_watched { self.next_ping.min(timeout) } else { self.next_ping }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn keep_alive(interval: u64, timeout: u64) -> KeepAlive {
        let options = HubOptions::default()
            .keep_alive_interval(Duration::from_secs(interval))
            .client_timeout_interval(Duration::from_secs(timeout));
        KeepAlive::new(&options, Transport::WebSockets, 0)
    }

    #[test]
    fn pings_keep_their_rhythm() {
        let mut keep_alive = keep_alive(1, 30);
        assert_eq!((1..=3).map(|now| keep_alive.tick(now)).collect::<Vec<_>>(), [Due::Ping; 3]);
        let mut keep_alive = KeepAlive { interval: 3, next_ping: 3, ..keep_alive };
        let due: Vec<_> = (1..=6).map(|now| keep_alive.tick(now)).collect();
        assert_eq!(
            due,
            [Due::Nothing, Due::Nothing, Due::Ping, Due::Nothing, Due::Nothing, Due::Ping]
        );
    }

    #[test]
    fn polls_need_no_pings() {
        let mut keep_alive = KeepAlive::new(&HubOptions::default(), Transport::LongPolling, 0);
        keep_alive.watch();
        assert_eq!(keep_alive.tick(1_000_000), Due::Nothing);
    }

    #[test]
    fn only_a_client_that_pinged_is_given_up() {
        let mut keep_alive = keep_alive(100, 3);
        assert_eq!(keep_alive.tick(50), Due::Nothing);
        keep_alive.received(50);
        keep_alive.watch();
        assert_eq!(keep_alive.deadline(), 54);
        assert_eq!(keep_alive.tick(53), Due::Nothing);
        keep_alive.received(53);
        assert_eq!(keep_alive.tick(56), Due::Nothing);
        assert_eq!(keep_alive.tick(57), Due::Timeout);
    }
}
