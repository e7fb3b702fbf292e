//! What a method knows about its caller.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future;
use hubwire_transport::{ConnectRequest, ConnectionId, DisconnectReason, UserId};

use crate::clients::CallerClients;
use crate::definition::HubDefinition;
use crate::groups::{GroupError, Groups};
use crate::hub::Hub;
use crate::items::Items;
use crate::member::Member;
use crate::progress::Progress;

/// The connection that a method was called on: SignalR's `HubCallerContext`, with `Clients` and `Groups`.
///
/// Cheap to clone, and `Send`: a clone outlives the call.
pub struct CallerContext<H: HubDefinition> {
    hub: Hub<H>,
    member: Arc<Member>,
    /// The call that it was made for; lifecycle methods are none.
    call: Option<Arc<Progress>>,
}

impl<H: HubDefinition> CallerContext<H> {
    pub(crate) fn new(hub: Hub<H>, member: Arc<Member>) -> Self {
        Self { hub, member, call: None }
    }

    /// The same caller, seen from one call.
    pub(crate) fn in_call(&self, call: Arc<Progress>) -> Self {
        Self { call: Some(call), ..self.clone() }
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

    /// What the application keeps with the connection.
    pub fn items(&self) -> &Items {
        &self.member.items
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

    /// Whether the client has cancelled this call, or its connection has begun to end.
    pub fn is_cancelled(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_cancelled()) || self.is_aborted()
    }

    /// Waits until the client cancels this call (`CancelInvocation`), or the connection ends.
    ///
    /// A method is not stopped by either: it is told, and its answer is still sent. A stream that it has returned is
    /// dropped. The `CallerContext` of `on_connected` and `on_disconnected` is of no call and knows the second only.
    ///
    /// ```
    /// # use hubwire_hub::{CallerContext, HubDefinition, HubError, HubResult};
    /// # async fn search() -> u32 { 1 }
    /// # async fn example<H: HubDefinition>(cx: &CallerContext<H>) -> HubResult<u32> {
    /// tokio::select! {
    ///     found = search() => Ok(found),
    ///     () = cx.cancelled() => Err(HubError::new("never mind")),
    /// }
    /// # }
    /// ```
    pub async fn cancelled(&self) {
        match &self.call {
            Some(call) => {
                let (cancelled, aborted) = (pin!(call.cancelled()), pin!(self.aborted()));
                future::select(cancelled, aborted).await;
            }
            None => self.aborted().await,
        }
    }

    /// Whether [`cancelled`](Self::cancelled) has come to its end, or is about to.
    pub(crate) fn is_told_to_stop(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_cancelled()) || self.member.is_aborted()
    }

    pub(crate) fn member(&self) -> &Arc<Member> {
        &self.member
    }
}

impl<H: HubDefinition> Clone for CallerContext<H> {
    fn clone(&self) -> Self {
        Self { hub: self.hub.clone(), member: self.member.clone(), call: self.call.clone() }
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
