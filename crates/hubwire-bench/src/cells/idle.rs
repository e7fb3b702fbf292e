//! Clients that connected and say nothing.

use super::{Cell, CellError, FIRST_CLIENTS, Format, Load, Target, Unit, nothing_follows};
use crate::link::Link;
use crate::peers::Offer;

pub(super) const CELLS: &[Cell] = &[
    Cell { id: "idle-websocket", title: "idle WebSocket", link: Link::WebSocket, ..CELL },
    Cell { id: "idle-event-stream", title: "idle event stream", link: Link::EventStream, ..CELL },
    Cell {
        id: "idle-poll",
        title: "idle long poll",
        link: Link::LongPolling,
        // Of 5,000, Node closes some before all have come.
        load: &Idle { clients: 3000 },
        ..CELL
    },
];

const CELL: Cell = Cell {
    id: "",
    title: "",
    unit: Unit::MemoryPerConnection,
    link: Link::WebSocket,
    format: Format::Text,
    needs: Offer::Calls,
    load: &Idle { clients: 5000 },
};

#[derive(Debug)]
struct Idle {
    clients: usize,
}

impl Load for Idle {
    fn measure(&self, target: &Target<'_>) -> Result<f64, CellError> {
        let clients = target.clients(self.clients);
        // What the first connections bring with them is not what each costs.
        let mut swarm = target.connect(FIRST_CLIENTS)?;
        nothing_follows(&mut swarm, 0)?;
        swarm.rest()?;
        let before = target.child.process.resident()?;
        swarm.connect(clients)?;
        swarm.rest()?;
        let after = target.child.process.resident()?;
        // They all live: what was counted are connections and not what is left of them.
        nothing_follows(&mut swarm, 1)?;
        Ok(after.saturating_sub(before) as f64 / clients as f64)
    }
}
