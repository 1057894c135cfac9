//! Line-by-line profiles for the tests of the views.

use memit_lines::{Figures, Function, Place};

pub(super) use memit_lines::samples::{calculate_z, function, time};
use memit_lines::samples::{of_heap, of_time};

use crate::result::{LprunResult, MprunResult};

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
        profile: of_heap(functions),
    }
}

/// Time, sampled in a fork that ran to its end.
pub(super) fn lprun(functions: Vec<Function>) -> LprunResult {
    LprunResult {
        profile: of_time(functions),
    }
}
