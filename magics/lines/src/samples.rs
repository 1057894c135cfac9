//! Profiles for the tests of views, here and in other crates.

use crate::{Backend, Clock, Figures, Function, Kind, Line, Place, Profile, Stopped};

/// Bytes in a mebibyte.
pub const MIB: i64 = 1 << 20;

/// A function of a cell whose lines are those of `source`, each with the figures in `figures`.
pub fn function(name: &str, first: u32, source: &str, figures: &[(u32, Figures)]) -> Function {
    let lines = (first..).zip(source.lines()).map(|(number, source)| Line {
        number,
        source: source.to_owned(),
        figures: figures
            .iter()
            .find(|(of, _)| *of == number)
            .map(|(_, figures)| *figures),
    });
    Function {
        name: name.to_owned(),
        place: Place::Cell { number: 3 },
        first,
        calls: 1,
        lines: lines.collect(),
        stopped_at: None,
    }
}

/// Figures of a line that was executed once.
pub fn memory(memory: i64, increment: i64, peak: u64, allocations: u64) -> Figures {
    Figures {
        hits: 1,
        memory,
        increment,
        peak,
        allocations,
        time_ns: 0,
    }
}

/// Figures of a line with nothing but time.
pub fn time(hits: u64, time_ns: u64) -> Figures {
    Figures {
        hits,
        time_ns,
        ..Figures::default()
    }
}

/// A function that makes two vectors and keeps neither.
pub fn build() -> Function {
    let source = "\
fn build(n: usize) -> u64 {
    // Freed at the end.
    let a = vec![1u64; n];
    let b: Vec<u64> = a.iter().map(|x| x * 2).collect();
    drop(a);
    b.iter().sum()
}";
    let size = 80_000_000;
    function(
        "build",
        1,
        source,
        &[
            (3, memory(size, size, 80_000_000, 1)),
            (4, memory(2 * size, size, 80_000_000, 1)),
            (5, memory(size, -size, 0, 0)),
            (6, memory(size, 0, 0, 0)),
            (
                7,
                Figures {
                    hits: 0,
                    ..memory(0, -size, 0, 0)
                },
            ),
        ],
    )
}

/// The inner loops of a Julia set.
pub fn calculate_z() -> Function {
    let source = "\
fn calculate_z(maxiter: u32, zs: &[Complex], cs: &[Complex]) -> Vec<u32> {
    let mut output = vec![0; zs.len()];
    for i in 0..zs.len() {
        let (mut n, mut z, c) = (0, zs[i], cs[i]);
        /* Leaves the circle of radius 2,
           or never does. */
        while z.norm_sqr() < 4.0 && n < maxiter {
            z = z * z + c;
            n += 1;
        }
        output[i] = n;
    }
    output
}";
    function(
        "calculate_z",
        12,
        source,
        &[
            (13, time(1, 400_000)),
            (14, time(1_000_001, 1_600_000)),
            (15, time(1_000_000, 3_100_000)),
            (18, time(34_219_980, 151_900_000)),
            (19, time(33_219_980, 98_700_000)),
            (20, time(33_219_980, 40_200_000)),
            (22, time(1_000_000, 900_000)),
            (24, time(1, 0)),
        ],
    )
}

/// Heap, measured in a fork that ran to its end.
pub fn of_heap(functions: Vec<Function>) -> Profile {
    Profile {
        functions,
        kind: Kind::Memory {
            backend: Backend::Heap,
            children: false,
            baseline: 0,
        },
        wall_ns: 120_000_000,
        isolated: true,
        threads: 1,
        threaded: false,
        outlasting: 0,
        stopped: None,
    }
}

/// Time, sampled in a fork that ran to its end.
pub fn of_time(functions: Vec<Function>) -> Profile {
    Profile {
        kind: Kind::Time {
            clock: Clock::Sampled {
                interval_ns: 100_000,
                samples: 2_968,
            },
        },
        wall_ns: 301_000_000,
        ..of_heap(functions)
    }
}

/// A run that stopped early.
pub fn stopped(why: &str) -> Stopped {
    Stopped {
        why: why.to_owned(),
    }
}
