#![allow(unused_variables)]

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn send_message(&self, cx: &CallerContext<Self>, text: String, other: &CallerContext<Self>) {}
}

fn main() {}
