//! No compression: the feature `deflate` is off, so none is ever agreed on.

use std::convert::Infallible;

use super::extension::Deflate;
use super::{FrameError, Room};
use crate::Message;

pub(super) const IS_AVAILABLE: bool = false;

#[derive(Default)]
pub(crate) struct Deflated(());

impl Deflated {
    pub(crate) fn frame(&self, _: &Message, _: u8) -> Option<&[u8]> {
        None
    }
}

#[derive(Debug)]
pub(super) struct Inflater(Infallible);

impl Inflater {
    pub(super) fn new(_: Deflate) -> Option<Self> {
        None
    }

    #[expect(clippy::needless_pass_by_ref_mut, reason = "as with the feature")]
    pub(super) fn inflate(
        &mut self,
        _: &[u8],
        _: bool,
        _: Room,
        _: &mut Vec<u8>,
    ) -> Result<(), FrameError> {
        match self.0 {}
    }
}
