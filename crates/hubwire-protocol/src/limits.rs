//! How large an envelope may be, whatever its encoding; what a message may weigh is the [`MessageReader`]'s to say.
//!
//! [`MessageReader`]: crate::MessageReader

/// How many arguments an invocation may have. No method takes that many, and `[0,0,…]` would make us keep eight times
/// the bytes that came.
pub(crate) const MAX_ARGUMENTS: usize = 256;

/// How deep arrays and maps may be nested, the message itself being the first level: the limit of .NET's JSON reader,
/// and so of every SignalR server before us.
pub(crate) const MAX_DEPTH: usize = 64;

/// How many headers a message may have: a trace context is two or three, and each is compared with those before it.
pub(crate) const MAX_HEADERS: usize = 128;

/// How many streams an invocation may announce; each is a parameter of the method.
pub(crate) const MAX_STREAM_IDS: usize = 256;
