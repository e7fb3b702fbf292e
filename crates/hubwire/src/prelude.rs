//! What a file with a hub in it needs: `use hubwire::prelude::*;`

pub use crate::{
    CallerContext, ConnectionId, Disconnect, DisconnectReason, EndpointOptions, Hub, HubError,
    HubOptions, HubResult, Identity, MountExt, ServerExt, UserId, hub, hub_client,
};
