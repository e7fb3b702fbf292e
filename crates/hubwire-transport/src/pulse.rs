//! The Pings of a WebSocket: when one is due, and when the peer has owed an answer for too long.

/// Counts ticks since the last Ping, and those in which nothing was heard since.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    since_ping: u64,
    /// For how many ticks an answer has been awaited, while one is.
    silent: Option<u64>,
}

/// What was heard of the peer since the last tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    Something,
}

/// What a tick found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// A Ping is due.
    Due,
    /// The answer to one.
    Missed,
    Nothing,
}

impl Pulse {
    /// Counts a tick. Anything that is heard is an answer: a peer that sends lives.
    pub(crate) fn tick(&mut self, heard: Heard, interval: u64, timeout: Option<u64>) -> Beat {
        match (heard, &mut self.silent) {
            (Heard::Something, silent) => *silent = None,
            (Heard::Nothing, Some(ticks)) => *ticks += 1,
            (Heard::Nothing, None) => {}
        }
        if self.silent.zip(timeout).is_some_and(|(silent, timeout)| silent > timeout) {
            return Beat::Missed;
        }
        self.since_ping += 1;
        if self.since_ping < interval {
            return Beat::Nothing;
        }
        self.since_ping = 0;
        self.silent.get_or_insert(0);
        Beat::Due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Beat::{Due, Missed, Nothing};

    fn ticks<const N: usize>(pulse: &mut Pulse, heard: Heard, timeout: Option<u64>) -> [Beat; N] {
        std::array::from_fn(|_| pulse.tick(heard, 3, timeout))
    }

    #[test]
    fn a_peer_that_answers_is_asked_again_and_again() {
        let mut pulse = Pulse::default();
        let rhythm = [Nothing, Nothing, Due, Nothing, Nothing, Due];
        assert_eq!(ticks(&mut pulse, Heard::Something, Some(1)), rhythm);
        assert_eq!(ticks(&mut pulse, Heard::Nothing, None), rhythm);
    }

    #[test]
    fn a_peer_may_be_silent_for_the_timeout_and_no_longer() {
        let mut pulse = Pulse::default();
        assert_eq!(ticks(&mut pulse, Heard::Nothing, Some(2)), [Nothing, Nothing, Due]);
        assert_eq!(ticks(&mut pulse, Heard::Nothing, Some(2)), [Nothing, Nothing, Missed]);
    }

    #[test]
    fn further_pings_do_not_lengthen_the_timeout() {
        let mut pulse = Pulse::default();
        let beats = ticks(&mut pulse, Heard::Nothing, Some(4));
        assert_eq!(beats, [Nothing, Nothing, Due, Nothing, Nothing, Due, Nothing, Missed]);
    }

    #[test]
    fn silence_before_a_ping_is_no_fault() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.tick(Heard::Nothing, 9, Some(1)), Nothing);
        assert_eq!(ticks(&mut pulse, Heard::Nothing, Some(1)), [Nothing, Due, Nothing, Missed]);
        assert_eq!(pulse.tick(Heard::Something, 9, Some(1)), Nothing);
    }
}
