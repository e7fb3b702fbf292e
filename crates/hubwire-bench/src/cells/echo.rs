//! Calls that are answered with their own text.

use std::ops::Range;

use crate::dialect::Heard;
use crate::payload::Payload;
use crate::swarm::{Conversation, Outgoing, SwarmError};

/// Every client makes the calls of a range, in order, so many at a time.
///
/// The answers must come in order too: a hub runs one call of a client after another unless told otherwise.
#[derive(Debug)]
pub(crate) struct Echo {
    numbers: Range<u64>,
    in_flight: u64,
    /// By client, the call whose answer comes next.
    next: Vec<u64>,
    /// Clients that have all their answers.
    finished: usize,
    payload: Payload,
}

impl Echo {
    pub(crate) fn new(clients: usize, numbers: Range<u64>, in_flight: u64, bytes: usize) -> Self {
        let next = vec![numbers.start; clients];
        Self { numbers, in_flight, next, finished: 0, payload: Payload::new(bytes) }
    }
}

impl Conversation for Echo {
    fn begin(&mut self, say: &mut Outgoing) {
        let first =
            self.numbers.clone().take(usize::try_from(self.in_flight).unwrap_or(usize::MAX));
        for client in 0..self.next.len() {
            for number in first.clone() {
                say.call(client, number, self.payload.of(client, number));
            }
        }
    }

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        say: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        let number = self.next[client];
        let expected = self.payload.of(client, number);
        match heard {
            Heard::Answer { number: answered, text }
                if self.numbers.contains(&number)
                    && answered.is_none_or(|answered| answered == number)
                    && *text == expected => {}
            Heard::Answer { .. } | Heard::Told { .. } => {
                let expected = if self.numbers.contains(&number) { expected } else { "nothing" };
                return Err(SwarmError::wrong(client, expected, heard));
            }
        }
        self.next[client] += 1;
        if self.next[client] == self.numbers.end {
            self.finished += 1;
        }
        let follows = number + self.in_flight;
        if self.numbers.contains(&follows) {
            say.call(client, follows, self.payload.of(client, follows));
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.finished == self.next.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    /// Two clients with two calls each, both in flight, of which some answers come.
    fn heard(answers: &[(usize, u64)]) -> Result<Echo, SwarmError> {
        let mut say = Outgoing::new(Dialect::Plain, 2);
        let mut echo = Echo::new(2, 5..7, 2, 32);
        echo.begin(&mut say);
        for (client, number) in answers {
            let mut payload = Payload::new(32);
            let text = payload.of(*client, *number);
            echo.hear(*client, &Heard::Answer { number: Some(*number), text }, &mut say)?;
        }
        Ok(echo)
    }

    #[test]
    fn is_over_when_every_answer_came_once() {
        assert!(!heard(&[(0, 5), (0, 6), (1, 5)]).unwrap().is_over());
        assert!(heard(&[(0, 5), (1, 5), (1, 6), (0, 6)]).unwrap().is_over());
    }

    #[test]
    fn fails_on_a_missing_and_on_a_surplus_answer() {
        assert!(heard(&[(0, 6)]).is_err());
        assert!(heard(&[(0, 5), (0, 5)]).is_err());
        assert!(heard(&[(0, 5), (0, 6), (0, 7)]).is_err());
    }

    #[test]
    fn fails_on_what_is_not_its_answer() {
        let mut payload = Payload::new(32);
        let mut say = Outgoing::new(Dialect::Plain, 2);
        for (number, text, is_right) in [
            (Some(5), payload.of(0, 5).to_owned(), true),
            (None, payload.of(0, 5).to_owned(), true),
            (Some(6), payload.of(0, 5).to_owned(), false),
            (Some(5), payload.of(1, 5).to_owned(), false),
            (Some(5), payload.of(0, 5)[1..].to_owned(), false),
        ] {
            let mut echo = Echo::new(2, 5..7, 1, 32);
            let answer = Heard::Answer { number, text: &text };
            assert_eq!(echo.hear(0, &answer, &mut say).is_ok(), is_right, "{answer:?}");
        }
        let told = Heard::Told { text: payload.of(0, 5) };
        assert!(Echo::new(2, 5..7, 1, 32).hear(0, &told, &mut say).is_err());
    }
}
