//! What Hubwire costs: server CPU and memory in many loads, beside other hubs and bare WebSockets.
//!
//! `README.md` says how to run it and how to read its table.

mod cells;
mod child;
mod dialect;
mod error;
mod frame;
mod grow;
mod http;
mod inflate;
mod install;
mod link;
mod load;
mod memory;
mod options;
mod order;
mod payload;
mod peers;
mod plot;
mod process;
mod report;
mod swarm;

use std::error::Error;
use std::io::{self, Write as _};

use crate::options::{Action, Run};
use crate::peers::{Compression, Peer, Serve, Start};
use crate::report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    match options::parse(std::env::args_os().skip(1))? {
        Action::Help => Ok(io::stdout().write_all(options::USAGE.as_bytes())?),
        Action::List => Ok(list()?),
        Action::Serve(serve, options) => {
            rlimit::increase_nofile_limit(rlimit::INFINITY)?;
            peers::end_with_parent();
            Ok(serve(options)?)
        }
        Action::Run(run) => measure(&run),
        Action::Grow => Ok(grow::run()?),
        Action::Load(load) => load::run(load),
    }
}

fn list() -> io::Result<()> {
    let mut out = io::stdout();
    for peer in peers::ALL {
        writeln!(out, "peer {:24} {}", peer.id, peer.name)?;
    }
    for cell in cells::all() {
        writeln!(out, "cell {:24} {}, {}", cell.id, cell.title, cell.unit.text())?;
    }
    Ok(())
}

/// Measures every cell on every peer, round by round, so that what disturbs the machine for a while disturbs all.
fn measure(run: &Run) -> Result<(), Box<dyn Error>> {
    // Servers inherit it.
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let mut log = io::stderr();
    let mut peers = Vec::new();
    for peer in &run.peers {
        match installed(peer) {
            Ok(()) => peers.push(*peer),
            Err(error) => writeln!(log, "{} is left out: {error}", peer.name)?,
        }
    }
    let mut report = Report::new(run.cells.clone(), peers.clone(), run.workers);
    let mut failures = 0;
    for round in 1..=run.repeats {
        for (row, cell) in run.cells.iter().enumerate() {
            for (column, peer) in peers.iter().enumerate() {
                let Some(dialect) = cell.dialect(peer) else { continue };
                let name = format!("{round}/{}  {}, {}", run.repeats, cell.title, peer.name);
                match cell.measure(peer, dialect, run.workers, run.scale) {
                    Ok(figure) => {
                        writeln!(log, "{name}: {figure:.2} {}", cell.unit.text())?;
                        report.take(row, column, figure);
                    }
                    Err(error) => {
                        writeln!(log, "{name}: FAILED: {error}")?;
                        failures += 1;
                    }
                }
            }
        }
        // A run takes long, and what there is of one that is stopped is worth something too.
        report.rounds = round;
        if let Some(docs) = &run.write {
            report.write(docs)?;
        }
    }
    write!(io::stdout(), "{report}")?;
    if failures > 0 {
        return Err(format!("{failures} measurements failed").into());
    }
    Ok(())
}

/// Has a peer installed that is no part of this program.
fn installed(peer: &Peer) -> io::Result<()> {
    match peer.start {
        Start::Here(_) => Ok(()),
        Start::Elsewhere(command) => {
            command(Serve { port: 0, workers: 1, compression: Compression::Off }).map(drop)
        }
    }
}
