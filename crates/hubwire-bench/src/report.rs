//! The table, and where it is written.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use crate::cells::Cell;
use crate::peers::{Kind, Peer};
use crate::plot;

/// The most that Hubwire may cost beside the best hub, and beside a bare WebSocket of the same server.
const GOAL_BESIDE_HUBS: f64 = 0.75;
/// See [`GOAL_BESIDE_HUBS`].
const GOAL_BESIDE_RAW: f64 = 1.05;

/// What the README shows.
const OVERVIEW: [&str; 6] = [
    "echo-1x32",
    "echo-16x32",
    "fanout-1000-1x32",
    "fanout-5000",
    "connect-direct",
    "idle-websocket",
];

/// Around what is written into the page; what is outside of it stays.
const BEGIN: &str = "<!-- measured: written by `hubwire-bench run --write` -->\n";
/// See [`BEGIN`].
const END: &str = "<!-- end of what is measured -->\n";

/// The quietest figures of every cell, and where they are from.
#[derive(Debug)]
pub(crate) struct Report {
    cells: Vec<&'static Cell>,
    peers: Vec<&'static Peer>,
    /// By cell and peer.
    figures: Vec<Vec<Option<f64>>>,
    /// How many are in it.
    pub(crate) rounds: usize,
    workers: usize,
    load_before: String,
}

impl Report {
    pub(crate) fn new(
        cells: Vec<&'static Cell>,
        peers: Vec<&'static Peer>,
        workers: usize,
    ) -> Self {
        let figures = vec![vec![None; peers.len()]; cells.len()];
        Self { cells, peers, figures, rounds: 0, workers, load_before: load() }
    }

    /// Keeps a figure if it is the lowest: what disturbs a run only ever adds to what it costs.
    pub(crate) fn take(&mut self, row: usize, column: usize, figure: f64) {
        let best = &mut self.figures[row][column];
        *best = Some(best.map_or(figure, |best| best.min(figure)));
    }

    /// Writes the table into `performance.md` of a folder, and the plots beside it.
    pub(crate) fn write(&self, docs: &Path) -> io::Result<()> {
        let page = docs.join("performance.md");
        let text = fs::read_to_string(&page)?;
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(END)?;
            Some((before, after))
        });
        let Some((before, after)) = parts else {
            return Err(io::Error::other(format!("{} has no place for a table", page.display())));
        };
        fs::write(&page, format!("{before}{BEGIN}\n{self}\n{END}{after}"))?;
        let rows = || self.cells.iter().copied().zip(self.figures.iter().map(Vec::as_slice));
        let overview = rows().filter(|(cell, _)| OVERVIEW.contains(&cell.id));
        fs::write(docs.join("performance.svg"), plot::plot(&self.peers, rows()))?;
        fs::write(docs.join("performance-overview.svg"), plot::plot(&self.peers, overview))
    }

    /// Hubwire's figure, as a multiple of the best of a kind.
    fn ratio(&self, row: usize, is_beside: impl Fn(&Peer) -> bool) -> Option<f64> {
        let of = |is_it: &dyn Fn(&Peer) -> bool| {
            let figures = self.peers.iter().zip(&self.figures[row]);
            let figures = figures.filter(|(peer, _)| is_it(peer)).filter_map(|(_, figure)| *figure);
            figures.min_by(f64::total_cmp)
        };
        Some(of(&|peer| peer.kind == Kind::Ours)? / of(&is_beside)?)
    }
}

impl fmt::Display for Report {
    /// As Markdown, so that it can be pasted where it is talked about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| | unit |")?;
        for peer in &self.peers {
            write!(f, " {} |", peer.name)?;
        }
        writeln!(f, " to the best hub | to actix-ws | goal |")?;
        writeln!(f, "|---|---|{}---:|---:|---|", "---:|".repeat(self.peers.len()))?;
        for (row, cell) in self.cells.iter().enumerate() {
            write!(f, "| {} | {} |", cell.title, cell.unit.text())?;
            for figure in &self.figures[row] {
                write_figure(f, *figure)?;
            }
            let to_hubs = self.ratio(row, |peer| peer.kind == Kind::Hub);
            let to_raw = self.ratio(row, |peer| peer.id == "actix-ws");
            write_figure(f, to_hubs)?;
            write_figure(f, to_raw)?;
            let is_met = to_hubs.is_some_and(|ratio| ratio <= GOAL_BESIDE_HUBS)
                || to_raw.is_some_and(|ratio| ratio <= GOAL_BESIDE_RAW);
            let goal = match (is_met, to_hubs.or(to_raw)) {
                (true, _) => "met",
                (false, Some(_)) => "missed",
                (false, None) => "–",
            };
            writeln!(f, " {goal} |")?;
        }
        let build = if cfg!(debug_assertions) {
            "debug build, which says nothing"
        } else {
            "release build"
        };
        let cores = thread::available_parallelism().map_or(0, usize::from);
        writeln!(
            f,
            "\nThe lowest of {} rounds, {} worker(s) per server, {build}; {cores} × {}, load average {} before and {} after.",
            self.rounds,
            self.workers,
            processor(),
            self.load_before,
            load()
        )
    }
}

fn write_figure(f: &mut fmt::Formatter<'_>, value: Option<f64>) -> fmt::Result {
    match value {
        Some(value) => write!(f, " {} |", figure(value)),
        None => write!(f, " – |"),
    }
}

/// With the digits that mean something.
pub(crate) fn figure(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The name of the processor.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("an unknown processor", |(_, name)| name).to_owned()
}

/// The load average of the last minute.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}
