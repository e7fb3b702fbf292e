//! The hub's side of a backplane: what is told to other servers, and what they are asked.
//!
//! # Theory of operation
//!
//! A server listens to what concerns its own connections: a topic for each connection, group and user that is here, and one for everyone while there is anyone.
//! The registry subscribes and unsubscribes under the lock under which it enters the first of a kind and removes the last, so that no order of events leaves it deaf.
//! Whoever is here is served by the registry; the same notice goes to the topics for those who are elsewhere, and comes back here, where it is dropped.
//!
//! Questions go to a topic too. The bus says how many servers heard one, and each of them answers on the asker's own topic.
//! One that dies does not: the question then ends by time, and a client's result when the lease of its server is over.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use hubwire_protocol::Close;
use hubwire_transport::ConnectionId;

use crate::asking::Questions;
use crate::backplane::{BackplaneError, Bus, Topic};
use crate::elsewhere::Results;
use crate::encode::Encodings;
use crate::notice::{Content, Finding, Notice, Scope};
use crate::peers::Peers;
use crate::registry::{Registry, Selection};

/// A hub among its other servers.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) questions: Questions,
    pub(crate) results: Results,
    pub(crate) peers: Peers,
    /// Seconds since the hub was built.
    pub(crate) ticks: AtomicU64,
    /// The number of what was last told on several topics; locked while it is, so that numbers go out in their order.
    number: Mutex<u64>,
}

impl Cluster {
    pub(crate) fn new(bus: Arc<dyn Bus>) -> Self {
        bus.subscribe(&Topic::Server(bus.server_id().clone()));
        bus.subscribe(&Topic::Servers);
        Self {
            bus,
            questions: Questions::default(),
            results: Results::default(),
            peers: Peers::default(),
            ticks: AtomicU64::new(0),
            number: Mutex::new(0),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    pub(crate) fn notice(&self, content: Content) -> Notice {
        Notice { from: self.bus.server_id().clone(), content }
    }

    pub(crate) fn publish(&self, topic: Topic, content: Content) {
        self.bus.publish(&[topic], &self.notice(content));
    }

    /// Calls those of a selection who are elsewhere.
    pub(crate) fn send(&self, registry: &Registry, selection: &Selection, call: Encodings) {
        self.spread(registry, selection, |scope| Content::Send { scope, call });
    }

    /// Ends those of a selection who are elsewhere.
    pub(crate) fn disconnect(&self, registry: &Registry, selection: &Selection, close: Close) {
        self.spread(registry, selection, |scope| Content::Disconnect { scope, close });
    }

    fn spread(
        &self,
        registry: &Registry,
        selection: &Selection,
        content: impl FnOnce(Scope) -> Content,
    ) {
        let publish = |topics: &[Topic], scope| {
            if !topics.is_empty() {
                self.bus.publish(topics, &self.notice(content(scope)));
            }
        };
        match selection {
            Selection::All { except } => {
                publish(&[Topic::All], Scope::Topic { except: except.clone() });
            }
            Selection::Connections(ids) => {
                let elsewhere = distinct(ids).filter(|id| registry.find(id).is_none());
                let topics: Vec<_> = elsewhere.map(Topic::Connection).collect();
                publish(&topics, Scope::everyone());
            }
            Selection::Groups { names, except } => {
                let topics: Vec<_> = distinct(names).map(Topic::Group).collect();
                if topics.len() == 1 {
                    return publish(&topics, Scope::Topic { except: except.clone() });
                }
                let mut number = self.number.lock().unwrap_or_else(PoisonError::into_inner);
                *number += 1;
                let (names, except) = (names.clone(), except.clone());
                publish(&topics, Scope::Groups { names, except, number: *number });
            }
            Selection::Users(ids) => {
                let topics: Vec<_> = distinct(ids).map(Topic::User).collect();
                publish(&topics, Scope::everyone());
            }
        }
    }

    /// Waits until what was joined is listened to.
    pub(crate) async fn settled(&self) {
        if let Some(settled) = self.bus.settled() {
            settled.await;
        }
    }

    /// Waits until the bus takes more; `None` if it does.
    pub(crate) fn room(&self) -> Option<BoxFuture<'static, ()>> {
        self.bus.room()
    }

    /// Asks all who listen to a topic; the answers of the others, this server's aside.
    async fn ask(
        &self,
        topic: Topic,
        question: impl FnOnce(u64) -> Content,
    ) -> Result<Vec<Finding>, BackplaneError> {
        let asked = self.questions.ask(self.now());
        let reach = self.bus.request(&topic, &self.notice(question(asked.id))).await?;
        let answers = asked.answers(reach).await?;
        let others = answers.into_iter().filter(|(server, _)| server != self.bus.server_id());
        Ok(others.map(|(_, answer)| answer).collect())
    }

    /// Asks the server where a connection lives to do something; whether it is there.
    pub(crate) async fn ask_home(
        &self,
        id: &ConnectionId,
        request: impl FnOnce(u64) -> Content,
    ) -> Result<bool, BackplaneError> {
        let answers = self.ask(Topic::Connection(id.clone()), request).await?;
        Ok(answers.contains(&Finding::Done))
    }

    /// The connections elsewhere that a topic means.
    pub(crate) async fn members(&self, topic: Topic) -> Result<Vec<ConnectionId>, BackplaneError> {
        let answers = self.ask(topic, |question| Content::Members { question }).await?;
        let lists = answers.into_iter().filter_map(|answer| match answer {
            Finding::Members(ids) => Some(ids),
            Finding::Count(_) | Finding::Done | Finding::Unknown => None,
        });
        Ok(lists.flatten().collect())
    }

    /// How many connections elsewhere a topic means.
    pub(crate) async fn count(&self, topic: Topic) -> Result<usize, BackplaneError> {
        let answers = self.ask(topic, |question| Content::Count { question }).await?;
        let counts = answers.into_iter().filter_map(|answer| match answer {
            Finding::Count(count) => Some(count),
            Finding::Done | Finding::Members(_) | Finding::Unknown => None,
        });
        Ok(counts.fold(0, usize::saturating_add))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.publish(Topic::Servers, Content::Leaving);
    }
}

/// Each once, in order.
fn distinct<T: Clone + Eq + std::hash::Hash>(all: &[T]) -> impl Iterator<Item = T> {
    let mut seen = std::collections::HashSet::new();
    all.iter().filter(move |one| seen.insert(*one)).cloned()
}
