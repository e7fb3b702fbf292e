//! What the macros have understood: our own small words for the user's code, all of them legal.

use proc_macro2::Span;
use syn::{Attribute, Generics, Ident, Path, Type, Visibility};

/// An impl block under `#[hub]`.
pub(crate) struct Hub {
    pub(crate) authorizations: Vec<Authorization>,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) client: Option<Path>,
    /// Empty but for a block that was refused because of them.
    pub(crate) generics: Generics,
    pub(crate) lifecycle: Vec<Lifecycle>,
    pub(crate) methods: Vec<Method>,
    pub(crate) name: String,
    pub(crate) ty: Type,
}

/// A method that clients call.
pub(crate) struct Method {
    pub(crate) authorizations: Vec<Authorization>,
    pub(crate) compression: Compressed,
    pub(crate) function: Function,
    pub(crate) kind: MethodKind,
    pub(crate) name: String,
}

/// What a user must be: one `authorize`.
#[derive(Default)]
pub(crate) struct Authorization {
    pub(crate) claims: Vec<Claim>,
    pub(crate) policies: Vec<Path>,
    /// At least one of these, where there are any.
    pub(crate) roles: Vec<String>,
}

/// Something that is said of a user.
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// How a method answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MethodKind {
    Invocation,
    Stream,
}

/// Whether a method's messages may be compressed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Compressed {
    Allowed,
    Never,
}

impl Compressed {
    /// As it is without the option, and with it.
    pub(crate) fn unless(uncompressed: Option<&Path>) -> Self {
        if uncompressed.is_some() { Self::Never } else { Self::Allowed }
    }
}

/// A function that is called when a connection begins or ends.
pub(crate) struct Lifecycle {
    pub(crate) event: Event,
    pub(crate) function: Function,
}

/// How a function of the hub is called.
pub(crate) struct Function {
    pub(crate) arguments: Vec<Argument>,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) ident: Ident,
    /// Where to report what is wrong with the returned type.
    pub(crate) returned: Span,
    pub(crate) timing: Timing,
}

/// One argument after `&self`, in the user's order.
pub(crate) enum Argument {
    Context,
    Parameter(Parameter),
    Reason,
}

/// An argument that the client sends.
pub(crate) struct Parameter {
    pub(crate) kind: ParameterKind,
    pub(crate) name: String,
    pub(crate) ty: Box<Type>,
}

/// Where the value of a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ParameterKind {
    Argument,
    Stream,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event {
    Connected,
    Disconnected,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Timing {
    Async,
    Sync,
}

/// A trait under `#[hub_client]`.
pub(crate) struct Client {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) methods: Vec<ClientMethod>,
    pub(crate) visibility: Visibility,
}

/// A method that clients offer.
pub(crate) struct ClientMethod {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) compression: Compressed,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) parameters: Vec<(Ident, Type)>,
    /// Where to report what is wrong with the parameters taken together.
    pub(crate) parentheses: Span,
    /// The type of the client result; a send has none.
    pub(crate) result: Option<Type>,
}
