//! A connection that has shaken hands: what a hub knows of one client.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hubwire_protocol::{HubProtocol, Outcome};
use hubwire_transport::{Connection, ConnectionId, Message};
use tokio::sync::{Notify, oneshot};

use crate::encode::format_of;

/// A connection that has shaken hands, with what the hub keeps for it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) connection: Connection,
    pub(crate) protocol: HubProtocol,
    /// Where it stands in the registry's list of all members.
    pub(crate) position: AtomicUsize,
    /// The groups that it is in, so that leaving does not search all.
    groups: Mutex<Groups>,
    results: Mutex<Results>,
    next_result: AtomicU64,
    aborted: AtomicBool,
    abort: Notify,
}

#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) names: HashSet<String>,
    /// Set when the member leaves the hub: it joins nothing any more.
    pub(crate) is_closed: bool,
}

/// The questions to this client that are not answered yet; `None` once nobody can answer.
#[derive(Debug)]
struct Results(Option<HashMap<u64, oneshot::Sender<Outcome>>>);

impl Member {
    pub(crate) fn new(connection: Connection, protocol: HubProtocol) -> Self {
        Self {
            connection,
            protocol,
            position: AtomicUsize::new(usize::MAX),
            groups: Mutex::default(),
            results: Mutex::new(Results(Some(HashMap::new()))),
            next_result: AtomicU64::new(1),
            aborted: AtomicBool::new(false),
            abort: Notify::new(),
        }
    }

    pub(crate) fn id(&self) -> &ConnectionId {
        self.connection.id()
    }

    pub(crate) fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message in this client's protocol that cannot fail to be written.
    pub(crate) fn message(&self, write: impl FnOnce(HubProtocol, &mut Vec<u8>)) -> Message {
        let Ok(message) = Message::build(format_of(self.protocol), |out| {
            write(self.protocol, out);
            Ok::<_, Infallible>(())
        });
        message
    }

    /// Opens a question; `None` when the client is gone.
    pub(crate) fn ask(&self) -> Option<(u64, oneshot::Receiver<Outcome>)> {
        let id = self.next_result.fetch_add(1, Ordering::Relaxed);
        let (answer, receiver) = oneshot::channel();
        self.results().0.as_mut()?.insert(id, answer);
        Some((id, receiver))
    }

    /// Forgets a question that nobody waits for.
    pub(crate) fn forget(&self, id: u64) {
        if let Some(open) = &mut self.results().0 {
            open.remove(&id);
        }
    }

    /// Hands an answer to whoever waits for it; answers that nobody asked for are dropped.
    pub(crate) fn answer(&self, invocation_id: &str, outcome: Outcome) {
        let id = invocation_id.strip_prefix('s').and_then(|id| id.parse().ok());
        let answer = id.and_then(|id: u64| self.results().0.as_mut()?.remove(&id));
        match answer {
            // Whoever asked may have stopped waiting in this moment.
            Some(answer) => drop(answer.send(outcome)),
            None => tracing::debug!(invocation_id, "dropped a completion that nobody waits for"),
        }
    }

    /// Tells everyone who waits on this client that it is gone.
    pub(crate) fn abort(&self) {
        drop(self.results().0.take());
        self.aborted.store(true, Ordering::Release);
        self.abort.notify_waiters();
    }

    /// Waits until the connection ends.
    pub(crate) async fn aborted(&self) {
        let mut notified = std::pin::pin!(self.abort.notified());
        notified.as_mut().enable();
        if !self.aborted.load(Ordering::Acquire) {
            notified.await;
        }
    }
}
