//! What a file with a hub in it needs: `use hubwire::prelude::*;`

pub use futures_util::{Stream, StreamExt};

pub use crate::{
    CallerContext, ClientStream, ConnectionId, Disconnect, DisconnectReason, EndpointOptions, Hub,
    HubError, HubOptions, HubResult, Identity, MountExt, ServerExt, UserId, hub, hub_client,
};
