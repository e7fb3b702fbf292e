//! Texts that one client has everyone told, or everyone in its group.

use std::collections::VecDeque;
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
        id: "fanout-1000-1x32",
        title: "fan-out, 1,000 clients, window 1, 32 B",
        load: &Fanout { clients: 1000, in_flight: 1, bytes: 32, broadcasts: 200 },
        ..CELL
    },
    Cell {
        id: "fanout-1000-4x32",
        title: "fan-out, 1,000 clients, window 4, 32 B",
        load: &Fanout { clients: 1000, in_flight: 4, bytes: 32, broadcasts: 400 },
        ..CELL
    },
    Cell {
        id: "fanout-1000-1x1024",
        title: "fan-out, 1,000 clients, window 1, 1 KiB",
        load: &Fanout { clients: 1000, in_flight: 1, bytes: 1024, broadcasts: 200 },
        ..CELL
    },
    Cell {
        id: "fanout-1000-4x1024",
        title: "fan-out, 1,000 clients, window 4, 1 KiB",
        load: &Fanout { clients: 1000, in_flight: 4, bytes: 1024, broadcasts: 400 },
        ..CELL
    },
    Cell {
        id: "fanout-5000",
        title: "fan-out, 5,000 clients, window 1, 32 B",
        load: &Fanout { clients: 5000, in_flight: 1, bytes: 32, broadcasts: 60 },
        ..CELL
    },
    Cell {
        id: "fanout-deflate",
        title: "fan-out, 1,000 clients, compressed, 1 KiB",
        link: Link::Deflate,
        load: &Fanout { clients: 1000, in_flight: 1, bytes: 1024, broadcasts: 100 },
        ..CELL
    },
    Cell {
        id: "groups-100x100",
        title: "100 groups of 100, each window 1, 32 B",
        needs: Offer::Groups,
        load: &Groups { groups: 100, members: 100, bytes: 32, sends: 20 },
        ..CELL
    },
];

/// What most of them are.
const CELL: Cell = Cell {
    id: "",
    title: "",
    unit: Unit::CpuPerDelivery,
    link: Link::WebSocket,
    format: Format::Text,
    needs: Offer::Broadcasts,
    load: &Fanout { clients: 0, in_flight: 0, bytes: 0, broadcasts: 0 },
};

/// One client has everyone told a text.
#[derive(Debug)]
struct Fanout {
    clients: usize,
    /// How many are on their way at once.
    in_flight: u64,
    bytes: usize,
    broadcasts: u64,
}

/// One client of each group has its group told a text.
#[derive(Debug)]
struct Groups {
    groups: usize,
    members: usize,
    bytes: usize,
    /// To each group.
    sends: u64,
}

impl Load for Fanout {
    fn measure(&self, target: &Target<'_>) -> Result<f64, CellError> {
        let Self { in_flight, bytes, .. } = *self;
        let clients = target.clients(self.clients);
        let mut swarm = target.connect(clients)?;
        let told = |numbers| {
            Telling::new(clients, Audience::Everyone, numbers, in_flight, bytes, target.order)
        };
        measure(target, &mut swarm, told, self.broadcasts, in_flight)
    }
}

impl Load for Groups {
    fn measure(&self, target: &Target<'_>) -> Result<f64, CellError> {
        let Self { members, bytes, .. } = *self;
        let clients = target.clients(self.groups) * members;
        let mut swarm = target.connect(clients)?;
        swarm.converse(&mut Joining { members, clients, joined: 0 })?;
        let told = |numbers| {
            Telling::new(clients, Audience::Group(members), numbers, 1, bytes, target.order)
        };
        measure(target, &mut swarm, told, self.sends, 1)
    }
}

fn measure(
    target: &Target<'_>,
    swarm: &mut crate::swarm::Swarm,
    told: impl Fn(Range<u64>) -> Telling,
    texts: u64,
    in_flight: u64,
) -> Result<f64, CellError> {
    let texts = target.times(texts);
    let warm_up = (texts / WARM_UP).max(in_flight);
    let end = warm_up + texts;
    swarm.converse(&mut told(0..warm_up))?;
    let spent = target.spend(swarm, &mut told(warm_up..end))?;
    let least = if target.link == Link::Deflate { texts * swarm.len() as u64 } else { 0 };
    if swarm.compressed() < least {
        return Err(SwarmError::Uncompressed.into());
    }
    nothing_follows(swarm, end)?;
    Ok(micros(spent) / (texts * swarm.len() as u64) as f64)
}

/// Who is told what a client says.
#[derive(Clone, Copy, Debug)]
enum Audience {
    Everyone,
    /// So many clients in a row, of which the first speaks.
    Group(usize),
}

/// The texts of a range to every audience, so many at a time: the next follows when all were told the earliest.
///
/// Everyone must be told in order where that is promised: from one sender to one receiver there is one.
#[derive(Debug)]
struct Telling {
    numbers: Range<u64>,
    in_flight: u64,
    audience: Audience,
    order: Order,
    /// By client, what it was told.
    told: Vec<Sequence>,
    /// How many are told each text.
    members: usize,
    groups: Vec<Group>,
    /// Groups that were told everything.
    finished: usize,
    payload: Payload,
}

