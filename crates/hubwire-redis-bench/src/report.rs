//! The table.

use std::fmt;
use std::fs;
use std::thread;

use crate::cell::{Cell, Figures};
use crate::servers::Kind;

/// The best figures of every cell.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<(String, [Option<Figures>; Kind::ALL.len()])>,
    rounds: usize,
    load_before: String,
}

impl Report {
    pub(crate) fn new(rounds: usize) -> Self {
        Self { rows: Vec::new(), rounds, load_before: load() }
    }

    pub(crate) fn take(&mut self, cell: &Cell, kind: Kind, figures: Figures) {
        let name = cell.to_string();
        let found = self.rows.iter().position(|(row, _)| *row == name);
        let index = found.unwrap_or_else(|| {
            self.rows.push((name, [None; Kind::ALL.len()]));
            self.rows.len() - 1
        });
        let best = &mut self.rows[index].1[kind as usize];
        *best = Some(best.map_or(figures, |best| best.best(figures)));
    }
}

impl fmt::Display for Report {
    /// As Markdown, so that it can be pasted where it is talked about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| cell | figure | Hubwire | socketioxide | ratio |")?;
        writeln!(f, "|---|---|---:|---:|---:|")?;
        for (cell, figures) in &self.rows {
            let &[Some(ours), Some(theirs)] = figures else { continue };
            for (name, ours, theirs) in [
                (
                    "µs CPU of servers per delivery to another server's client",
                    ours.servers,
                    theirs.servers,
                ),
                ("µs CPU of Redis per message", ours.redis, theirs.redis),
                ("messages/s", ours.rate, theirs.rate),
            ] {
                let digits = if ours < 1000.0 { 2 } else { 0 };
                let ratio = ours / theirs;
                writeln!(
                    f,
                    "| {cell} | {name} | {ours:.digits$} | {theirs:.digits$} | {ratio:.2} |"
                )?;
            }
        }
        let build = if cfg!(debug_assertions) {
            "debug build, which says nothing"
        } else {
            "release build"
        };
        let cores = thread::available_parallelism().map_or(0, usize::from);
        writeln!(
            f,
            "\nThe best of {} rounds, one worker per server, {build}; {cores} × {}, load average {} before and {} after.",
            self.rounds,
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
