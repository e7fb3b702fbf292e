#![allow(unused_variables)]

use hubwire::prelude::*;

struct Chat;

#[hub(rename_all = "kebab-case")]
impl Chat {
    fn send_message(&self, text: String) {}
}

fn main() {}
