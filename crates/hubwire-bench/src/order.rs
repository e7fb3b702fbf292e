//! In which order one client hears what is numbered.

use std::collections::VecDeque;

/// How far one call may lag behind those of the same client that came later.
const FARTHEST: usize = 4096;

/// What a server promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// One after another.
    Kept,
    /// Each once, while it is on its way: a server that runs each call in a task of its own keeps no order.
    Loose,
}

/// Numbers that are heard once each.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    /// The first that was not heard.
    next: u64,
    /// Whether it and those behind it were.
    heard: VecDeque<bool>,
}

impl Sequence {
    pub(crate) fn new(next: u64) -> Self {
        Self { next, heard: VecDeque::new() }
    }

    /// The first that was not heard.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Which number it is that is heard now, where one may be: `number` is what it says of itself.
    pub(crate) fn expect(&self, order: Order, number: Option<u64>) -> u64 {
        match order {
            Order::Kept => self.next,
            Order::Loose => number.unwrap_or(self.next),
        }
    }

    /// Whether it was not heard before, and could be.
    pub(crate) fn take(&mut self, number: u64) -> bool {
        let place = number.checked_sub(self.next).and_then(|place| usize::try_from(place).ok());
        let Some(place) = place.filter(|place| *place < FARTHEST) else { return false };
        if self.heard.len() <= place {
            self.heard.resize(place + 1, false);
        }
        if self.heard[place] {
            return false;
        }
        self.heard[place] = true;
        while self.heard.front() == Some(&true) {
            self.heard.pop_front();
            self.next += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_each_number_once() {
        let mut sequence = Sequence::new(5);
        for (number, is_new) in
            [(6, true), (6, false), (5, true), (5, false), (4, false), (7, true), (9000, false)]
        {
            assert_eq!(sequence.take(number), is_new, "{number}");
        }
        assert_eq!(sequence.next(), 8);
        assert_eq!(sequence.expect(Order::Kept, Some(9)), 8);
        assert_eq!(sequence.expect(Order::Loose, Some(9)), 9);
    }
}
