use hubwire::prelude::*;

struct Chat;

impl Chat {
    fn send_message(&self, _text: String) {}
}

fn main() {
    let _ = Hub::new(Chat);
}
