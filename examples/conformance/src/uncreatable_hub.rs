//! A hub that fails whoever connects, as .NET does with a hub whose constructor asks for what is not there.

use hubwire::prelude::*;

use crate::failure::InvalidOperationException;

const WHY: &str = "Unable to resolve service for type 'System.Object' while attempting to activate 'FunctionalTests.UncreatableHub'.";

pub struct UncreatableHub;

#[hub]
impl UncreatableHub {
    fn on_connected(&self) -> HubResult<()> {
        Err(InvalidOperationException(WHY.to_owned()).into())
    }
}
