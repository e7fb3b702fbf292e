//! What `#[hub]` writes about a hub: a table of its methods.

use std::collections::HashMap;
use std::fmt;

use futures_util::future::LocalBoxFuture;
use hubwire_transport::DisconnectReason;

use crate::address::{Address, Disconnect};
use crate::authorization::Authorization;
use crate::call::Call;
use crate::context::CallerContext;
use crate::error::HubResult;
use crate::target::Compressed;

/// A hub: a type whose methods clients call. Implemented by `#[hub]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hub",
    label = "not a hub",
    note = "put `#[hub]` on an `impl {Self}` block whose methods clients may call"
)]
pub trait HubDefinition: Send + Sync + Sized + 'static {
    /// The name that logs and metrics use, and servers among each other.
    const NAME: &'static str;

    /// What clients offer: sends on every kind of address, results on a single client.
    type Client<A: Address>: Disconnect;

    /// The client type over an address.
    fn client<A: Address>(address: A) -> Self::Client<A>;

    /// The methods that clients may call.
    fn methods() -> &'static [Method<Self>];

    /// What users must be to connect, and to call anything; policies are asked for each call.
    fn authorization() -> &'static [Authorization<Self>] {
        &[]
    }

    /// Runs when a client has connected, before its first call.
    fn on_connected<'a>(
        &'a self,
        context: &'a CallerContext<Self>,
    ) -> LocalBoxFuture<'a, HubResult<()>> {
        let _ = context;
        Box::pin(std::future::ready(Ok(())))
    }

    /// Runs once when a client is gone, after its last call.
    fn on_disconnected<'a>(
        &'a self,
        context: &'a CallerContext<Self>,
        reason: &'a DisconnectReason,
    ) -> LocalBoxFuture<'a, HubResult<()>> {
        let _ = (context, reason);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// One method that clients may call.
pub struct Method<H: HubDefinition> {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its name in Rust, for logs.
    pub rust_name: &'static str,
    /// How it answers.
    pub kind: MethodKind,
    /// Whether its answers may be compressed.
    pub compression: Compressed,
    /// What users must be to call it, beside what the hub asks of all.
    pub authorization: &'static [Authorization<H>],
    /// What it takes from the client.
    pub parameters: &'static [Parameter],
    /// Binds the arguments and runs it.
    pub call: fn(Call<H>) -> LocalBoxFuture<'static, ()>,
}

/// How a method answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// With one value or none.
    Invocation,
    /// With a stream of items.
    Stream,
}

/// Where the value of a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// From the arguments of the call.
    Argument,
    /// It is a stream that the client sends beside them.
    Stream,
}

/// One parameter of a method.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Where its value comes from.
    pub kind: ParameterKind,
    /// Its name in Rust.
    pub name: &'static str,
    /// Its type as written.
    pub rust_type: &'static str,
}

impl<H: HubDefinition> Method<H> {
    /// The parameters of one kind, in order.
    pub(crate) fn parameters(
        &self,
        kind: ParameterKind,
    ) -> impl Iterator<Item = &'static Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.kind == kind)
    }

    /// Whether it takes more than a look at the user to know who may call it.
    pub(crate) fn has_policies(&self) -> bool {
        let mut all = H::authorization().iter().chain(self.authorization);
        all.any(|authorization| !authorization.policies.is_empty())
    }

    /// Whether a call of it carries a stream, in either direction.
    pub(crate) fn is_streaming(&self) -> bool {
        self.kind == MethodKind::Stream || self.parameters(ParameterKind::Stream).next().is_some()
    }
}

impl<H: HubDefinition> fmt::Debug for Method<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

/// The methods of a hub by name, without regard to case.
pub(crate) struct Methods<H: HubDefinition> {
    /// In the order of their names: there are few, and to compare some costs less than to hash one.
    by_name: Box<[&'static Method<H>]>,
    by_lower_case: HashMap<String, &'static Method<H>>,
}

impl<H: HubDefinition> Methods<H> {
    pub(crate) fn new() -> Self {
        let methods = H::methods();
        let mut by_name: Box<[_]> = methods.iter().collect();
        by_name.sort_by_key(|method| method.name);
        Self {
            by_name,
            by_lower_case: methods.iter().map(|m| (m.name.to_lowercase(), m)).collect(),
        }
    }

    pub(crate) fn find(&self, target: &str) -> Option<&'static Method<H>> {
        match self.by_name.binary_search_by_key(&target, |method| method.name) {
            Ok(index) => Some(self.by_name[index]),
            Err(_) => self.by_lower_case.get(&target.to_lowercase()).copied(),
        }
    }

    /// The name that `target` was probably meant to be; for the log only, never for the client.
    pub(crate) fn nearest(&self, target: &str) -> Option<&'static str> {
        /// Names less alike than this are no help.
        const ALIKE: f64 = 0.7;
        /// A longer target is no misspelling, and comparing it is quadratic.
        const LONGEST: usize = 100;
        if target.len() > LONGEST {
            return None;
        }
        let target = target.to_lowercase();
        self.by_lower_case
            .iter()
            .map(|(name, method)| (strsim::jaro_winkler(name, &target), method.name))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, name)| name)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }
}
