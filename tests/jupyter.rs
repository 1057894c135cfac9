//! The kernel as Jupyter's clients see it: each pytest test of `tests/jupyter` is a test of its own.
//!
//! Each core has a pytest, whose tests share a kernel. `cargo test --test jupyter test_memit` chooses
//! tests; `-- --nocapture` shows what pytest and the tests print, one test after another.

#[path = "jupyter/pytest.rs"]
mod pytest;
mod support;

use std::num::NonZero;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};

use pytest::Pytests;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match pytest::nodes() {
        Ok(nodes) => run(arguments, nodes),
        Err(why) => fail(&arguments, &why),
    }
}

/// Runs the tests that `arguments` choose from `nodes`, or lists them.
fn run(arguments: Arguments, nodes: Vec<String>) -> ExitCode {
    let mut trials = Vec::new();
    let mut chosen = Vec::new();
    for node in nodes {
        let (sender, receiver) = mpsc::channel();
        let trial = Trial::ignorable_test(pytest::name(&node), move || pytest::wait(&receiver));
        if !arguments.is_filtered_out(&trial) {
            chosen.push((node, sender));
        }
        trials.push(trial);
    }
    if arguments.list || chosen.is_empty() {
        return libtest_mimic::run(&arguments, trials).exit_code();
    }

    let pytests = match arguments.test_threads {
        _ if arguments.nocapture => 1,
        Some(threads) => threads,
        None => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let arguments = Arguments {
        // One after another, or each as it ends: a thread waits for each test.
        test_threads: Some(if pytests == 1 { 1 } else { chosen.len() }),
        ..arguments
    };
    let pytests = Pytests::start(pytests, chosen, arguments.nocapture);
    let conclusion = libtest_mimic::run(&arguments, trials);
    match pytests.end(conclusion.has_failed()) {
        Ok(()) => conclusion.exit_code(),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(101)
        }
    }
}

/// A single test that fails, in place of those that pytest could not find.
fn fail(arguments: &Arguments, why: &str) -> ExitCode {
    let failed = Failed::from(why);
    let trial = Trial::test("pytest_finds_the_tests", || Err(failed));
    if arguments.is_filtered_out(&trial) {
        // Other test programs may have tests that the filter chooses.
        eprintln!("the tests in `tests/jupyter` are left out: {why}");
    }
    libtest_mimic::run(arguments, vec![trial]).exit_code()
}
