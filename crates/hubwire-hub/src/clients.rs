//! Choosing whom to call.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use hubwire_transport::{ConnectionId, UserId};

use crate::address::{Many, One};
use crate::definition::HubDefinition;
use crate::hub::Core;
use crate::registry::Selection;

/// Chooses clients from anywhere: SignalR's `IHubClients`.
///
/// Every choice is a value that can be kept and used again; it is looked up when something is sent.
pub struct Clients<H> {
    core: Arc<Core>,
    hub: PhantomData<fn() -> H>,
}

/// Chooses clients from within a call: [`Clients`], and those that are relative to the caller.
pub struct CallerClients<H> {
    clients: Clients<H>,
    caller: ConnectionId,
}

impl<H: HubDefinition> Clients<H> {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, hub: PhantomData }
    }

    fn many(&self, selection: Selection) -> H::Client<Many> {
        H::client(Many::new(self.core.clone(), selection))
    }

    /// Everyone.
    pub fn all(&self) -> H::Client<Many> {
        self.all_except([])
    }

    /// Everyone but these connections.
    pub fn all_except(&self, except: impl IntoIterator<Item = ConnectionId>) -> H::Client<Many> {
        self.many(Selection::All { except: collect(except) })
    }

    /// One connection, which can also be asked for results.
    pub fn client(&self, connection_id: &ConnectionId) -> H::Client<One> {
        H::client(One::new(self.core.clone(), connection_id.clone()))
    }

    /// These connections.
    pub fn clients(
        &self,
        connection_ids: impl IntoIterator<Item = ConnectionId>,
    ) -> H::Client<Many> {
        self.many(Selection::Connections(collect(connection_ids)))
    }

    /// Everyone in a group.
    pub fn group(&self, name: impl Into<String>) -> H::Client<Many> {
        self.group_except(name, [])
    }

    /// Everyone in a group but these connections.
    pub fn group_except(
        &self,
        name: impl Into<String>,
        except: impl IntoIterator<Item = ConnectionId>,
    ) -> H::Client<Many> {
        self.many(Selection::Groups { names: vec![name.into()], except: collect(except) })
    }

    /// Everyone in at least one of these groups; who is in several gets a message once.
    pub fn groups<N: Into<String>>(&self, names: impl IntoIterator<Item = N>) -> H::Client<Many> {
        let names = names.into_iter().map(Into::into).collect();
        self.many(Selection::Groups { names, except: Vec::new() })
    }

    /// Every connection of a user.
    pub fn user(&self, id: impl Into<UserId>) -> H::Client<Many> {
        self.users([id])
    }

    /// Every connection of these users.
    pub fn users<U: Into<UserId>>(&self, ids: impl IntoIterator<Item = U>) -> H::Client<Many> {
        self.many(Selection::Users(ids.into_iter().map(Into::into).collect()))
    }
}

impl<H: HubDefinition> CallerClients<H> {
    pub(crate) fn new(core: Arc<Core>, caller: ConnectionId) -> Self {
        Self { clients: Clients::new(core), caller }
    }

    /// The client that called.
    pub fn caller(&self) -> H::Client<One> {
        self.clients.client(&self.caller)
    }

    /// Everyone but the caller.
    pub fn others(&self) -> H::Client<Many> {
        self.clients.all_except([self.caller.clone()])
    }

    /// Everyone in a group but the caller.
    pub fn others_in_group(&self, name: impl Into<String>) -> H::Client<Many> {
        self.clients.group_except(name, [self.caller.clone()])
    }
}

impl<H> std::ops::Deref for CallerClients<H> {
    type Target = Clients<H>;

    fn deref(&self) -> &Clients<H> {
        &self.clients
    }
}

impl<H> fmt::Debug for Clients<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("hub", &self.core.name).finish_non_exhaustive()
    }
}

impl<H> fmt::Debug for CallerClients<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerClients").field("caller", &self.caller).finish_non_exhaustive()
    }
}

fn collect(ids: impl IntoIterator<Item = ConnectionId>) -> Vec<ConnectionId> {
    ids.into_iter().collect()
}
