use futures_util::stream;
use hubwire::prelude::*;

struct Opaque;

struct Counter;

#[hub]
impl Counter {
    fn count(&self) -> impl Stream<Item = Opaque> {
        stream::iter([Opaque])
    }

    async fn sum(&self, opaque: ClientStream<Opaque>) {
        drop(opaque);
    }
}

fn main() {}
