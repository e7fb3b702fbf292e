//! A hub's ear: what comes from other servers, and what is done about it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use futures_util::future::BoxFuture;
use hubwire_protocol::Outcome;
use hubwire_transport::{ConnectionId, Room};

use crate::backplane::{Bus, ServerId, Topic};
use crate::cluster::Cluster;
use crate::encode::Encodings;
use crate::hub::Core;
use crate::notice::{Content, Finding, Notice, Refusal, Scope};
use crate::peers::ALIVE_TICKS;
use crate::registry::Selection;

/// Takes what comes for a hub from its other servers. A [`Bus`] calls it, from any thread, in the order in which things come.
///
/// It is a cheap handle that does not keep the hub alive.
#[derive(Clone, Debug, Default)]
pub struct Listener(Arc<OnceLock<Weak<Core>>>);

/// The client of another server's question, until it has answered; if it never does, that is told.
#[derive(Debug)]
pub(crate) struct ReplyTo {
    bus: Arc<dyn Bus>,
    server: ServerId,
    question: u64,
    is_answered: bool,
}

impl Listener {
    /// From here on it hears.
    pub(crate) fn bind(&self, core: &Arc<Core>) {
        // A listener is bound once, by whoever made it.
        self.0.get_or_init(|| Arc::downgrade(core));
    }

    fn core(&self) -> Option<Arc<Core>> {
        self.0.get()?.upgrade()
    }

    /// Takes what came on a topic. It does not wait; if something is returned, that is left to be done, and whoever calls runs it to its end.
    #[must_use]
    pub fn receive(&self, topic: &Topic, notice: Notice) -> Option<BoxFuture<'static, ()>> {
        let core = self.core()?;
        let cluster = core.cluster.as_ref()?;
        let Notice { from, content } = notice;
        let is_own = from == *cluster.bus.server_id();
        if !is_own {
            cluster.peers.heard(&from, cluster.now());
        }
        match content {
            Content::Alive => {}
            Content::Answer { question, answer } => {
                cluster.questions.answer(question, from, answer);
            }
            Content::Asked { question } => cluster.results.asked(question, from),
            Content::Count { question } | Content::Members { question } if is_own => {
                // It was counted among those who were asked; what it knows was looked up by whoever asks.
                cluster.questions.answer(question, from, Finding::Done);
            }
            Content::Count { question } => {
                let count = selected(topic, Scope::everyone()).map(|s| core.registry.count(&s));
                answer(cluster, from, question, Finding::Count(count.unwrap_or(0)));
            }
            Content::Members { question } => {
                let ids = selected(topic, Scope::everyone()).map(|s| core.registry.ids(&s));
                answer(cluster, from, question, Finding::Members(ids.unwrap_or_default()));
            }
            Content::Disconnect { scope, close } => {
                if !is_own && let Some(selection) = news(cluster, topic, &from, scope) {
                    core.registry.disconnect(&selection, &close);
                }
            }
            Content::Forget { invocation_id } => {
                if let Topic::Connection(id) = topic
                    && let Some(member) = core.registry.find(id)
                    && let Some(reply) = member.forget_distant(&invocation_id)
                {
                    reply.dismiss();
                }
            }
            Content::Invoke { question, invocation_id, call } => {
                if let Topic::Connection(id) = topic {
                    let bus = cluster.bus.clone();
                    let reply = ReplyTo { bus, server: from, question, is_answered: false };
                    invoke(&core, id, &invocation_id, reply, &call);
                }
            }
            Content::Join { question, group } => {
                if let Topic::Connection(id) = topic {
                    return join(core.clone(), id, &group, from, question);
                }
            }
            Content::Leave { question, group } => {
                if let Topic::Connection(id) = topic {
                    core.registry.part(id, &group);
                    answer(cluster, from, question, Finding::Done);
                }
            }
            Content::Leaving => {
                cluster.peers.left(&from);
                cluster.results.lose(&from);
            }
            Content::Opened { connection_id, expires } => {
                if !is_own {
                    core.connections.opened_elsewhere(&connection_id, expires);
                }
            }
            Content::Result { question, result } => cluster.results.answer(question, result),
            Content::Send { scope, call } => {
                if !is_own && let Some(selection) = news(cluster, topic, &from, scope) {
                    core.registry.send(&selection, &call);
                }
            }
        }
        None
    }

    /// Says that a second has passed: questions end by it, and silent servers are given up.
    pub fn tick(&self) {
        let Some(core) = self.core() else { return };
        let Some(cluster) = &core.cluster else { return };
        let now = cluster.ticks.fetch_add(1, Ordering::Relaxed) + 1;
        if now % ALIVE_TICKS == 1 {
            cluster.publish(Topic::Servers, Content::Alive);
        }
        for server in cluster.peers.lose(now) {
            tracing::warn!(hub = &*core.name, %server, "a server of this hub is silent, and counts as lost");
            cluster.results.lose(&server);
        }
        cluster.questions.expire(now, cluster.peers.lost());
        cluster.results.expire(now);
    }
}

