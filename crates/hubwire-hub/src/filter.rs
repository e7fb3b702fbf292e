//! Code around what a hub does.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use hubwire_protocol::{Arguments, DecodeError, Headers, Raw};
use hubwire_transport::DisconnectReason;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::CallerContext;
use crate::definition::{HubDefinition, Method, MethodKind};
use crate::error::HubResult;
use crate::progress::Progress;

/// Code that runs around a hub's methods, and around the beginning and end of its connections: SignalR's `IHubFilter`.
///
/// Each function is given what happens and what comes [`next`](Next): the filters that were added later, and in the end the hub itself.
/// It may look at what comes of that, change it, or answer in its place.
/// Those that a filter does not have just go on.
///
/// One that is for every hub implements the trait for every `H`, and is added to each with [`HubBuilder::filter`](crate::HubBuilder::filter):
///
/// ```
/// use hubwire_hub::{HubDefinition, HubError, HubFilter, HubInvocation, HubResult, Next, Reply};
///
/// /// Lets nobody call anything by the name of "admin".
/// struct NoAdmins;
///
/// impl<H: HubDefinition> HubFilter<H> for NoAdmins {
///     async fn invoke(&self, call: &HubInvocation<H>, next: Next<'_, Reply>) -> HubResult<Reply> {
///         if call.context().user_id().is_some_and(|user| user.as_str() == "admin") {
///             return Err(HubError::new("sign in as yourself"));
///         }
///         let reply = next.run().await;
///         tracing::info!(target: "calls", method = call.target(), ok = reply.is_ok());
///         reply
///     }
/// }
/// ```
///
/// A filter that panics fails what it was around, as if the hub had panicked itself.
pub trait HubFilter<H: HubDefinition>: Send + Sync + 'static {
    /// Runs around a call, also of a method that the hub does not have; [`HubInvocation::method`] tells.
    ///
    /// Calls that cannot reach their method for another reason are refused before it: a user without the [authorization](crate::Authorization), a stream where there should be none, a wrong number of arguments.
    /// What the hub asks of everybody holds for methods that it does not have too, its policies included.
    /// For a method that answers with a stream, what comes next lasts as long as that does.
    ///
    /// # Errors
    ///
    /// What the client is told in place of the method's answer, by the rules of [`HubError`](crate::HubError).
    fn invoke(
        &self,
        call: &HubInvocation<H>,
        next: Next<'_, Reply>,
    ) -> impl Future<Output = HubResult<Reply>> {
        let _ = call;
        next.run()
    }

    /// Runs around `on_connected`.
    ///
    /// # Errors
    ///
    /// The connection is refused.
    fn connected(
        &self,
        context: &CallerContext<H>,
        next: Next<'_>,
    ) -> impl Future<Output = HubResult<()>> {
        let _ = context;
        next.run()
    }

    /// Runs around `on_disconnected`.
    ///
    /// # Errors
    ///
    /// They are logged.
    fn disconnected(
        &self,
        context: &CallerContext<H>,
        reason: &DisconnectReason,
        next: Next<'_>,
    ) -> impl Future<Output = HubResult<()>> {
        let _ = (context, reason);
        next.run()
    }
}

/// What comes behind a filter: others, and in the end the hub.
#[must_use = "a filter that does not run what comes next answers in its place"]
pub struct Next<'a, T = ()>(Innermost<'a, T>);

type Innermost<'a, T> = Box<dyn FnOnce() -> LocalBoxFuture<'a, HubResult<T>> + 'a>;

impl<'a, T> Next<'a, T> {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// When the hub or another filter fails.
    pub fn run(self) -> LocalBoxFuture<'a, HubResult<T>> {
        (self.0)()
    }
}

/// A call as filters and policies see it, its arguments not decoded yet.
pub struct HubInvocation<H: HubDefinition> {
    context: CallerContext<H>,
    method: Option<&'static Method<H>>,
    progress: Arc<Progress>,
    arguments: Arguments,
}

impl<H: HubDefinition> HubInvocation<H> {
    pub(crate) fn new(
        context: CallerContext<H>,
        method: Option<&'static Method<H>>,
        progress: Arc<Progress>,
        arguments: Arguments,
    ) -> Self {
        Self { context, method, progress, arguments }
    }

    /// The caller.
    pub fn context(&self) -> &CallerContext<H> {
        &self.context
    }

    /// The method as the client named it.
    pub fn target(&self) -> &str {
        &self.progress.head.target
    }

    /// The method's name as the hub declares it; `None` when it has no such method.
    pub fn method(&self) -> Option<&'static str> {
        self.method.map(|method| method.name)
    }

    /// Whether the client wants an answer.
    pub fn is_answered(&self) -> bool {
        self.progress.head.invocation_id.is_some()
    }

    /// Whether the method answers with a stream.
    pub fn is_streaming(&self) -> bool {
        self.method.is_some_and(|method| method.kind == MethodKind::Stream)
    }

    /// How many arguments the client sent.
    pub fn argument_count(&self) -> usize {
        self.arguments.len()
    }

    /// The argument at `index`, from 0, as a `T`; the streams that a client sends are not among them.
    ///
    /// # Errors
    ///
    /// When there is none, or when it does not fit.
    pub fn argument<T: DeserializeOwned>(&self, index: usize) -> Result<T, DecodeError> {
        self.arguments.decode(index)
    }

    /// The headers inside the message, such as a trace context; they have nothing to do with HTTP's.
    pub fn headers(&self) -> &Headers {
        &self.progress.head.headers
    }

    /// An answer in the method's place.
    ///
    /// # Errors
    ///
    /// When the value cannot be written.
    pub fn reply<T: Serialize + ?Sized>(&self, value: &T) -> HubResult<Reply> {
        Ok(Reply(Answered::Value(Raw::new(self.context.member().protocol, value)?)))
    }
}

