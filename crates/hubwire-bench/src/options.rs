//! The command line.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::cells::Cell;
use crate::servers::{Serve, Server};

pub(crate) const USAGE: &str = "\
hubwire-bench run [OPTIONS]                          measures, and prints a table
    --cells echo,fanout,idle                         which; all unless said otherwise
    --repeats 5                                      rounds, of which the quietest counts
    --workers 1                                      threads of each server
    --echo-clients 64  --echo-calls 100000           calls of all clients together, per round
    --fanout-clients 1000  --broadcasts 200          per round
    --idle-clients 5000
hubwire-bench serve [--port 5000] [--workers 1]      a Hubwire hub at /hub: Echo(text), Broadcast(text)
hubwire-bench serve-actix-ws [--port 5000] [--workers 1]
                                                     plain actix-ws at /echo; what begins with * goes to all
";

/// What the program was asked to do.
#[derive(Debug)]
pub(crate) enum Action {
    Serve(Server, Serve),
    Run(Run),
    Help,
}

/// A measurement.
#[derive(Debug)]
pub(crate) struct Run {
    kinds: Vec<Kind>,
    pub(crate) repeats: usize,
    pub(crate) workers: usize,
    echo_clients: usize,
    echo_calls: u64,
    fanout_clients: usize,
    broadcasts: u64,
    idle_clients: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Echo,
    Fanout,
    Idle,
}

impl Default for Run {
    /// Loads that take about a second each, so that the scheduler's noise is small beside them.
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Echo, Kind::Fanout, Kind::Idle],
            repeats: 5,
            workers: 1,
            echo_clients: 64,
            echo_calls: 100_000,
            fanout_clients: 1000,
            broadcasts: 200,
            idle_clients: 5000,
        }
    }
}

impl Run {
    /// The cells in the order of the table.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for kind in &self.kinds {
            match kind {
                Kind::Echo => {
                    for (bytes, in_flight) in [(32, 1), (32, 16), (1024, 1), (1024, 16)] {
                        let (clients, calls) = (self.echo_clients, self.echo_calls);
                        cells.push(Cell::Echo { clients, in_flight, bytes, calls });
                    }
                }
                Kind::Fanout => {
                    for (bytes, in_flight) in [(32, 1), (32, 4), (1024, 1), (1024, 4)] {
                        let (clients, broadcasts) = (self.fanout_clients, self.broadcasts);
                        cells.push(Cell::Fanout { clients, in_flight, bytes, broadcasts });
                    }
                }
                Kind::Idle => cells.push(Cell::Idle { clients: self.idle_clients }),
            }
        }
        cells
    }
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Action, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    match parser.next()? {
        Some(Value(command)) => match command.to_str() {
            Some("run") => parse_run(parser).map(Action::Run),
            Some(command) => {
                let server = Server::ALL.into_iter().find(|server| server.command() == command);
                let server = server.ok_or_else(|| format!("no command is called {command}"))?;
                Ok(Action::Serve(server, parse_serve(parser)?))
            }
            None => Err(Value(command).unexpected()),
        },
        Some(Short('h') | Long("help")) | None => Ok(Action::Help),
        Some(other) => Err(other.unexpected()),
    }
}

fn parse_serve(mut parser: lexopt::Parser) -> Result<Serve, lexopt::Error> {
    let mut serve = Serve { port: 5000, workers: 1 };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => serve.port = parser.value()?.parse()?,
            Long("workers") => serve.workers = at_least_one(&mut parser)?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(serve)
}

fn parse_run(mut parser: lexopt::Parser) -> Result<Run, lexopt::Error> {
    let mut run = Run::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("cells") => run.kinds = parser.value()?.parse_with(kinds)?,
            Long("repeats") => run.repeats = at_least_one(&mut parser)?,
            Long("workers") => run.workers = at_least_one(&mut parser)?,
            Long("echo-clients") => run.echo_clients = at_least_one(&mut parser)?,
            Long("echo-calls") => run.echo_calls = at_least_one(&mut parser)?,
            Long("fanout-clients") => run.fanout_clients = at_least_one(&mut parser)?,
            Long("broadcasts") => run.broadcasts = at_least_one(&mut parser)?,
            Long("idle-clients") => run.idle_clients = at_least_one(&mut parser)?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(run)
}

fn kinds(list: &str) -> Result<Vec<Kind>, String> {
    let kind = |name| match name {
        "echo" => Ok(Kind::Echo),
        "fanout" => Ok(Kind::Fanout),
        "idle" => Ok(Kind::Idle),
        other => Err(format!("no cell is called {other}")),
    };
    list.split(',').map(kind).collect()
}

/// A number; nothing here makes sense with zero of it.
fn at_least_one<T>(parser: &mut lexopt::Parser) -> Result<T, lexopt::Error>
where
    T: std::str::FromStr + Default + PartialEq,
    T::Err: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let number: T = parser.value()?.parse()?;
    if number == T::default() { Err("at least 1 is needed".into()) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Action, lexopt::Error> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands_are_told_apart() {
        assert!(matches!(parsed(""), Ok(Action::Help)));
        assert!(matches!(parsed("--help"), Ok(Action::Help)));
        let Ok(Action::Serve(server, serve)) = parsed("serve-actix-ws --port 7 --workers=2") else {
            panic!("serve-actix-ws serves");
        };
        assert_eq!((server, serve.port, serve.workers), (Server::ActixWs, 7, 2));
        let Ok(Action::Run(run)) = parsed("run --cells idle,echo --repeats 1") else {
            panic!("run runs");
        };
        assert_eq!((run.kinds.as_slice(), run.repeats), (&[Kind::Idle, Kind::Echo][..], 1));
        assert_eq!(run.cells().len(), 5);
    }

    #[test]
    fn mistakes_are_told() {
        let lines =
            ["walk", "-x", "serve 1", "serve --port x", "run --repeats 0", "run --cells tea"];
        for line in lines {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
