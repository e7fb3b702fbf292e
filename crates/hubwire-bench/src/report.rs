//! The table.

use std::fmt;
use std::fs;
use std::thread;

use crate::cells::Cell;
use crate::servers::Server;

/// The quietest figures of every cell, and where they are from.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<(Cell, [f64; Server::ALL.len()])>,
    repeats: usize,
    workers: usize,
    load_before: String,
}

impl Report {
    pub(crate) fn new(cells: Vec<Cell>, repeats: usize, workers: usize) -> Self {
        let rows = cells.into_iter().map(|cell| (cell, [f64::INFINITY; Server::ALL.len()]));
        Self { rows: rows.collect(), repeats, workers, load_before: load() }
    }

    /// Keeps a figure if it is the lowest: what disturbs a run only ever adds to what it costs.
    pub(crate) fn take(&mut self, row: usize, server: Server, figure: f64) {
        let best = &mut self.rows[row].1[server as usize];
        *best = best.min(figure);
    }
}

impl fmt::Display for Report {
    /// As Markdown, so that it can be pasted where it is talked about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| cell | unit | Hubwire | actix-ws | ratio |")?;
        writeln!(f, "|---|---|---:|---:|---:|")?;
        for (cell, [hubwire, actix_ws]) in &self.rows {
            let (unit, ratio) = (cell.unit(), hubwire / actix_ws);
            writeln!(f, "| {cell} | {unit} | {hubwire:.2} | {actix_ws:.2} | {ratio:.2} |")?;
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
            self.repeats,
            self.workers,
            processor(),
            self.load_before,
            load()
        )
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
