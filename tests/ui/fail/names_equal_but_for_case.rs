use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn send_all(&self) {}

    #[hub(rename = "sendall")]
    fn broadcast(&self) {}
}

fn main() {}
