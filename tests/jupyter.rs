//! The kernel as Jupyter's clients see it: each pytest test of `tests/jupyter` is a test of its own.
//!
//! One pytest runs all tests that are chosen, so that they share a kernel. `cargo test --test jupyter
//! test_memit` chooses some; `-- --nocapture` shows what pytest and the tests print.

#[path = "jupyter/pytest.rs"]
mod pytest;
mod support;

use std::process::ExitCode;
use std::sync::mpsc;

use libtest_mimic::{Arguments, Failed, Trial};

use pytest::Pytest;

fn main() -> ExitCode {
    let arguments = Arguments {
        // pytest runs one test after another.
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    match pytest::nodes() {
        Ok(nodes) => run(&arguments, nodes),
        Err(why) => fail(&arguments, &why),
    }
}

/// Runs the tests that `arguments` choose from `nodes`, or lists them.
fn run(arguments: &Arguments, nodes: Vec<String>) -> ExitCode {
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
        return libtest_mimic::run(arguments, trials).exit_code();
    }

    let pytest = Pytest::start(chosen, arguments.nocapture);
    let conclusion = libtest_mimic::run(arguments, trials);
    match pytest.end(conclusion.has_failed()) {
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
