//! The hub: what a page may call, and what it is called with.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hubwire::prelude::*;

use crate::rooms::{Entered, Member, Message, RoomSummary, Rooms};

const NAME_MAX: usize = 40;
const TEXT_MAX: usize = 2000;

#[hub_client]
pub trait ChatPage {
    fn message_received(message: &Message);
    fn member_joined(member: &Member);
    fn member_left(member: &Member);
    fn member_typing(member: &Member, typing: bool);
    fn rooms_changed(rooms: &[RoomSummary]);
}

#[derive(Debug, Default)]
pub struct Chat {
    rooms: Mutex<Rooms>,
}

#[hub(client = ChatPage)]
impl Chat {
    /// Enters a room, and leaves the one where the caller was.
    async fn join(
        &self,
        cx: &CallerContext<Self>,
        room: String,
        name: String,
    ) -> HubResult<Entered> {
        let room = checked("room", &room)?;
        let name = checked("name", &name)?;
        self.part(cx).await?;
        let entered = self.rooms().enter(cx.connection_id(), name, &room);
        let entered = entered.ok_or_else(|| HubError::new("there are too many rooms"))?;
        cx.clients().group(&*room).member_joined(&entered.you);
        cx.join_group(&room).await?;
        cx.clients().all().rooms_changed(&self.rooms().summaries());
        Ok(entered)
    }

    /// Says something to everyone in the caller's room.
    fn say(&self, cx: &CallerContext<Self>, text: String) -> HubResult<()> {
        let text = text.trim();
        if text.is_empty() {
            return Err(HubError::new("say something"));
        }
        if text.chars().count() > TEXT_MAX {
            return Err(HubError::new(format!("a message has at most {TEXT_MAX} characters")));
        }
        let said = self.rooms().say(cx.connection_id(), text.to_owned(), unix_millis());
        let (room, message) = said.ok_or_else(|| HubError::new("join a room first"))?;
        cx.clients().group(room).message_received(&message);
        Ok(())
    }

    /// Tells the others in the room whether the caller is writing.
    fn typing(&self, cx: &CallerContext<Self>, typing: bool) {
        if let Some((room, member)) = self.rooms().find(cx.connection_id()) {
            cx.clients().others_in_group(room).member_typing(member, typing);
        }
    }

    /// The rooms that there are.
    #[hub(rename = "Rooms")]
    fn rooms_list(&self) -> Vec<RoomSummary> {
        self.rooms().summaries()
    }

    async fn on_disconnected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        self.part(cx).await?;
        cx.clients().all().rooms_changed(&self.rooms().summaries());
        Ok(())
    }
}

impl Chat {
    /// Short sections without user code: a panic elsewhere leaves them usable.
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn part(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        let left = self.rooms().leave(cx.connection_id());
        if let Some((room, member)) = left {
            cx.leave_group(&room).await?;
            cx.clients().group(room).member_left(&member);
        }
        Ok(())
    }
}

fn checked(what: &str, text: &str) -> HubResult<String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(HubError::new(format!("give a {what}"))),
        1..=NAME_MAX => Ok(text.to_owned()),
        _ => Err(HubError::new(format!("a {what} has at most {NAME_MAX} characters"))),
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
