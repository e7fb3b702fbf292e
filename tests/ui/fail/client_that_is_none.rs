use hubwire::prelude::*;

struct ChatClient;

struct Chat;

#[hub(client = ChatClient)]
impl Chat {}

fn main() {}
