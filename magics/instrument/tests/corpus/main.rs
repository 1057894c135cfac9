//! Functions of every form compute the same with probes as without, and each line is counted as
//! often as it runs. Functions that can also run without probes do so when the probes are switched off. All of them are one program, which the real compiler compiles.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use memit_instrument::{Runtime, Which, instrument};

/// A function and what it does. The file is read by the tests of the kernel, too.
#[derive(serde::Deserialize)]
struct Case {
    /// The name of the function that gets probes.
    name: String,
    /// The lines of the source.
    source: Vec<String>,
    /// An expression that calls the function. Its value must implement `Debug`.
    call: String,
    /// How often each line runs, from the first line of the source. Lines past the end never run.
    hits: Vec<usize>,
}

const CASES: &str = include_str!("cases.json");

#[test]
fn probes_count_and_change_nothing() {
    let runtime = Runtime {
        path: "crate::lines",
    };
    let mut program = String::from(
        "#![allow(warnings)]\nmod counters;\n#[macro_use] mod switch;\n\
         mod lines { pub use crate::{counters::*, switch::*, switched}; }\n\
         use std::future::Future as _;\n",
    );
    let mut main = String::new();
    let mut switched_cases = 0;
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() >= 40);
    for (number, case) in cases.iter().enumerate() {
        let plain = case.source.join("\n");
        let probed = instrument(&plain, Which::Named(&[&case.name]), runtime).unwrap();
        assert_eq!(
            probed.source.lines().count(),
            plain.lines().count(),
            "{}",
            probed.source
        );
        let probed = probed.source;
        let switched = instrument(&plain, Which::Switched(&[&case.name]), runtime).unwrap();
        assert_eq!(switched.source.lines().count(), plain.lines().count());
        let is_switched = switched.functions.iter().all(|function| function.switched);
        let switched = switched.source;
        let call = &case.call;
        let _ = write!(
            program,
            "mod plain_{number} {{ use std::future::Future as _; {plain}\npub fn call() -> String {{ format!(\"{{:?}}\", {call}) }} }}\n\
             mod probed_{number} {{ use std::future::Future as _; {probed}\npub fn call() -> String {{ format!(\"{{:?}}\", {call}) }} }}\n\
             mod switched_{number} {{ use std::future::Future as _; {switched}\npub fn call() -> String {{ format!(\"{{:?}}\", {call}) }} }}\n",
        );
        let _ = writeln!(
            main,
            "    told({number}, plain_{number}::call, probed_{number}::call);"
        );
        if is_switched {
            switched_cases += 1;
            let _ = writeln!(
                main,
                "    switch::switch_probes(true); told({number}, plain_{number}::call, switched_{number}::call); \
                 switch::switch_probes(false); assert_eq!(plain_{number}::call(), switched_{number}::call()); \
                 assert!(counters::HITS.lock().unwrap().is_empty());"
            );
        }
    }
    let _ = write!(
        program,
        "fn told(number: usize, plain: fn() -> String, probed: fn() -> String) {{\n\
         eprintln!(\"{{number}}\\t{{}}\\t{{}}\\t{{:?}}\\t{{}}\", plain(), probed(), \
         std::mem::take(&mut *counters::HITS.lock().unwrap()), \
         counters::DEPTH.load(std::sync::atomic::Ordering::Relaxed));\n}}\n\
         fn main() {{\n{main}}}\n"
    );
    let results = run(program);
    assert_eq!(
        results.lines().count(),
        cases.len() + switched_cases,
        "{results}"
    );
    let mut wrong = String::new();
    for result in results.lines() {
        let [number, plain, probed, hits, depth] = result.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{result}");
        };
        let case = &cases[number.parse::<usize>().unwrap()];
        let source = case.source.join("\n");
        assert_eq!(plain, probed, "{source}");
        assert_eq!(depth, "0", "{source}");
        let counted: Vec<usize> = hits
            .trim_matches(['[', ']'])
            .split(", ")
            .map(|line| line.parse().unwrap())
            .collect();
        let counted: Vec<usize> = (1..=case.source.len())
            .map(|line| counted.iter().filter(|counted| **counted == line).count())
            .collect();
        let mut hits = case.hits.clone();
        hits.resize(counted.len(), 0);
        if counted != hits {
            let _ = writeln!(wrong, "{source}\ncounted: {counted:?}\nexpected: {hits:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Compiles the program and runs it. Returns what it prints.
fn run(program: String) -> String {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("main.rs"), program).unwrap();
    std::fs::write(directory.join("counters.rs"), include_str!("counters.rs")).unwrap();
    let switch = include_str!("../../../session-crate/src/lines/switch.rs");
    std::fs::write(directory.join("switch.rs"), switch).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiled = Command::new(rustc)
        .args(["--edition=2024", "--cfg=feature=\"cells\"", "-o", "corpus"])
        .arg("main.rs")
        .current_dir(&directory)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}");
    let output = Command::new(directory.join("corpus")).output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}
