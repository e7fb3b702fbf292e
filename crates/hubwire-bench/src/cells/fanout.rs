//! Texts that one client has everyone told.

use std::collections::VecDeque;
use std::ops::Range;

use crate::dialect::Heard;
use crate::payload::Payload;
use crate::swarm::{Conversation, Outgoing, SwarmError};

/// The client that broadcasts; it is told what it says as everyone is.
const SPEAKER: usize = 0;

/// The broadcasts of a range, so many at a time: the next follows when everyone was told the earliest.
///
/// Everyone must be told in order: there is one order from one sender to one receiver.
#[derive(Debug)]
pub(crate) struct Fanout {
    numbers: Range<u64>,
    in_flight: u64,
    /// By client, the broadcast that comes next.
    next: Vec<u64>,
    /// Those on their way, from the earliest on, by how many were told.
    told: VecDeque<usize>,
    /// The earliest on its way.
    earliest: u64,
    payload: Payload,
}

impl Fanout {
    pub(crate) fn new(clients: usize, numbers: Range<u64>, in_flight: u64, bytes: usize) -> Self {
        let next = vec![numbers.start; clients];
        let earliest = numbers.start;
        let payload = Payload::new(bytes);
        Self { numbers, in_flight, next, told: VecDeque::new(), earliest, payload }
    }

    fn broadcast(&mut self, say: &mut Outgoing) {
        let number = self.earliest + self.told.len() as u64;
        if self.numbers.contains(&number) {
            say.broadcast(SPEAKER, self.payload.of(SPEAKER, number));
            self.told.push_back(0);
        }
    }
}

impl Conversation for Fanout {
    fn begin(&mut self, say: &mut Outgoing) {
        for _ in 0..self.in_flight {
            self.broadcast(say);
        }
    }

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        say: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        let number = self.next[client];
        let expected = self.payload.of(SPEAKER, number);
        // One that everyone was told is behind `earliest`, one that was not sent is not counted yet.
        let index = usize::try_from(number - self.earliest).unwrap_or(usize::MAX);
        match (heard, self.told.get_mut(index)) {
            (Heard::Told { text }, Some(told)) if *text == expected => *told += 1,
            (_, Some(_)) => return Err(SwarmError::wrong(client, expected, heard)),
            (_, None) => return Err(SwarmError::wrong(client, "nothing", heard)),
        }
        self.next[client] += 1;
        while self.told.front() == Some(&self.next.len()) {
            self.told.pop_front();
            self.earliest += 1;
            self.broadcast(say);
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.earliest == self.numbers.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    /// Three broadcasts to two clients, two on their way at once, of which some are heard.
    fn heard(told: &[(usize, u64)]) -> Result<Fanout, SwarmError> {
        let mut say = Outgoing::new(Dialect::Plain, 2);
        let mut fanout = Fanout::new(2, 5..8, 2, 32);
        fanout.begin(&mut say);
        for (client, number) in told {
            let mut payload = Payload::new(32);
            let text = payload.of(SPEAKER, *number);
            fanout.hear(*client, &Heard::Told { text }, &mut say)?;
        }
        Ok(fanout)
    }

    #[test]
    fn is_over_when_everyone_was_told_everything() {
        let all = [(0, 5), (0, 6), (1, 5), (0, 7), (1, 6), (1, 7)];
        assert!(heard(&all).unwrap().is_over());
        assert!(!heard(&all[..5]).unwrap().is_over());
    }

    #[test]
    fn fails_on_a_missing_and_on_a_surplus_delivery() {
        assert!(heard(&[(0, 6)]).is_err());
        assert!(heard(&[(0, 5), (0, 5)]).is_err());
        // The third follows when everyone was told the first.
        assert!(heard(&[(0, 5), (0, 6), (0, 7)]).is_err());
        assert!(heard(&[(0, 5), (0, 6), (1, 5), (0, 7), (0, 8)]).is_err());
    }

    #[test]
    fn fails_on_another_text() {
        let mut say = Outgoing::new(Dialect::Plain, 2);
        let mut fanout = Fanout::new(2, 5..8, 2, 32);
        fanout.begin(&mut say);
        let mut payload = Payload::new(32);
        let text = payload.of(1, 5);
        assert!(fanout.hear(1, &Heard::Told { text }, &mut say).is_err());
        let answer = Heard::Answer { number: None, text: payload.of(0, 5) };
        assert!(fanout.hear(1, &answer, &mut say).is_err());
    }
}
