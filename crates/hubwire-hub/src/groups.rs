//! Groups: connections that are addressed by a name.

use std::sync::Arc;

use hubwire_transport::ConnectionId;
use thiserror::Error;

use crate::backplane::BackplaneError;
use crate::hub::Core;
use crate::registry::Selection;

/// Puts connections into groups and takes them out, and tells who is in them.
///
/// A group exists as long as someone is in it; its name is case-sensitive.
/// A connection leaves all its groups when it ends.
#[derive(Clone, Debug)]
pub struct Groups {
    core: Arc<Core>,
}

/// Why a connection did not join a group.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GroupError {
    /// There is no such connection, or not any more.
    #[error("connection {connection_id} does not exist")]
    UnknownConnection {
        /// The id that was given.
        connection_id: ConnectionId,
    },
}

impl Groups {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Adds a connection to a group; adding it again changes nothing.
    ///
    /// Once this returns, sends to the group reach the connection.
    ///
    /// # Errors
    ///
    /// When there is no such connection.
    pub async fn add(&self, connection_id: &ConnectionId, group: &str) -> Result<(), GroupError> {
        self.core.registry.join(connection_id, group)
    }

    /// Takes a connection out of a group; nothing changes if it is not in it.
    ///
    /// # Errors
    ///
    /// None on one server.
    pub async fn remove(
        &self,
        connection_id: &ConnectionId,
        group: &str,
    ) -> Result<(), GroupError> {
        self.core.registry.part(connection_id, group);
        Ok(())
    }

    /// The connections in a group, in no order; none if there is no such group.
    ///
    /// That was true a moment ago: clients come and go meanwhile.
    ///
    /// # Errors
    ///
    /// None on one server.
    pub async fn members(&self, group: &str) -> Result<Vec<ConnectionId>, BackplaneError> {
        Ok(self.core.registry.ids(&named(group)))
    }

    /// How many connections are in a group.
    ///
    /// # Errors
    ///
    /// None on one server.
    pub async fn count(&self, group: &str) -> Result<usize, BackplaneError> {
        Ok(self.core.registry.count(&named(group)))
    }
}

fn named(group: &str) -> Selection {
    Selection::Groups { names: vec![group.to_owned()], except: Vec::new() }
}