/// What a call is answered with.
#[derive(Clone, Debug)]
pub struct Reply(pub(crate) Answered);

#[derive(Clone, Debug)]
pub(crate) enum Answered {
    /// The items of a stream, all of which have gone out.
    Items,
    Value(Raw),
}

impl Reply {
    /// The value as a `T`; a method that returns nothing has the value `()`.
    ///
    /// # Errors
    ///
    /// When it does not fit, or when the answer was a stream.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        match &self.0 {
            Answered::Items => Err(DecodeError::Absent { index: 0, len: 0 }),
            Answered::Value(value) => value.decode(),
        }
    }

    /// Whether the answer was a stream, which has come to its end.
    pub fn is_stream(&self) -> bool {
        match self.0 {
            Answered::Items => true,
            Answered::Value(_) => false,
        }
    }
}

/// The filters of a hub, the outermost first.
pub(crate) struct Filters<H>(Vec<Arc<dyn AnyFilter<H>>>);

/// [`HubFilter`] as an object; bounds are on its functions, so that a builder of what is no hub is refused once and not for its type again.
trait AnyFilter<H>: Send + Sync {
    fn invoke<'a>(
        &'a self,
        call: &'a HubInvocation<H>,
        next: Next<'a, Reply>,
    ) -> LocalBoxFuture<'a, HubResult<Reply>>
    where
        H: HubDefinition;

    fn connected<'a>(
        &'a self,
        context: &'a CallerContext<H>,
        next: Next<'a>,
    ) -> LocalBoxFuture<'a, HubResult<()>>
    where
        H: HubDefinition;

    fn disconnected<'a>(
        &'a self,
        context: &'a CallerContext<H>,
        reason: &'a DisconnectReason,
        next: Next<'a>,
    ) -> LocalBoxFuture<'a, HubResult<()>>
    where
        H: HubDefinition;
}

impl<H: HubDefinition, F: HubFilter<H>> AnyFilter<H> for F {
    fn invoke<'a>(
        &'a self,
        call: &'a HubInvocation<H>,
        next: Next<'a, Reply>,
    ) -> LocalBoxFuture<'a, HubResult<Reply>> {
        Box::pin(HubFilter::invoke(self, call, next))
    }

    fn connected<'a>(
        &'a self,
        context: &'a CallerContext<H>,
        next: Next<'a>,
    ) -> LocalBoxFuture<'a, HubResult<()>> {
        Box::pin(HubFilter::connected(self, context, next))
    }

    fn disconnected<'a>(
        &'a self,
        context: &'a CallerContext<H>,
        reason: &'a DisconnectReason,
        next: Next<'a>,
    ) -> LocalBoxFuture<'a, HubResult<()>> {
        Box::pin(HubFilter::disconnected(self, context, reason, next))
    }
}

impl<H: HubDefinition> Filters<H> {
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one inside of those that are there.
    pub(crate) fn add(&mut self, filter: impl HubFilter<H>) {
        self.0.push(Arc::new(filter));
    }

    /// Runs a call through all of them.
    pub(crate) fn invoke<'a>(
        &'a self,
        call: &'a HubInvocation<H>,
        method: impl FnOnce() -> LocalBoxFuture<'a, HubResult<Reply>> + 'a,
    ) -> LocalBoxFuture<'a, HubResult<Reply>> {
        self.around(method, move |filter, next| filter.invoke(call, next))
    }

    pub(crate) fn connected<'a>(
        &'a self,
        context: &'a CallerContext<H>,
    ) -> LocalBoxFuture<'a, HubResult<()>> {
        let hub = context.hub().definition();
        self.around(
            move || hub.on_connected(context),
            move |filter, next| filter.connected(context, next),
        )
    }

    pub(crate) fn disconnected<'a>(
        &'a self,
        context: &'a CallerContext<H>,
        reason: &'a DisconnectReason,
    ) -> LocalBoxFuture<'a, HubResult<()>> {
        let hub = context.hub().definition();
        self.around(
            move || hub.on_disconnected(context, reason),
            move |filter, next| filter.disconnected(context, reason, next),
        )
    }

    fn around<'a, T: 'a>(
        &'a self,
        innermost: impl FnOnce() -> LocalBoxFuture<'a, HubResult<T>> + 'a,
        pass: impl Fn(&'a dyn AnyFilter<H>, Next<'a, T>) -> LocalBoxFuture<'a, HubResult<T>> + Copy + 'a,
    ) -> LocalBoxFuture<'a, HubResult<T>> {
        // From the inside out: each is given all that is inside of it.
        let mut all: Innermost<'a, T> = Box::new(innermost);
        for filter in self.0.iter().rev() {
            let inner = all;
            all = Box::new(move || pass(&**filter, Next(inner)));
        }
        all()
    }
}

impl<H> fmt::Debug for Filters<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filters").field(&self.0.len()).finish()
    }
}

impl<T> fmt::Debug for Next<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

impl<H: HubDefinition> fmt::Debug for HubInvocation<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubInvocation")
            .field("target", &self.target())
            .field("method", &self.method())
            .field("arguments", &self.argument_count())
            .finish_non_exhaustive()
    }
}
