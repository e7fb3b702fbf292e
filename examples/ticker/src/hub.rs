//! The hub: what a page asks for once, and the stream that it then watches.

use std::sync::Arc;

use futures_util::stream;
use hubwire::prelude::*;

use crate::market::{Listing, Market, Prices};

pub struct Ticker {
    market: Arc<Market>,
}

impl Ticker {
    pub fn new(market: Arc<Market>) -> Self {
        Self { market }
    }
}

#[hub]
impl Ticker {
    /// What is traded, with the prices of the last minute, so that a chart does not begin empty.
    fn listings(&self) -> Vec<Listing> {
        self.market.listings()
    }

    /// All prices, from now on, each time that they change.
    ///
    /// The stream is polled only while the page has room, and then gives the newest prices: a page behind a slow network
    /// misses some and is never late.
    fn prices(&self) -> impl Stream<Item = Prices> + use<> {
        stream::unfold(self.market.watch(), |mut prices| async move {
            prices.changed().await.ok()?;
            let newest = prices.borrow_and_update().clone();
            Some((newest, prices))
        })
    }
}

#[cfg(test)]
mod tests {
    use hubwire::testing::TestHub;

    use super::*;

    #[actix_web::test]
    async fn a_page_gets_every_change_and_the_newest_if_it_was_slow() {
        let market = Arc::new(Market::open());
        let hub = TestHub::new(Ticker::new(market.clone()));
        let page = hub.connect().await;
        let listings: Vec<Listing> = page.invoke("Listings", ()).await.unwrap();
        assert!(listings.iter().all(|listing| !listing.history.is_empty()));

        let mut prices = page.stream::<Prices>("Prices", ()).await;
        market.step();
        let first = prices.next().await.unwrap().unwrap();
        assert_eq!(first.prices.len(), listings.len());
        market.step();
        market.step();
        let newest = prices.next().await.unwrap().unwrap();
        assert_eq!(newest.number, first.number + 2, "two changes at once are one item");
    }
}
