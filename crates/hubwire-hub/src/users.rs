//! Users: who is there, on how many connections.

use std::sync::Arc;

use hubwire_transport::{ConnectionId, UserId};

use crate::backplane::{BackplaneError, Topic};
use crate::hub::Core;
use crate::registry::Selection;

/// Tells which users are connected.
///
/// What it tells was true a moment ago: clients come and go meanwhile.
/// As a send, it sees those who have shaken hands.
///
/// ```
/// # use hubwire_hub::{BackplaneError, Hub, HubDefinition};
/// # async fn example<H: HubDefinition>(hub: Hub<H>) -> Result<(), BackplaneError> {
/// if !hub.users().is_online("ada").await? {
///     println!("ada gets a mail instead");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Users {
    core: Arc<Core>,
}

impl Users {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The connections of a user, in no order.
    ///
    /// # Errors
    ///
    /// When another server does not answer. None on one server.
    pub async fn connections(
        &self,
        id: impl Into<UserId>,
    ) -> Result<Vec<ConnectionId>, BackplaneError> {
        let id = id.into();
        let mut connections = self.core.registry.ids(&user(&id));
        if let Some(cluster) = &self.core.cluster {
            connections.extend(cluster.members(Topic::User(id)).await?);
        }
        Ok(connections)
    }

    /// Whether a user has a connection.
    ///
    /// # Errors
    ///
    /// When another server does not answer. None on one server.
    pub async fn is_online(&self, id: impl Into<UserId>) -> Result<bool, BackplaneError> {
        let id = id.into();
        Ok(match &self.core.cluster {
            _ if self.core.registry.count(&user(&id)) > 0 => true,
            Some(cluster) => cluster.count(Topic::User(id)).await? > 0,
            None => false,
        })
    }
}

fn user(id: &UserId) -> Selection {
    Selection::Users(vec![id.clone()])
}
