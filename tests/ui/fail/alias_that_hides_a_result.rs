use hubwire::prelude::*;

type Answer = HubResult<u32>;

struct Chat;

#[hub]
impl Chat {
    fn ask(&self) -> Answer {
        Ok(42)
    }
}

fn main() {}
