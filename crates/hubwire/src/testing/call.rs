//! A call that runs.

use std::fmt;
use std::rc::Rc;
use std::task::Context;

use serde::de::DeserializeOwned;

use super::call_error::CallError;
use super::client::{decoded, ended};
use super::line::Line;
use super::wait::{Patience, Wait};
use super::world::World;

/// A call that a client has [started](super::TestClient::start).
pub struct Call {
    pub(super) world: Rc<World>,
    pub(super) line: Rc<Line>,
    pub(super) id: String,
    pub(super) method: String,
}

impl Call {
    /// Waits for what the method returns, or for the error that clients get.
    ///
    /// # Panics
    ///
    /// When the method does not answer, when the connection ends before, and when the result is no `T`.
    pub fn result<'a, T: DeserializeOwned + 'a>(self) -> Wait<'a, Result<T, CallError>> {
        let world = self.world.clone();
        let call = Rc::new(self);
        let again = call.clone();
        let look = move |_: &mut Context<'_>| {
            let outcome = call.line.mailbox().take_outcome(&call.id);
            match outcome {
                Some(outcome) => Some(decoded(outcome, &call.method)),
                None => call.failure().map(Err),
            }
        };
        Wait::until(&world, Patience::Expected, look, move |why| Err(again.unanswered(why)))
    }

    /// Whether the method has answered.
    pub fn is_answered(&self) -> bool {
        self.line.mailbox().has_outcome(&self.id)
    }

    /// Tells the method that its answer is not wanted any more, which [`CallerContext::cancelled`](crate::CallerContext::cancelled) waits for.
    pub fn cancel<'a>(&self) -> Wait<'a, ()> {
        let (line, id) = (self.line.clone(), self.id.clone());
        Wait::settled(&self.world, Patience::None, || Ok(()))
            .after(move || line.write(|protocol, out| protocol.write_cancel(out, &id)))
    }

    /// Why no answer can come any more.
    pub(super) fn failure(&self) -> Option<String> {
        ended(&self.line)?;
        let Self { line, method, .. } = self;
        let report = line.report("");
        Some(format!("{} waited for `{method}`, which can no longer answer{report}", line.name))
    }

    pub(super) fn unanswered(&self, why: &str) -> String {
        let Self { line, method, .. } = self;
        let report = line.report("");
        format!("{} waited for `{method}`, which has not answered{report}\n{why}", line.name)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("client", &self.line.name)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
