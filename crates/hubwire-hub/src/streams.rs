//! The streams that one client has open, in both directions.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use hubwire_protocol::{Invocation, InvocationId, Outcome, Raw};
use hubwire_transport::Connection;

use crate::client_stream::{ClientStreamError, Upload};
use crate::definition::MethodKind;
use crate::texts;

/// The streams of a session.
///
/// A stream is open from the moment its call is received, not only once the call starts: what a client sends behind the
/// call must find its stream.
pub(crate) struct Streams {
    connection: Connection,
    /// How many may be open.
    limit: usize,
    /// How many are.
    open: Cell<usize>,
    /// Calls whose answer is a stream, by their invocation id.
    down: RefCell<HashSet<InvocationId>>,
    up: RefCell<HashMap<InvocationId, Arc<Upload>>>,
}

/// The streams of one call, which are closed with it.
pub(crate) struct Streaming {
    streams: Rc<Streams>,
    down: Option<InvocationId>,
    /// With their ids, in the order of the parameters.
    pub(crate) uploads: Vec<(InvocationId, Arc<Upload>)>,
}

impl Streams {
    pub(crate) fn new(connection: Connection, limit: usize) -> Self {
        Self {
            connection,
            limit,
            open: Cell::default(),
            down: RefCell::default(),
            up: RefCell::default(),
        }
    }

    /// Opens what `invocation` needs; `None` where that is nothing.
    ///
    /// # Errors
    ///
    /// What its client is told instead.
    pub(crate) fn open(
        self: &Rc<Self>,
        invocation: &Invocation,
        kind: MethodKind,
    ) -> Result<Option<Streaming>, StreamError> {
        let down = match kind {
            MethodKind::Stream => invocation.invocation_id.clone(),
            MethodKind::Invocation => None,
        };
        let count = invocation.stream_ids.len() + usize::from(down.is_some());
        if count == 0 {
            return Ok(None);
        }
        if count > self.limit - self.open.get() {
            return Err(StreamError::Detail(texts::too_many_streams(self.limit)));
        }
        if let Some(id) = &down
            && self.down.borrow().contains(id)
        {
            return Err(StreamError::Sentence(texts::id_in_use(id.as_str())));
        }
        let mut up = self.up.borrow_mut();
        let mut uploads: Vec<(InvocationId, Arc<Upload>)> = Vec::new();
        for id in &invocation.stream_ids {
            if up.contains_key(id) || uploads.iter().any(|(opened, _)| opened == id) {
                return Err(StreamError::Detail(texts::stream_id_in_use(id.as_str())));
            }
            uploads.push((id.clone(), Arc::new(Upload::new(self.connection.clone()))));
        }
        up.extend(uploads.iter().cloned());
        self.down.borrow_mut().extend(down.clone());
        self.open.set(self.open.get() + count);
        Ok(Some(Streaming { streams: self.clone(), down, uploads }))
    }

    /// Whether the client sends any stream.
    pub(crate) fn is_receiving(&self) -> bool {
        !self.up.borrow().is_empty()
    }

    /// Hands an item on; for a stream that is not there any more it is dropped.
    pub(crate) fn receive(&self, stream_id: &InvocationId, item: Raw) {
        match self.up.borrow().get(stream_id) {
            Some(upload) => upload.push(item),
            None => tracing::debug!(%stream_id, "dropped an item of a stream that is not open"),
        }
    }

    /// Ends a stream that the client sends; the outcome of what is no such stream is given back.
    pub(crate) fn complete(&self, stream_id: &InvocationId, outcome: Outcome) -> Option<Outcome> {
        let Some(upload) = self.up.borrow().get(stream_id).cloned() else { return Some(outcome) };
        upload.complete(outcome);
        None
    }

    /// Counts a second in which the connection was not read, and fails the streams that have been the reason for too long.
    pub(crate) fn stall(&self, limit: u64) {
        for (stream_id, upload) in &*self.up.borrow() {
            if upload.stall(limit) {
                tracing::warn!(%stream_id, seconds = limit, "a client's stream is not read");
                upload.fail(ClientStreamError::Stalled { seconds: limit });
            }
        }
    }

    /// The connection is read, so no stream holds it up.
    pub(crate) fn relieve(&self) {
        self.up.borrow().values().for_each(|upload| upload.relieve());
    }

    /// The client is gone.
    pub(crate) fn disconnect(&self) {
        for upload in self.up.borrow().values() {
            upload.fail(ClientStreamError::Disconnected);
        }
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let closed = self.uploads.len() + usize::from(self.down.is_some());
        self.streams.open.set(self.streams.open.get() - closed);
        if let Some(id) = &self.down {
            self.streams.down.borrow_mut().remove(id);
        }
        for (id, upload) in &self.uploads {
            self.streams.up.borrow_mut().remove(id);
            upload.fail(ClientStreamError::Closed);
        }
    }
}

/// Why the streams of a call cannot be opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamError {
    /// A sentence that stands alone.
    Sentence(String),
    /// What follows the sentence of a failed call.
    Detail(String),
}
