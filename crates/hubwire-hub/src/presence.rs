//! Who is connected, to whichever server.

use hubwire_transport::ConnectionId;

use crate::backplane::{BackplaneError, Topic};
use crate::definition::HubDefinition;
use crate::hub::Hub;
use crate::registry::Selection;

impl<H: HubDefinition> Hub<H> {
    /// How many clients are connected to all of its servers. As a send, it sees those who have shaken hands.
    ///
    /// That was true a moment ago: clients come and go meanwhile.
    ///
    /// # Errors
    ///
    /// When another server does not answer. None on one server.
    pub async fn total_connection_count(&self) -> Result<usize, BackplaneError> {
        let count = self.core().registry.len();
        Ok(match &self.core().cluster {
            Some(cluster) => count + cluster.count(Topic::All).await?,
            None => count,
        })
    }

    /// Whether a connection is there, on whichever server. As a send, it sees those who have shaken hands.
    ///
    /// # Errors
    ///
    /// When another server does not answer. None on one server.
    pub async fn is_connected(&self, id: &ConnectionId) -> Result<bool, BackplaneError> {
        let here = Selection::Connections(vec![id.clone()]);
        Ok(match &self.core().cluster {
            _ if self.core().registry.count(&here) > 0 => true,
            Some(cluster) => cluster.count(Topic::Connection(id.clone())).await? > 0,
            None => false,
        })
    }
}
