//! One call of a method: its arguments on the way in, its outcome on the way out.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::vec;

use hubwire_protocol::{Arguments, ByteString, DecodeError, Headers, InvocationId, Raw};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::client_stream::{ClientStream, Upload};
use crate::context::CallerContext;
use crate::definition::{HubDefinition, Method, ParameterKind};
use crate::error::{HubError, HubResult, with_sources};
use crate::filter::{Answered, Reply};
use crate::hints;
use crate::progress::Progress;
use crate::texts::{self, Detail};

/// A call of one method by one client, as `#[hub]` handles it.
pub struct Call<H: HubDefinition> {
    pub(crate) context: CallerContext<H>,
    pub(crate) method: &'static Method<H>,
    pub(crate) progress: Arc<Progress>,
    /// What is not bound yet: they hold the buffer that they came in, and a call may run for long.
    pub(crate) arguments: Arguments,
    next: usize,
    /// What is left of the streams that the client sends, in order.
    uploads: vec::IntoIter<Arc<Upload>>,
    /// Where there are filters: what comes of it goes to them and not to the client.
    kept: Option<Kept>,
}

/// What came of a call.
type Kept = Rc<Cell<Option<HubResult<Reply>>>>;

/// What answers are written from, also when the call itself is lost to a panic.
#[derive(Debug)]
pub(crate) struct CallHead {
    /// Without one the client wants no answer, not even an error.
    pub(crate) invocation_id: Option<InvocationId>,
    /// The method as the client named it.
    pub(crate) target: ByteString,
    pub(crate) headers: Headers,
    is_answered: AtomicBool,
}

impl CallHead {
    /// Of a call of the method with this name, if there is one.
    ///
    /// Nothing in it holds the buffer that the call came in: a call may run for long.
    pub(crate) fn new(
        invocation_id: Option<InvocationId>,
        target: &str,
        headers: &Headers,
        method: Option<&'static str>,
    ) -> Self {
        let target = match method {
            Some(name) if name == target => ByteString::from_static(name),
            Some(_) | None => target.into(),
        };
        let mut kept = Headers::new();
        for (name, value) in headers.iter() {
            kept.push(name, value);
        }
        Self { invocation_id, target, headers: kept, is_answered: AtomicBool::new(false) }
    }

    /// Whether the answer that is about to go out is the first: what panics behind it, the drop of the value for one, is no second one.
    pub(crate) fn begin_answer(&self) -> bool {
        !self.is_answered.swap(true, Ordering::Relaxed)
    }
}

/// A type that a parameter of a hub method can have: whatever serde deserializes into an owned value, or a [`ClientStream`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a hub method",
    label = "not a parameter of a hub method",
    note = "put `#[derive(serde::Deserialize)]` on the type, and on those inside it",
    note = "types of other crates often have it behind a feature that is called `serde`"
)]
pub trait FromCall<H: HubDefinition>: Sized {
    /// The value of the next parameter.
    ///
    /// # Errors
    ///
    /// When the client sent something else.
    fn from_call(call: &mut Call<H>) -> Result<Self, BindError>;
}

/// Why the arguments of a call do not fit its method.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// An argument is not what its parameter wants.
    #[error("argument {index} does not fit its parameter")]
    Argument {
        /// Which, from 0.
        index: usize,
        /// Why not.
        source: DecodeError,
    },
    /// Too few or too many.
    #[error("the call provides {provided} argument(s), the method takes {expected}")]
    Count {
        /// How many the client sent.
        provided: usize,
        /// How many the method takes.
        expected: usize,
    },
    /// There is no stream for a parameter that wants one, because the macro did not know it for a stream.
    #[error(
        "a parameter is a `ClientStream` under another name: write `ClientStream<..>` in the signature"
    )]
    UnknownStream,
}

#[diagnostic::do_not_recommend]
impl<H: HubDefinition, T: DeserializeOwned> FromCall<H> for T {
    fn from_call(call: &mut Call<H>) -> Result<Self, BindError> {
        let index = call.next;
        call.next += 1;
        let bound = call.arguments.decode(index);
        let value = bound.map_err(|source| BindError::Argument { index, source })?;
        if call.next == call.arguments.len() {
            call.arguments.clear();
        }
        Ok(value)
    }
}

#[diagnostic::do_not_recommend]
impl<H: HubDefinition, T: DeserializeOwned> FromCall<H> for ClientStream<T> {
    fn from_call(call: &mut Call<H>) -> Result<Self, BindError> {
        call.uploads.next().map(Self::new).ok_or(BindError::UnknownStream)
    }
}

