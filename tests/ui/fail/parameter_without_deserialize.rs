#![allow(unused_variables)]

use hubwire::prelude::*;

struct Message {
    text: String,
}

struct Chat;

#[hub]
impl Chat {
    fn send_message(&self, cx: &CallerContext<Self>, message: Message) {}

    fn send_all(&self, messages: Vec<Message>) {}
}

fn main() {}
