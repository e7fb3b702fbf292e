use hubwire::prelude::*;

#[hub]
struct Chat;

#[hub_client]
struct ChatClient;

trait Talk {}

#[hub]
impl Talk for Chat {}

fn main() {}
