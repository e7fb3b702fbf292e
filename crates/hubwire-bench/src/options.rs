//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::cells::{self, Cell};
use crate::link::Link;
use crate::load::Load;
use crate::peers::{self, Compression, Kind, Peer, Serve, Start};

pub(crate) const USAGE: &str = "\
hubwire-bench run [OPTIONS]                  measures, and prints a table
    --cells echo,idle-websocket              by the beginnings of their names; all unless said otherwise
    --peers hubwire,actix-ws                 all unless said otherwise
    --repeats 5                              rounds, of which the quietest counts
    --workers 1                              threads of each server, where they can be chosen
    --scale 1                                of all sizes; 0.02 tries everything in a minute
    --write ../../docs                       performance.md there gets the table and its plots
hubwire-bench load URL [OPTIONS]             calls a hub of yours, and says what its clients wait and what it costs
    --target Echo --arguments '[\"hi\"]'       what is called
    --clients 1000 --steps 5                 how many, and in how many steps they come
    --watch 10 --pause 1                     seconds of each step, and from an answer to the next call
    --transport websocket                    or direct (without negotiation), sse, long-polling
    --pid 4711                               the server, if it runs on this machine
hubwire-bench grow                           how cost grows, in memory, to 100,000 connections and groups
hubwire-bench list                           the cells and the peers
hubwire-bench serve [--port 5000] [--workers 1] [--compression]
                                             a Hubwire hub at /hub: Echo(text), Broadcast(text), Join(group),
                                             ToGroup(group, text), Ticks(items)
hubwire-bench serve-PEER                     the same peer that is measured
";

/// What the program was asked to do.
#[derive(Debug)]
pub(crate) enum Action {
    Serve(fn(Serve) -> std::io::Result<()>, Serve),
    Run(Run),
    Load(Load),
    Grow,
    List,
    Help,
}

/// A measurement.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) cells: Vec<&'static Cell>,
    pub(crate) peers: Vec<&'static Peer>,
    pub(crate) repeats: usize,
    pub(crate) workers: usize,
    /// Of clients and operations. At 1 a load takes about a second, so that the scheduler's noise is small beside it.
    pub(crate) scale: f64,
    pub(crate) write: Option<PathBuf>,
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Action, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    match parser.next()? {
        Some(Value(command)) => match command.to_str() {
            Some("run") => parse_run(parser).map(Action::Run),
            Some("load") => parse_load(parser).map(Action::Load),
            Some("grow") => Ok(Action::Grow),
            Some("list") => Ok(Action::List),
            Some(command) => {
                let peer = peers::ALL.into_iter().find(|peer| peer.command() == command);
                match peer.map(|peer| peer.start) {
                    Some(Start::Here(serve)) => Ok(Action::Serve(serve, parse_serve(parser)?)),
                    Some(Start::Elsewhere(_)) | None => {
                        Err(format!("no command is called {command}").into())
                    }
                }
            }
            None => Err(Value(command).unexpected()),
        },
        Some(Short('h') | Long("help")) | None => Ok(Action::Help),
        Some(other) => Err(other.unexpected()),
    }
}

fn parse_serve(mut parser: lexopt::Parser) -> Result<Serve, lexopt::Error> {
    let mut serve = Serve { port: 5000, workers: 1, compression: Compression::Off };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => serve.port = parser.value()?.parse()?,
            Long("workers") => serve.workers = at_least_one(&mut parser)?,
            Long("compression") => serve.compression = Compression::On,
            other => return Err(other.unexpected()),
        }
    }
    Ok(serve)
}

