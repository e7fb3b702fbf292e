//! How WebSockets are compressed.

/// How WebSockets are compressed: [`EndpointOptions::compression`](crate::EndpointOptions::compression).
///
/// Messages go out compressed each by itself, so that a broadcast is compressed once for all who agreed on the same window.
///
/// ```
/// use hubwire_transport::{Compression, EndpointOptions};
///
/// let options = EndpointOptions::default().compression(Compression::default().threshold(1024));
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compression {
    /// Shorter messages go as they are, in bytes.
    pub threshold: usize,
    /// The largest window, in bits.
    pub window_bits: u8,
    /// Memory for the contexts of clients that keep one, over the whole endpoint, in bytes.
    pub context_memory: usize,
}

impl Default for Compression {
    fn default() -> Self {
        Self { threshold: 512, window_bits: 15, context_memory: 16 * 1024 * 1024 }
    }
}

impl Compression {
    /// Sets the length from which on messages are compressed.
    ///
    /// Default 512 bytes: shorter ones hardly get smaller and fit into one packet anyway.
    #[must_use]
    pub fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// Sets the largest window, 9 to 15 bits: how far back a compressor looks.
    ///
    /// Default 15, which is 32 KiB.
    #[must_use]
    pub fn window_bits(mut self, bits: u8) -> Self {
        self.window_bits = bits;
        self
    }

    /// Sets how much memory the contexts of clients may take that go on compressing where their last message ended.
    ///
    /// Default 16 MiB, which is enough for some four hundred of them. Further clients are asked to forget between messages. 0 asks all.
    #[must_use]
    pub fn context_memory(mut self, bytes: usize) -> Self {
        self.context_memory = bytes;
        self
    }

    /// What reading from a client costs that keeps a context: the window, and what zlib keeps beside it.
    pub(crate) fn context_size(client_bits: u8) -> usize {
        /// The state of an inflater without its window, rounded up.
        const STATE: usize = 8 * 1024;
        STATE + (1 << client_bits.min(15))
    }
}
