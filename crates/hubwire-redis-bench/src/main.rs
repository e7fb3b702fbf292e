//! What a message to other servers costs: three Hubwire servers over a Redis, beside three of socketioxide with its adapter for Redis.
//!
//! `README.md` says how to run it and how to read its table.

mod cell;
mod client;
mod dialect;
mod options;
mod process;
mod report;
mod room;
mod servers;

use std::error::Error;
use std::io::{self, Write as _};

use crate::cell::Cell;
use crate::options::{Action, Run};
use crate::report::Report;
use crate::servers::Kind;

fn main() -> Result<(), Box<dyn Error>> {
    match options::parse(std::env::args_os().skip(1))? {
        Action::Help => Ok(io::stdout().write_all(options::USAGE.as_bytes())?),
        Action::Serve(kind, redis) => kind.serve(&redis),
        Action::Run(run) => measure(&run),
    }
}

/// Measures every cell on both kinds of servers, round by round, so that what disturbs the machine for a while disturbs both.
fn measure(run: &Run) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cells = Cell::all(run.servers, run.messages);
    let mut report = Report::new(run.rounds);
    for round in 1..=run.rounds {
        for cell in &cells {
            for kind in Kind::ALL {
                let measured = runtime.block_on(cell.measure(kind));
                let figures = measured.map_err(|error| format!("{cell}, {kind:?}: {error}"))?;
                writeln!(io::stderr(), "{round}/{}  {cell}  {kind:?}: {figures}", run.rounds)?;
                report.take(cell, kind, figures);
            }
        }
    }
    write!(io::stdout(), "{report}")?;
    Ok(())
}
