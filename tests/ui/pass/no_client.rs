//! A hub that declares no client sends by name.

use hubwire::prelude::*;
use hubwire::{ClientProxy, Many};

struct News;

#[hub]
impl News {
    async fn publish(&self, cx: &CallerContext<Self>, headline: String) -> HubResult<bool> {
        let readers: ClientProxy<Many> = cx.clients().group("readers");
        readers.send("Headline", &(headline,)).await?;
        let sure: bool = cx.clients().caller().invoke("Confirm", &("?",)).await?;
        Ok(sure)
    }
}

struct Empty;

#[hub]
impl Empty {}

#[test]
fn names_are_given_with_the_send() {
    let news = Hub::new(News).build();
    assert_eq!(news.clients().all().send("Headline", &("It is raining.",)).receivers(), 0);
    assert!(crate::names::<Empty>().is_empty());
}
