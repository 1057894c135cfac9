//! Programs that use the crate: compiled with its feature and without, run, and compared.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

use insta::assert_snapshot;
use serde::Deserialize;

/// The directory of this test's files.
fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The crate as cargo has compiled it.
struct Library {
    enabled: bool,
    file: PathBuf,
}

impl Library {
    fn get(enabled: bool) -> &'static Self {
        static BUILT: [OnceLock<Library>; 2] = [const { OnceLock::new() }; 2];
        BUILT[usize::from(enabled)].get_or_init(|| Self::build(enabled))
    }

    fn build(enabled: bool) -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let features = if enabled { "enabled" } else { "" };
        let built = Command::new(cargo)
            .args(["build", "--offline", "--lib", "--package", "memit"])
            .args(["--features", features, "--message-format", "json"])
            .arg("--target-dir")
            .arg(scratch().parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", text(&built.stderr));
        let files = text(&built.stdout).lines().find_map(|line| {
            let artifact: serde_json::Value = serde_json::from_str(line).unwrap();
            let is_it = artifact["target"]["name"] == "memit";
            artifact["filenames"].as_array().filter(|_| is_it).cloned()
        });
        // The library itself is beside this, and once more where the next build puts another.
        let mut files = files.iter().flatten().filter_map(|file| file.as_str());
        let metadata = files
            .find(|file| Path::new(file).extension() == Some(OsStr::new("rmeta")))
            .unwrap();
        Self {
            enabled,
            file: Path::new(metadata).with_extension("rlib"),
        }
    }

    /// Compiles a program; what the compiler says, if it does not compile.
    fn compile(&self, source: &str) -> Result<PathBuf, String> {
        let name = Path::new(source).file_stem().unwrap().to_str().unwrap();
        let suffix = if self.enabled { "on" } else { "off" };
        let program = scratch().join(format!("{name}-{suffix}"));
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        let dependencies = self.file.parent().unwrap();
        let compiled = Command::new(rustc)
            .args(["--edition=2024", "--error-format=short", "-Awarnings", "-o"])
            .arg(&program)
            .arg(source)
            .arg("--extern")
            .arg(format!("memit={}", self.file.display()))
            .arg("-L")
            .arg(format!("dependency={}", dependencies.display()))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        if compiled.status.success() {
            Ok(program)
        } else {
            Err(text(&compiled.stderr))
        }
    }
}

/// The program of this name, compiled once.
fn program(name: &'static str, enabled: bool) -> PathBuf {
    static COMPILED: Mutex<BTreeMap<(&str, bool), PathBuf>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        let source = format!("tests/programs/{name}.rs");
        Library::get(enabled).compile(&source).unwrap()
    };
    compiled
        .entry((name, enabled))
        .or_insert_with(compile)
        .clone()
}

