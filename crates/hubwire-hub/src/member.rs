//! A connection that has shaken hands: what a hub knows of one client.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use hubwire_protocol::{Close, HubProtocol, Outcome};
use hubwire_transport::{Connection, ConnectionId, Message};
use tokio::sync::{Notify, oneshot};

use crate::encode;
use crate::items::Items;
use crate::listener::ReplyTo;

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
    distant_results: Mutex<DistantResults>,
    next_result: AtomicU64,
    /// Set until `on_connected` has returned.
    connecting: AtomicBool,
    /// What it is told when the hub sends it away.
    farewell: OnceLock<Close>,
    pub(crate) items: Items,
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
struct Results(Option<HashMap<u64, Question>>);

/// The same of those that other servers ask, by the ids that those gave them.
#[derive(Debug)]
struct DistantResults(Option<HashMap<String, ReplyTo>>);

/// A question to this client that is not answered yet.
#[derive(Debug)]
struct Question {
    reply: oneshot::Sender<Reply>,
    /// The tick at which it has waited long enough.
    deadline: u64,
}

/// What becomes of a question, unless the client goes away.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    Answer(Outcome),
    TimedOut,
}

impl Member {
    pub(crate) fn new(connection: Connection, protocol: HubProtocol) -> Self {
        Self {
            connection,
            protocol,
            position: AtomicUsize::new(usize::MAX),
            groups: Mutex::default(),
            results: Mutex::new(Results(Some(HashMap::new()))),
            distant_results: Mutex::new(DistantResults(Some(HashMap::new()))),
            next_result: AtomicU64::new(1),
            connecting: AtomicBool::new(true),
            farewell: OnceLock::new(),
            items: Items::default(),
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

    fn distant_results(&self) -> MutexGuard<'_, DistantResults> {
        self.distant_results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message in this client's protocol that cannot fail to be written, and that does not count.
    pub(crate) fn message(&self, write: impl FnOnce(HubProtocol, &mut Vec<u8>)) -> Message {
        encode::message(self.protocol, |out| write(self.protocol, out))
    }

    pub(crate) fn is_connecting(&self) -> bool {
        self.connecting.load(Ordering::Relaxed)
    }

    pub(crate) fn connected(&self) {
        self.connecting.store(false, Ordering::Relaxed);
    }

    /// Sets what it is told when the hub sends it away; what was set first counts.
    pub(crate) fn part_with(&self, close: &Close) {
        self.farewell.get_or_init(|| close.clone());
    }

    /// What it is told when the hub sends it away.
    pub(crate) fn farewell(&self) -> Close {
        self.farewell.get().cloned().unwrap_or_default()
    }

    /// Opens a question; `None` when the client is gone.
    pub(crate) fn ask(&self) -> Option<(u64, oneshot::Receiver<Reply>)> {
        let id = self.next_result.fetch_add(1, Ordering::Relaxed);
        let (reply, receiver) = oneshot::channel();
        self.results().0.as_mut()?.insert(id, Question { reply, deadline: u64::MAX });
        Some((id, receiver))
    }

    /// Lets a question wait for so many seconds from now, at least.
    pub(crate) fn limit(&self, id: u64, ticks: u64) {
        // The second that runs has begun already.
        let deadline = self.connection.ticks().saturating_add(ticks).saturating_add(1);
        if let Some(question) = self.results().0.as_mut().and_then(|open| open.get_mut(&id)) {
            question.deadline = deadline;
        }
        // Behind the change: the session, when it sets its next tick, looks at the questions after that.
        self.connection.wake_by(deadline);
    }

    /// Ends the questions that have waited long enough.
    pub(crate) fn expire_questions(&self, now: u64) {
        let expired: Vec<_> = match &mut self.results().0 {
            Some(open) => open.extract_if(|_, question| question.deadline <= now).collect(),
            None => return,
        };
        for (_, question) in expired {
            // Whoever asked may have stopped waiting in this moment.
            drop(question.reply.send(Reply::TimedOut));
        }
    }

    /// The tick at which the next question has waited long enough.
    pub(crate) fn questions_deadline(&self) -> u64 {
        let results = self.results();
        let deadlines = results.0.iter().flatten().map(|(_, question)| question.deadline);
        deadlines.min().unwrap_or(u64::MAX)
    }

    /// Forgets a question that nobody waits for.
    pub(crate) fn forget(&self, id: u64) {
        if let Some(open) = &mut self.results().0 {
            open.remove(&id);
        }
    }

    /// Opens a question of another server under the id that it gave it; whether the client is still there.
    pub(crate) fn ask_for(&self, invocation_id: &str, reply: ReplyTo) -> bool {
        // Where nobody can answer, the reply is dropped behind the lock, and tells so.
        match &mut self.distant_results().0 {
            Some(open) => drop(open.insert(invocation_id.to_owned(), reply)),
            None => return false,
        }
        true
    }

    /// Forgets a question of another server.
    pub(crate) fn forget_distant(&self, invocation_id: &str) -> Option<ReplyTo> {
        self.distant_results().0.as_mut()?.remove(invocation_id)
    }

    /// Hands an answer to whoever waits for it; answers that nobody asked for are dropped.
    pub(crate) fn answer(&self, invocation_id: &str, outcome: Outcome) {
        let id = invocation_id.strip_prefix('s').and_then(|id| id.parse().ok());
        let question = id.and_then(|id: u64| self.results().0.as_mut()?.remove(&id));
        match question {
            // Whoever asked may have stopped waiting in this moment.
            Some(question) => drop(question.reply.send(Reply::Answer(outcome))),
            None => match self.forget_distant(invocation_id) {
                Some(reply) => reply.answer(outcome),
                None => {
                    tracing::debug!(invocation_id, "dropped a completion that nobody waits for");
                }
            },
        }
    }

    /// Tells everyone who waits on this client that it is gone.
    pub(crate) fn abort(&self) {
        drop(self.results().0.take());
        let distant = self.distant_results().0.take();
        // Dropped without the lock: each tells its server.
        drop(distant);
        self.aborted.store(true, Ordering::Release);
        self.abort.notify_waiters();
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    /// Waits until the connection ends.
    pub(crate) async fn aborted(&self) {
        let mut notified = std::pin::pin!(self.abort.notified());
        notified.as_mut().enable();
        if !self.is_aborted() {
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hubwire_transport::{ConnectRequest, EndpointOptions, Transport};

    use super::*;

    fn member() -> Member {
        let request = ConnectRequest::local("/chat", Transport::WebSockets);
        let options = Arc::new(EndpointOptions::default());
        Member::new(Connection::open("a".into(), request, options).0, HubProtocol::Json)
    }

    fn open_questions(member: &Member) -> Option<usize> {
        member.results().0.as_ref().map(HashMap::len)
    }

    #[test]
    fn a_question_that_nobody_waits_for_is_forgotten() {
        let member = member();
        let (id, answer) = member.ask().unwrap();
        assert_eq!(open_questions(&member), Some(1));
        drop(answer);
        member.forget(id);
        assert_eq!(open_questions(&member), Some(0));
    }

    #[test]
    fn an_answer_reaches_whoever_asked_and_nobody_else() {
        let member = member();
        let (first, mut first_answer) = member.ask().unwrap();
        let (_, mut second_answer) = member.ask().unwrap();
        member.answer(&format!("s{first}"), Outcome::Void);
        for unasked in ["s99", "1", "", "s", "sx"] {
            member.answer(unasked, Outcome::Void);
        }
        assert_eq!(first_answer.try_recv(), Ok(Reply::Answer(Outcome::Void)));
        assert!(second_answer.try_recv().is_err());
        assert_eq!(open_questions(&member), Some(1));
    }

    #[test]
    fn nobody_asks_a_client_that_is_gone() {
        let member = member();
        let (_, mut answer) = member.ask().unwrap();
        member.abort();
        assert!(answer.try_recv().is_err());
        assert!(member.ask().is_none());
    }
}
