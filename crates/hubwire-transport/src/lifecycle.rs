//! The life of a connection as a state machine of its own.
//!
//! # Theory of operation
//!
//! A connection ends once, for the reason that came first; only a goodbye that is read behind the loss of the network takes its place.
//! What carries it either lasts as long as it does (a socket, a stream) or comes and goes (polls, and sockets where both ends agreed on that).
//! Losing a carrier that lasts ends an open connection; between the others a clock runs, and its end does.
//!
//! ```text
//!            close(reason)                finish                 the carrier is gone, or
//!   Open ───────────────────▶ Closing ───────────────▶ Finished ───────────────────────▶ over
//!     │                         the application says     what waits     a poll was told,
//!     └ carrier lost:           its last words           goes out       or none came
//!       close(NetworkLost)
//! ```

use crate::DisconnectReason;

#[derive(Debug)]
pub(crate) struct Lifecycle {
    carrier: Carrier,
    stage: Stage,
    resumption: Resumption,
}

/// Whether one socket may follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resumption {
    Agreed,
    Never,
    /// The client has asked for it.
    Offered,
}

/// What carries the connection at the moment.
#[derive(Debug)]
enum Carrier {
    /// A socket or a stream, which is the only one that there will be.
    Lasting,
    /// Nothing, and nothing will.
    None,
    /// The poll with this number.
    Poll(u64),
    /// The socket with this number, which another one may follow.
    Socket(u64),
    /// Nothing for so many ticks, but another poll or socket may come.
    Waiting { ticks: u64 },
}

#[derive(Debug)]
enum Stage {
    Open,
    Closing(Ending),
    Finished { ending: Ending, ticks: u64 },
}

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) reason: DisconnectReason,
    /// The WebSocket close code.
    pub(crate) close_code: u16,
}

/// Whether the application tells its client of the end in its own protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastWords {
    None,
    Said,
}

/// The close code of an ordinary end.
pub(crate) const NORMAL: u16 = 1000;

/// The close code of a server that goes down.
///
/// Only for clients that hear of it in no other way: clients of hubs take any code but 1000 for a failure, and some before they have read the Close message in front of it.
const GOING_AWAY: u16 = 1001;

/// For how many ticks the goodbye of a peer is awaited that broke the rules: so long that it can hear why.
const BROKEN_GOODBYE: u64 = 1;

/// What the loss of a carrier means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detached {
    /// It was expected.
    AfterEnd,
    /// The link went away under a living connection.
    Lost,
    /// Another poll or socket has taken over already, or may come.
    Replaceable,
}

/// What a tick found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// The peer's goodbye has been awaited long enough.
    Goodbye,
    /// Nothing.
    Nothing,
    /// The next poll.
    Poll,
}

impl Lifecycle {
    /// A life that is carried by a socket or a stream.
    pub(crate) fn carried() -> Self {
        Self { carrier: Carrier::Lasting, stage: Stage::Open, resumption: Resumption::Never }
    }

    /// A life that is carried by a socket, and perhaps by others behind it.
    pub(crate) fn resumable() -> Self {
        Self { resumption: Resumption::Offered, ..Self::carried() }
    }

    /// A life that is carried by polls.
    pub(crate) fn polled() -> Self {
        Self { carrier: Carrier::Waiting { ticks: 0 }, ..Self::carried() }
    }

    /// Lets other sockets follow the first one, if the client has asked for it; whether it is so.
    pub(crate) fn agree_to_resume(&mut self) -> bool {
        let agreed = matches!(
            (&self.carrier, &self.stage, self.resumption),
            (Carrier::Lasting, Stage::Open, Resumption::Offered)
        );
        if agreed {
            self.carrier = Carrier::Socket(0);
            self.resumption = Resumption::Agreed;
        }
        agreed
    }

    /// Whether sockets may follow one another.
    pub(crate) fn is_resumable(&self) -> bool {
        self.resumption == Resumption::Agreed
    }

    /// Another socket takes over.
    pub(crate) fn attach_socket(&mut self, generation: u64) {
        if let Carrier::Socket(_) | Carrier::Waiting { .. } = self.carrier {
            self.carrier = Carrier::Socket(generation);
        }
    }

    /// No other socket may follow the one that carries the connection, if one does.
    pub(crate) fn be_last(&mut self) {
        if let Carrier::Socket(_) = self.carrier {
            self.carrier = Carrier::Lasting;
        }
    }

    /// Whether a socket carries the connection that another one may follow.
    pub(crate) fn may_suspend(&self) -> bool {
        matches!((&self.carrier, &self.stage), (Carrier::Socket(_), Stage::Open))
    }

    /// Gives up that socket.
    pub(crate) fn suspend(&mut self) {
        self.carrier = Carrier::Waiting { ticks: 0 };
    }

