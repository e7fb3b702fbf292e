use futures_util::{Stream, stream};
use hubwire::prelude::*;

struct Counter;

#[hub]
impl Counter {
    fn count(&self, to: u32) -> impl Stream<Item = u32> + use<> {
        stream::iter(0..to)
    }

    async fn count_down(&self, from: u32) -> HubResult<impl Stream<Item = u32> + use<>> {
        Ok(stream::iter((0..from).rev()))
    }
}

fn main() {}
