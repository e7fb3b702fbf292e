//! The hub: what a page may call, and what it is called with.

use std::sync::Arc;

use futures_util::stream;
use hubwire::prelude::*;

use crate::market::{Company, Market, Tick};

/// How much an order moves a price, as a part of it.
const PUSH: f64 = 0.004;

#[hub_client]
pub trait TickerPage {
    fn watchers_changed(count: usize);
    fn ordered(symbol: &str, side: &str);
}

pub struct Ticker {
    market: Arc<Market>,
}

#[hub(client = TickerPage)]
impl Ticker {
    /// What is traded here, in the order of the prices of a tick.
    fn companies(&self) -> &[Company] {
        self.market.companies()
    }

    /// All ticks behind the one with this number, and then those that come.
    ///
    /// The first item is what the caller missed, as far as it is kept: a page that was away goes on where it was.
    /// A page that reads slowly gets fewer items with more ticks in each, so that nothing waits for it here.
    fn watch(&self, after: u64) -> impl Stream<Item = Vec<Tick>> + use<> {
        let mut newest = self.market.newest();
        newest.mark_changed();
        // What is yet to come was seen on another server, or on this one before it was started again.
        let after = if after > *newest.borrow() { 0 } else { after };
        let market = self.market.clone();
        stream::unfold((market, newest, after), async |(market, mut newest, after)| {
            newest.changed().await.ok()?;
            let ticks = market.since(after);
            let last = ticks.last().map_or(after, |tick| tick.number);
            Some((ticks, (market, newest, last)))
        })
    }

    /// Pushes a price up, for everyone.
    fn buy(&self, cx: &CallerContext<Self>, symbol: String) -> HubResult<()> {
        self.order(cx, &symbol, "bought", PUSH)
    }

    /// Pushes a price down, for everyone.
    fn sell(&self, cx: &CallerContext<Self>, symbol: String) -> HubResult<()> {
        self.order(cx, &symbol, "sold", -PUSH)
    }

    fn on_connected(&self, cx: &CallerContext<Self>) {
        cx.clients().all().watchers_changed(self.market.enter());
    }

    fn on_disconnected(&self, cx: &CallerContext<Self>) {
        cx.clients().all().watchers_changed(self.market.leave());
    }
}

impl Ticker {
    pub fn new(market: Arc<Market>) -> Self {
        Self { market }
    }

    fn order(
        &self,
        cx: &CallerContext<Self>,
        symbol: &str,
        side: &str,
        push: f64,
    ) -> HubResult<()> {
        if !self.market.push(symbol, push) {
            return Err(HubError::new(format!("nobody trades {symbol} here")));
        }
        cx.clients().all().ordered(symbol, side);
        Ok(())
    }
}
