use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn on_connected(&self) -> bool {
        true
    }
}

fn main() {}
