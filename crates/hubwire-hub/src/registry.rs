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

#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// Swept by every broadcast: a plain list is the fastest thing to sweep.
    all: RwLock<Vec<Arc<Member>>>,
    by_id: DashMap<ConnectionId, Arc<Member>>,
    by_user: DashMap<UserId, Members>,
    by_group: DashMap<String, Members>,
    /// How many members speak each protocol, in the order of [`HubProtocol::ALL`].
    speakers: [AtomicUsize; HubProtocol::ALL.len()],
}

impl Registry {
    fn enter(&self, member: &Arc<Member>) {
        self.speakers[index(member.protocol)].fetch_add(1, Ordering::Relaxed);
        self.by_id.insert(member.id().clone(), member.clone());
        if let Some(user) = member.connection.user_id() {
            let mut members = self.by_user.entry(user.clone()).or_default();
            members.insert(member.id().clone(), member.clone());
        }
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        member.position.store(all.len(), Ordering::Relaxed);
        all.push(member.clone());
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
            }
        }
        let names = {
            let mut groups = member.groups();
            groups.is_closed = true;
            std::mem::take(&mut groups.names)
        };
        for name in names {
            remove_from(&self.by_group, &name, member.id());
        }
        if let Some(user) = member.connection.user_id() {
            remove_from(&self.by_user, user, member.id());
        }
        self.by_id.remove(member.id());
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
            let mut members = self.by_group.entry(group.to_owned()).or_default();
            members.insert(id.clone(), member.clone());
        }
        Ok(())
    }

    pub(crate) fn part(&self, id: &ConnectionId, group: &str) {
        let Some(member) = self.find(id) else { return };
        let mut groups = member.groups();
        if groups.names.remove(group) {
            remove_from(&self.by_group, group, id);
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

/// Empty sets are not kept: a group exists as long as someone is in it.
fn remove_from<K, Q>(map: &DashMap<K, Members>, key: &Q, id: &ConnectionId)
where
    K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: Eq + std::hash::Hash + ?Sized,
{
    if let Some(mut members) = map.get_mut(key) {
        members.remove(id);
    }
    map.remove_if(key, |_, members| members.is_empty());
}

fn index(protocol: HubProtocol) -> usize {
    HubProtocol::ALL.iter().position(|other| *other == protocol).unwrap_or(0)
}
