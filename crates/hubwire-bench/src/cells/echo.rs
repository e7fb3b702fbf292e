//! Calls that are answered with their own text.

use std::ops::Range;

use super::{Cell, CellError, Format, Load, Target, Unit, WARM_UP, micros, nothing_follows};
use crate::dialect::{Heard, Say};
use crate::error::SwarmError;
use crate::link::Link;
use crate::order::{Order, Sequence};
use crate::payload::Payload;
use crate::peers::Offer;
use crate::swarm::{Conversation, Outgoing};

pub(super) const CELLS: &[Cell] = &[
    Cell {
        id: "echo-1x32",
        title: "echo, 64 clients, 1 in flight, 32 B",
        load: &Echo { in_flight: 1, bytes: 32, calls: 100_000 },
        ..CELL
    },
    Cell {
        id: "echo-1x1024",
        title: "echo, 64 clients, 1 in flight, 1 KiB",
        load: &Echo { in_flight: 1, bytes: 1024, calls: 100_000 },
        ..CELL
    },
    Cell {
        id: "echo-16x32",
        title: "echo, 64 clients, 16 in flight, 32 B",
        load: &Echo { in_flight: 16, bytes: 32, calls: 200_000 },
        ..CELL
    },
    Cell {
        id: "echo-16x1024",
        title: "echo, 64 clients, 16 in flight, 1 KiB",
        load: &Echo { in_flight: 16, bytes: 1024, calls: 200_000 },
        ..CELL
    },
    Cell {
        id: "echo-messagepack-1x32",
        title: "MessagePack echo, 1 in flight, 32 B",
        format: Format::Binary,
        load: &Echo { in_flight: 1, bytes: 32, calls: 100_000 },
        ..CELL
    },
    Cell {
        id: "echo-messagepack-16x1024",
        title: "MessagePack echo, 16 in flight, 1 KiB",
        format: Format::Binary,
        load: &Echo { in_flight: 16, bytes: 1024, calls: 200_000 },
        ..CELL
    },
    Cell {
        id: "echo-long-polling",
        title: "echo over long polling, 32 B",
        link: Link::LongPolling,
        load: &Echo { in_flight: 1, bytes: 32, calls: 30_000 },
        ..CELL
    },
    Cell {
        id: "echo-event-stream",
        title: "echo over server-sent events, 32 B",
        link: Link::EventStream,
        load: &Echo { in_flight: 1, bytes: 32, calls: 50_000 },
        ..CELL
    },
    Cell {
        id: "echo-short-polling",
        title: "echo over short polling, 32 B",
        link: Link::ShortPolling,
        load: &Echo { in_flight: 1, bytes: 32, calls: 30_000 },
        ..CELL
    },
];

/// What most of them are.
const CELL: Cell = Cell {
    id: "",
    title: "",
    unit: Unit::CpuPerCall,
    link: Link::WebSocket,
    format: Format::Text,
    needs: Offer::Calls,
    load: &Echo { in_flight: 1, bytes: 32, calls: 0 },
};

const CLIENTS: usize = 64;

/// 64 clients call and get their text back.
#[derive(Debug)]
struct Echo {
    /// By each client.
    in_flight: u64,
    bytes: usize,
    /// Of all clients together.
    calls: u64,
}

impl Load for Echo {
    fn measure(&self, target: &Target<'_>) -> Result<f64, CellError> {
        let Self { in_flight, bytes, .. } = *self;
        let calls =
            |numbers| EchoConversation::new(CLIENTS, numbers, in_flight, bytes, target.order);
        let mut swarm = target.connect(CLIENTS)?;
        // The same number for each client, so what is measured is exactly what was done.
        let each = (target.times(self.calls) / CLIENTS as u64).max(1);
        let warm_up = (each / WARM_UP).max(in_flight);
        let end = warm_up + each;
        swarm.converse(&mut calls(0..warm_up))?;
        let mut echo = calls(warm_up..end);
        let spent = target.spend(&mut swarm, &mut echo)?;
        nothing_follows(&mut swarm, end)?;
        Ok(micros(spent) / (each * CLIENTS as u64) as f64)
    }
}

