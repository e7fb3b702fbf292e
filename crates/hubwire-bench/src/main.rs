//! What Hubwire costs: server CPU per call and per delivery, and memory per connection, beside the same over a bare
//! WebSocket of actix-ws.
//!
//! `README.md` says how to run it and how to read its table.

mod cells;
mod child;
mod dialect;
mod frame;
mod options;
mod payload;
mod report;
mod servers;
mod swarm;

use std::error::Error;
use std::io::{self, Write as _};

use crate::options::{Action, Run};
use crate::report::Report;
use crate::servers::Server;

fn main() -> Result<(), Box<dyn Error>> {
    match options::parse(std::env::args_os().skip(1))? {
        Action::Help => Ok(io::stdout().write_all(options::USAGE.as_bytes())?),
        Action::Serve(server, serve) => Ok(server.serve(serve)?),
        Action::Run(run) => measure(&run),
    }
}

/// Measures every cell on every server, round by round, so that what disturbs the machine for a while disturbs all.
fn measure(run: &Run) -> Result<(), Box<dyn Error>> {
    // Servers inherit it.
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let cells = run.cells();
    let mut report = Report::new(cells.clone(), run.repeats, run.workers);
    let mut log = io::stderr();
    for round in 1..=run.repeats {
        for (row, cell) in cells.iter().enumerate() {
            for server in Server::ALL {
                let figure = cell
                    .measure(server, run.workers)
                    .map_err(|error| format!("{cell}, {server:?}: {error}"))?;
                writeln!(
                    log,
                    "{round}/{}  {cell}  {server:?}: {figure:.2} {}",
                    run.repeats,
                    cell.unit()
                )?;
                report.take(row, server, figure);
            }
        }
    }
    write!(io::stdout(), "{report}")?;
    Ok(())
}
