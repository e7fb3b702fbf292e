//! What the servers of a hub tell each other.

use hubwire_protocol::{Close, Outcome};
use hubwire_transport::ConnectionId;

use crate::backplane::ServerId;
use crate::encode::Encodings;

/// Something that one server of a hub tells others, on a [`Topic`](crate::Topic).
#[derive(Clone, Debug)]
pub struct Notice {
    /// Who says it.
    pub from: ServerId,
    /// What is said.
    pub content: Content,
}

/// What a server says.
#[derive(Clone, Debug)]
pub enum Content {
    /// It lives; said every two seconds.
    Alive,
    /// The answer to a question, as far as this server can tell.
    Answer {
        /// The question's number.
        question: u64,
        /// The answer.
        answer: Finding,
    },
    /// A client was asked, and its result will follow.
    Asked {
        /// The question's number.
        question: u64,
    },
    /// How many connections does the topic mean on your server?
    Count {
        /// The question's number.
        question: u64,
    },
    /// Connections end.
    Disconnect {
        /// Which ones.
        scope: Scope,
        /// What they are told.
        close: Close,
    },
    /// The result of a client is not waited for any more.
    Forget {
        /// The id that the client was asked with.
        invocation_id: String,
    },
    /// The client of the topic is asked for a result.
    Invoke {
        /// The question's number.
        question: u64,
        /// The id that is written in the call.
        invocation_id: String,
        /// The call.
        call: Encodings,
    },
    /// The connection of the topic joins a group.
    Join {
        /// The question's number; it is answered once sends to the group reach the connection.
        question: u64,
        /// The group's name.
        group: String,
    },
    /// The connection of the topic leaves a group.
    Leave {
        /// The question's number.
        question: u64,
        /// The group's name.
        group: String,
    },
    /// It goes away.
    Leaving,
    /// Which connections does the topic mean on your server?
    Members {
        /// The question's number.
        question: u64,
    },
    /// A connection was opened whose token will come again.
    Opened {
        /// The connection.
        connection_id: ConnectionId,
        /// When its token opens none any more, in seconds since 1970.
        expires: u32,
    },
    /// What became of the question to a client.
    Result {
        /// The question's number.
        question: u64,
        /// What the client answered, or why it did not.
        result: Result<Outcome, Refusal>,
    },
    /// Clients are called.
    Send {
        /// Which ones.
        scope: Scope,
        /// The call.
        call: Encodings,
    },
}

/// Whom something is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everyone whom the topic means, but these.
    Topic {
        /// The connections that are left out.
        except: Vec<ConnectionId>,
    },
    /// Everyone in at least one of several groups, but these. It is told on the topic of each group.
    Groups {
        /// The groups' names.
        names: Vec<String>,
        /// The connections that are left out.
        except: Vec<ConnectionId>,
        /// Higher each time: a server that hears a number twice has done its part already.
        number: u64,
    },
}

/// What a server answers another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// So many connections.
    Count(usize),
    /// It is done.
    Done,
    /// These connections.
    Members(Vec<ConnectionId>),
    /// The connection is gone.
    Unknown,
}

/// Why a client that was asked gives no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its `on_connected` still runs.
    Connecting,
    /// It went away.
    Disconnected,
    /// It is not there.
    NotFound,
}

impl Scope {
    /// Everyone whom the topic means.
    pub(crate) fn everyone() -> Self {
        Self::Topic { except: Vec::new() }
    }
}
