use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn on_connected(&self) -> bool {
        true
    }

    async fn on_disconnected(&self) -> HubResult<u32> {
        Ok(1)
    }
}

fn main() {}
