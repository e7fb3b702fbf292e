//! Clients that connect, up to the answer to their handshake.

use super::{Cell, CellError, FIRST_CLIENTS, Format, Load, Target, Unit, micros, nothing_follows};
use crate::link::Link;
use crate::peers::Offer;

pub(super) const CELLS: &[Cell] = &[
    Cell { id: "connect-direct", title: "connect, WebSocket alone", link: Link::WebSocket, ..CELL },
    Cell {
        id: "connect-negotiated",
        title: "connect, negotiated WebSocket",
        link: Link::Negotiated,
        ..CELL
    },
];

const CELL: Cell = Cell {
    id: "",
    title: "",
    unit: Unit::CpuPerConnection,
    link: Link::WebSocket,
    format: Format::Text,
    needs: Offer::Calls,
    load: &Connect { clients: 4000 },
};

#[derive(Debug)]
struct Connect {
    clients: usize,
}

impl Load for Connect {
    fn measure(&self, target: &Target<'_>) -> Result<f64, CellError> {
        let clients = target.clients(self.clients);
        let mut swarm = target.connect(FIRST_CLIENTS.max(clients / 4))?;
        nothing_follows(&mut swarm, 0)?;
        let before = target.child.process.cpu()?;
        swarm.connect(clients)?;
        let after = target.child.process.cpu()?;
        // They all live: what was counted are connections and not what is left of them.
        nothing_follows(&mut swarm, 1)?;
        Ok(micros(after.saturating_sub(before)) / clients as f64)
    }
}
