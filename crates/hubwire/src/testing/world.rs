//! All clients of a hub under test, which run by turns on the thread of the test.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hubwire_transport::{EndpointOptions, Runner, ticks};

use super::line::Line;
use super::wait::Wakers;

/// Rounds in which something ran, before the runtime has its turn.
const ROUNDS: usize = 64;

/// A hub and its clients.
pub(super) struct World {
    pub(super) runner: Arc<dyn Runner>,
    pub(super) endpoint: RefCell<Arc<EndpointOptions>>,
    pub(super) io_timeout: Cell<Duration>,
    pub(super) task_timeout: Cell<Duration>,
    pub(super) wakers: Arc<Wakers>,
    /// What a test did wrong while the hub ran; told by the wait that ran it.
    pub(super) misuse: Cell<Option<String>>,
    lines: RefCell<Vec<Rc<Line>>>,
    clients: Cell<usize>,
}

/// What a look at all clients came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// All of them wait.
    Nothing,
    /// More may be left to run.
    Something,
}

impl World {
    pub(super) fn new(runner: Arc<dyn Runner>) -> Self {
        Self {
            runner,
            endpoint: RefCell::default(),
            io_timeout: Cell::new(Duration::from_secs(5)),
            task_timeout: Cell::new(Duration::ZERO),
            wakers: Arc::default(),
            misuse: Cell::new(None),
            lines: RefCell::default(),
            clients: Cell::new(0),
        }
    }

    /// A number for the next client.
    pub(super) fn number(&self) -> usize {
        self.clients.set(self.clients.get() + 1);
        self.clients.get()
    }

    pub(super) fn add(&self, line: Rc<Line>) {
        self.lines.borrow_mut().push(line);
    }

    /// Runs everything that can run.
    pub(super) fn run(&self) -> Ran {
        for round in 0..ROUNDS {
            // A copy, since what runs may drop clients.
            let lines = self.lines.borrow().clone();
            let ran = lines.iter().filter(|line| line.run(&self.misuse)).count();
            if ran == 0 {
                self.lines.borrow_mut().retain(|line| !line.is_over());
                if round > 0 {
                    // Others may wait for what came of it.
                    self.wakers.wake();
                }
                return Ran::Nothing;
            }
        }
        Ran::Something
    }

    /// Lets time pass, in whole seconds.
    pub(super) fn advance(&self, time: Duration) {
        let seconds = if time.is_zero() { 0 } else { ticks(time) };
        for _ in 0..seconds {
            let lines = self.lines.borrow().clone();
            lines.iter().for_each(|line| line.tick());
            self.run();
        }
    }

    /// Calls that tests know to run.
    pub(super) fn started(&self) -> usize {
        self.lines.borrow().iter().map(|line| line.mailbox().started()).sum()
    }

    /// Whether a client was asked for a result that the test has not given.
    pub(super) fn is_asked(&self) -> bool {
        self.lines.borrow().iter().any(|line| line.mailbox().is_asked())
    }
}
