use hubwire::prelude::*;

struct Full;

struct Chat;

#[hub]
impl Chat {
    fn enter(&self) -> Result<u32, Full> {
        Err(Full)
    }
}

fn main() {}
