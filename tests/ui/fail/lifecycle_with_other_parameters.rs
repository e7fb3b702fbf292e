#![allow(unused_variables)]

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    async fn on_connected(&self, cx: &CallerContext<Self>, name: String) -> HubResult<()> {
        Ok(())
    }

    async fn on_disconnected(&self, reason: DisconnectReason) {}
}

fn main() {}
