//! The command line.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::servers::Kind;

pub(crate) const USAGE: &str = "\
hubwire-redis-bench run [OPTIONS]              measures, and prints a table
    --rounds 5                                 of which the lowest figures count
    --servers 3                                that share a room; 2 at least
    --messages 20000                           per round and cell with one client on each server
hubwire-redis-bench serve-hubwire URL          one server over the Redis at this address
hubwire-redis-bench serve-socketioxide URL     the same of the peer
";

/// What the program was asked to do.
#[derive(Debug)]
pub(crate) enum Action {
    Serve(Kind, String),
    Run(Run),
    Help,
}

/// A measurement.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) rounds: usize,
    pub(crate) servers: usize,
    pub(crate) messages: u64,
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Action, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let command = match parser.next()? {
        Some(Value(command)) => command.string()?,
        Some(Short('h') | Long("help")) | None => return Ok(Action::Help),
        Some(other) => return Err(other.unexpected()),
    };
    if command == "run" {
        return parse_run(parser).map(Action::Run);
    }
    let kind = Kind::ALL.into_iter().find(|kind| kind.command() == command);
    let kind = kind.ok_or_else(|| format!("no command is called {command}"))?;
    Ok(Action::Serve(kind, parser.value()?.string()?))
}

fn parse_run(mut parser: lexopt::Parser) -> Result<Run, lexopt::Error> {
    let mut run = Run { rounds: 5, servers: 3, messages: 20_000 };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => run.rounds = parser.value()?.parse()?,
            Long("servers") => run.servers = parser.value()?.parse()?,
            Long("messages") => run.messages = parser.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    if run.rounds == 0 || run.messages == 0 || run.servers < 2 {
        return Err("a round, a message and two servers are needed at least".into());
    }
    Ok(run)
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
        let Ok(Action::Run(Run { rounds: 2, servers: 3, messages: 7 })) =
            parsed("run --rounds 2 --messages=7")
        else {
            panic!("run runs");
        };
        let Ok(Action::Serve(Kind::Hubwire, url)) = parsed("serve-hubwire redis://x") else {
            panic!("it serves");
        };
        assert_eq!(url, "redis://x");
    }

    #[test]
    fn mistakes_are_told() {
        for line in
            ["walk", "-x", "serve-hubwire", "run --rounds 0", "run --servers 1", "run --messages x"]
        {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
