//! Client results of connections that live on other servers, seen from the server that asks.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use hubwire_protocol::{ArgumentList, Outcome};
use hubwire_transport::ConnectionId;
use tokio::sync::oneshot;

use crate::asking::ANSWER_TICKS;
use crate::backplane::{BackplaneError, Reach, ServerId, Topic};
use crate::client_result::InvokeError;
use crate::encode::Encodings;
use crate::hub::Core;
use crate::notice::{Content, Refusal};
use crate::progress::OpenQuestion;
use crate::target::Target;

/// The questions to clients elsewhere that are not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Results(Mutex<HashMap<u64, Open>>);

#[derive(Debug)]
struct Open {
    /// The server that has asked its client.
    server: Option<ServerId>,
    /// The tick at which a server should have said that it has.
    asked_by: u64,
    /// The tick at which the client has had time enough.
    deadline: u64,
    ended: oneshot::Sender<Ended>,
}

/// What becomes of a question to a client elsewhere.
#[derive(Debug)]
pub(crate) enum Ended {
    Answer(Outcome),
    /// Nobody knows of the question.
    Lost(BackplaneError),
    Refused(Refusal),
    TimedOut,
}

/// A question to a client elsewhere; forgotten, there too, when nobody waits for its answer any more.
pub(crate) struct Elsewhere {
    core: Arc<Core>,
    connection_id: ConnectionId,
    id: u64,
    invocation_id: String,
    /// How many servers know the client, until that is known.
    reach: Option<BoxFuture<'static, Reach>>,
    ended: oneshot::Receiver<Ended>,
    /// The call that waits for it, once it does.
    pub(crate) call: Option<OpenQuestion>,
}

impl Elsewhere {
    pub(crate) fn send<A: ArgumentList + ?Sized>(
        core: &Arc<Core>,
        connection_id: &ConnectionId,
        target: Target<'_>,
        arguments: &A,
    ) -> Result<Self, InvokeError> {
        let connection_id = connection_id.clone();
        let Some(cluster) = &core.cluster else {
            return Err(InvokeError::NotFound { connection_id });
        };
        let id = cluster.questions.next();
        // The prefix keeps these ids apart from those that the client gives, and the server's those of servers.
        let invocation_id = format!("s{}.{id}", cluster.bus.server_id());
        let call = Encodings::with_id(core.protocols(), Some(&invocation_id), target, arguments)?;
        let ended = cluster.results.ask(id, cluster.now());
        let notice = cluster.notice(Content::Invoke {
            question: id,
            invocation_id: invocation_id.clone(),
            call,
        });
        let topic = Topic::Connection(connection_id.clone());
        let reach = Some(cluster.bus.request(&topic, &notice));
        let core = core.clone();
        Ok(Self { core, connection_id, id, invocation_id, reach, ended, call: None })
    }

    /// Lets it wait for so many seconds from now, at least.
    pub(crate) fn limit(&self, ticks: u64) {
        if let Some(cluster) = &self.core.cluster {
            // The second that runs has begun already.
            let deadline = cluster.now().saturating_add(ticks).saturating_add(1);
            cluster.results.limit(self.id, deadline);
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outcome, InvokeError>> {
        let connection_id = self.connection_id.clone();
        // The answer first: it may have come before the bus has said whom it reached.
        if let Poll::Ready(ended) = Pin::new(&mut self.ended).poll(cx) {
            self.call = None;
            return Poll::Ready(match ended {
                Ok(Ended::Answer(outcome)) => Ok(outcome),
                Ok(Ended::Lost(error)) => Err(error.into()),
                Ok(Ended::Refused(Refusal::Connecting)) => {
                    Err(InvokeError::Connecting { connection_id })
                }
                Ok(Ended::Refused(Refusal::Disconnected)) => {
                    Err(InvokeError::Disconnected { connection_id })
                }
                Ok(Ended::Refused(Refusal::NotFound)) => {
                    Err(InvokeError::NotFound { connection_id })
                }
                Ok(Ended::TimedOut) => Err(InvokeError::TimedOut { connection_id }),
                Err(_) => Err(BackplaneError::Unavailable.into()),
            });
        }
        let Some(reach) = &mut self.reach else { return Poll::Pending };
        let Poll::Ready(reached) = reach.as_mut().poll(cx) else { return Poll::Pending };
        self.reach = None;
        match reached {
            Ok(0) => Poll::Ready(Err(InvokeError::NotFound { connection_id })),
            Ok(_) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some(cluster) = &self.core.cluster
            && cluster.results.forget(self.id)
        {
            let invocation_id = std::mem::take(&mut self.invocation_id);
            let topic = Topic::Connection(self.connection_id.clone());
            cluster.publish(topic, Content::Forget { invocation_id });
        }
    }
}

impl Results {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ask(&self, id: u64, now: u64) -> oneshot::Receiver<Ended> {
        let (ended, receiver) = oneshot::channel();
        let asked_by = now + ANSWER_TICKS + 1;
        self.open().insert(id, Open { server: None, asked_by, deadline: u64::MAX, ended });
        receiver
    }

    /// Lets a question wait until this tick.
    pub(crate) fn limit(&self, id: u64, deadline: u64) {
        if let Some(question) = self.open().get_mut(&id) {
            question.deadline = deadline;
        }
    }

    /// A server has asked its client.
    pub(crate) fn asked(&self, id: u64, server: ServerId) {
        if let Some(question) = self.open().get_mut(&id) {
            question.server = Some(server);
        }
    }

    /// Hands an answer to whoever waits for it.
    pub(crate) fn answer(&self, id: u64, result: Result<Outcome, Refusal>) {
        if let Some(question) = self.open().remove(&id) {
            question.end(result.map_or_else(Ended::Refused, Ended::Answer));
        }
    }

    /// Forgets a question; whether it was open.
    pub(crate) fn forget(&self, id: u64) -> bool {
        self.open().remove(&id).is_some()
    }

    /// Ends the questions that have waited long enough.
    pub(crate) fn expire(&self, now: u64) {
        let is_late = |question: &Open| question.server.is_none() && question.asked_by <= now;
        let due: Vec<_> = self
            .open()
            .extract_if(|_, question| question.deadline <= now || is_late(question))
            .collect();
        for (_, question) in due {
            let timed_out = question.deadline <= now;
            question.end(if timed_out {
                Ended::TimedOut
            } else {
                Ended::Lost(BackplaneError::TimedOut)
            });
        }
    }

    /// A server is gone, and its clients with it.
    pub(crate) fn lose(&self, server: &ServerId) {
        let lost: Vec<_> =
            self.open().extract_if(|_, open| open.server.as_ref() == Some(server)).collect();
        for (_, question) in lost {
            question.end(Ended::Refused(Refusal::Disconnected));
        }
    }
}

impl Open {
    fn end(self, ended: Ended) {
        // Whoever asked may have stopped waiting in this moment.
        drop(self.ended.send(ended));
    }
}
