//! Plots as SVG: for each cell a panel of bars, one per peer.

use std::fmt::Write as _;

use crate::cells::Cell;
use crate::peers::{Kind, Peer};

const COLUMNS: usize = 2;
const PANEL_WIDTH: usize = 430;
const NAMES_WIDTH: usize = 130;
const FIGURES_WIDTH: usize = 50;
const BAR_HEIGHT: usize = 16;
const TITLE_HEIGHT: usize = 40;
const GAP: usize = 20;

/// Read on white and on black: pages choose by the reader's setting.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.unit{fill:#656d76}\
.ours{fill:#0969da}.hub{fill:#8c959f}.raw{fill:#c9d1d9}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.unit{fill:#8d96a0}.ours{fill:#4493f8}.hub{fill:#6e7681}.raw{fill:#444c56}}";

/// A panel for every cell that has more than one figure.
pub(crate) fn plot<'a>(
    peers: &[&'static Peer],
    rows: impl Iterator<Item = (&'static Cell, &'a [Option<f64>])>,
) -> String {
    let mut body = String::new();
    let mut heights = [0; COLUMNS];
    for (cell, figures) in rows {
        let bars: Vec<_> = peers
            .iter()
            .zip(figures)
            .filter_map(|(peer, figure)| figure.map(|figure| (*peer, figure)))
            .collect();
        if bars.len() < 2 {
            continue;
        }
        let column = if heights[0] <= heights[1] { 0 } else { 1 };
        panel(cell, &bars, column * (PANEL_WIDTH + GAP), heights[column], &mut body);
        heights[column] += TITLE_HEIGHT + bars.len() * (BAR_HEIGHT + 4) + GAP;
    }
    let width = COLUMNS * (PANEL_WIDTH + GAP) - GAP;
    let height = heights.into_iter().max().unwrap_or_default();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"What Hubwire and other servers cost\">\n<style>{STYLE}</style>\n{body}</svg>\n"
    )
}

/// Less is better, so the longest bar is the worst.
fn panel(cell: &Cell, bars: &[(&Peer, f64)], x: usize, y: usize, out: &mut String) {
    let most = bars.iter().map(|(_, figure)| *figure).fold(f64::MIN_POSITIVE, f64::max);
    let room = (PANEL_WIDTH - NAMES_WIDTH - FIGURES_WIDTH) as f64;
    // A String takes all that is written.
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{x}\" y=\"{}\">{}</text><text class=\"unit\" x=\"{x}\" y=\"{}\">{}</text>",
        y + 14,
        cell.title,
        y + 30,
        cell.unit.text()
    );
    for (index, (peer, figure)) in bars.iter().enumerate() {
        let class = match peer.kind {
            Kind::Ours => "ours",
            Kind::Hub => "hub",
            Kind::Raw => "raw",
        };
        let top = y + TITLE_HEIGHT + index * (BAR_HEIGHT + 4);
        let (start, length) = (x + NAMES_WIDTH, figure / most * room);
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{}\">{}</text><rect class=\"{class}\" x=\"{start}\" y=\"{top}\" width=\"{length:.1}\" \
             height=\"{BAR_HEIGHT}\" rx=\"2\"/><text x=\"{:.1}\" y=\"{}\">{}</text>",
            top + 12,
            peer.name,
            start as f64 + length + 6.0,
            top + 12,
            crate::report::figure(*figure)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cells, peers};

    #[test]
    fn plots_cells_that_compare_something() {
        let cells: Vec<_> = cells::all().take(2).collect();
        let figures = [vec![Some(1.0), Some(2.5)], vec![Some(1.0), None]];
        let rows = cells.iter().zip(&figures).map(|(cell, figures)| (*cell, figures.as_slice()));
        let svg = plot(&peers::ALL[..2], rows);
        assert!(svg.contains(cells[0].title) && !svg.contains(cells[1].title), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("width=\"250.0\"") && svg.contains(">2.50</text>"), "{svg}");
    }
}
