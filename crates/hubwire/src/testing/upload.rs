//! A stream to the hub.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::call_error::CallError;
use super::wait::{Patience, Wait};

/// A call of a method that is sent a stream: [`ClientStream`](crate::ClientStream) on its side.
pub struct Upload {
    call: Call,
    stream: String,
}

impl Upload {
    pub(super) fn new(call: Call, stream: String) -> Self {
        Self { call, stream }
    }

    /// Sends one item.
    ///
    /// # Panics
    ///
    /// When it cannot be sent.
    #[track_caller]
    pub fn item<'a, I: Serialize + ?Sized>(&mut self, item: &I) -> Wait<'a, ()> {
        let line = self.call.line.clone();
        let mut message = Vec::new();
        if let Err(error) = line.protocol.write_stream_item(&mut message, &self.stream, item) {
            panic!("the item cannot be sent: {error}");
        }
        Wait::settled(&self.call.world, Patience::None, || Ok(())).after(move || line.send(message))
    }

    /// Ends the stream, and waits for what the method returns.
    ///
    /// # Panics
    ///
    /// As [`TestClient::invoke`](super::TestClient::invoke).
    pub fn finish<'a, T: DeserializeOwned + 'a>(self) -> Wait<'a, Result<T, CallError>> {
        let (line, stream) = (self.call.line.clone(), self.stream);
        let end = move || line.write(|protocol, out| protocol.write_completed(out, &stream));
        self.call.result().after(end)
    }

    /// Ends the stream with an error, and waits for what the method makes of it.
    ///
    /// # Panics
    ///
    /// As [`TestClient::invoke`](super::TestClient::invoke).
    pub fn fail<'a, T: DeserializeOwned + 'a>(self, text: &str) -> Wait<'a, Result<T, CallError>> {
        let (line, stream, text) = (self.call.line.clone(), self.stream, text.to_owned());
        let end = move || line.write(|protocol, out| protocol.write_error(out, &stream, &text));
        self.call.result().after(end)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("call", &self.call).finish_non_exhaustive()
    }
}
