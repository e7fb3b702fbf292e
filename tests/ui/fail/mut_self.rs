use hubwire::prelude::*;

struct Counter {
    count: u32,
}

#[hub]
impl Counter {
    fn increase(&mut self) -> u32 {
        self.count += 1;
        self.count
    }
}

fn main() {}
