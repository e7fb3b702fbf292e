//! Who is there: all members of a hub, by id, by user and by group.
//!
//! Locks are short and never held while user code runs: a message is encoded before the registry is entered, for the protocols that members speak.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use dashmap::DashMap;
use dashmap::mapref::one::Ref;
use hubwire_protocol::{Close, HubProtocol};
use hubwire_transport::{Connection, ConnectionId, DisconnectReason, Room, UserId};

use crate::backplane::{Bus, Topic};
use crate::encode::Encodings;
use crate::groups::GroupError;
use crate::member::Member;

/// Whom a message is for.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    /// Everyone but these.
    All { except: Vec<ConnectionId> },
    /// These connections.
    Connections(Vec<ConnectionId>),
    /// Everyone in at least one of these groups, but these; each gets the message once.
    Groups { names: Vec<String>, except: Vec<ConnectionId> },
    /// Every connection of these users.
    Users(Vec<UserId>),
}

/// What became of a send.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) receivers: usize,
    /// Those that should take what they have before they are sent more.
    pub(crate) exhausted: Vec<Connection>,
}

/// A member's presence: it leaves when this is dropped, also when its session is dropped before its end.
#[derive(Debug)]
pub(crate) struct Presence<'a> {
    registry: &'a Registry,
    member: Arc<Member>,
}

type Members = HashMap<ConnectionId, Arc<Member>>;

#[derive(Debug)]
pub(crate) struct Registry {
    /// Swept by every broadcast: a plain list is the fastest thing to sweep.
    all: RwLock<Vec<Arc<Member>>>,
    by_id: DashMap<ConnectionId, Arc<Member>>,
    by_user: DashMap<UserId, Members>,
    by_group: DashMap<String, Members>,
    /// How many members speak each protocol, in the order of [`HubProtocol::ALL`].
    speakers: [AtomicUsize; HubProtocol::ALL.len()],
    /// Where others speak of those who are here.
    bus: Option<Arc<dyn Bus>>,
}

impl Registry {
    pub(crate) fn new(bus: Option<Arc<dyn Bus>>) -> Self {
        Self {
            all: RwLock::default(),
            by_id: DashMap::new(),
            by_user: DashMap::new(),
            by_group: DashMap::new(),
            speakers: Default::default(),
            bus,
        }
    }

    fn enter(&self, member: &Arc<Member>) {
        self.speakers[index(member.protocol)].fetch_add(1, Ordering::Relaxed);
        self.by_id.insert(member.id().clone(), member.clone());
        self.subscribe(|| Topic::Connection(member.id().clone()));
        if let Some(user) = member.connection.user_id() {
            self.add_to(&self.by_user, user, member, || Topic::User(user.clone()));
        }
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        member.position.store(all.len(), Ordering::Relaxed);
        all.push(member.clone());
        if all.len() == 1 {
            self.subscribe(|| Topic::All);
        }
    }

