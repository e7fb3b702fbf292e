//! The names of hubs that a process has on each Redis.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// The address of a Redis, the prefix in it, and a hub's name.
type Name = (String, String, Box<str>);

static NAMES: LazyLock<Mutex<HashSet<Name>>> = LazyLock::new(Mutex::default);

/// A name that no other hub of this process has, until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim(Name);

impl Claim {
    /// Takes a name; `None` if another hub has it.
    pub(crate) fn take(address: &str, prefix: &str, hub: &str) -> Option<Self> {
        let name = (address.to_owned(), prefix.to_owned(), hub.into());
        names().insert(name.clone()).then(|| Self(name))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        names().remove(&self.0);
    }
}

fn names() -> MutexGuard<'static, HashSet<Name>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_free_again_when_its_hub_is_gone() {
        let take = |prefix, hub| Claim::take("names:1", prefix, hub);
        let claim = take("a", "Chat").unwrap();
        assert!(take("a", "Chat").is_none());
        assert!(take("b", "Chat").is_some());
        assert!(take("a", "Other").is_some());
        drop(claim);
        assert!(take("a", "Chat").is_some());
    }
}