    /// Whether this is what carries the connection now.
    pub(crate) fn is_carried_by(&self, generation: u64) -> bool {
        match self.carrier {
            Carrier::Lasting => true,
            Carrier::None | Carrier::Waiting { .. } => false,
            Carrier::Poll(current) | Carrier::Socket(current) => current == generation,
        }
    }

    /// A poll takes over.
    pub(crate) fn attach_poll(&mut self, generation: u64) {
        if let Carrier::Poll(_) | Carrier::Waiting { .. } = self.carrier {
            self.carrier = Carrier::Poll(generation);
        }
    }

    pub(crate) fn detach(&mut self, generation: u64) -> Detached {
        match self.carrier {
            Carrier::Poll(current) if current == generation => {
                self.carrier = Carrier::Waiting { ticks: 0 };
                Detached::Replaceable
            }
            Carrier::Socket(current) if current == generation => match self.stage {
                Stage::Open => {
                    self.carrier = Carrier::Waiting { ticks: 0 };
                    Detached::Replaceable
                }
                Stage::Closing(_) | Stage::Finished { .. } => {
                    self.carrier = Carrier::None;
                    Detached::AfterEnd
                }
            },
            Carrier::None | Carrier::Poll(_) | Carrier::Socket(_) | Carrier::Waiting { .. } => {
                Detached::Replaceable
            }
            Carrier::Lasting => {
                self.carrier = Carrier::None;
                match self.stage {
                    Stage::Open => Detached::Lost,
                    Stage::Closing(_) | Stage::Finished { .. } => Detached::AfterEnd,
                }
            }
        }
    }

    /// Nobody will poll any more: the client knows that it is over.
    pub(crate) fn told(&mut self) {
        self.carrier = Carrier::None;
    }

    /// Whether this was the first reason to end. Of the others only a goodbye counts: who says it and hangs up at once is not lost, though that may be noticed first.
    pub(crate) fn close(&mut self, ending: Ending) -> bool {
        if let Stage::Closing(Ending { reason: reason @ DisconnectReason::NetworkLost, .. }) =
            &mut self.stage
            && let DisconnectReason::ClientClosed { .. } = ending.reason
        {
            *reason = ending.reason;
            return false;
        }
        let first = matches!(self.stage, Stage::Open);
        if first {
            self.stage = Stage::Closing(ending);
            // Nobody comes back to be told: a poll would, but a socket that follows is refused.
            if self.is_resumable() && matches!(self.carrier, Carrier::Waiting { .. }) {
                self.carrier = Carrier::None;
            }
        }
        first
    }

    pub(crate) fn finish(&mut self, last_words: LastWords) {
        let mut ending = match std::mem::replace(&mut self.stage, Stage::Open) {
            // An application that returns by itself has ended the connection.
            Stage::Open => Ending { reason: DisconnectReason::Kicked, close_code: NORMAL },
            Stage::Closing(ending) => ending,
            finished @ Stage::Finished { .. } => {
                self.stage = finished;
                return;
            }
        };
        if last_words == LastWords::None && ending.reason == DisconnectReason::Shutdown {
            ending.close_code = GOING_AWAY;
        }
        self.stage = Stage::Finished { ending, ticks: 0 };
    }

    /// Counts a tick. The peer can say goodbye only once it has all that was sent, so `unsent` bytes stop that clock.
    pub(crate) fn tick(&mut self, unsent: usize, limits: Limits) -> Overdue {
        match (&mut self.carrier, &mut self.stage) {
            (Carrier::Lasting | Carrier::Socket(_), Stage::Finished { ticks, ending })
                if unsent == 0 =>
            {
                *ticks += 1;
                let limit = match ending.close_code {
                    NORMAL | GOING_AWAY => limits.goodbye,
                    _ => limits.goodbye.min(BROKEN_GOODBYE),
                };
                if *ticks > limit { Overdue::Goodbye } else { Overdue::Nothing }
            }
            (Carrier::Waiting { ticks }, _) => {
                *ticks += 1;
                if *ticks <= limits.poll {
                    return Overdue::Nothing;
                }
                self.carrier = Carrier::None;
                Overdue::Poll
            }
            (Carrier::Lasting | Carrier::None | Carrier::Poll(_) | Carrier::Socket(_), _) => {
                Overdue::Nothing
            }
        }
    }

    /// Whether something carries the connection, or may again.
    pub(crate) fn is_carried(&self) -> bool {
        !matches!(self.carrier, Carrier::None)
    }

    /// Whether what waits could go out now.
    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.carrier, Carrier::Lasting | Carrier::Poll(_) | Carrier::Socket(_))
    }

    pub(crate) fn ending(&self) -> Option<&Ending> {
        match &self.stage {
            Stage::Open => None,
            Stage::Closing(ending) | Stage::Finished { ending, .. } => Some(ending),
        }
    }
}