#[derive(Clone, Debug)]
struct Group {
    /// Texts on their way, from the earliest on, by how many were told.
    told: VecDeque<usize>,
    /// The earliest on its way.
    earliest: u64,
}

impl Telling {
    fn new(
        clients: usize,
        audience: Audience,
        numbers: Range<u64>,
        in_flight: u64,
        bytes: usize,
        order: Order,
    ) -> Self {
        let members = match audience {
            Audience::Everyone => clients,
            Audience::Group(members) => members,
        };
        let group = Group { told: VecDeque::new(), earliest: numbers.start };
        Self {
            told: vec![Sequence::new(numbers.start); clients],
            order,
            groups: vec![group; clients / members],
            payload: Payload::new(bytes),
            finished: 0,
            numbers,
            in_flight,
            audience,
            members,
        }
    }

    fn tell(&mut self, group: usize, out: &mut Outgoing) {
        let number = self.groups[group].earliest + self.groups[group].told.len() as u64;
        if self.numbers.contains(&number) {
            self.groups[group].told.push_back(0);
            let speaker = group * self.members;
            let text = self.payload.of(speaker, number);
            match self.audience {
                Audience::Everyone => out.say(speaker, Say::Broadcast { text }),
                Audience::Group(_) => {
                    out.say(speaker, Say::ToGroup { group: &group_name(group), text });
                }
            }
        }
    }
}

fn group_name(group: usize) -> String {
    format!("group-{group}")
}

impl Conversation for Telling {
    fn begin(&mut self, out: &mut Outgoing) {
        for group in 0..self.groups.len() {
            for _ in 0..self.in_flight {
                self.tell(group, out);
            }
        }
    }

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        out: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        let index = client / self.members;
        let sequence = &mut self.told[client];
        let said = match heard {
            Heard::Told { text } => Payload::number_of(text),
            _ => None,
        };
        let number = sequence.expect(self.order, said);
        let expected = self.payload.of(index * self.members, number);
        let group = &mut self.groups[index];
        // One that everyone was told is behind `earliest`, one that was not sent is not counted yet.
        let place =
            number.checked_sub(group.earliest).and_then(|place| usize::try_from(place).ok());
        match (heard, group.told.get_mut(place.unwrap_or(usize::MAX))) {
            (Heard::Told { text }, Some(told)) if *text == expected && sequence.take(number) => {
                *told += 1;
            }
            (_, Some(_)) => return Err(SwarmError::wrong(client, expected, heard)),
            (_, None) => return Err(SwarmError::wrong(client, "nothing", heard)),
        }
        while self.groups[index].told.front() == Some(&self.members) {
            self.groups[index].told.pop_front();
            self.groups[index].earliest += 1;
            if self.groups[index].earliest == self.numbers.end {
                self.finished += 1;
            }
            self.tell(index, out);
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.finished == self.groups.len()
    }
}

/// Every client joins its group.
#[derive(Debug)]
struct Joining {
    members: usize,
    clients: usize,
    joined: usize,
}

impl Conversation for Joining {
    fn begin(&mut self, out: &mut Outgoing) {
        for client in 0..self.clients {
            let group = group_name(client / self.members);
            out.say(client, Say::Join { number: client as u64, group: &group });
        }
    }

    fn hear(
        &mut self,
        client: usize,
        heard: &Heard<'_>,
        _: &mut Outgoing,
    ) -> Result<(), SwarmError> {
        let expected = group_name(client / self.members);
        if !matches!(heard, Heard::Answer { text, .. } if *text == expected) {
            return Err(SwarmError::wrong(client, &expected, heard));
        }
        self.joined += 1;
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.joined == self.clients
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Plain;

    /// Three broadcasts to two clients, two on their way at once, of which some are heard.
    fn heard(told: &[(usize, u64)]) -> Result<Telling, SwarmError> {
        let mut out = Outgoing::new(&Plain, Link::WebSocket);
        let mut fanout = Telling::new(2, Audience::Everyone, 5..8, 2, 32, Order::Kept);
        fanout.begin(&mut out);
        for (client, number) in told {
            let mut payload = Payload::new(32);
            let text = payload.of(0, *number);
            fanout.hear(*client, &Heard::Told { text }, &mut out)?;
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
        let mut out = Outgoing::new(&Plain, Link::WebSocket);
        let mut fanout = Telling::new(2, Audience::Everyone, 5..8, 2, 32, Order::Kept);
        fanout.begin(&mut out);
        let mut payload = Payload::new(32);
        let text = payload.of(1, 5);
        assert!(fanout.hear(1, &Heard::Told { text }, &mut out).is_err());
        let answer = Heard::Answer { number: None, text: payload.of(0, 5) };
        assert!(fanout.hear(1, &answer, &mut out).is_err());
    }
}