    fn leave(&self, member: &Arc<Member>) {
        {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            let position = member.position.load(Ordering::Relaxed);
            if all.get(position).is_some_and(|there| Arc::ptr_eq(there, member)) {
                all.swap_remove(position);
                if let Some(moved) = all.get(position) {
                    moved.position.store(position, Ordering::Relaxed);
                }
                if all.is_empty() {
                    self.unsubscribe(|| Topic::All);
                }
            }
        }
        let names = {
            let mut groups = member.groups();
            groups.is_closed = true;
            std::mem::take(&mut groups.names)
        };
        for name in names {
            self.remove_from(&self.by_group, &name, member.id(), || Topic::Group(name.clone()));
        }
        if let Some(user) = member.connection.user_id() {
            self.remove_from(&self.by_user, user, member.id(), || Topic::User(user.clone()));
        }
        self.by_id.remove(member.id());
        self.unsubscribe(|| Topic::Connection(member.id().clone()));
        self.speakers[index(member.protocol)].fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn find(&self, id: &ConnectionId) -> Option<Arc<Member>> {
        self.by_id.get(id).map(|member| member.clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn join(&self, id: &ConnectionId, group: &str) -> Result<(), GroupError> {
        let unknown = || GroupError::UnknownConnection { connection_id: id.clone() };
        let member = self.find(id).ok_or_else(unknown)?;
        // The member's own list is locked first, also by `leave`: whoever comes second sees the other's work.
        let mut groups = member.groups();
        if groups.is_closed {
            return Err(unknown());
        }
        if groups.names.insert(group.to_owned()) {
            let key = group.to_owned();
            self.add_to(&self.by_group, &key, &member, || Topic::Group(key.clone()));
        }
        Ok(())
    }

    pub(crate) fn part(&self, id: &ConnectionId, group: &str) {
        let Some(member) = self.find(id) else { return };
        let mut groups = member.groups();
        if groups.names.remove(group) {
            self.remove_from(&self.by_group, group, id, || Topic::Group(group.to_owned()));
        }
    }

    fn subscribe(&self, topic: impl FnOnce() -> Topic) {
        if let Some(bus) = &self.bus {
            bus.subscribe(&topic());
        }
    }

    fn unsubscribe(&self, topic: impl FnOnce() -> Topic) {
        if let Some(bus) = &self.bus {
            bus.unsubscribe(&topic());
        }
    }

    /// Enters a member into one of several sets; with the first one, others are heard about that set.
    fn add_to<K: Clone + Eq + std::hash::Hash>(
        &self,
        sets: &DashMap<K, Members>,
        key: &K,
        member: &Arc<Member>,
        topic: impl FnOnce() -> Topic,
    ) {
        // Under the lock of the set, as where its last member is removed: otherwise the one could overtake the other.
        let mut members = sets.entry(key.clone()).or_insert_with(|| {
            self.subscribe(topic);
            Members::new()
        });
        members.insert(member.id().clone(), member.clone());
    }

    /// Removes a member from a set. Empty sets are not kept: a group exists as long as someone is in it.
    fn remove_from<K, Q>(
        &self,
        sets: &DashMap<K, Members>,
        key: &Q,
        id: &ConnectionId,
        topic: impl FnOnce() -> Topic,
    ) where
        K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
        Q: Eq + std::hash::Hash + ?Sized,
    {
        if let Some(mut members) = sets.get_mut(key) {
            members.remove(id);
        }
        sets.remove_if(key, |_, members| {
            let is_empty = members.is_empty();
            if is_empty {
                self.unsubscribe(topic);
            }
            is_empty
        });
    }

    /// Whether some of a selection may live on other servers.
    pub(crate) fn may_miss(&self, selection: &Selection) -> bool {
        match selection {
            Selection::Connections(ids) => ids.iter().any(|id| !self.by_id.contains_key(id)),
            Selection::All { .. } | Selection::Groups { .. } | Selection::Users(_) => true,
        }
    }

    /// The protocols that a message for `selection` has to be encoded in.
    pub(crate) fn protocols(&self, selection: &Selection) -> Vec<HubProtocol> {
        match selection {
            Selection::Connections(ids) => {
                ids.iter().filter_map(|id| self.by_id.get(id)).map(|m| m.protocol).collect()
            }
            Selection::All { .. } | Selection::Groups { .. } | Selection::Users(_) => {
                let spoken = |protocol: &HubProtocol| {
                    self.speakers[index(*protocol)].load(Ordering::Relaxed) > 0
                };
                HubProtocol::ALL.iter().copied().filter(spoken).collect()
            }
        }
    }

    /// Puts a message into the outbox of everyone selected.
    pub(crate) fn send(&self, selection: &Selection, encodings: &Encodings) -> Sent {
        let mut sent = Sent::default();
        self.visit(selection, |member| sent.push(member, encodings));
        sent
    }

    /// Ends the connection of everyone selected with this message; how many that are.
    pub(crate) fn disconnect(&self, selection: &Selection, close: &Close) -> usize {
        let mut connections = Vec::new();
        self.visit(selection, |member| {
            if !member.connection.is_closing() {
                member.part_with(close);
                connections.push(member.connection.clone());
            }
        });
        // Only now: an end wakes sessions that leave this registry, on other workers while it is still locked.
        for connection in &connections {
            connection.close(DisconnectReason::Kicked);
        }
        connections.len()
    }

    /// Everyone selected, each once.
    pub(crate) fn ids(&self, selection: &Selection) -> Vec<ConnectionId> {
        let mut ids = Vec::new();
        self.visit(selection, |member| ids.push(member.id().clone()));
        ids
    }

    /// How many are selected.
    pub(crate) fn count(&self, selection: &Selection) -> usize {
        let mut count = 0;
        self.visit(selection, |_| count += 1);
        count
    }

    /// Shows every member that is selected, each once, while a part of the registry is locked.
    fn visit(&self, selection: &Selection, mut visit: impl FnMut(&Member)) {
        match selection {
            Selection::All { except } => {
                let except = Exclusions::new(except);
                // Clients that come and go meanwhile wait: a sweep of 10,000 takes a few milliseconds.
                let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
                all.iter().filter(|member| !except.contains(member.id())).for_each(|m| visit(m));
            }
            Selection::Connections(ids) => {
                let mut reached = HashSet::new();
                for id in ids {
                    if reached.insert(id)
                        && let Some(member) = self.by_id.get(id)
                    {
                        visit(&member);
                    }
                }
            }
            Selection::Groups { names, except } => {
                let sets = names.iter().map(|name| self.by_group.get(name));
                visit_union(sets, &Exclusions::new(except), visit);
            }
            Selection::Users(ids) => {
                let sets = ids.iter().map(|id| self.by_user.get(id));
                visit_union(sets, &Exclusions::new(&[]), visit);
            }
        }
    }
}

impl<'a> Presence<'a> {
    pub(crate) fn enter(registry: &'a Registry, member: &Arc<Member>) -> Self {
        registry.enter(member);
        Self { registry, member: member.clone() }
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.registry.leave(&self.member);
        self.member.abort();
    }
}

impl Sent {
    fn push(&mut self, member: &Member, encodings: &Encodings) {
        // Whoever came after the message was encoded, with a protocol of its own, came too late for it.
        let Some(message) = encodings.get(member.protocol) else { return };
        match member.connection.send(message.clone()) {
            Room::Available => self.receivers += 1,
            Room::Exhausted => {
                self.receivers += 1;
                self.exhausted.push(member.connection.clone());
            }
            Room::Closed => {}
        }
    }
}

/// Shows the union of several sets of members; some may not exist.
fn visit_union<'a, K: 'a + Eq + std::hash::Hash>(
    sets: impl ExactSizeIterator<Item = Option<Ref<'a, K, Members>>>,
    except: &Exclusions<'_>,
    mut visit: impl FnMut(&Member),
) {
    // A single set has nobody twice.
    let mut reached = (sets.len() > 1).then(HashSet::new);
    // One set is locked at a time: a second lock on its shard could wait for a writer that waits for the first.
    for set in sets {
        let Some(set) = set else { continue };
        for (id, member) in set.iter().filter(|(id, _)| !except.contains(id)) {
            if reached.as_mut().is_none_or(|reached| reached.insert(id.clone())) {
                visit(member);
            }
        }
    }
}

/// Connections that a message is not for.
enum Exclusions<'a> {
    Few(&'a [ConnectionId]),
    Many(HashSet<&'a ConnectionId>),
}

impl<'a> Exclusions<'a> {
    fn new(ids: &'a [ConnectionId]) -> Self {
        /// Up to here comparing all is faster than hashing one.
        const FEW: usize = 8;
        if ids.len() <= FEW { Self::Few(ids) } else { Self::Many(ids.iter().collect()) }
    }

    fn contains(&self, id: &ConnectionId) -> bool {
        match self {
            Self::Few(ids) => ids.contains(id),
            Self::Many(ids) => ids.contains(id),
        }
    }
}

fn index(protocol: HubProtocol) -> usize {
    HubProtocol::ALL.iter().position(|other| *other == protocol).unwrap_or(0)
}
