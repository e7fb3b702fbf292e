//! The hub. It does not know how many servers there are.

use hubwire::prelude::*;
use serde::Serialize;

/// What is said is at most as long, in characters.
const LONGEST: usize = 500;

#[hub_client]
pub trait Page {
    fn said(message: &Said);
}

#[derive(Debug, Serialize)]
pub struct Said {
    from: String,
    text: String,
    /// Where it was said, so that one sees that it went from one server to another.
    server: String,
}

#[derive(Debug)]
pub struct Chat {
    /// Its name for people.
    pub server: String,
}

#[hub(client = Page)]
impl Chat {
    /// Enters a room, on the server that is returned.
    async fn enter(&self, cx: &CallerContext<Self>, room: String) -> HubResult<String> {
        cx.join_group(&room).await?;
        Ok(self.server.clone())
    }

    /// Says something to everyone in a room.
    fn say(
        &self,
        cx: &CallerContext<Self>,
        room: String,
        from: String,
        text: String,
    ) -> HubResult<()> {
        if from.chars().count() + text.chars().count() > LONGEST {
            return Err(HubError::new(format!("say it in {LONGEST} characters")));
        }
        cx.clients().group(room).said(&Said { from, text, server: self.server.clone() });
        Ok(())
    }

    /// How many are in a room, on all servers.
    async fn count(&self, cx: &CallerContext<Self>, room: String) -> HubResult<usize> {
        Ok(cx.groups().count(&room).await?)
    }
}
