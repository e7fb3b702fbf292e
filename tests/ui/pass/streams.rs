//! Everything that streams: methods that borrow, refuse or fail, and parameters.

use std::io;

use futures_util::stream;
use hubwire::{HubDefinition, prelude::*};

struct Counter {
    steps: Vec<u32>,
}

type Fallible<T> = Result<T, io::Error>;

#[hub]
impl Counter {
    fn plain(&self, to: u32) -> impl Stream<Item = u32> {
        stream::iter(0..to)
    }

    fn borrowed(&self) -> impl Stream<Item = &u32> {
        stream::iter(&self.steps)
    }

    fn owned(&self) -> impl Stream<Item = u32> + use<> {
        stream::iter([1])
    }

    async fn refusing(&self, cx: &CallerContext<Self>) -> HubResult<impl Stream<Item = u32>> {
        cx.join_group("counters").await?;
        Ok(stream::iter([1]))
    }

    fn failing(&self) -> impl Stream<Item = HubResult<u32>> {
        stream::iter([Err(HubError::new("no"))])
    }

    fn both(&self) -> Fallible<impl futures_util::Stream<Item = Fallible<u32>>> {
        Ok(stream::iter([Ok(1)]))
    }

    async fn up(
        &self,
        first: ClientStream<u32>,
        text: String,
        second: hubwire::ClientStream<String>,
    ) -> usize {
        first.count().await + text.len() + second.count().await
    }
}

#[test]
fn the_signature_says_what_streams() {
    let kinds: Vec<_> = Counter::methods()
        .iter()
        .map(|method| format!("{} {:?}", method.name, method.kind))
        .collect();
    let expected = [
        "Plain Stream",
        "Borrowed Stream",
        "Owned Stream",
        "Refusing Stream",
        "Failing Stream",
        "Both Stream",
        "Up Invocation",
    ];
    assert_eq!(kinds, expected);
    let up = Counter::methods().last().map(|method| method.parameters).unwrap_or_default();
    let kinds: Vec<_> = up.iter().map(|parameter| format!("{:?}", parameter.kind)).collect();
    assert_eq!(kinds, ["Stream", "Argument", "Stream"]);
}
