use hubwire::prelude::*;

struct Message {
    text: String,
}

#[hub_client]
trait ChatClient {
    fn receive_message(message: &Message);
    fn receive_titled(title: &str, message: &Message);
    fn latest() -> Message;
}

fn main() {}
