//! What fails that is not meant for clients.

/// An error of the server's own, under the name that .NET gives it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOperationException(pub String);
