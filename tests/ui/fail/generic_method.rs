#![allow(unused_variables)]

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn send_message<T: Clone>(&self, message: T) {}

    fn send_any(&self, message: impl Clone) {}
}

fn main() {}
