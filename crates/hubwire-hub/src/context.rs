//! What a method knows about its caller.

use std::fmt;
use std::sync::Arc;

use hubwire_transport::{ConnectRequest, ConnectionId, DisconnectReason, UserId};

use crate::clients::CallerClients;
use crate::definition::HubDefinition;
use crate::groups::{GroupError, Groups};
use crate::hub::Hub;
use crate::member::Member;

/// The connection that a method was called on: SignalR's `HubCallerContext`, with `Clients` and `Groups`.
///
/// Cheap to clone, and `Send`: a clone outlives the call.
pub struct CallerContext<H: HubDefinition> {
    hub: Hub<H>,
    member: Arc<Member>,
}

impl<H: HubDefinition> CallerContext<H> {
    pub(crate) fn new(hub: Hub<H>, member: Arc<Member>) -> Self {
        Self { hub, member }
    }

    /// The hub that was called.
    pub fn hub(&self) -> &Hub<H> {
        &self.hub
    }

    /// The public id of the caller's connection.
    pub fn connection_id(&self) -> &ConnectionId {
        self.member.id()
    }

    /// The user that the connection belongs to, if the endpoint's identity hook named one.
    pub fn user_id(&self) -> Option<&UserId> {
        self.member.connection.user_id()
    }

    /// The request that opened the connection.
    pub fn request(&self) -> &ConnectRequest {
        self.member.connection.request()
    }

    /// Chooses clients to call.
    pub fn clients(&self) -> CallerClients<H> {
        CallerClients::new(self.hub.core().clone(), self.connection_id().clone())
    }

    /// The groups of the hub, for other connections than the caller's.
    pub fn groups(&self) -> Groups {
        self.hub.groups()
    }

    /// Adds the caller to a group; adding it again changes nothing.
    ///
    /// # Errors
    ///
    /// When the caller is gone.
    pub async fn join_group(&self, group: &str) -> Result<(), GroupError> {
        self.groups().add(self.connection_id(), group).await
    }

    /// Takes the caller out of a group; nothing changes if it is not in it.
    ///
    /// # Errors
    ///
    /// None on one server.
    pub async fn leave_group(&self, group: &str) -> Result<(), GroupError> {
        self.groups().remove(self.connection_id(), group).await
    }

    /// Ends the caller's connection; the client does not reconnect by itself.
    pub fn abort(&self) {
        self.member.connection.close(DisconnectReason::Kicked);
    }

    /// Whether the connection has begun to end.
    pub fn is_aborted(&self) -> bool {
        self.member.connection.is_closing()
    }

    /// Waits until the connection ends: for methods that run long, which are not stopped by it.
    pub async fn aborted(&self) {
        self.member.aborted().await;
    }

    pub(crate) fn member(&self) -> &Arc<Member> {
        &self.member
    }
}

impl<H: HubDefinition> Clone for CallerContext<H> {
    fn clone(&self) -> Self {
        Self { hub: self.hub.clone(), member: self.member.clone() }
    }
}

impl<H: HubDefinition> fmt::Debug for CallerContext<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerContext")
            .field("hub", &H::NAME)
            .field("connection_id", &self.connection_id().as_str())
            .field("user_id", &self.user_id().map(UserId::as_str))
            .finish_non_exhaustive()
    }
}
