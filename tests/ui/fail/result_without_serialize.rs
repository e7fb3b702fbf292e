#![allow(unused_variables)]

use hubwire::prelude::*;

struct Message {
    text: String,
}

struct Chat;

#[hub]
impl Chat {
    fn latest(&self) -> Message {
        Message { text: String::new() }
    }

    async fn find(&self, id: u32) -> HubResult<Message> {
        Err(HubError::new("no such message"))
    }

    fn all(&self) -> Vec<Message> {
        Vec::new()
    }
}

fn main() {}
