//! Nothing is counted: the feature `metrics` is off, and all of this compiles to nothing.

use hubwire_transport::{DisconnectReason, Transport, Transports};

#[derive(Clone)]
pub(crate) struct Meter;

#[derive(Clone)]
pub(crate) struct Traffic;

impl Meter {
    pub(crate) fn new(_: &str, _: Transports) -> Self {
        Self
    }

    pub(crate) fn opened(&self, _: Transport) {}

    pub(crate) fn closed(&self, _: Transport, _: &DisconnectReason, _: u64) {}

    pub(crate) fn refused(&self, _: &'static str) {}

    pub(crate) fn traffic(&self, _: Transport) -> Traffic {
        Traffic
    }
}

impl Traffic {
    pub(crate) fn received(&self, _: usize) {}

    pub(crate) fn sent(&self, _: usize) {}
}

pub(crate) fn backlog(_: impl FnOnce() -> usize) {}
