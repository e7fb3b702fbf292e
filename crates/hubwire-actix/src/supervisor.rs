//! The one clock of a worker: an actor that ticks its connections, and looks after sockets whose connection lives elsewhere.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context};
use hubwire_transport::{Connection, Receiver, Runner};

use crate::body::Hold;
use crate::clock::unix_seconds;
use crate::meter;

/// Connections are ticked in this many groups, one after another, so that a worker with many of them does not do all its pings at the same instant.
const GROUPS: usize = 8;

thread_local! {
    /// Started when the first endpoint is registered on a worker: only there an actor finds the local tasks that it needs, whatever runtime the server was started from.
    static SUPERVISOR: RefCell<Option<Supervised>> = const { RefCell::new(None) };
}

/// Ticks the connections whose home is this worker, and lets go of sockets.
struct Supervisor {
    watched: Rc<RefCell<Watched>>,
    turn: usize,
}

struct Supervised {
    supervisor: Addr<Supervisor>,
    watched: Rc<RefCell<Watched>>,
}

#[derive(Default)]
struct Watched {
    runners: Vec<Arc<dyn Runner>>,
    /// Slots of what is looked at once a second, and which of them are free.
    charges: Vec<Option<Charge>>,
    free: Vec<usize>,
}

/// What is looked at once a second.
enum Charge {
    /// A connection whose home is this worker.
    Connection(Connection),
    /// A socket that follows another one: nobody wakes a task here when it is released, and its body may not be polled again.
    Socket(Receiver, Option<Hold>),
}

/// A place with the supervisor, given up when it is dropped.
pub(crate) struct Watch {
    slot: usize,
    watched: Rc<RefCell<Watched>>,
}

/// Starts the supervisor of this worker if it does not run, and lets it sweep the tombstones of `application`.
pub(crate) fn supervise(runner: &Arc<dyn Runner>) {
    let watched = watched();
    let mut watched = watched.borrow_mut();
    if !watched.runners.iter().any(|known| Arc::ptr_eq(known, runner)) {
        watched.runners.push(runner.clone());
    }
}

/// Ticks `connection` once a second for as long as the watch is kept.
pub(crate) fn watch(connection: Connection) -> Watch {
    Watch::new(Charge::Connection(connection))
}

/// Empties `body` within a second of its socket's release, for as long as the watch is kept.
pub(crate) fn watch_socket(receiver: Receiver, body: Hold) -> Watch {
    Watch::new(Charge::Socket(receiver, Some(body)))
}

fn watched() -> Rc<RefCell<Watched>> {
    SUPERVISOR.with_borrow_mut(|supervised| {
        // A worker's thread may serve a second server after the first one stopped.
        let running = supervised.as_ref().filter(|running| running.supervisor.connected());
        if let Some(running) = running {
            return running.watched.clone();
        }
        let watched = Rc::new(RefCell::new(Watched::default()));
        let supervisor = Supervisor { watched: watched.clone(), turn: 0 }.start();
        *supervised = Some(Supervised { supervisor, watched: watched.clone() });
        watched
    })
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let interval = Duration::from_secs(1) / GROUPS as u32;
        context.run_interval(interval, |supervisor, _| supervisor.tick_next_group());
    }
}

impl Supervisor {
    fn tick_next_group(&mut self) {
        self.turn = (self.turn + 1) % GROUPS;
        // Ticks wake tasks but run none of them, so nothing can enter here again.
        let mut watched = self.watched.borrow_mut();
        let group = watched.charges.iter_mut().skip(self.turn).step_by(GROUPS);
        for charge in group.flatten() {
            charge.tick();
        }
        if self.turn == 0 {
            let charges = watched.charges.iter().flatten();
            meter::backlog(|| charges.map(Charge::backlog).sum());
            let now = unix_seconds();
            for runner in &watched.runners {
                runner.connections().sweep(now);
            }
        }
    }
}

impl Charge {
    fn tick(&mut self) {
        match self {
            Self::Connection(connection) => connection.tick(),
            Self::Socket(receiver, body) => {
                if receiver.is_released()
                    && let Some(body) = body.take()
                {
                    body.empty();
                }
            }
        }
    }

    /// A connection counts where its home is.
    fn backlog(&self) -> usize {
        match self {
            Self::Connection(connection) => connection.backlog(),
            Self::Socket(..) => 0,
        }
    }
}

impl Watch {
    fn new(charge: Charge) -> Self {
        let watched = watched();
        let slot = {
            let mut watched = watched.borrow_mut();
            match watched.free.pop() {
                Some(slot) => {
                    watched.charges[slot] = Some(charge);
                    slot
                }
                None => {
                    watched.charges.push(Some(charge));
                    watched.charges.len() - 1
                }
            }
        };
        Self { slot, watched }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.watched.borrow_mut();
        watched.charges[self.slot] = None;
        watched.free.push(self.slot);
        if watched.free.len() == watched.charges.len() {
            // A worker that has seen many connections does not keep their slots for ever.
            watched.charges = Vec::new();
            watched.free = Vec::new();
        }
    }
}