/// Whom a scope means here; nobody where a topic has no connections.
fn selected(topic: &Topic, scope: Scope) -> Option<Selection> {
    let except = match scope {
        Scope::Topic { except } => except,
        Scope::Groups { names, except, .. } => return Some(Selection::Groups { names, except }),
    };
    match topic {
        Topic::All => Some(Selection::All { except }),
        Topic::Connection(id) => Some(Selection::Connections(vec![id.clone()])),
        Topic::Group(name) => Some(Selection::Groups { names: vec![name.clone()], except }),
        Topic::Server(_) | Topic::Servers => None,
        Topic::User(id) => Some(Selection::Users(vec![id.clone()])),
    }
}

/// The same, unless it has come on another topic already.
fn news(cluster: &Cluster, topic: &Topic, from: &ServerId, scope: Scope) -> Option<Selection> {
    match &scope {
        Scope::Groups { number, .. } if !cluster.peers.is_news(from, *number) => None,
        Scope::Groups { .. } | Scope::Topic { .. } => selected(topic, scope),
    }
}

fn answer(cluster: &Cluster, to: ServerId, question: u64, answer: Finding) {
    cluster.publish(Topic::Server(to), Content::Answer { question, answer });
}

fn join(
    core: Arc<Core>,
    id: &ConnectionId,
    group: &str,
    from: ServerId,
    question: u64,
) -> Option<BoxFuture<'static, ()>> {
    let cluster = core.cluster.as_ref()?;
    if core.registry.join(id, group).is_err() {
        answer(cluster, from, question, Finding::Unknown);
        return None;
    }
    let Some(settled) = cluster.bus.settled() else {
        answer(cluster, from, question, Finding::Done);
        return None;
    };
    Some(Box::pin(async move {
        settled.await;
        if let Some(cluster) = &core.cluster {
            answer(cluster, from, question, Finding::Done);
        }
    }))
}

fn invoke(core: &Core, id: &ConnectionId, invocation_id: &str, reply: ReplyTo, call: &Encodings) {
    let Some(member) = core.registry.find(id) else { return reply.refuse(Refusal::NotFound) };
    if member.is_connecting() {
        return reply.refuse(Refusal::Connecting);
    }
    let Some(message) = call.get(member.protocol) else { return reply.refuse(Refusal::NotFound) };
    // Said first: the answer may come as soon as the client is asked.
    reply.say(Content::Asked { question: reply.question });
    // Where it is not taken, or the message is not, the reply is dropped, which tells that the client is gone.
    if member.ask_for(invocation_id, reply)
        && member.connection.send(message.clone()) == Room::Closed
    {
        drop(member.forget_distant(invocation_id));
    }
}

impl ReplyTo {
    pub(crate) fn answer(self, outcome: Outcome) {
        self.end(Ok(outcome));
    }

    fn refuse(self, refusal: Refusal) {
        self.end(Err(refusal));
    }

    fn end(mut self, result: Result<Outcome, Refusal>) {
        self.is_answered = true;
        self.say(Content::Result { question: self.question, result });
    }

    /// Nobody waits for it any more.
    fn dismiss(mut self) {
        self.is_answered = true;
    }

    fn say(&self, content: Content) {
        let from = self.bus.server_id().clone();
        self.bus.publish(&[Topic::Server(self.server.clone())], &Notice { from, content });
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        if !self.is_answered {
            let result = Err(Refusal::Disconnected);
            self.say(Content::Result { question: self.question, result });
        }
    }
}
