//! Names of the user's that the macros use too, and names that are keywords.

use hubwire::prelude::*;

/// Stands in the way of what generated code could lean on.
#[expect(dead_code, reason = "they only stand in the way")]
mod shadows {
    pub(super) fn call() {}
    pub(super) fn error() {}
    pub(super) fn reply() {}
    pub(super) struct Box;
    pub(super) struct Result;
    pub(super) struct Ok;
    pub(super) struct From;
    pub(super) struct Method;
}
#[expect(unused_imports, reason = "they only stand in the way")]
use shadows::*;

struct A;

#[hub_client]
trait Client {
    fn send(address: u8, target: &str, arguments: u8);
    fn invoke(call: u8) -> u8;
}

#[hub(client = Client)]
impl A {
    fn parameters(&self, call: u8, context: u8, reply: u8, hub: u8) -> u8 {
        call + context + reply + hub
    }

    fn bound(&self, bound: u8, error: u8, p0: u8) -> u8 {
        bound + error + p0
    }

    fn call(&self, p1: u8, p0: u8, cx: &CallerContext<Self>) -> u8 {
        cx.clients().all().send(p1, "target", p0);
        p0 + p1
    }

    fn r#type(&self, r#match: u8) -> u8 {
        r#match
    }

    async fn methods(&self) {}
    fn client(&self) {}
    fn name(&self) {}

    fn on_connected(&self, context: &CallerContext<Self>) -> HubResult<()> {
        context.clients().all().send(1, "", 1);
        HubResult::Ok(())
    }
}

#[test]
fn nothing_gets_in_the_way() {
    assert_eq!(
        crate::names::<A>(),
        ["Parameters", "Bound", "Call", "Type", "Methods", "Client", "Name"]
    );
    assert!(crate::parameters::<A>().contains(&"match: u8".to_owned()));
    assert_eq!(A.r#type(1), 1);
}
