//! The hub: what a page may call, and what it is called with.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hubwire::prelude::*;

use crate::rooms::{Entered, Member, Message, RoomSummary, Rooms, TooManyRooms};

const NAME_MAX: usize = 40;
const TEXT_MAX: usize = 2000;

/// What happens in a room says in which, since a page that moves hears two for a moment.
#[hub_client]
pub trait ChatPage {
    fn message_received(room: &str, message: &Message);
    fn member_joined(room: &str, member: &Member);
    fn member_left(room: &str, member: &Member);
    fn member_typing(room: &str, member: &Member, typing: bool);
    fn rooms_changed(rooms: &[RoomSummary]);
}

/// What changes the rooms is told while they are locked, so that everyone hears it in the order in which it came to be.
/// Sends allow that: they put their message into outboxes and never wait.
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
        if let Some(left) = self.enter(cx, name, &room)? {
            cx.leave_group(&left).await?;
        }
        cx.join_group(&room).await?;
        // Only now, for what is said before one is in the group must be in what one finds.
        self.look(cx)
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
        let mut rooms = self.rooms();
        let said = rooms.say(cx.connection_id(), text.to_owned(), unix_millis());
        let (room, message) = said.ok_or_else(not_in_a_room)?;
        cx.clients().group(&room).message_received(&room, &message);
        Ok(())
    }

    /// Tells the others in the room whether the caller is writing.
    fn typing(&self, cx: &CallerContext<Self>, typing: bool) {
        if let Some((room, member)) = self.rooms().find(cx.connection_id()) {
            cx.clients().others_in_group(room).member_typing(room, member, typing);
        }
    }

    /// The rooms that there are.
    #[hub(rename = "Rooms")]
    fn rooms_list(&self) -> Vec<RoomSummary> {
        self.rooms().summaries()
    }

    async fn on_disconnected(&self, cx: &CallerContext<Self>) {
        let mut rooms = self.rooms();
        if let Some((room, member)) = rooms.leave(cx.connection_id()) {
            cx.clients().others_in_group(&room).member_left(&room, &member);
            cx.clients().all().rooms_changed(&rooms.summaries());
        }
    }
}

impl Chat {
    /// Short sections without user code: a panic elsewhere leaves them usable.
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the caller in the books, or not at all, and gives back which room they left.
    fn enter(
        &self,
        cx: &CallerContext<Self>,
        name: String,
        room: &str,
    ) -> HubResult<Option<String>> {
        let mut rooms = self.rooms();
        let left = rooms.enter(cx.connection_id(), name, room);
        let left = left.map_err(|TooManyRooms| HubError::new("there are too many rooms"))?;
        Ok(left.map(|(room, member)| {
            cx.clients().others_in_group(&room).member_left(&room, &member);
            room
        }))
    }

    /// Shows the caller their room, and them to the others.
    fn look(&self, cx: &CallerContext<Self>) -> HubResult<Entered> {
        let rooms = self.rooms();
        let entered = rooms.look(cx.connection_id()).ok_or_else(not_in_a_room)?;
        cx.clients().others_in_group(&entered.room).member_joined(&entered.room, &entered.you);
        cx.clients().all().rooms_changed(&rooms.summaries());
        Ok(entered)
    }
}

fn not_in_a_room() -> HubError {
    HubError::new("join a room first")
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

#[cfg(test)]
mod tests;
