//! What an application keeps with a connection.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values of the application's own that live as long as a connection, each found by its type: SignalR's `Context.Items`.
///
/// ```
/// use hubwire_hub::{CallerContext, HubDefinition};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// struct Score(u32);
///
/// # fn example<H: HubDefinition>(cx: &CallerContext<H>) {
/// let score = cx.items().get().unwrap_or(Score(0));
/// cx.items().insert(Score(score.0 + 1));
/// # }
/// ```
///
/// Values are handed out as clones, so that nothing of the application's runs while others wait; what calls of one client
/// that run at the same time change together goes into an `Arc<Mutex<…>>`.
#[derive(Default)]
pub struct Items(Mutex<Values>);

type Values = HashMap<TypeId, Box<dyn Any + Send + Sync>>;

impl Items {
    fn lock(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of type `T`, if there is one.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.lock().get(&TypeId::of::<T>())?.downcast_ref().cloned()
    }

    /// Keeps a value; what was there of its type is given back.
    pub fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) -> Option<T> {
        let value = Box::new(value);
        taken(self.lock().insert(TypeId::of::<T>(), value))
    }

    /// Takes the value of type `T` out.
    pub fn remove<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        taken(self.lock().remove(&TypeId::of::<T>()))
    }
}

fn taken<T: 'static>(value: Option<Box<dyn Any + Send + Sync>>) -> Option<T> {
    value?.downcast().ok().map(|value| *value)
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Items").field(&self.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Items;

    #[test]
    fn values_are_found_by_their_type() {
        let items = Items::default();
        assert_eq!(items.insert(1_u8), None);
        assert_eq!(items.insert("one"), None);
        assert_eq!(items.insert(2_u8), Some(1));
        assert_eq!(
            (items.get::<u8>(), items.get::<u16>(), items.get()),
            (Some(2), None, Some("one"))
        );
        assert_eq!((items.remove::<u8>(), items.remove::<u8>()), (Some(2), None));
    }
}
