#![allow(unused_variables)]

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn new() -> Self {
        Chat
    }

    fn send_message(&self, text: String) {}
}

fn main() {
    Hub::new(Chat::new()).build();
}
