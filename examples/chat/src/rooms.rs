//! Who is in which room, and what was said there last.

use std::collections::{BTreeMap, HashMap, VecDeque};

use hubwire::ConnectionId;
use serde::{Deserialize, Serialize};

/// Messages that a room remembers.
const HISTORY: usize = 50;
/// Rooms at the same time; an empty room is forgotten.
const ROOMS_MAX: usize = 200;

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Member {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Message {
    pub id: u64,
    pub from: Member,
    pub text: String,
    /// Milliseconds since 1970.
    pub at: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RoomSummary {
    pub name: String,
    pub members: usize,
}

#[derive(Debug, Default)]
pub struct Rooms {
    rooms: BTreeMap<String, Room>,
    /// Where everyone is.
    whereabouts: HashMap<ConnectionId, String>,
    messages: u64,
}

#[derive(Debug, Default)]
struct Room {
    members: Vec<Member>,
    history: VecDeque<Message>,
}

/// A room as someone finds it who enters.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Entered {
    pub room: String,
    pub you: Member,
    pub members: Vec<Member>,
    pub history: Vec<Message>,
}

/// There are as many rooms as there may be.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyRooms;

impl Rooms {
    /// Puts someone into a room, and gives back where they were before.
    ///
    /// # Errors
    ///
    /// When a new room would be one too many; they stay where they are.
    pub fn enter(
        &mut self,
        id: &ConnectionId,
        name: String,
        room: &str,
    ) -> Result<Option<(String, Member)>, TooManyRooms> {
        if self.rooms.len() >= ROOMS_MAX && !self.rooms.contains_key(room) {
            return Err(TooManyRooms);
        }
        let left = self.leave(id);
        let you = Member { id: id.to_string(), name };
        self.rooms.entry(room.to_owned()).or_default().members.push(you);
        self.whereabouts.insert(id.clone(), room.to_owned());
        Ok(left)
    }

    /// The room where someone is, as they find it now.
    pub fn look(&self, id: &ConnectionId) -> Option<Entered> {
        let (name, you) = self.find(id)?;
        let room = self.rooms.get(name)?;
        Some(Entered {
            room: name.to_owned(),
            you: you.clone(),
            members: room.members.clone(),
            history: room.history.iter().cloned().collect(),
        })
    }

    /// Takes someone out of the room where they are.
    pub fn leave(&mut self, id: &ConnectionId) -> Option<(String, Member)> {
        let name = self.whereabouts.remove(id)?;
        let room = self.rooms.get_mut(&name)?;
        let position = room.members.iter().position(|member| member.id == id.as_str())?;
        let member = room.members.remove(position);
        if room.members.is_empty() {
            self.rooms.remove(&name);
        }
        Some((name, member))
    }

    /// Who this is, and in which room.
    pub fn find(&self, id: &ConnectionId) -> Option<(&str, &Member)> {
        let name = self.whereabouts.get(id)?;
        let members = &self.rooms.get(name)?.members;
        Some((name, members.iter().find(|member| member.id == id.as_str())?))
    }

    /// Remembers what someone says in their room.
    pub fn say(&mut self, id: &ConnectionId, text: String, at: u64) -> Option<(String, Message)> {
        let (name, from) = self.find(id)?;
        let (name, from) = (name.to_owned(), from.clone());
        self.messages += 1;
        let message = Message { id: self.messages, from, text, at };
        let history = &mut self.rooms.get_mut(&name)?.history;
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.push_back(message.clone());
        Some((name, message))
    }

    pub fn summaries(&self) -> Vec<RoomSummary> {
        self.rooms
            .iter()
            .map(|(name, room)| RoomSummary { name: name.clone(), members: room.members.len() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(rooms: &mut Rooms, id: &ConnectionId, room: &str) -> Option<String> {
        rooms.enter(id, id.to_string(), room).unwrap().map(|(left, _)| left)
    }

    #[test]
    fn a_late_comer_gets_the_last_messages() {
        let mut rooms = Rooms::default();
        let (ada, bob) = (ConnectionId::from("a"), ConnectionId::from("b"));
        enter(&mut rooms, &ada, "lobby");
        for n in 0..=HISTORY as u64 {
            rooms.say(&ada, n.to_string(), n);
        }
        enter(&mut rooms, &bob, "lobby");
        let found = rooms.look(&bob).unwrap();
        assert_eq!((found.room.as_str(), found.you.id.as_str()), ("lobby", "b"));
        assert_eq!(found.history.len(), HISTORY);
        assert_eq!(found.history[0].text, "1");
        assert_eq!(found.members.len(), 2);
    }

    #[test]
    fn what_is_said_between_entering_and_looking_is_found() {
        let mut rooms = Rooms::default();
        let (ada, bob) = (ConnectionId::from("a"), ConnectionId::from("b"));
        enter(&mut rooms, &ada, "lobby");
        enter(&mut rooms, &bob, "lobby");
        rooms.say(&ada, "hello".to_owned(), 0);
        assert_eq!(rooms.look(&bob).unwrap().history.len(), 1);
    }

    #[test]
    fn who_moves_is_in_one_room_only() {
        let mut rooms = Rooms::default();
        let (ada, bob) = (ConnectionId::from("a"), ConnectionId::from("b"));
        enter(&mut rooms, &bob, "lobby");
        assert_eq!(enter(&mut rooms, &ada, "lobby"), None);
        assert_eq!(enter(&mut rooms, &ada, "garden").as_deref(), Some("lobby"));
        assert_eq!(rooms.find(&ada).map(|(room, _)| room), Some("garden"));
        assert_eq!(rooms.look(&bob).unwrap().members.len(), 1);
    }

    #[test]
    fn one_room_too_many_leaves_everyone_where_they_are() {
        let mut rooms = Rooms::default();
        let ada = ConnectionId::from("a");
        enter(&mut rooms, &ada, "lobby");
        for n in 1..ROOMS_MAX {
            enter(&mut rooms, &ConnectionId::from(n.to_string()), &n.to_string());
        }
        assert_eq!(rooms.enter(&ada, "Ada".to_owned(), "garden").unwrap_err(), TooManyRooms);
        assert_eq!(rooms.find(&ada).map(|(room, _)| room), Some("lobby"));
        assert_eq!(enter(&mut rooms, &ada, "1").as_deref(), Some("lobby"));
        assert_eq!(enter(&mut rooms, &ada, "garden").as_deref(), Some("1"));
    }

    #[test]
    fn an_empty_room_is_forgotten() {
        let mut rooms = Rooms::default();
        let ada = ConnectionId::from("a");
        enter(&mut rooms, &ada, "lobby");
        assert_eq!(rooms.leave(&ada).map(|(room, _)| room).as_deref(), Some("lobby"));
        assert!(rooms.summaries().is_empty() && rooms.look(&ada).is_none());
        assert!(rooms.leave(&ada).is_none() && rooms.say(&ada, String::new(), 0).is_none());
    }
}
