use hubwire::prelude::*;

#[hub_client]
trait ChatClient {
    fn receive_message(text: &str) {}
    async fn confirm(question: &str) -> bool;
}

fn main() {}
