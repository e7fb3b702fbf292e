#![allow(unused_variables)]

use hubwire::prelude::*;

#[hub_client(name = "chat")]
trait ChatClient {}

struct Chat;

#[hub(clients = ChatClient)]
impl Chat {
    #[hub(name = "Send")]
    fn send_message(&self, text: String) {}
}

fn main() {}
