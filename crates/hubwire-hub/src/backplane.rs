//! Several servers as one hub: what carries its sends and questions between them.

use thiserror::Error;

/// Why the other servers of a hub could not be asked, or did not answer.
///
/// A hub of one server has none to ask and never fails so.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BackplaneError {
    /// A server did not answer in time.
    #[error("a server did not answer in time")]
    TimedOut,
    /// The other servers cannot be reached.
    #[error("the other servers cannot be reached")]
    Unavailable,
}
