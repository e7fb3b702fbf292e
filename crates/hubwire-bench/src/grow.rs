//! How cost grows with connections and groups, in memory: up to 100,000 of each, which no machine has sockets for.

use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use cpu_time::ThreadTime;
use hubwire::prelude::*;
use hubwire::{ConnectionId, EndpointOptions};

use crate::memory::Client;
use crate::process::Process;

/// Each ten times the one before, so that a line that is not flat is seen.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Members of a group that has always the same size.
const FEW: usize = 100;
/// How often what takes no longer than a microsecond is done.
const OFTEN: usize = 10_000;

struct Growing;

#[hub]
impl Growing {}

/// The figures of one size, in the order of [`NAMES`].
type Figures = Vec<f64>;

const NAMES: [&str; 11] = [
    "connect, µs each",
    "KiB each",
    "join one group with all, ns each",
    "join a group of one's own, ns each",
    "find one connection and send, ns",
    "send to a group of 100, ns per member",
    "send to the group of all, ns per member",
    "send to all, ns per receiver",
    "tick, ns each",
    "leave the group of all, ns each",
    "disconnect, µs each",
];

/// Prints a table of all sizes.
pub(crate) fn run() -> io::Result<()> {
    let columns = SIZES.map(figures);
    let mut out = io::stdout();
    write!(out, "| connections, and groups |")?;
    for size in SIZES {
        write!(out, " {size} |")?;
    }
    writeln!(out, "\n|---|{}", "---:|".repeat(SIZES.len()))?;
    for (row, name) in NAMES.iter().enumerate() {
        write!(out, "| {name} |")?;
        for column in &columns {
            match column {
                Ok(figures) => write!(out, " {} |", crate::report::figure(figures[row]))?,
                Err(error) => write!(out, " {error} |")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn figures(size: usize) -> io::Result<Figures> {
    let mut figures = Vec::new();
    let process = Process::new(std::process::id());
    let hub = Hub::new(Growing).build();
    let options = Arc::new(EndpointOptions::default());
    let ids: Vec<_> = (0..size).map(|index| format!("client-{index}")).collect();

    let before = process.resident()?;
    let started = ThreadTime::now();
    let clients: Vec<_> = ids.iter().map(|id| Client::connect(&hub, id, &options)).collect();
    figures.push(nanos(started) / size as f64 / 1e3);
    figures.push(process.resident()?.saturating_sub(before) as f64 / size as f64);

    let names: Vec<_> = ids.iter().map(|id| ConnectionId::from(id.as_str())).collect();
    let groups = hub.groups();
    figures.push(each(&names, |id| done(groups.add(id, "all"))));
    figures.push(each(&names, |id| done(groups.add(id, id.as_str()))));
    for id in &names[..FEW] {
        done(groups.add(id, "few"));
    }

    let all = hub.clients();
    let message = ("a short text of thirty-two bytes",);
    let one = |index: usize| all.client(&names[index * 7919 % size]).send("message", &message);
    figures.push(quietest(&clients, OFTEN, OFTEN, |index| drop(one(index))));
    let few = |_| drop(all.group("few").send("message", &message));
    figures.push(quietest(&clients, FEW, FEW * FEW, few));
    let group = |_| drop(all.group("all").send("message", &message));
    figures.push(quietest(&clients, 5, 5 * size, group));
    let everyone = |_| drop(all.all().send("message", &message));
    figures.push(quietest(&clients, 5, 5 * size, everyone));

    figures.push(each(&clients, |client| client.connection.tick()));
    figures.push(each(&names, |id| done(groups.remove(id, "all"))));
    let started = ThreadTime::now();
    drop(clients);
    figures.push(nanos(started) / size as f64 / 1e3);
    Ok(figures)
}

fn each<T>(all: &[T], act: impl Fn(&T)) -> f64 {
    let started = ThreadTime::now();
    all.iter().for_each(act);
    nanos(started) / all.len() as f64
}

/// The least that one of many takes in a few rounds, after which everyone takes what it was sent.
fn quietest(clients: &[Client], times: usize, many: usize, act: impl Fn(usize)) -> f64 {
    const ROUNDS: usize = 4;
    let rounds = (0..ROUNDS).map(|_| {
        let started = ThreadTime::now();
        (0..times).for_each(&act);
        let took = nanos(started);
        for client in clients {
            client.hear();
        }
        took / many as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

/// What needs no other server is done when it is asked for.
fn done<T>(future: impl Future<Output = T>) {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(_)), "no other server is waited for");
}

/// Of this thread, which is all there is: others may have the machine meanwhile.
fn nanos(since: ThreadTime) -> f64 {
    since.elapsed().as_nanos() as f64
}