impl<H: HubDefinition> Call<H> {
    pub(crate) fn new(
        context: CallerContext<H>,
        method: &'static Method<H>,
        progress: Arc<Progress>,
        arguments: Arguments,
        uploads: Vec<Arc<Upload>>,
    ) -> Self {
        let mut arguments = arguments;
        if arguments.is_empty() {
            arguments.clear();
        }
        let uploads = uploads.into_iter();
        Self { context, method, progress, arguments, next: 0, uploads, kept: None }
    }

    /// Runs the method, and gives what came of it instead of answering the client.
    pub(crate) async fn run_kept(mut self) -> HubResult<Reply> {
        let kept = Kept::default();
        self.kept = Some(kept.clone());
        (self.method.call)(self).await;
        kept.take().unwrap_or(Ok(Reply(Answered::Items)))
    }

    /// Whether the client sent as many arguments as the method takes.
    pub(crate) fn check_count(&self) -> Result<(), BindError> {
        let expected = self.method.parameters(ParameterKind::Argument).count();
        let provided = self.arguments.len();
        if provided == expected { Ok(()) } else { Err(BindError::Count { provided, expected }) }
    }

    pub(crate) fn head(&self) -> &CallHead {
        &self.progress.head
    }

    /// The hub.
    pub fn hub(&self) -> &H {
        self.context.hub().definition()
    }

    /// The caller.
    pub fn context(&self) -> &CallerContext<H> {
        &self.context
    }

    /// Answers that the arguments do not fit, and says in the log which and why.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the end of the error, in what `#[hub]` writes"
    )]
    pub fn refuse(&self, error: BindError) {
        let sentence = texts::binding_failed(&self.head().target);
        let (detail, parameter) = match &error {
            BindError::Count { provided, expected } => {
                (texts::wrong_argument_count(*provided, *expected), None)
            }
            BindError::Argument { index, .. } => {
                let parameter = self.method.parameters(ParameterKind::Argument).nth(*index);
                (texts::WRONG_ARGUMENT.to_owned(), parameter)
            }
            BindError::UnknownStream => (texts::WRONG_ARGUMENT.to_owned(), None),
        };
        tracing::warn!(
            hub = self.context.hub().name(),
            method = self.method.rust_name,
            parameter = parameter.map(|parameter| parameter.name),
            rust_type = parameter.map(|parameter| parameter.rust_type),
            error = with_sources(&error),
            hint = self.hint(&error),
            "arguments do not fit"
        );
        let detail = Detail::internal("InvalidDataException", detail);
        self.end(Err(HubError::refusal(sentence, Some(detail))));
    }

    fn hint(&self, error: &BindError) -> Option<String> {
        let BindError::Argument { index, source } = error else { return None };
        let argument: Raw = self.arguments.get(*index)?;
        hints::renamed_field(&with_sources(source), &argument)
    }

    /// Answers with the method's value.
    pub(crate) fn complete<T: Serialize>(&self, value: &T) {
        let context = &self.context;
        let answered = match &self.kept {
            Some(kept) => Raw::new(context.member().protocol, value)
                .map(|value| kept.set(Some(Ok(Reply(Answered::Value(value))))))
                .map_err(HubError::from),
            None => context.answer_value(self.head(), Some(self.method), value),
        };
        if let Err(error) = answered {
            self.fail(error);
        }
    }

    /// Answers that a stream has come to its end.
    pub(crate) fn complete_stream(&self) {
        self.end(Ok(Reply(Answered::Items)));
    }

    /// Answers that the method failed.
    pub fn fail(&self, error: HubError) {
        self.end(Err(error));
    }

    /// Ends a stream that has begun with an error.
    pub(crate) fn fail_stream(&self, error: &HubError) {
        self.context.log_failure(Some(self.method), error);
        let detail = Some(error.into());
        self.end(Err(HubError::refusal(texts::STREAM_FAILED.to_owned(), detail)));
    }

    fn end(&self, outcome: HubResult<Reply>) {
        match &self.kept {
            Some(kept) => kept.set(Some(outcome)),
            None => self.context.answer(self.head(), Some(self.method), outcome),
        }
    }
}

impl<H: HubDefinition> fmt::Debug for Call<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("hub", &H::NAME)
            .field("method", &self.method.name)
            .field("invocation_id", &self.head().invocation_id)
            .finish_non_exhaustive()
    }
}