fn parse_run(mut parser: lexopt::Parser) -> Result<Run, lexopt::Error> {
    let mut run = Run {
        cells: cells::all().collect(),
        peers: peers::ALL.to_vec(),
        repeats: 5,
        workers: 1,
        scale: 1.0,
        write: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("cells") => run.cells = parser.value()?.parse_with(chosen_cells)?,
            Long("peers") => run.peers = parser.value()?.parse_with(chosen_peers)?,
            Long("repeats") => run.repeats = at_least_one(&mut parser)?,
            Long("workers") => run.workers = at_least_one(&mut parser)?,
            Long("scale") => run.scale = parser.value()?.parse()?,
            Long("write") => run.write = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    if !(run.scale > 0.0 && run.scale.is_finite()) {
        return Err("--scale is above 0".into());
    }
    Ok(run)
}

fn parse_load(mut parser: lexopt::Parser) -> Result<Load, lexopt::Error> {
    let mut url = None;
    let mut load = Load {
        url: String::new(),
        link: Link::Negotiated,
        target: "Echo".to_owned(),
        arguments: "[\"hi\"]".to_owned(),
        clients: 1000,
        steps: 5,
        watch: Duration::from_secs(10),
        pause: Duration::from_secs(1),
        pid: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Value(value) if url.is_none() => url = Some(value.string()?),
            Long("target") => load.target = parser.value()?.string()?,
            Long("arguments") => {
                load.arguments = parser.value()?.string()?;
                serde_json::from_str::<Vec<serde_json::Value>>(&load.arguments)
                    .map_err(|error| format!("--arguments is an array as JSON: {error}"))?;
            }
            Long("clients") => load.clients = at_least_one(&mut parser)?,
            Long("steps") => load.steps = at_least_one(&mut parser)?,
            Long("watch") => load.watch = parser.value()?.parse_with(seconds)?,
            Long("pause") => load.pause = parser.value()?.parse_with(seconds)?,
            Long("transport") => load.link = parser.value()?.parse_with(transport)?,
            Long("pid") => load.pid = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    load.steps = load.steps.min(load.clients);
    load.url = url.ok_or("the address of a hub is needed, http://host:port/path")?;
    Ok(load)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text} is no number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn transport(name: &str) -> Result<Link, String> {
    match name {
        "websocket" => Ok(Link::Negotiated),
        "direct" => Ok(Link::WebSocket),
        "sse" => Ok(Link::EventStream),
        "long-polling" => Ok(Link::LongPolling),
        other => Err(format!("no transport is called {other}")),
    }
}

fn chosen_cells(list: &str) -> Result<Vec<&'static Cell>, String> {
    for name in list.split(',') {
        if !cells::all().any(|cell| cell.id.starts_with(name)) {
            return Err(format!("no cell is called {name}"));
        }
    }
    let is_chosen = |cell: &&Cell| list.split(',').any(|name| cell.id.starts_with(name));
    Ok(cells::all().filter(is_chosen).collect())
}

fn chosen_peers(list: &str) -> Result<Vec<&'static Peer>, String> {
    let peer = |id| {
        let peer = peers::ALL.into_iter().find(|peer| peer.id == id);
        peer.ok_or_else(|| format!("no peer is called {id}"))
    };
    let peers: Vec<_> = list.split(',').map(peer).collect::<Result<_, _>>()?;
    if peers.iter().any(|peer| peer.kind == Kind::Ours) {
        Ok(peers)
    } else {
        Err("hubwire has to be among the peers, as all the others are compared with it".to_owned())
    }
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
        assert!(matches!(parsed("list"), Ok(Action::List)));
        let Ok(Action::Serve(_, serve)) = parsed("serve-actix-ws --port 7 --workers=2") else {
            panic!("serve-actix-ws serves");
        };
        assert_eq!((serve.port, serve.workers), (7, 2));
        let line = "run --cells idle,echo-1x32 --peers hubwire,actix-ws --repeats 1 --scale 0.5";
        let Ok(Action::Run(run)) = parsed(line) else {
            panic!("run runs");
        };
        let ids: Vec<_> = run.cells.iter().map(|cell| cell.id).collect();
        assert_eq!(ids, ["echo-1x32", "idle-websocket", "idle-event-stream", "idle-poll"]);
        assert_eq!((run.peers.len(), run.repeats), (2, 1));
    }

    #[test]
    fn loads_have_their_options() {
        let line = "load http://127.0.0.1:5000/chat --target Add --arguments [1,2] --pause 0.5 --transport sse";
        let Ok(Action::Load(load)) = parsed(line) else {
            panic!("load loads");
        };
        assert_eq!((load.target.as_str(), load.arguments.as_str()), ("Add", "[1,2]"));
        assert_eq!((load.pause, load.link), (Duration::from_millis(500), Link::EventStream));
    }

    #[test]
    fn cells_have_names_of_their_own() {
        let mut ids: Vec<_> = cells::all().map(|cell| cell.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn mistakes_are_told() {
        for line in [
            "walk",
            "-x",
            "serve 1",
            "serve --port x",
            "serve-socket-io",
            "run --repeats 0",
            "run --scale 0",
            "run --cells tea",
            "run --peers actix-ws",
            "load",
            "load http://127.0.0.1/a --arguments 1",
            "load http://127.0.0.1/a --transport pigeon",
            "load http://127.0.0.1/a --watch -1",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
