//! The context at any place, and by any name of its hub.

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn none(&self, a: u8) -> u8 {
        a
    }

    fn alone(&self, cx: &CallerContext<Self>) -> String {
        cx.connection_id().as_str().to_owned()
    }

    fn first(&self, cx: &CallerContext<Self>, a: u8) {
        cx.clients().caller().send("First", &(a,));
    }

    fn between(&self, a: u8, cx: &CallerContext<Chat>, b: u8) {
        cx.clients().caller().send("Between", &(a, b));
    }

    async fn last(&self, a: u8, b: u8, context: &hubwire::CallerContext<super::contexts::Chat>) {
        context.clients().caller().send("Last", &(a, b));
    }

    fn unused(&self, _: &CallerContext<Self>, _: u8, _b: u8) {}
}

#[test]
fn the_context_is_no_parameter() {
    let expected = ["a: u8", "a: u8", "a: u8", "b: u8", "a: u8", "b: u8", "_: u8", "_b: u8"];
    assert_eq!(crate::parameters::<Chat>(), expected);
}
