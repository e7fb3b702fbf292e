//! Who is in which room, and what was said there last.

use std::collections::{BTreeMap, HashMap, VecDeque};

use hubwire::ConnectionId;
use serde::Serialize;

/// Messages that a room remembers.
const HISTORY: usize = 50;
/// Rooms at the same time; an empty room is forgotten.
const ROOMS_MAX: usize = 200;

#[derive(Clone, Debug, Serialize)]
pub struct Member {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub id: u64,
    pub from: Member,
    pub text: String,
    /// Milliseconds since 1970.
    pub at: u64,
}

#[derive(Clone, Debug, Serialize)]
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
#[derive(Clone, Debug, Serialize)]
pub struct Entered {
    pub room: String,
    pub you: Member,
    pub members: Vec<Member>,
    pub history: Vec<Message>,
}

impl Rooms {
    /// Puts someone into a room, or says that there are too many.
    pub fn enter(&mut self, id: &ConnectionId, name: String, room: &str) -> Option<Entered> {
        if self.rooms.len() >= ROOMS_MAX && !self.rooms.contains_key(room) {
            return None;
        }
        let you = Member { id: id.to_string(), name };
        let entered = self.rooms.entry(room.to_owned()).or_default();
        entered.members.push(you.clone());
        self.whereabouts.insert(id.clone(), room.to_owned());
        Some(Entered {
            room: room.to_owned(),
            you,
            members: entered.members.clone(),
            history: entered.history.iter().cloned().collect(),
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

    #[test]
    fn a_late_comer_gets_the_last_messages() {
        let mut rooms = Rooms::default();
        let (ada, bob) = (ConnectionId::from("a"), ConnectionId::from("b"));
        rooms.enter(&ada, "Ada".to_owned(), "lobby");
        for n in 0..=HISTORY as u64 {
            rooms.say(&ada, n.to_string(), n);
        }
        let entered = rooms.enter(&bob, "Bob".to_owned(), "lobby").unwrap();
        assert_eq!(entered.history.len(), HISTORY);
        assert_eq!(entered.history[0].text, "1");
        assert_eq!(entered.members.len(), 2);
    }

    #[test]
    fn an_empty_room_is_forgotten() {
        let mut rooms = Rooms::default();
        let ada = ConnectionId::from("a");
        rooms.enter(&ada, "Ada".to_owned(), "lobby");
        assert_eq!(rooms.leave(&ada).map(|(room, _)| room).as_deref(), Some("lobby"));
        assert!(rooms.summaries().is_empty());
        assert!(rooms.leave(&ada).is_none() && rooms.say(&ada, String::new(), 0).is_none());
    }
}
