#![deny(unused_must_use)]

use hubwire::prelude::*;

#[hub_client]
trait ChatClient {
    fn confirm(question: &str) -> bool;
    fn receive_message(text: &str);
}

struct Chat;

#[hub(client = ChatClient)]
impl Chat {
    fn ask(&self, cx: &CallerContext<Self>) {
        cx.clients().all().receive_message("a send may be ignored");
        cx.clients().caller().confirm("?");
    }
}

fn main() {}