/// Runs a program far from its source.
fn run(program: &Path, argument: &str, variables: &[(&str, &OsStr)]) -> Output {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .current_dir("/")
        .env_remove("MEMIT_PROFILE_FILE")
        .env_remove("MEMIT_MPROF_FILE")
        .env_remove("RUST_BACKTRACE");
    command.envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn functions_of_every_form_are_counted_to_the_byte() {
    let output = run(&program("forms", true), "", &[]);
    assert_eq!(text(&output.stdout), "506 131072 312 (100, 100) 1000 504\n");
    assert_snapshot!(text(&output.stderr));
}

#[test]
fn without_the_feature_nothing_is_counted() {
    let output = run(&program("forms", false), "", &[]);
    assert_eq!(text(&output.stdout), "506 131072 312 (100, 100) 1000 504\n");
    assert_eq!(text(&output.stderr), "");
    let file = scratch().join("off.mprof");
    let output = run(
        &program("phases", false),
        "",
        &[("MEMIT_MPROF_FILE", file.as_ref())],
    );
    assert_eq!(text(&output.stdout), "true\n");
    assert!(!file.exists());
}

#[test]
fn the_tables_are_there_however_the_program_ends() {
    let program = program("ends", true);
    for (how, code, line) in [
        (
            "return",
            0,
            "    5       1000 B       1000 B       1000 B         1            1",
        ),
        (
            "exit",
            3,
            "    5       1000 B       1000 B       1000 B         1            1",
        ),
        ("exit within", 4, ">    7 "),
        (
            "panic",
            101,
            "    5       1000 B       1000 B       1000 B         1            1",
        ),
        (
            "panic within",
            101,
            "    5       1000 B       1000 B       1000 B         1            1",
        ),
    ] {
        let output = run(&program, how, &[]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{how}: {errors}");
        assert!(
            errors.contains("Function: work (tests/programs/ends.rs)\n"),
            "{errors}"
        );
        assert!(errors.contains(line), "{how}: {errors}");
        let ended = "stopped early: the program ended on line 7 of `work`";
        assert_eq!(
            errors.contains(ended),
            how == "exit within",
            "{how}: {errors}"
        );
    }
}

#[test]
fn threads_are_counted_together() {
    let output = run(&program("ends", true), "threads", &[]);
    let errors = text(&output.stderr);
    assert!(errors.contains("9 allocations in 9 calls"), "{errors}");
    assert!(errors.contains("increment: 0 B"), "{errors}");
    assert!(errors.contains("more than one thread ran"), "{errors}");
    let output = run(&program("ends", true), "panic in a thread", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stderr).contains("in 2 calls"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_program_that_calls_nothing_profiled_is_quiet() {
    let file = scratch().join("quiet.txt");
    let output = run(
        &program("ends", true),
        "nothing",
        &[("MEMIT_PROFILE_FILE", file.as_ref())],
    );
    assert_eq!(text(&output.stderr), "");
    assert!(!file.exists());
}

#[test]
fn the_tables_go_to_the_file_that_is_named() {
    let file = scratch().join("tables.txt");
    std::fs::write(&file, "what was there before").unwrap();
    let program = program("ends", true);
    let output = run(&program, "", &[("MEMIT_PROFILE_FILE", file.as_ref())]);
    assert_eq!(text(&output.stderr), "");
    let tables = std::fs::read_to_string(&file).unwrap();
    assert!(tables.starts_with("Function: work"), "{tables}");
    let nowhere = OsStr::new("/nowhere/tables.txt");
    let output = run(&program, "", &[("MEMIT_PROFILE_FILE", nowhere)]);
    let errors = text(&output.stderr);
    assert!(
        errors.starts_with("memit: cannot write /nowhere/tables.txt: "),
        "{errors}"
    );
    assert!(errors.contains("Function: work"), "{errors}");
}

/// A line of a file that `mprof` reads: sizes in MiB, times in seconds.
#[derive(Debug)]
struct Span {
    start_memory: f64,
    start: f64,
    end_memory: f64,
    end: f64,
    level: usize,
}

/// As `read_mprofile_file` of `memory_profiler` 0.61 reads it.
fn spans(file: &Path) -> Vec<(String, Span)> {
    let lines = std::fs::read_to_string(file).unwrap();
    let span = |line: &str| {
        let (field, value) = line.split_once(' ').unwrap();
        assert_eq!(field, "FUNC");
        let values: Vec<&str> = value.split(' ').collect();
        let number = |at: usize| values[at].parse::<f64>().unwrap();
        let span = Span {
            start_memory: number(1),
            start: number(2),
            end_memory: number(3),
            end: number(4),
            level: values[5].parse().unwrap(),
        };
        (values[0].to_owned(), span)
    };
    lines.lines().map(span).collect()
}

#[test]
fn phases_timestamps_and_calls_are_spans_that_mprof_reads() {
    let file = scratch().join("on.mprof");
    let _ = std::fs::remove_file(&file);
    let program = program("phases", true);
    for _ in 0..2 {
        let output = run(&program, "", &[("MEMIT_MPROF_FILE", file.as_ref())]);
        assert_eq!(text(&output.stdout), "true\n");
    }
    let mut spans = spans(&file);
    // The second run is appended.
    let again = spans.split_off(spans.len() / 2);
    let names = |spans: &[(String, Span)]| -> Vec<_> {
        spans.iter().map(|(name, _)| name.clone()).collect()
    };
    let expected = [
        "reading\u{a0}a\u{a0}file",
        "load",
        "loaded",
        "one",
        "elsewhere",
        "other\u{a0}8388608",
        "whole",
        "reading\u{a0}a\u{a0}file",
        "load",
    ];
    assert_eq!(names(&spans), expected);
    assert_eq!(names(&again), expected);
    let levels: Vec<_> = spans.iter().map(|(_, span)| span.level).collect();
    assert_eq!(levels, [2, 1, 1, 1, 1, 2, 0, 1, 0]);
    let span = |name| &spans.iter().find(|(known, _)| known == name).unwrap().1;
    let (whole, load, loaded) = (span("whole"), span("load"), span("loaded"));
    assert!(whole.start <= load.start && load.end <= loaded.start && loaded.end <= whole.end);
    assert!((loaded.start, loaded.start_memory) == (loaded.end, loaded.end_memory));
    let grown = load.end_memory - load.start_memory;
    assert!((7.9..9.0).contains(&grown), "{load:?}");
    assert!(whole.end_memory < load.end_memory - 7.0, "{whole:?}");
}

#[test]
fn wrong_options_are_errors_where_they_stand() {
    let errors = Library::get(true)
        .compile("tests/programs/wrong.rs")
        .unwrap_err();
    assert_snapshot!(errors);
    assert!(
        Library::get(false)
            .compile("tests/programs/wrong.rs")
            .is_ok()
    );
}

/// A function of the instrumenter's corpus.
#[derive(Deserialize)]
struct Case {
    name: String,
    source: Vec<String>,
    call: String,
    hits: Vec<usize>,
}

/// The corpus of the instrumenter, each function as it is and with the attribute.
#[test]
fn the_attribute_counts_lines_as_the_instrumenter_does_in_text() {
    let mut source = String::from("#![allow(warnings)]\n");
    let mut main = String::new();
    let mut starts = Vec::new();
    let cases = include_str!("../../instrument/tests/corpus/cases.json");
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    for (number, case) in cases.iter().enumerate() {
        let call = &case.call;
        let plain = case.source.join("\n");
        let marked = marked(case);
        let _ = write!(
            source,
            "mod plain_{number} {{\nuse std::future::Future as _;\n{plain}\n\
             pub fn call() -> String {{ format!(\"{{:?}}\", {call}) }} }}\n\
             mod marked_{number} {{\nuse std::future::Future as _;\n",
        );
        starts.push(source.lines().count());
        let _ = write!(
            source,
            "{marked}\npub fn call() -> String {{ format!(\"{{:?}}\", {call}) }} }}\n",
        );
        let _ = writeln!(
            main,
            "    assert_eq!(plain_{number}::call(), marked_{number}::call());"
        );
    }
    let _ = write!(source, "fn main() {{\n{main}}}\n");
    let path = scratch().join("corpus.rs");
    std::fs::write(&path, source).unwrap();
    let path = path.to_str().unwrap();
    let plain = Library::get(false).compile(path).unwrap();
    assert!(run(&plain, "", &[]).status.success());
    let program = Library::get(true).compile(path).unwrap();
    let output = run(&program, "", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let counted = hits(&text(&output.stderr));
    let mut wrong = String::new();
    for (case, start) in cases.iter().zip(starts) {
        let lines = 1..=case.source.len();
        let found: Vec<_> = lines
            .map(|line| counted.get(&(start + line)).copied().unwrap_or(0))
            .collect();
        let mut expected = case.hits.clone();
        expected.resize(found.len(), 0);
        if found != expected {
            let _ = writeln!(wrong, "{}\n{found:?}\n{expected:?}", case.source.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The source with the attribute at the function that the case is about, on the function's line.
fn marked(case: &Case) -> String {
    let name = case.name.rsplit("::").next().unwrap();
    let signature = format!("fn {name}");
    let is_it = |line: &String| {
        let behind = line.split_once(&signature).map(|(_, behind)| behind);
        behind.is_some_and(|behind| behind.starts_with(['(', '<']))
    };
    let at = case.source.iter().position(is_it).unwrap();
    let mut lines = case.source.clone();
    lines[at].insert_str(0, "#[memit::profile] ");
    lines.join("\n")
}

/// The occurrences of lines in tables, by number.
fn hits(tables: &str) -> BTreeMap<usize, usize> {
    let lines = tables.lines().filter_map(|line| {
        let number = line.get(..6)?.trim().parse().ok()?;
        // Columns have fixed widths as long as their numbers are short.
        let hits = line.get(55..68)?.trim();
        Some((number, hits.parse().ok()?))
    });
    lines.collect()
}
