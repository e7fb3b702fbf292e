//! Why a run is worth nothing.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::dialect::{DialectError, Heard};
use crate::frame::FrameError;
use crate::http::HttpError;

/// How long nothing may come while something is awaited. Far longer than any answer takes, on a loaded machine too.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);

/// What clients met that must not be.
#[derive(Debug, Error)]
pub(crate) enum SwarmError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("no upgrade: {0:?}")]
    Upgrade(String),
    #[error("an opening that was to begin with {expected:?} and is {heard:?}")]
    Opening { expected: String, heard: String },
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("a compressed message that is none: {0}")]
    Inflate(#[from] flate2::DecompressError),
    #[error("a compressed message whose end does not come")]
    Unfinished,
    #[error("nothing was compressed")]
    Uncompressed,
    #[error(transparent)]
    Dialect(#[from] DialectError),
    #[error("the server closed: {0:?}")]
    Closed(String),
    #[error("client {client}: {source}")]
    Client { client: usize, source: Box<Self> },
    #[error("client {client} was to hear {expected} and heard {heard}")]
    Wrong { client: usize, expected: String, heard: String },
    #[error("nothing came for {SILENCE:?}, and the conversation is not over")]
    Silence,
}

impl SwarmError {
    pub(crate) fn wrong(client: usize, expected: &str, heard: &Heard<'_>) -> Self {
        Self::Wrong { client, expected: expected.to_owned(), heard: format!("{heard:?}") }
    }
}
