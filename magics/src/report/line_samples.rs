//! Line-by-line profiles for the tests of the views.

use memit_lines::{Backend, Clock, Figures, Function, Kind, Line, Place, Profile};

use crate::result::{LprunResult, MprunResult};

/// A function of a cell, with the lines of `source` and the given figures by line number.
pub(super) fn function(
    name: &str,
    first: u32,
    source: &str,
    figures: &[(u32, Figures)],
) -> Function {
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

pub(super) fn memory(
    hits: u64,
    memory: i64,
    increment: i64,
    peak: u64,
    allocations: u64,
) -> Figures {
    Figures {
        hits,
        memory,
        increment,
        peak,
        allocations,
        time_ns: 0,
    }
}

pub(super) fn time(hits: u64, time_ns: u64) -> Figures {
    Figures {
        hits,
        time_ns,
        ..Figures::default()
    }
}

/// Vectors are allocated, freed and dropped, inside a loop and outside.
pub(super) fn histogram() -> Function {
    let source = r#"/// Counts words, the most frequent first.
pub fn histogram(text: &str, top: usize) -> Vec<(String, usize)> {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.to_lowercase())
        .collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in &words {
        *counts.entry(word).or_insert(0) += 1;
    }
    let mut pairs: Vec<_> = counts.into_iter().collect();
    pairs.sort_by_key(|&(_, count)| std::cmp::Reverse(count)); // stable
    let kept = pairs[..top].iter().map(|&(w, n)| (w.to_owned(), n)).collect();
    drop(words);
    println!("{top} of {} words", pairs.len());
    kept
}"#;
    function(
        "histogram",
        1,
        source,
        &[
            (3, memory(1, 62_914_584, 62_914_584, 88_080_432, 1_000_021)),
            (7, memory(1, 62_914_584, 0, 0, 0)),
            (8, memory(1_000_001, 71_303_240, 0, 0, 0)),
            (9, memory(1_000_000, 71_303_240, 8_388_656, 6_291_512, 16)),
            (11, memory(1, 67_108_912, -4_194_328, 4_194_304, 1)),
            (12, memory(1, 67_108_912, 0, 2_097_152, 1)),
            (13, memory(1, 67_109_352, 440, 440, 11)),
            (14, memory(1, 4_194_768, -62_914_584, 0, 0)),
            (15, memory(1, 4_194_768, 0, 1_024, 1)),
            (16, memory(1, 4_194_768, 0, 0, 0)),
            (17, memory(0, 440, -4_194_328, 0, 0)),
        ],
    )
}

/// The inner loops of a Julia set.
pub(super) fn calculate_z() -> Function {
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

/// A function that is never called.
pub(super) fn idle() -> Function {
    let source = "fn idle<'a>(&'a self) -> &'a str {\n\t\"<é>\"\n}";
    Function {
        calls: 0,
        place: Place::File("src/shape & co.rs".to_owned()),
        ..function("Shape<T>::idle", 9, source, &[(10, Figures::default())])
    }
}

/// Heap, measured in a fork that ran to its end.
pub(super) fn mprun(functions: Vec<Function>) -> MprunResult {
    MprunResult {
        profile: Profile {
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
            stopped: None,
        },
    }
}

/// Time, sampled in a fork that ran to its end.
pub(super) fn lprun(functions: Vec<Function>) -> LprunResult {
    let MprunResult { profile } = mprun(functions);
    LprunResult {
        profile: Profile {
            kind: Kind::Time {
                clock: Clock::Sampled {
                    interval_ns: 100_000,
                    samples: 2_968,
                },
            },
            wall_ns: 301_000_000,
            ..profile
        },
    }
}
