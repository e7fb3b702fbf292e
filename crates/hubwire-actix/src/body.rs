//! Response bodies that last: they only write, in chunks, until the connection ends.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

/// The most that is handed to the server at once: its buffer copies what it is given, and keeps it for as long as a client does not read.
pub(crate) const CHUNK: usize = 16 * 1024;

/// What writes to a client for as long as its connection lasts.
pub(crate) trait Chunks: Unpin {
    /// The next bytes, at most [`CHUNK`] of them; `None` at the end.
    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>>;
}

/// A body of unknown length.
pub(crate) struct Lasting<C>(Rc<RefCell<Option<C>>>);

/// A hold on a body that its server may not poll for as long as the client lets it wait, which over HTTP/2 can be for ever.
pub(crate) struct Hold(Weak<dyn Emptied>);

/// What can be made to give up what it holds.
trait Emptied {
    fn empty(&self);
}

impl<C: Chunks + 'static> Lasting<C> {
    pub(crate) fn new(content: C) -> Self {
        Self(Rc::new(RefCell::new(Some(content))))
    }

    pub(crate) fn hold(&self) -> Hold {
        let content: Weak<RefCell<Option<C>>> = Rc::downgrade(&self.0);
        Hold(content)
    }
}

impl Hold {
    /// Drops what the body holds; if it is polled again, it ends.
    pub(crate) fn empty(self) {
        if let Some(content) = self.0.upgrade() {
            content.empty();
        }
    }
}

impl<C> Emptied for RefCell<Option<C>> {
    fn empty(&self) {
        // Dropped when it is not borrowed any more: it detaches, and that wakes.
        let content = self.borrow_mut().take();
        drop(content);
    }
}

impl<C: Chunks> MessageBody for Lasting<C> {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        match &mut *self.0.borrow_mut() {
            Some(content) => content.poll_chunk(cx).map(|chunk| chunk.map(Ok)),
            None => Poll::Ready(None),
        }
    }
}