/// How many ticks are waited for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) goodbye: u64,
    pub(crate) poll: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { goodbye: 2, poll: 3 };

    fn kicked() -> Ending {
        Ending { reason: DisconnectReason::Kicked, close_code: 1000 }
    }

    fn ticks(life: &mut Lifecycle, count: usize) -> Vec<Overdue> {
        (0..count).map(|_| life.tick(0, LIMITS)).collect()
    }

    #[test]
    fn the_first_reason_stays() {
        let mut life = Lifecycle::carried();
        assert!(life.ending().is_none());
        assert!(life.close(kicked()));
        let later = Ending { reason: DisconnectReason::Shutdown, close_code: 1001 };
        assert!(!life.close(later));
        life.finish(LastWords::None);
        assert_eq!(life.ending(), Some(&kicked()));
        assert_eq!(life.detach(0), Detached::AfterEnd);
    }

    #[test]
    fn a_server_that_goes_down_says_so_once() {
        for (last_words, code) in [(LastWords::None, 1001), (LastWords::Said, 1000)] {
            let mut life = Lifecycle::carried();
            life.close(Ending { reason: DisconnectReason::Shutdown, close_code: NORMAL });
            life.finish(last_words);
            life.finish(LastWords::None);
            assert_eq!(life.ending().map(|ending| ending.close_code), Some(code));
        }
    }

    #[test]
    fn a_lasting_carrier_is_lost_once_and_for_all() {
        let mut life = Lifecycle::carried();
        assert!(life.is_attached());
        assert_eq!(life.detach(0), Detached::Lost);
        assert!(!life.is_attached() && !life.is_carried());
        life.attach_poll(1);
        assert!(!life.is_carried());
    }

    #[test]
    fn a_goodbye_is_awaited_once_everything_is_out() {
        let mut life = Lifecycle::carried();
        assert_eq!(ticks(&mut life, 9), [Overdue::Nothing; 9]);
        life.finish(LastWords::None);
        assert_eq!(life.tick(1, LIMITS), Overdue::Nothing);
        assert_eq!(ticks(&mut life, 3), [Overdue::Nothing, Overdue::Nothing, Overdue::Goodbye]);
    }

    #[test]
    fn polls_come_and_go() {
        let mut life = Lifecycle::polled();
        assert!(life.is_carried() && !life.is_attached());
        life.attach_poll(1);
        assert!(life.is_attached());
        assert_eq!(ticks(&mut life, 9), [Overdue::Nothing; 9], "a poll may be parked for long");
        life.attach_poll(2);
        assert_eq!(life.detach(1), Detached::Replaceable);
        assert!(life.is_attached(), "the second poll has taken over");
        assert_eq!(life.detach(2), Detached::Replaceable);
        assert!(!life.is_attached() && life.is_carried());
    }

    #[test]
    fn between_polls_a_clock_runs() {
        let mut life = Lifecycle::polled();
        assert_eq!(ticks(&mut life, 3), [Overdue::Nothing; 3]);
        life.attach_poll(1);
        life.detach(1);
        let expected =
            [Overdue::Nothing, Overdue::Nothing, Overdue::Nothing, Overdue::Poll, Overdue::Nothing];
        assert_eq!(ticks(&mut life, 5), expected);
        assert!(!life.is_carried());
    }

    fn resumable() -> Lifecycle {
        let mut life = Lifecycle::resumable();
        assert!(life.agree_to_resume());
        life
    }

    #[test]
    fn sockets_follow_one_another_only_where_both_ends_agreed() {
        let mut asked = Lifecycle::resumable();
        assert_eq!(asked.detach(0), Detached::Lost, "the client asked, and was not answered");
        assert!(!asked.agree_to_resume(), "too late");
        assert!(!Lifecycle::carried().agree_to_resume());
        let mut life = resumable();
        assert_eq!(life.detach(0), Detached::Replaceable);
        assert!(life.is_carried() && !life.is_attached());
        life.attach_socket(1);
        life.attach_socket(2);
        assert_eq!(life.detach(1), Detached::Replaceable);
        assert!(life.is_carried_by(2), "the second has taken over");
        assert_eq!(life.detach(2), Detached::Replaceable);
        assert_eq!(ticks(&mut life, 4)[3], Overdue::Poll);
    }

    #[test]
    fn no_socket_follows_the_end() {
        let mut gone = resumable();
        gone.detach(0);
        assert!(gone.close(kicked()));
        assert!(!gone.is_carried());
        let mut there = resumable();
        there.close(kicked());
        assert!(there.is_attached(), "it is still told");
        there.finish(LastWords::None);
        assert_eq!(ticks(&mut there, 3)[2], Overdue::Goodbye);
        assert_eq!(there.detach(0), Detached::AfterEnd);
        assert!(!there.is_carried());
    }

    #[test]
    fn whoever_was_told_polls_no_more() {
        let mut life = Lifecycle::polled();
        life.attach_poll(1);
        life.finish(LastWords::None);
        assert!(life.is_carried());
        life.told();
        assert_eq!(life.detach(1), Detached::Replaceable);
        assert!(!life.is_carried());
    }
}
