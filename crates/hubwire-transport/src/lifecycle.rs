//! The life of a connection as a state machine of its own.
//!
//! # Theory of operation
//!
//! A connection begins with what carries it, and ends once, for the reason that came first.
//! Nothing that carries it comes back: losing the attachment ends an open connection and whatever waits to go out.
//!
//! ```text
//!            close(reason)                finish                     detach
//!   Open ───────────────────▶ Closing ───────────────▶ Finished ───────────────▶ (gone)
//!     │                         the application says     what waits goes out,
//!     └ detach without close:   its last words           the peer's goodbye is
//!       close(NetworkLost)                               awaited for close_timeout
//! ```

use crate::DisconnectReason;

#[derive(Debug)]
pub(crate) struct Lifecycle {
    attached: bool,
    stage: Stage,
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

/// What the loss of the attachment means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detached {
    /// It was expected.
    AfterEnd,
    /// The link went away under a living connection.
    Lost,
}

impl Lifecycle {
    /// A life that begins with its first attachment.
    pub(crate) fn attached() -> Self {
        Self { attached: true, stage: Stage::Open }
    }

    pub(crate) fn detach(&mut self) -> Detached {
        self.attached = false;
        match self.stage {
            Stage::Open => Detached::Lost,
            Stage::Closing(_) | Stage::Finished { .. } => Detached::AfterEnd,
        }
    }

    /// Whether this was the first reason to end.
    pub(crate) fn close(&mut self, ending: Ending) -> bool {
        let first = matches!(self.stage, Stage::Open);
        if first {
            self.stage = Stage::Closing(ending);
        }
        first
    }

    pub(crate) fn finish(&mut self) {
        let ending = match std::mem::replace(&mut self.stage, Stage::Open) {
            // An application that returns by itself has ended the connection.
            Stage::Open => Ending { reason: DisconnectReason::Kicked, close_code: 1000 },
            Stage::Closing(ending) | Stage::Finished { ending, .. } => ending,
        };
        self.stage = Stage::Finished { ending, ticks: 0 };
    }

    /// Counts a tick; returns for how many the peer's goodbye has been awaited.
    pub(crate) fn tick(&mut self) -> Option<u64> {
        match &mut self.stage {
            Stage::Finished { ticks, .. } if self.attached => {
                *ticks += 1;
                Some(*ticks)
            }
            Stage::Open | Stage::Closing(_) | Stage::Finished { .. } => None,
        }
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.attached
    }

    pub(crate) fn ending(&self) -> Option<&Ending> {
        match &self.stage {
            Stage::Open => None,
            Stage::Closing(ending) | Stage::Finished { ending, .. } => Some(ending),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kicked() -> Ending {
        Ending { reason: DisconnectReason::Kicked, close_code: 1000 }
    }

    #[test]
    fn the_first_reason_stays() {
        let mut life = Lifecycle::attached();
        assert!(life.ending().is_none());
        assert!(life.close(kicked()));
        let later = Ending { reason: DisconnectReason::Shutdown, close_code: 1001 };
        assert!(!life.close(later));
        life.finish();
        assert_eq!(life.ending(), Some(&kicked()));
        assert_eq!(life.detach(), Detached::AfterEnd);
    }

    #[test]
    fn a_lost_attachment_is_noticed_once_by_the_living() {
        let mut life = Lifecycle::attached();
        assert!(life.is_attached());
        assert_eq!(life.detach(), Detached::Lost);
        assert!(!life.is_attached());
    }

    #[test]
    fn ticks_count_only_while_a_goodbye_is_awaited() {
        let mut life = Lifecycle::attached();
        assert_eq!(life.tick(), None);
        life.finish();
        assert_eq!((life.tick(), life.tick()), (Some(1), Some(2)));
        life.detach();
        assert_eq!(life.tick(), None);
    }
}
