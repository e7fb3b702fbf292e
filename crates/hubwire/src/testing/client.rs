//! A client of a hub under test.

use std::fmt;
use std::rc::Rc;
use std::task::Context;

use hubwire_protocol::{
    ArgumentList, Close, EncodeError, HubProtocol, InvocationHead, InvocationId, Outcome,
};
use hubwire_transport::{ConnectionId, DisconnectReason};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::arguments::Expected;
use super::call::Call;
use super::call_error::CallError;
use super::line::Line;
use super::mailbox::Kind;
use super::question::{Question, respond};
use super::stream::TestStream;
use super::upload::Upload;
use super::wait::{Patience, Wait};
use super::world::World;

/// A client in memory, connected to a hub: it calls, is called, and sees its connection end.
///
/// What it awaits runs the hub with all of its clients, and fails at the line that awaits it, with what has come instead.
/// Dropping it cuts its connection, as when its network goes away.
pub struct TestClient {
    pub(super) world: Rc<World>,
    pub(super) line: Rc<Line>,
}

/// How a connection has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disconnected {
    /// What `on_disconnected` is told.
    pub reason: DisconnectReason,
    /// What the client is told, if it is told something.
    pub close: Option<Close>,
}

impl Disconnected {
    /// The text of the error that the client is told, if any.
    pub fn error(&self) -> Option<&str> {
        self.close.as_ref()?.error.as_deref()
    }
}

impl TestClient {
    /// The public id of its connection, as [`CallerContext::connection_id`](crate::CallerContext::connection_id) has it.
    pub fn connection_id(&self) -> &ConnectionId {
        self.line.connection.id()
    }
}

/// Calling.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a call reads better without a reference to each tuple"
)]
impl TestClient {
    /// Calls a method and waits for what it returns, or for the error that clients get.
    ///
    /// # Panics
    ///
    /// When the method does not answer, when the connection ends before, and when the result is no `T`.
    #[track_caller]
    pub fn invoke<'a, T: DeserializeOwned + 'a>(
        &self,
        method: &str,
        arguments: impl ArgumentList,
    ) -> Wait<'a, Result<T, CallError>> {
        let (call, message) = self.prepare(method, &arguments);
        let line = self.line.clone();
        call.result().after(move || line.send(message))
    }

    /// Calls a method that takes its time: what follows happens while it runs.
    #[track_caller]
    pub fn start<'a>(&self, method: &str, arguments: impl ArgumentList) -> Wait<'a, Call> {
        let (call, message) = self.prepare(method, &arguments);
        let (line, id) = (self.line.clone(), call.id.clone());
        Wait::settled(&self.world, Patience::None, move || Ok(call)).after(move || {
            line.mailbox().start(&id);
            line.send(message);
        })
    }

    /// Calls a method without wanting an answer, not even an error.
    #[track_caller]
    pub fn send<'a>(&self, method: &str, arguments: impl ArgumentList) -> Wait<'a, ()> {
        let message = self.encode(|protocol, out| {
            protocol.write_invocation(out, &InvocationHead::new(method), &arguments)
        });
        let line = self.line.clone();
        Wait::settled(&self.world, Patience::None, || Ok(())).after(move || line.send(message))
    }

    /// Calls a method that answers with a stream of `T`.
    #[track_caller]
    pub fn stream<'a, T: DeserializeOwned + 'a>(
        &self,
        method: &str,
        arguments: impl ArgumentList,
    ) -> Wait<'a, TestStream<T>> {
        let id = self.line.call_id();
        let head = InvocationHead { invocation_id: Some(&id), ..InvocationHead::new(method) };
        let message =
            self.encode(|protocol, out| protocol.write_stream_invocation(out, &head, &arguments));
        let stream = TestStream::new(self.call(id, method));
        let line = self.line.clone();
        Wait::settled(&self.world, Patience::None, move || Ok(stream))
            .after(move || line.send(message))
    }

    /// Calls a method that takes a [`ClientStream`](crate::ClientStream), which is then sent item by item.
    ///
    /// `arguments` are those beside the stream.
    #[track_caller]
    pub fn upload<'a>(&self, method: &str, arguments: impl ArgumentList) -> Wait<'a, Upload> {
        let (id, stream) = (self.line.call_id(), self.line.call_id());
        let streams = [InvocationId::from(stream.as_str())];
        let head = InvocationHead {
            invocation_id: Some(&id),
            stream_ids: &streams,
            ..InvocationHead::new(method)
        };
        let message =
            self.encode(|protocol, out| protocol.write_invocation(out, &head, &arguments));
        let upload = Upload::new(self.call(id, method), stream);
        let line = self.line.clone();
        Wait::settled(&self.world, Patience::None, move || Ok(upload))
            .after(move || line.send(message))
    }
}

