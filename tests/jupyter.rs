//! The kernel as Jupyter's clients see it: runs the Python clients in `tests/jupyter`.
//!
//! One test for all of them, so that they share a kernel. `PYTEST_ADDOPTS="-k timeit"` chooses
//! some; `cargo test --test jupyter -- --nocapture` shows their progress.

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

#[test]
fn python_clients_are_served() {
    let directory = support::tests_directory().join("jupyter");
    let mut pytest = support::python()
        .args(["-m", "pytest", "-v"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python was found");
    // Line by line through `println!`, which the test harness captures: shown at once with
    // `--nocapture`, otherwise only if the test fails.
    for line in BufReader::new(pytest.stdout.take().expect("it is piped")).lines() {
        println!("{}", line.expect("pytest writes UTF-8"));
    }
    let status = pytest.wait().expect("a child can be waited for");
    assert!(status.success(), "pytest ended with {status}");
}
