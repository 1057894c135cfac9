//! Memory line by line as text, in the layout of Python's `memory_profiler`, with two more columns:
//! the peak and the number of allocations.

use crate::notes;
use crate::table::{self, Column};
use crate::units;
use crate::{Figures, Function, Place, Profile};

const COLUMNS: [Column; 5] = [
    Column {
        header: "Mem usage",
        width: 13,
    },
    Column {
        header: "Increment",
        width: 13,
    },
    Column {
        header: "Peak",
        width: 13,
    },
    Column {
        header: "Allocs",
        width: 10,
    },
    Column {
        header: "Occurrences",
        width: 13,
    },
];

/// Between the last figure and the source.
const GAP: usize = 3;

/// A table per function and the notes, with blank lines between them. No newline at the end.
///
/// Sizes are in the unit that fits or, with a `precision`, in MiB with `precision` decimals.
pub fn text(profile: &Profile, precision: Option<usize>) -> String {
    let mut blocks: Vec<String> = profile
        .functions
        .iter()
        .map(|function| block(function, precision))
        .collect();
    if blocks.is_empty() {
        blocks.push(notes::nothing_shown(profile).to_owned());
    }
    blocks.push(table::below(profile, notes::of(profile)));
    blocks.join("\n\n")
}

/// Like [`text`], for an ordinary program: the run has no statement, and each function has a precision
/// of its own.
pub fn of_program(profile: &Profile, precisions: &[Option<usize>]) -> String {
    let functions = profile.functions.iter().zip(precisions);
    let mut blocks: Vec<String> = functions
        .map(|(function, precision)| block(function, *precision))
        .collect();
    blocks.push(table::below(profile, notes::of_program(profile)));
    blocks.join("\n\n")
}

/// The figures of a whole function: `increment: 0 B, highest peak of a line: 76.29 MiB, 1 allocation
/// in 1 call`.
pub fn total(function: &Function, precision: Option<usize>) -> String {
    if let Some(word) = notes::without_figures(function) {
        return word;
    }
    format!(
        "increment: {}, highest peak of a line: {}, {} in {}",
        units::signed_size(function.increment(), precision),
        units::size(function.peak(), precision),
        units::counted(&units::count(function.allocations()), "allocation"),
        units::counted(&units::count(function.calls), "call"),
    )
}

fn block(function: &Function, precision: Option<usize>) -> String {
    let place = match &function.place {
        Place::Unknown => String::new(),
        place => format!(" ({place})"),
    };
    let table = table::table(function, &COLUMNS, GAP, |line| {
        line.active().map(|figures| cells(figures, precision))
    });
    format!(
        "Function: {}{place}\n\n{table}\n{}",
        function.name,
        total(function, precision)
    )
}

fn cells(figures: &Figures, precision: Option<usize>) -> [String; 5] {
    [
        units::signed_size(figures.memory, precision),
        units::signed_size(figures.increment, precision),
        units::size(figures.peak, precision),
        figures.allocations.to_string(),
        table::hits(figures),
    ]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::samples::{MIB, build, function, memory, of_heap, stopped};
    use crate::{Backend, Kind};

    /// Scripts that read the table may look for this line.
    const HEADER: &str =
        "Line #    Mem usage    Increment         Peak    Allocs  Occurrences   Line Contents";

    #[test]
    fn two_vectors_in_a_cell() {
        assert_snapshot!(text(&of_heap(vec![build()]), None));
    }

    #[test]
    fn the_header_has_memory_profilers_columns_and_two_more() {
        let text = text(&of_heap(vec![build()]), None);
        let rule = "=".repeat(HEADER.len());
        assert!(text.contains(&format!("\n{HEADER}\n{rule}\n")));
    }

    #[test]
    fn a_precision_is_decimals_of_a_mebibyte() {
        assert_snapshot!(text(&of_heap(vec![build()]), Some(4)));
    }

    #[test]
    fn several_functions_one_of_them_never_called() {
        let mut idle = function("Shape::idle", 9, "fn idle() {}", &[(9, Figures::default())]);
        idle.calls = 0;
        idle.place = Place::File("src/shape.rs".to_owned());
        assert_snapshot!(text(&of_heap(vec![idle, build()]), None));
    }

    #[test]
    fn resident_memory_of_a_run_with_threads_and_children() {
        let mut f = function(
            "f",
            1,
            "fn f() {\n\tg(); // <é>\n}",
            &[(2, memory(105 * MIB, 100 * MIB, 100 << 20, 7))],
        );
        f.place = Place::Unknown;
        let profile = Profile {
            kind: Kind::Memory {
                backend: Backend::Rss,
                children: true,
                baseline: 5 << 20,
            },
            threaded: true,
            ..of_heap(vec![f])
        };
        assert_snapshot!(text(&profile, None));
    }

    #[test]
    fn a_run_that_stopped_early_shows_where() {
        let mut f = build();
        f.stopped_at = Some(4);
        let profile = Profile {
            stopped: Some(stopped("the statement panicked")),
            ..of_heap(vec![f])
        };
        assert_snapshot!(text(&profile, None));
    }

    #[test]
    fn each_function_of_a_program_has_its_precision() {
        let mut other = build();
        other.name = "other".to_owned();
        other.place = Place::File("src/main.rs".to_owned());
        other.stopped_at = Some(3);
        let profile = Profile {
            stopped: Some(stopped("the program ended on line 3 of `other`")),
            threaded: true,
            ..of_heap(vec![build(), other])
        };
        assert_snapshot!(of_program(&profile, &[None, Some(2)]));
    }

    #[test]
    fn no_functions() {
        assert_snapshot!(text(&of_heap(Vec::new()), None), @"
        no function was measured

        memory: live heap above the start of the statement
        ");
    }

    #[test]
    fn columns_grow_with_their_numbers() {
        let huge = Figures {
            hits: u64::MAX,
            ..memory(i64::MAX, i64::MIN, u64::MAX, u64::MAX)
        };
        let f = function("f", 123_456, "    x();", &[(123_456, huge)]);
        assert_snapshot!(text(&of_heap(vec![f]), Some(1)));
    }
}
