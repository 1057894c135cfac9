//! `%session`: describes the session in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use memit_magics::units;
use memit_measurement::Described;

use super::evaluation::UndoLog;

/// The text of `%session`. `threads_since` is the number of the cell that left the session with more
/// than one thread. `separate` are the dependencies of which each cell has a copy of its own, with the
/// reasons.
pub(crate) fn session(
    described: Option<&Described>,
    undo_log: &UndoLog,
    threads_since: Option<u64>,
    separate: &BTreeMap<String, String>,
) -> String {
    let Some((described, pid)) = described.and_then(|all| all.pid.map(|pid| (all, pid))) else {
        return "There is no session process; the next cell starts one.".to_owned();
    };
    let Described {
        resident,
        threads,
        checkpoints,
        checkpoint_memory,
        unprotected,
        ..
    } = described;
    let since = match threads_since {
        Some(cell) if *threads > 1 => format!(", more than one since cell {cell}"),
        _ => String::new(),
    };
    let mut text = format!(
        "process:      {pid}\nmemory:       {} resident\nthreads:      {threads}{since}\n",
        units::mib(*resident)
    );
    let protection = match (*threads, unprotected) {
        (2.., Some(reason)) => format!(
            "no: {reason}. An interrupt asks the cell to stop; a second one within 5 s ends the \
             process, and its variables are lost"
        ),
        (_, Some(reason)) => format!("yes, but the last was not: {reason}"),
        _ => "yes: whatever it does, the session goes on as it was before it".to_owned(),
    };
    let _ = writeln!(text, "protected:    {protection}");
    // `%undo` skips cells that were undone or changed nothing.
    let back = match undo_log.undos(checkpoints) {
        0 if undo_log.is_empty() => "no cell to go back to".to_owned(),
        0 => "no: the last cell that changed the session has no checkpoint, because it was not \
              protected"
            .to_owned(),
        cells => format!(
            "{} back; checkpoints hold {}",
            units::counted(&cells.to_string(), "cell"),
            units::mib(*checkpoint_memory)
        ),
    };
    let _ = write!(text, "%undo:        {back}");
    for (name, reason) in separate {
        let _ = write!(
            text,
            "\n{name}: a copy in each cell, because the crate cannot be shared: {reason}"
        );
    }
    text
}
