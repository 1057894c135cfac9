//! Shortens what the compiler and cargo say of a dependency.

use std::fs;
use std::path::Path;

use crate::session::errors::CellError;
use crate::tools_environment;

/// The most lines that a cell shows.
const MOST: usize = 30;
/// The lines at the end of an error of cargo: a build script says there why it has failed.
const LAST: usize = 20;

/// The file with all lines, in the directory of this process.
const FILE: &str = "error.txt";

/// Where the lines are that are left out.
#[derive(Clone, Copy)]
pub(super) enum LeftOut {
    /// Behind the first error.
    AtTheEnd,
    /// Between what has failed and why.
    InTheMiddle,
}

/// The error in at most [`MOST`] lines, the last of which names the file with all lines.
pub(super) fn shortened(error: CellError, left_out: LeftOut) -> CellError {
    let file = tools_environment::directory().map(|directory| directory.join(FILE));
    match file {
        Some(file) if error.traceback.len() > MOST => cut(error, left_out, &file),
        _ => error,
    }
}

fn cut(mut error: CellError, left_out: LeftOut, file: &Path) -> CellError {
    let all = error.traceback.join("\n") + "\n";
    if fs::write(file, anstream::adapter::strip_str(&all).to_string()).is_err() {
        return error;
    }
    let lines = &mut error.traceback;
    // The mark and the last line are lines, too.
    let kept = MOST - 2;
    let count = lines.len() - kept;
    let from = match left_out {
        // The last line says which crate does not compile.
        LeftOut::AtTheEnd => kept - 1,
        LeftOut::InTheMiddle => kept - LAST,
    };
    lines.splice(from..from + count, ["…".to_owned()]);
    error.with_note(format!(
        "note: {count} lines are left out. While this kernel runs, `!cat {}` shows all",
        file.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_is_cut_where_it_says_least() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let cut = |left_out| {
            let mut error = CellError::new("CompileError", "title");
            error.traceback = (1..=100)
                .map(|line| format!("\x1b[1m{line}\x1b[0m"))
                .collect();
            let lines = cut(error, left_out, &file).traceback;
            assert_eq!(lines.len(), MOST);
            let mark = lines.iter().position(|line| line == "…").unwrap();
            let note = lines.last().unwrap();
            assert!(note.starts_with("note: 72 lines are left out.") && note.contains(FILE));
            mark
        };
        assert_eq!(cut(LeftOut::AtTheEnd), 27);
        assert_eq!(cut(LeftOut::InTheMiddle), 8);
        let all = fs::read_to_string(&file).unwrap();
        assert!(all.starts_with("1\n2\n") && all.ends_with("100\n"));
    }
}