/// Being called.
impl TestClient {
    /// Waits until the hub calls this method of the client, and gives its arguments.
    ///
    /// Calls of other methods may come before and stay for other expectations; of one method they are taken in the order in which they came.
    ///
    /// # Panics
    ///
    /// When the call does not come, and when its arguments are no `A`.
    pub fn expect<'a, A: Expected + 'a>(&self, method: &str) -> Wait<'a, A> {
        self.expect_call(Kind::Send, method).map(|(arguments, _)| arguments)
    }

    /// Waits until the hub asks the client for the result of this method.
    ///
    /// # Panics
    ///
    /// As [`expect`](Self::expect).
    pub fn expect_question<'a, A: Expected + 'a>(&self, method: &str) -> Wait<'a, Question<A>> {
        let (world, line) = (self.world.clone(), self.line.clone());
        self.expect_call(Kind::Question, method)
            .map(move |(arguments, id)| Question::new(world, line, id, arguments))
    }

    /// Answers from now on whenever the hub asks for the result of this method.
    ///
    /// ```
    /// # use hubwire::prelude::*;
    /// # use hubwire::testing::TestHub;
    /// # #[hub_client]
    /// # trait Page { fn confirm(question: &str) -> bool; }
    /// # struct Board;
    /// # #[hub(client = Page)]
    /// # impl Board {
    /// #     async fn clear(&self, cx: &CallerContext<Self>) -> HubResult<bool> {
    /// #         Ok(cx.clients().caller().confirm("sure?").await?)
    /// #     }
    /// # }
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let board = TestHub::new(Board);
    /// let ada = board.connect().await;
    /// ada.answer("Confirm", |(question,): (String,)| question == "sure?");
    /// assert!(ada.invoke::<bool>("Clear", ()).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn answer<A: Expected, R: Serialize>(
        &self,
        method: &str,
        answer: impl FnMut(A) -> R + 'static,
    ) {
        self.line.mailbox().replace_answer(method, respond(method, answer));
    }

    /// Checks that the hub has called nothing that no expectation has taken, and is not about to.
    ///
    /// # Panics
    ///
    /// When there is something.
    pub fn expect_nothing<'a>(&self) -> Wait<'a, ()> {
        let line = self.line.clone();
        Wait::settled(&self.world, Patience::Calls, move || {
            let mailbox = line.mailbox();
            match mailbox.names().as_slice() {
                [] => Ok(()),
                names => Err(format!(
                    "{} expected no further call, and there is {}{}",
                    line.name,
                    names.join(", "),
                    mailbox.report("")
                )),
            }
        })
    }

    /// The names of the calls that have come and that no expectation has taken, in order.
    pub fn pending_calls<'a>(&self) -> Wait<'a, Vec<String>> {
        let line = self.line.clone();
        Wait::settled(&self.world, Patience::Calls, move || Ok(line.mailbox().names()))
    }

    /// Takes all calls that have come; for what a test is not about.
    pub fn skip_calls<'a>(&self) -> Wait<'a, ()> {
        let line = self.line.clone();
        Wait::settled(&self.world, Patience::Calls, move || {
            line.mailbox().skip();
            Ok(())
        })
    }
}

/// The end.
impl TestClient {
    /// Waits until the connection ends, by the will of either side.
    ///
    /// # Panics
    ///
    /// When it goes on.
    pub fn expect_disconnect<'a>(&self) -> Wait<'a, Disconnected> {
        let (line, again) = (self.line.clone(), self.line.clone());
        let ended = move |_: &mut Context<'_>| ended(&line).map(Ok);
        Wait::until(&self.world, Patience::Expected, ended, move |why| {
            let name = &again.name;
            Err(format!("the connection of {name} was expected to end, and goes on\n{why}"))
        })
    }

