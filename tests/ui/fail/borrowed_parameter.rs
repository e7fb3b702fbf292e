#![allow(unused_variables)]

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn send_message(&self, text: &str) {}

    fn send_all(&self, texts: &[String]) {}
}

fn main() {
    Hub::new(Chat).build();
}
