//! What the hub asks a client for.

use std::fmt;
use std::rc::Rc;

use hubwire_protocol::InvocationId;
use serde::Serialize;

use super::arguments::Expected;
use super::line::Line;
use super::mailbox::Respond;
use super::wait::{Patience, Wait};
use super::world::World;

/// A question of the hub that waits for its answer: a client result.
#[must_use = "the hub waits for the answer"]
pub struct Question<A> {
    world: Rc<World>,
    line: Rc<Line>,
    id: String,
    arguments: A,
}

impl<A> Question<A> {
    pub(super) fn new(
        world: Rc<World>,
        line: Rc<Line>,
        id: Option<InvocationId>,
        arguments: A,
    ) -> Self {
        let id = id.map_or_else(String::new, |id| id.as_str().to_owned());
        Self { world, line, id, arguments }
    }

    /// What it was asked with.
    pub fn arguments(&self) -> &A {
        &self.arguments
    }

    /// Answers it.
    ///
    /// # Panics
    ///
    /// When the value cannot be sent.
    #[track_caller]
    pub fn answer<'a, R: Serialize + ?Sized>(self, result: &R) -> Wait<'a, ()> {
        let mut message = Vec::new();
        if let Err(error) = self.line.protocol.write_result(&mut message, &self.id, result) {
            panic!("the answer cannot be sent: {error}");
        }
        let line = self.line;
        Wait::settled(&self.world, Patience::None, || Ok(())).after(move || line.send(message))
    }

    /// Answers with an error, as a client whose method has failed.
    pub fn fail<'a>(self, text: &str) -> Wait<'a, ()> {
        let Self { world, line, id, .. } = self;
        let text = text.to_owned();
        Wait::settled(&world, Patience::None, || Ok(()))
            .after(move || line.write(|protocol, out| protocol.write_error(out, &id, &text)))
    }
}

impl<A: fmt::Debug> fmt::Debug for Question<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

/// What answers all questions of a method.
pub(super) fn respond<A: Expected, R: Serialize>(
    method: &str,
    mut answer: impl FnMut(A) -> R + 'static,
) -> Respond {
    let method = method.to_owned();
    Box::new(move |protocol, id, arguments| {
        let arguments =
            A::read(arguments).map_err(|error| format!("was asked `{method}`, but {error}"))?;
        let mut message = Vec::new();
        match protocol.write_result(&mut message, id, &answer(arguments)) {
            Ok(()) => Ok(message),
            Err(error) => Err(format!("the answer to `{method}` cannot be sent: {error}")),
        }
    })
}
