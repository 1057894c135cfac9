//! What cells have cost, in lines of text.

use super::once_text::{more, time};
use crate::result::{CellCost, CostsOrder, CostsResult};
use crate::units;

/// Characters of a bar.
const BAR: u64 = 8;

/// A figure that is not known.
pub(super) const UNKNOWN: &str = "–";

/// The columns in front of the source.
pub(super) const HEADERS: [&str; 6] = ["Cell", "Compile", "Run", "Peak", "Increment", "Held"];

/// A table of all cells.
pub(super) fn table(result: &CostsResult, order: CostsOrder) -> String {
    if result.cells.is_empty() {
        return "no cell has run yet".to_owned();
    }
    let highest = highest(result);
    let cells = result.ordered(order);
    let rows: Vec<_> = cells.iter().map(|cell| figures(cell)).collect();
    let widths: [usize; HEADERS.len()] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).max(HEADERS[column].len())
    });
    let line = |cells: &[String], bar: &str, source: &str| {
        let columns = cells.iter().zip(widths);
        let columns: Vec<_> = columns
            .map(|(cell, width)| format!("{cell:>width$}"))
            .collect();
        let width = usize::try_from(BAR).unwrap_or(0);
        format!("{}  {bar:width$}  {source}", columns.join("  "))
            .trim_end()
            .to_owned()
    };
    let header = line(&HEADERS.map(str::to_owned), "", "Source");
    let cells = cells.iter().zip(&rows).map(|(cell, row)| {
        let bar = bar(cell.peak_memory.unwrap_or(0), highest);
        line(row, &bar, &cell.source)
    });
    let mut lines = vec![header];
    lines.extend(cells);
    lines.extend(notes(result));
    lines.join("\n")
}

/// The largest peak.
pub(super) fn highest(result: &CostsResult) -> u64 {
    let peaks = result.cells.iter().filter_map(|cell| cell.peak_memory);
    peaks.max().unwrap_or(0)
}

fn bar(size: u64, scale: u64) -> String {
    let eighths = (size * BAR * 8).checked_div(scale).unwrap_or(0);
    let full = "█".repeat(usize::try_from(eighths / 8).unwrap_or(0));
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    full + part[usize::try_from(eighths % 8).unwrap_or(0)]
}

/// The columns of a cell.
pub(super) fn figures(cell: &CellCost) -> [String; HEADERS.len()] {
    let time = |ns: Option<u64>| ns.map_or(UNKNOWN.to_owned(), time);
    let size = |bytes: Option<u64>| bytes.map_or(UNKNOWN.to_owned(), units::bytes);
    let mark = if cell.succeeded { "" } else { "!" };
    [
        format!("{mark}[{}]", cell.cell),
        time(cell.compile_ns),
        time(cell.run_ns),
        size(cell.peak_memory),
        size(cell.increment),
        cell.session_change.map_or(UNKNOWN.to_owned(), signed),
    ]
}

/// What the figures of a table do not show.
pub(super) fn notes(result: &CostsResult) -> Vec<String> {
    let mut notes = vec![
        "Held: heap that the session holds more after the cell, to within what the allocator keeps ready.".to_owned(),
    ];
    if result.cells.iter().any(|cell| !cell.succeeded) {
        notes.push("!: the cell failed.".to_owned());
    }
    notes
}

/// A cell in one line; nothing about a cell that has compiled and run nothing.
pub(super) fn line(cell: &CellCost) -> Option<String> {
    if cell.succeeded && cell.compile_ns.is_none() {
        return None;
    }
    let mut parts = Vec::new();
    match (cell.compile_ns, cell.run_ns) {
        (Some(compile), Some(run)) => {
            parts.push(format!(
                "compiled in {}, ran in {}",
                time(compile),
                time(run)
            ));
        }
        _ => parts.push(format!("ended after {}", time(cell.wall_ns))),
    }
    if let (Some(peak), Some(increment)) = (cell.peak_memory, cell.increment) {
        parts.push(format!(
            "peak memory: {}, increment: {}",
            units::mib(peak),
            units::mib(increment)
        ));
    }
    if let Some(change) = cell.session_change {
        parts.push(format!("the session holds about {}", more(change)));
    }
    Some(parts.join(" · "))
}

fn signed(change: i64) -> String {
    let sign = if change > 0 { "+" } else { "" };
    format!("{sign}{}", units::signed_bytes(change))
}

#[cfg(test)]
pub(super) mod tests {
    use insta::assert_snapshot;

    use super::*;

    pub(in crate::report) fn sample() -> CostsResult {
        let cell = |cell, source: &str| CellCost {
            cell,
            succeeded: true,
            wall_ns: 90_000_000,
            compile_ns: Some(84_000_000),
            run_ns: Some(1_230),
            peak_memory: Some(9 << 20),
            increment: Some(0),
            session_change: Some(0),
            source: source.to_owned(),
            ..CellCost::default()
        };
        CostsResult {
            cells: vec![
                cell(1, "1 + 1"),
                CellCost {
                    run_ns: Some(51_200_000),
                    peak_memory: Some(109 << 20),
                    increment: Some(100 << 20),
                    session_change: Some(100 << 20),
                    ..cell(2, "let v = vec![1u8; 100 << 20];")
                },
                CellCost {
                    succeeded: false,
                    compile_ns: None,
                    run_ns: None,
                    peak_memory: None,
                    increment: None,
                    session_change: None,
                    ..cell(3, "panic!()")
                },
                CellCost {
                    session_change: Some(-(100 << 20)),
                    ..cell(4, "drop(v);")
                },
            ],
        }
    }

    #[test]
    fn the_cells_of_a_session() {
        assert_snapshot!(table(&sample(), CostsOrder::Cell), @"
        Cell  Compile      Run        Peak   Increment         Held            Source
         [1]    84 ms  1.23 μs    9.00 MiB         0 B          0 B  ▋         1 + 1
         [2]    84 ms  51.2 ms  109.00 MiB  100.00 MiB  +100.00 MiB  ████████  let v = vec![1u8; 100 << 20];
        ![3]        –        –           –           –            –            panic!()
         [4]    84 ms  1.23 μs    9.00 MiB         0 B  -100.00 MiB  ▋         drop(v);
        Held: heap that the session holds more after the cell, to within what the allocator keeps ready.
        !: the cell failed.
        ");
        assert_eq!(
            table(&CostsResult::default(), CostsOrder::Peak),
            "no cell has run yet"
        );
    }

    #[test]
    fn the_order_is_that_of_the_users_choice() {
        let first = |order| sample().ordered(order)[0].cell;
        let all = [CostsOrder::Cell, CostsOrder::Peak, CostsOrder::Held].map(first);
        assert_eq!(all, [1, 2, 2]);
    }

    #[test]
    fn a_cell_in_one_line() {
        let lines: Vec<_> = sample().cells.iter().filter_map(line).collect();
        assert_snapshot!(lines.join("\n"), @"
        compiled in 84 ms, ran in 1.23 μs · peak memory: 9.00 MiB, increment: 0.00 MiB · the session holds about as much as before
        compiled in 84 ms, ran in 51.2 ms · peak memory: 109.00 MiB, increment: 100.00 MiB · the session holds about 100.00 MiB more
        ended after 90 ms
        compiled in 84 ms, ran in 1.23 μs · peak memory: 9.00 MiB, increment: 0.00 MiB · the session holds about 100.00 MiB less
        ");
    }
}
