//! Streams of the server to many clients, ten items a second each.

use super::{Cell, CellError, Format, Load, Target, Unit, micros, nothing_follows};
use crate::dialect::{Heard, Say};
use crate::error::SwarmError;
use crate::link::Link;
use crate::peers::Offer;
use crate::swarm::{Conversation, Outgoing};

pub(super) const CELLS: &[Cell] = &[Cell {
    id: "streams-1000",
    title: "a stream at 10 Hz to each of 1,000 clients",
    unit: Unit::CpuPerItem,
    link: Link::WebSocket,
    format: Format::Text,
    needs: Offer::Streams,
    load: &Streams { clients: 1000, items: 30 },
}];

#[derive(Debug)]
struct Streams {
    clients: usize,
    items: u64,
}

impl Load for Streams {
    fn measure(&self, target: &Target<'_>) -> Result<f64, CellError> {
        let clients = target.clients(self.clients);
        let items = target.times(self.items);
        let mut swarm = target.connect(clients)?;
        swarm.converse(&mut Streaming::new(clients, 0, 5))?;
        let spent = target.spend(&mut swarm, &mut Streaming::new(clients, 1, items))?;
        nothing_follows(&mut swarm, 2)?;
        Ok(micros(spent) / (items * clients as u64) as f64)
    }
}

/// Every client has a stream, whose items come in order, and then its end.
#[derive(Debug)]
struct Streaming {
    number: u64,
    items: u64,
    /// By client, the item that comes next.
    next: Vec<u64>,
    ended: usize,
}

impl Streaming {
    fn new(clients: usize, number: u64, items: u64) -> Self {
        Self { number, items, next: vec![0; clients], ended: 0 }
    }
}

impl Conversation for Streaming {
    fn begin(&mut self, out: &mut Outgoing) {
        for client in 0..self.next.len() {
            out.say(client, Say::Stream { number: self.number, items: self.items });
        }
    }

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        _: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        let next = &mut self.next[client];
        match heard {
            Heard::Item { value } if value == next && *next < self.items => *next += 1,
            Heard::End if *next == self.items => {
                *next += 1;
                self.ended += 1;
            }
            _ => return Err(SwarmError::wrong(client, &format!("item {next}"), heard)),
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.ended == self.next.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Plain;

    #[test]
    fn fails_on_what_is_missing_or_too_much() {
        let item = |value| Heard::Item { value };
        for (heard, is_right) in [
            (&[item(0), item(1), Heard::End][..], true),
            (&[item(1)], false),
            (&[item(0), Heard::End], false),
            (&[item(0), item(1), item(2)], false),
            (&[item(0), item(1), Heard::End, Heard::End], false),
        ] {
            let mut out = Outgoing::new(&Plain, Link::WebSocket);
            let mut streaming = Streaming::new(1, 0, 2);
            let all = heard.iter().try_for_each(|heard| streaming.hear(0, heard, &mut out));
            assert_eq!(all.is_ok(), is_right, "{heard:?}");
        }
    }
}
