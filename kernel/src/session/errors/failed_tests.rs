//! The error of a cell whose tests have failed.

use regex::{Captures, Regex};

use super::cell_error::CellError;
use super::panic_site;

/// How the report of failed tests begins.
const RESULT: &str = "test result: FAILED";

/// The error; `None` if `report` is not about tests. The places in the report are lines of the source
/// `compiled`, and become lines of the cell.
pub(crate) fn error(report: &str, compiled: &str, cells: &[String]) -> Option<CellError> {
    let (result, failures) = report.split_once('\n')?;
    if !result.starts_with(RESULT) {
        return None;
    }
    let placed = |found: &Captures<'_>| {
        let number = |at: usize| found[at].parse().unwrap_or_default();
        let place = panic_site::shown("src/lib.rs", (number(1), number(2)), compiled, cells);
        place.unwrap_or_else(|| found[0].to_owned())
    };
    let place = Regex::new(r"src/lib\.rs:(\d+):(\d+)").ok()?;
    let failures = place.replace_all(failures.trim_matches('\n'), placed);
    let mut traceback: Vec<String> = failures.lines().map(str::to_owned).collect();
    traceback.push(String::new());
    traceback.push(result.to_owned());
    Some(CellError {
        ename: "TestFailure".to_owned(),
        evalue: result.to_owned(),
        traceback,
    })
}
