//! Groups: connections that are addressed by a name.

use std::sync::Arc;

use hubwire_transport::ConnectionId;
use thiserror::Error;

use crate::backplane::{BackplaneError, Topic};
use crate::hub::Core;
use crate::notice::Content;
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
    /// The server that it lives on was not reached, or did not answer.
    #[error(transparent)]
    Backplane(#[from] BackplaneError),
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
    /// Once this returns, sends to the group reach the connection, from whichever server.
    ///
    /// # Errors
    ///
    /// When there is no such connection, or the server that it lives on does not answer.
    pub async fn add(&self, connection_id: &ConnectionId, group: &str) -> Result<(), GroupError> {
        let Core { registry, cluster, .. } = &*self.core;
        match (registry.join(connection_id, group), cluster) {
            (joined, None) => return joined,
            (Ok(()), Some(cluster)) => cluster.settled().await,
            (Err(unknown), Some(cluster)) => {
                let group = group.to_owned();
                let join = |question| Content::Join { question, group };
                if !cluster.ask_home(connection_id, join).await? {
                    return Err(unknown);
                }
            }
        }
        Ok(())
    }

    /// Takes a connection out of a group; nothing changes if it is not in it.
    ///
    /// # Errors
    ///
    /// When the server that it lives on does not answer. None on one server.
    pub async fn remove(
        &self,
        connection_id: &ConnectionId,
        group: &str,
    ) -> Result<(), GroupError> {
        let Core { registry, cluster, .. } = &*self.core;
        match cluster {
            Some(cluster) if registry.find(connection_id).is_none() => {
                let group = group.to_owned();
                let leave = |question| Content::Leave { question, group };
                // Whoever is gone is in no group.
                cluster.ask_home(connection_id, leave).await?;
            }
            Some(_) | None => registry.part(connection_id, group),
        }
        Ok(())
    }

    /// The connections in a group, in no order; none if there is no such group.
    ///
    /// That was true a moment ago: clients come and go meanwhile.
    ///
    /// # Errors
    ///
    /// When another server does not answer. None on one server.
    pub async fn members(&self, group: &str) -> Result<Vec<ConnectionId>, BackplaneError> {
        let mut members = self.core.registry.ids(&named(group));
        if let Some(cluster) = &self.core.cluster {
            members.extend(cluster.members(Topic::Group(group.to_owned())).await?);
        }
        Ok(members)
    }

    /// How many connections are in a group.
    ///
    /// # Errors
    ///
    /// When another server does not answer. None on one server.
    pub async fn count(&self, group: &str) -> Result<usize, BackplaneError> {
        let count = self.core.registry.count(&named(group));
        Ok(match &self.core.cluster {
            Some(cluster) => count + cluster.count(Topic::Group(group.to_owned())).await?,
            None => count,
        })
    }
}

fn named(group: &str) -> Selection {
    Selection::Groups { names: vec![group.to_owned()], except: Vec::new() }
}
