use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    async fn on_connected(&self) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