/// Every client makes the calls of a range, in order, so many at a time.
///
/// The answers must come in order too where that is promised: a hub runs one call of a client after another unless told
/// otherwise.
#[derive(Debug)]
pub(crate) struct EchoConversation {
    numbers: Range<u64>,
    in_flight: u64,
    order: Order,
    /// By client, the calls that were answered.
    answered: Vec<Sequence>,
    /// By client, the call that comes next.
    calls: Vec<u64>,
    /// Clients that have all their answers.
    finished: usize,
    payload: Payload,
}

impl EchoConversation {
    pub(crate) fn new(
        clients: usize,
        numbers: Range<u64>,
        in_flight: u64,
        bytes: usize,
        order: Order,
    ) -> Self {
        let answered = vec![Sequence::new(numbers.start); clients];
        let calls = vec![numbers.start; clients];
        let payload = Payload::new(bytes);
        Self { numbers, in_flight, order, answered, calls, finished: 0, payload }
    }
}

impl Conversation for EchoConversation {
    fn begin(&mut self, out: &mut Outgoing) {
        let end = self.numbers.end.min(self.numbers.start + self.in_flight);
        for client in 0..self.calls.len() {
            for number in self.numbers.start..end {
                out.say(client, Say::Call { number, text: self.payload.of(client, number) });
            }
            self.calls[client] = end;
        }
    }

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        out: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        let sequence = &mut self.answered[client];
        let said = match heard {
            Heard::Answer { number, .. } => *number,
            _ => None,
        };
        let number = sequence.expect(self.order, said);
        let expected = self.payload.of(client, number);
        let is_it = matches!(heard, Heard::Answer { number: said, text }
            if said.is_none_or(|said| said == number) && *text == expected);
        if !is_it || !self.numbers.contains(&number) || !sequence.take(number) {
            let expected = if self.numbers.contains(&number) { expected } else { "nothing" };
            return Err(SwarmError::wrong(client, expected, heard));
        }
        if sequence.next() == self.numbers.end {
            self.finished += 1;
        }
        // Whatever was answered, one more is in flight: as many as were answered were called behind the first.
        let follows = self.calls[client];
        if self.numbers.contains(&follows) {
            self.calls[client] += 1;
            out.say(client, Say::Call { number: follows, text: self.payload.of(client, follows) });
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.finished == self.calls.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Plain;

    /// Two clients with two calls each, both in flight, of which some answers come.
    fn heard(answers: &[(usize, u64)]) -> Result<EchoConversation, SwarmError> {
        let mut out = Outgoing::new(&Plain, Link::WebSocket);
        let mut echo = EchoConversation::new(2, 5..7, 2, 32, Order::Kept);
        echo.begin(&mut out);
        for (client, number) in answers {
            let mut payload = Payload::new(32);
            let text = payload.of(*client, *number);
            echo.hear(*client, &Heard::Answer { number: Some(*number), text }, &mut out)?;
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
        let mut out = Outgoing::new(&Plain, Link::WebSocket);
        for (number, text, is_right) in [
            (Some(5), payload.of(0, 5).to_owned(), true),
            (None, payload.of(0, 5).to_owned(), true),
            (Some(6), payload.of(0, 5).to_owned(), false),
            (Some(5), payload.of(1, 5).to_owned(), false),
            (Some(5), payload.of(0, 5)[1..].to_owned(), false),
        ] {
            let mut echo = EchoConversation::new(2, 5..7, 1, 32, Order::Kept);
            let answer = Heard::Answer { number, text: &text };
            assert_eq!(echo.hear(0, &answer, &mut out).is_ok(), is_right, "{answer:?}");
        }
        let told = Heard::Told { text: payload.of(0, 5) };
        assert!(
            EchoConversation::new(2, 5..7, 1, 32, Order::Kept).hear(0, &told, &mut out).is_err()
        );
    }
}
