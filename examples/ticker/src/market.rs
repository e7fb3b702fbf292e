//! A market of made-up companies, whose prices wander.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often prices change.
const INTERVAL: Duration = Duration::from_millis(100);

/// How many prices are kept of each company: those of a minute.
const HISTORY: usize = 600;

/// How far a price usually moves at once, as a part of itself.
const VOLATILITY: f64 = 0.000_6;

/// How strongly a price is drawn back to where it opened, so that a ticker that runs for weeks still looks like one.
const GRAVITY: f64 = 0.000_4;

const COMPANIES: [(&str, &str, f64); 8] = [
    ("FERR", "Ferrous Rails", 128.4),
    ("HUBW", "Hubwire Cables", 342.15),
    ("LUMO", "Lumo Optics", 57.82),
    ("NIMB", "Nimbus Harbour", 214.6),
    ("ORCA", "Orca Shipping", 88.37),
    ("PIXL", "Pixel Foundry", 412.9),
    ("QUAY", "Quayside Foods", 31.26),
    ("TIDE", "Tidewater Power", 166.05),
];

/// A company as a page meets it first.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Listing {
    pub symbol: String,
    pub name: String,
    pub open: f64,
    /// The oldest first; the last one is the newest price.
    pub history: Vec<f64>,
}

/// The prices of all companies, in the order of the listings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Prices {
    /// Counts up, so that a page knows what it has missed.
    pub number: u64,
    pub prices: Vec<f64>,
}

pub struct Market {
    histories: Mutex<Vec<VecDeque<f64>>>,
    newest: watch::Sender<Prices>,
}

impl Market {
    /// A market that has been open for a minute.
    pub fn open() -> Self {
        let histories = COMPANIES.map(|(_, _, open)| VecDeque::from([open])).into();
        let market = Self {
            histories: Mutex::new(histories),
            newest: watch::Sender::new(Prices::default()),
        };
        for _ in 1..HISTORY {
            market.step();
        }
        market
    }

    /// Changes prices for as long as the server runs.
    pub async fn trade(self: Arc<Self>) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.step();
        }
    }

    /// Every price moves a little.
    pub fn step(&self) {
        let mut histories = self.histories();
        let mut prices = Vec::with_capacity(COMPANIES.len());
        for ((_, _, open), history) in COMPANIES.iter().zip(histories.iter_mut()) {
            let last = history.back().copied().unwrap_or(*open);
            let price = cents(last * (1.0 + VOLATILITY * noise() + GRAVITY * (open / last - 1.0)));
            if history.len() == HISTORY {
                history.pop_front();
            }
            history.push_back(price);
            prices.push(price);
        }
        // Under the lock, so that what a page is listed and what it is then streamed fit together.
        self.newest.send_modify(|newest| {
            *newest = Prices { number: newest.number + 1, prices };
        });
    }

    pub fn listings(&self) -> Vec<Listing> {
        let histories = self.histories();
        COMPANIES
            .iter()
            .zip(histories.iter())
            .map(|((symbol, name, open), history)| Listing {
                symbol: (*symbol).to_owned(),
                name: (*name).to_owned(),
                open: *open,
                history: history.iter().copied().collect(),
            })
            .collect()
    }

    /// The newest prices, whenever they change.
    pub fn watch(&self) -> watch::Receiver<Prices> {
        self.newest.subscribe()
    }

    fn histories(&self) -> MutexGuard<'_, Vec<VecDeque<f64>>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About normally distributed: the sum of twelve dice (Irwin and Hall).
fn noise() -> f64 {
    (0..12).map(|_| fastrand::f64()).sum::<f64>() - 6.0
}

fn cents(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_wander_and_stay_near_where_they_opened() {
        let market = Market::open();
        for _ in 0..20_000 {
            market.step();
        }
        for listing in market.listings() {
            let last = listing.history[listing.history.len() - 1];
            assert!((0.5..2.0).contains(&(last / listing.open)), "{}: {last}", listing.symbol);
            assert_eq!(listing.history.len(), HISTORY);
            assert!(listing.history.windows(2).any(|pair| pair[0] != pair[1]));
        }
    }
}
