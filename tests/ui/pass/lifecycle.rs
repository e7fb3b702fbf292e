//! What is called when a connection begins and ends, in every shape.

use std::fmt;
use std::io;

use hubwire::prelude::*;

#[derive(Debug)]
struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("full")
    }
}

impl std::error::Error for Full {}

/// Neither name says what it is.
type Outcome = Result<(), Full>;
type Nothingness = ();

struct Everything;

#[hub]
impl Everything {
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        cx.join_group("lobby").await?;
        Ok(())
    }

    async fn on_disconnected(
        &self,
        cx: &CallerContext<Self>,
        reason: &DisconnectReason,
    ) -> HubResult<()> {
        cx.clients().others().send("Left", &(format!("{reason:?}"),));
        Ok(())
    }
}

struct Nothing;

#[hub]
impl Nothing {
    fn on_connected(&self) {}
    fn on_disconnected(&self) {}
}

struct OwnErrors;

#[hub]
impl OwnErrors {
    fn on_connected(&self) -> Result<(), Full> {
        Err(Full)
    }

    async fn on_disconnected(
        &self,
        reason: &DisconnectReason,
        _cx: &CallerContext<Self>,
    ) -> io::Result<()> {
        Err(io::Error::other(format!("{reason:?}")))
    }
}

struct Units;

#[hub]
impl Units {
    async fn on_connected(&self, _: &CallerContext<Self>) -> () {}
    fn on_disconnected(&self, _: &DisconnectReason) -> HubResult<()> {
        Err(HubError::new("full"))
    }
}

struct Aliases;

#[hub]
impl Aliases {
    async fn on_connected(&self) -> Outcome {
        Err(Full)
    }
    fn on_disconnected(&self) -> Nothingness {}
}

#[test]
fn none_of_them_is_callable() {
    assert!(crate::names::<Everything>().is_empty());
    assert!(crate::names::<Nothing>().is_empty());
    assert!(crate::names::<OwnErrors>().is_empty());
    assert!(crate::names::<Units>().is_empty());
    assert!(crate::names::<Aliases>().is_empty());
}
