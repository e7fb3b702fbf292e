//! Made-up companies, whose prices wander, remember where they came from, and mind what is bought and sold.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::Serialize;
use tokio::sync::watch;

/// Two minutes of ticks.
const KEPT: usize = 1200;

/// So much of an order's push is left after each tick, while it moves the price.
const FADING: f64 = 0.85;

/// What all orders together move a price in a tick, at most.
const MOST: f64 = 0.004;

/// How strongly a price is drawn back to where it began.
const HOMESICKNESS: f64 = 0.0004;

#[derive(Debug, Serialize)]
pub struct Company {
    symbol: &'static str,
    name: &'static str,
    /// The price with which it began.
    opening: f64,
    /// How much a price moves in a tick, as a part of it.
    #[serde(skip)]
    nervousness: f64,
}

const COMPANIES: &[Company] = &[
    Company { symbol: "HBWR", name: "Hubwire Cables", opening: 128.4, nervousness: 0.0009 },
    Company { symbol: "OXID", name: "Oxide Foundry", opening: 412.75, nervousness: 0.0006 },
    Company { symbol: "CRAB", name: "Crabtree Fisheries", opening: 23.18, nervousness: 0.0014 },
    Company { symbol: "ACTX", name: "Actinium Express", opening: 76.02, nervousness: 0.0011 },
    Company { symbol: "PING", name: "Ping & Pong Sports", opening: 54.6, nervousness: 0.0008 },
    Company { symbol: "MOON", name: "Moonshot Bakeries", opening: 8.91, nervousness: 0.0024 },
];

/// All prices at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Tick {
    pub number: u64,
    prices: Vec<f64>,
}

#[derive(Debug)]
pub struct Market {
    floor: Mutex<Floor>,
    newest: watch::Sender<u64>,
    watchers: AtomicUsize,
}

#[derive(Debug)]
struct Floor {
    prices: Vec<f64>,
    pushes: Vec<f64>,
    ticks: VecDeque<Tick>,
    dice: Dice,
}

impl Market {
    /// A market that has been open for a while, so that there is something to see.
    pub fn open() -> Self {
        let market = Self {
            floor: Mutex::new(Floor {
                prices: COMPANIES.iter().map(|company| company.opening).collect(),
                pushes: vec![0.0; COMPANIES.len()],
                ticks: VecDeque::with_capacity(KEPT),
                dice: Dice(RandomState::new().hash_one(0) | 1),
            }),
            newest: watch::Sender::new(0),
            watchers: AtomicUsize::new(0),
        };
        for _ in 0..KEPT {
            market.tick();
        }
        market
    }

    pub fn companies(&self) -> &[Company] {
        COMPANIES
    }

    /// The number of the newest tick, as it changes.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The ticks behind the one with this number, as far as they are kept.
    pub fn since(&self, number: u64) -> Vec<Tick> {
        self.floor().ticks.iter().filter(|tick| tick.number > number).cloned().collect()
    }

    /// Moves every price once.
    pub fn tick(&self) {
        let number = self.floor().tick();
        self.newest.send_replace(number);
    }

    /// Moves the price of `symbol` over the next ticks; whether there is such a company.
    pub fn push(&self, symbol: &str, part: f64) -> bool {
        let Some(index) = COMPANIES.iter().position(|company| company.symbol == symbol) else {
            return false;
        };
        if let Some(push) = self.floor().pushes.get_mut(index) {
            *push = (*push + part * (1.0 - FADING)).clamp(-MOST, MOST);
        }
        true
    }

    /// One more is watching; how many these are.
    pub fn enter(&self) -> usize {
        self.watchers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One less is watching; how many are left.
    pub fn leave(&self) -> usize {
        self.watchers.fetch_sub(1, Ordering::Relaxed) - 1
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Floor {
    fn tick(&mut self) -> u64 {
        for ((price, push), company) in self.prices.iter_mut().zip(&mut self.pushes).zip(COMPANIES)
        {
            let home = HOMESICKNESS * (company.opening / *price).ln();
            *price *= (company.nervousness * self.dice.bell() + home + *push).exp();
            *push *= FADING;
        }
        let number = self.ticks.back().map_or(1, |tick| tick.number + 1);
        if self.ticks.len() == KEPT {
            self.ticks.pop_front();
        }
        let prices = self.prices.iter().map(|price| (price * 100.0).round() / 100.0).collect();
        self.ticks.push_back(Tick { number, prices });
        number
    }
}

/// Chance for a game: xorshift, which is no good for anything else.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// Between 0 and 1.
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Around 0, mostly within 1 of it: a sum of chances is nearly a bell.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.roll()).sum::<f64>() - 6.0
    }
}
