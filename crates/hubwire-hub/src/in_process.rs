//! A backplane within one process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::future::{self, BoxFuture, FutureExt};

use crate::backplane::{AttachError, Backplane, Bus, Reach, ServerId, Topic};
use crate::listener::Listener;
use crate::notice::Notice;

/// Connects hubs of one name in one process, each as if it were a server of its own.
///
/// For trying out, and in tests, what an application does on several servers: nothing is encoded and nothing can get lost.
/// Clones are the same backplane.
///
/// It has no clock: what ends by time does when [`tick`](Self::tick) is called once a second.
///
/// ```
/// # use hubwire_hub::{Hub, HubDefinition, InProcess};
/// # fn example<H: HubDefinition + Copy>(definition: H) {
/// let backplane = InProcess::default();
/// let one = Hub::new(definition).backplane(&backplane).build();
/// let other = Hub::new(definition).backplane(&backplane).build();
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct InProcess(Arc<Mutex<Vec<Arc<Seat>>>>);

/// One hub on it.
#[derive(Debug)]
struct Seat {
    hub: Box<str>,
    listener: Listener,
    topics: Mutex<HashSet<Topic>>,
}

#[derive(Debug)]
struct InProcessBus {
    id: ServerId,
    seat: Arc<Seat>,
    seats: Weak<Mutex<Vec<Arc<Seat>>>>,
}

impl InProcess {
    /// Says to all hubs that a second has passed.
    pub fn tick(&self) {
        let seats = lock(&self.0).clone();
        for seat in seats {
            seat.listener.tick();
        }
    }
}

impl Backplane for InProcess {
    fn attach(&self, hub: &str, listener: Listener) -> Result<Arc<dyn Bus>, AttachError> {
        let seat = Arc::new(Seat { hub: hub.into(), listener, topics: Mutex::default() });
        lock(&self.0).push(seat.clone());
        let seats = Arc::downgrade(&self.0);
        Ok(Arc::new(InProcessBus { id: ServerId::random(), seat, seats }))
    }
}

impl InProcessBus {
    fn tell(&self, topic: &Topic, notice: &Notice) -> usize {
        let Some(seats) = self.seats.upgrade() else { return 0 };
        let listens =
            |seat: &&Arc<Seat>| seat.hub == self.seat.hub && lock(&seat.topics).contains(topic);
        // What is told may be answered at once: nothing is locked meanwhile.
        let reached: Vec<_> = lock(&seats).iter().filter(listens).cloned().collect();
        for seat in &reached {
            let left = seat.listener.receive(topic, notice.clone());
            debug_assert!(left.is_none(), "nothing is left to be done where nothing waits");
        }
        reached.len()
    }
}

impl Bus for InProcessBus {
    fn server_id(&self) -> &ServerId {
        &self.id
    }

    fn subscribe(&self, topic: &Topic) {
        lock(&self.seat.topics).insert(topic.clone());
    }

    fn unsubscribe(&self, topic: &Topic) {
        lock(&self.seat.topics).remove(topic);
    }

    fn settled(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }

    fn publish(&self, topics: &[Topic], notice: &Notice) {
        for topic in topics {
            self.tell(topic, notice);
        }
    }

    fn request(&self, topic: &Topic, notice: &Notice) -> BoxFuture<'static, Reach> {
        future::ready(Ok(self.tell(topic, notice))).boxed()
    }

    fn room(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

impl Drop for InProcessBus {
    fn drop(&mut self) {
        if let Some(seats) = self.seats.upgrade() {
            lock(&seats).retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
