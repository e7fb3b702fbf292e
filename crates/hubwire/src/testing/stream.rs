//! A stream from the hub.

use std::any::type_name;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::task::Context;

use hubwire_protocol::Outcome;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::call_error::CallError;
use super::wait::{self, Patience, Wait};

/// A stream that a method answers with. Dropping it cancels it.
pub struct TestStream<T> {
    call: Rc<Call>,
    /// Nothing follows any more.
    is_over: Rc<Cell<bool>>,
    item: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> TestStream<T> {
    pub(super) fn new(call: Call) -> Self {
        Self { call: Rc::new(call), is_over: Rc::default(), item: PhantomData }
    }

    /// Waits for the next item; `None` is the end, and an error is the last that comes.
    ///
    /// # Panics
    ///
    /// When neither comes, and when the item is no `T`.
    pub fn next<'a>(&mut self) -> Wait<'a, Option<Result<T, CallError>>>
    where
        T: 'a,
    {
        let (call, again, is_over) = (self.call.clone(), self.call.clone(), self.is_over.clone());
        let look = move |_: &mut Context<'_>| next(&call, &is_over);
        let when_quiet = move |why: &str| Err(again.unanswered(why));
        Wait::until(&self.call.world, Patience::Expected, look, when_quiet)
    }

    /// Waits for the end, and gives all items that are left; or the error that the stream ends with.
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next).
    pub fn items<'a>(self) -> Wait<'a, Result<Vec<T>, CallError>>
    where
        T: 'a,
    {
        let (world, again) = (self.call.world.clone(), self.call.clone());
        let mut items = Vec::new();
        let look = move |_: &mut Context<'_>| {
            loop {
                match next::<T>(&self.call, &self.is_over)? {
                    Ok(Some(Ok(item))) => items.push(item),
                    Ok(Some(Err(error))) => return Some(Ok(Err(error))),
                    Ok(None) => return Some(Ok(Ok(std::mem::take(&mut items)))),
                    Err(failure) => return Some(Err(failure)),
                }
            }
        };
        let when_quiet = move |why: &str| Err(again.unanswered(why));
        Wait::until(&world, Patience::Expected, look, when_quiet)
    }
}

impl<T> TestStream<T> {
    /// Wants no further items: the hub drops its stream.
    pub fn cancel<'a>(self) -> Wait<'a, ()>
    where
        T: 'a,
    {
        Wait::settled(&self.call.world.clone(), Patience::None, || Ok(())).after(move || drop(self))
    }
}

type Next<T> = wait::Outcome<Option<Result<T, CallError>>>;

fn next<T: DeserializeOwned>(call: &Call, is_over: &Cell<bool>) -> Option<Next<T>> {
    if is_over.get() {
        return Some(Ok(None));
    }
    let item = call.line.mailbox().take_item(&call.id);
    if let Some(item) = item {
        let decoded = item.decode().map(|item| Some(Ok(item)));
        return Some(decoded.map_err(|error| {
            let expected = type_name::<T>();
            format!("an item of `{}` is no {expected}: {error}", call.method)
        }));
    }
    let outcome = call.line.mailbox().take_outcome(&call.id);
    match outcome {
        Some(outcome) => {
            is_over.set(true);
            Some(Ok(match outcome {
                Outcome::Error(text) => Some(Err(CallError::new(text))),
                Outcome::Value(_) | Outcome::Void => None,
            }))
        }
        None => call.failure().map(Err),
    }
}

impl<T> Drop for TestStream<T> {
    fn drop(&mut self) {
        if !self.is_over.get() {
            let Call { line, id, .. } = &*self.call;
            line.write(|protocol, out| protocol.write_cancel(out, id));
        }
    }
}

impl<T> fmt::Debug for TestStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStream").field("call", &self.call).finish_non_exhaustive()
    }
}
