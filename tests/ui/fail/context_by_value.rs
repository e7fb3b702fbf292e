#![allow(unused_variables)]

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    async fn send_message(&self, cx: CallerContext<Self>, text: String) {}
}

fn main() {}
