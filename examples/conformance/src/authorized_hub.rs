//! A hub that wants to know who calls.

use hubwire::prelude::*;

pub struct AuthorizedHub;

#[hub(authorize)]
impl AuthorizedHub {
    fn echo(&self, text: String) -> String {
        text
    }

    fn who_am_i(&self, cx: &CallerContext<Self>) -> Option<String> {
        cx.user_id().map(ToString::to_string)
    }
}
