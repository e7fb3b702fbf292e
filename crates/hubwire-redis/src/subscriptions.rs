//! Which channels are listened to, and which of them Redis has confirmed.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hubwire_hub::{Listener, ServerId, Topic};
use tokio::sync::Notify;

/// Who listens to a channel.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) listener: Listener,
    pub(crate) server: ServerId,
    pub(crate) topic: Topic,
}

#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    state: Mutex<State>,
    changed: Notify,
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    wanted: HashMap<Arc<str>, Arc<Subscriber>>,
    /// Channels that were subscribed or unsubscribed, and Redis was not told yet.
    changes: HashSet<Arc<str>>,
    /// How many times that has happened, and how many of them Redis has confirmed.
    asked: u64,
    confirmed: u64,
    /// Whether Redis is told of changes. If not, it is told everything when it can be reached again.
    is_linked: bool,
    /// Whether it has been told everything.
    is_up: bool,
}

/// What Redis is told at once.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) subscribe: Vec<Arc<str>>,
    pub(crate) unsubscribe: Vec<Arc<str>>,
    /// How far it goes.
    upto: u64,
}

impl Subscriptions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self, channel: String, subscriber: Subscriber) {
        let channel: Arc<str> = channel.into();
        let mut state = self.state();
        if state.wanted.insert(channel.clone(), Arc::new(subscriber)).is_none() {
            state.change(channel);
            drop(state);
            self.changed.notify_one();
        }
    }

    pub(crate) fn unsubscribe(&self, channel: &str) {
        let mut state = self.state();
        if let Some((channel, _)) = state.wanted.remove_entry(channel) {
            state.change(channel);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Unsubscribes from everything that a server listens to.
    pub(crate) fn forget(&self, server: &ServerId) {
        let mut state = self.state();
        let gone: Vec<_> =
            state.wanted.extract_if(|_, subscriber| subscriber.server == *server).collect();
        for (channel, _) in gone {
            state.change(channel);
        }
        drop(state);
        self.changed.notify_one();
    }

    pub(crate) fn find(&self, channel: &str) -> Option<Arc<Subscriber>> {
        self.state().wanted.get(channel).cloned()
    }

    /// Redis can be reached, and knows nothing yet: all that it has to be told.
    pub(crate) fn begin(&self) -> Changes {
        let mut state = self.state();
        state.is_linked = true;
        let subscribe = state.wanted.keys().cloned().collect();
        Changes { subscribe, unsubscribe: Vec::new(), upto: state.asked }
    }

    /// Waits for changes.
    pub(crate) async fn changes(&self) -> Changes {
        loop {
            let changes = self.changes_now();
            if !changes.subscribe.is_empty() || !changes.unsubscribe.is_empty() {
                return changes;
            }
            self.changed.notified().await;
        }
    }

    fn changes_now(&self) -> Changes {
        let mut state = self.state();
        let changed = std::mem::take(&mut state.changes);
        let (subscribe, unsubscribe) =
            changed.into_iter().partition(|channel| state.wanted.contains_key(channel));
        Changes { subscribe, unsubscribe, upto: state.asked }
    }

    /// Redis has done what it was told.
    pub(crate) fn confirm(&self, changes: &Changes) {
        {
            let mut state = self.state();
            state.confirmed = changes.upto;
            state.is_up = true;
        }
        self.settled.notify_waiters();
    }

    /// Redis cannot be reached.
    pub(crate) fn lose(&self) {
        {
            let mut state = self.state();
            (state.is_linked, state.is_up) = (false, false);
            state.changes.clear();
        }
        self.settled.notify_waiters();
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state().is_up
    }

    /// What `settled` has to wait for; `None` if there is nothing.
    pub(crate) fn unsettled(&self) -> Option<u64> {
        let state = self.state();
        (state.is_up && state.confirmed < state.asked).then_some(state.asked)
    }

    /// Waits until Redis has confirmed so much, or cannot be reached.
    pub(crate) async fn settled(&self, asked: u64) {
        let is_so = |subscriptions: &Self| {
            let state = subscriptions.state();
            !state.is_up || state.confirmed >= asked
        };
        self.until(is_so).await;
    }

    /// Waits until Redis can be reached.
    pub(crate) async fn up(&self) {
        self.until(Self::is_up).await;
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        loop {
            let mut settled = pin!(self.settled.notified());
            settled.as_mut().enable();
            if is_so(self) {
                return;
            }
            settled.await;
        }
    }
}

impl State {
    fn change(&mut self, channel: Arc<str>) {
        self.asked += 1;
        if self.is_linked {
            self.changes.insert(channel);
        }
    }
}