    /// Says goodbye and goes, as a page that is closed.
    pub fn disconnect<'a>(self) -> Wait<'a, ()> {
        let line = self.line.clone();
        self.gone().after(move || {
            line.write(|protocol, out| protocol.write_close(out, &Close::default()));
        })
    }

    /// Goes without a goodbye, as when the network is lost.
    pub fn lose_network<'a>(self) -> Wait<'a, ()> {
        let line = self.line.clone();
        self.gone().after(move || line.hang_up())
    }

    /// From now on takes nothing and says nothing, not even pings; whether it will be noticed is the hub's affair.
    ///
    /// Otherwise clients ping every 15 seconds of virtual time, as the official ones do.
    pub fn fall_silent(&self) {
        self.line.fall_silent();
    }

    /// Waits until the hub has seen the client off, as far as it can.
    fn gone<'a>(self) -> Wait<'a, ()> {
        let world = self.world.clone();
        let look = move |_: &mut Context<'_>| self.line.is_served().then_some(Ok(()));
        Wait::until(&world, Patience::Expected, look, |_| Ok(()))
    }
}

impl TestClient {
    fn expect_call<'a, A: Expected + 'a>(
        &self,
        kind: Kind,
        method: &str,
    ) -> Wait<'a, (A, Option<InvocationId>)> {
        let (line, again) = (self.line.clone(), self.line.clone());
        let (target, wanted) = (method.to_owned(), method.to_owned());
        let look = move |_: &mut Context<'_>| {
            let (arguments, id) = line.mailbox().take_call(kind, &target)?;
            let read = A::read(&arguments).map(|arguments| (arguments, id));
            Some(read.map_err(|error| {
                let report = line.report(&target);
                format!("{} was called with `{target}`, but {error}{report}", line.name)
            }))
        };
        Wait::until(&self.world, Patience::Expected, look, move |why| {
            let what = match kind {
                Kind::Question => "question",
                Kind::Send => "call",
            };
            let report = again.report(&wanted);
            Err(format!("{} expected a {what} of `{wanted}`{report}\n{why}", again.name))
        })
    }

    #[track_caller]
    fn prepare(&self, method: &str, arguments: &impl ArgumentList) -> (Call, Vec<u8>) {
        let id = self.line.call_id();
        let head = InvocationHead { invocation_id: Some(&id), ..InvocationHead::new(method) };
        let message = self.encode(|protocol, out| protocol.write_invocation(out, &head, arguments));
        (self.call(id, method), message)
    }

    fn call(&self, id: String, method: &str) -> Call {
        Call { world: self.world.clone(), line: self.line.clone(), id, method: method.to_owned() }
    }

    #[track_caller]
    fn encode(
        &self,
        write: impl FnOnce(HubProtocol, &mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Vec<u8> {
        let mut message = Vec::new();
        if let Err(error) = write(self.line.protocol, &mut message) {
            panic!("the arguments cannot be sent: {error}");
        }
        message
    }
}

/// How a connection has ended, once it has.
pub(super) fn ended(line: &Line) -> Option<Disconnected> {
    let reason = line.connection.disconnect_reason()?;
    Some(Disconnected { reason, close: line.mailbox().last_words() })
}

/// What a call has come to.
pub(super) fn decoded<T: DeserializeOwned>(
    outcome: Outcome,
    method: &str,
) -> Result<Result<T, CallError>, String> {
    let value = match outcome {
        Outcome::Error(text) => return Ok(Err(CallError::new(text))),
        Outcome::Value(value) => value.decode(),
        Outcome::Void => hubwire_protocol::Raw::new(HubProtocol::Json, &())
            .map_err(|error| error.to_string())?
            .decode(),
    };
    value
        .map(Ok)
        .map_err(|error| format!("`{method}` returned no {}: {error}", std::any::type_name::<T>()))
}

impl Drop for TestClient {
    fn drop(&mut self) {
        self.line.hang_up();
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("name", &self.line.name).finish_non_exhaustive()
    }
}
