//! What cargo says when it cannot build.

use annotate_snippets::Level;

use super::message::Message;
use super::wording;

/// The words of evcxr around the words of cargo.
const BEFORE: &str = "STDERR:\n";
const AFTER: &str = "\nSTDOUT:";

/// Lines that report progress or only lead over to the next line.
const IDLE: &[&str] = &[
    "Updating ",
    "Blocking ",
    "Locking ",
    "Adding ",
    "Downloading ",
    "Downloaded ",
    "Compiling ",
    "Caused by:",
    "note: To improve backtraces",
];

/// cargo's advice for a command line, and the advice for a cell.
const OFFLINE: (&str, &str) = (
    "As a reminder, you're using offline mode",
    "cargo looks only for crates that are on this machine: `:offline 0` lets cargo use the network",
);

/// The message in the text of cargo, which may be a message of evcxr alone.
pub(super) fn message(text: &str) -> Message {
    let text = text.split_once(BEFORE).map_or(text, |(_, rest)| rest);
    let text = text.split_once(AFTER).map_or(text, |(cargos, _)| cargos);
    if !text.lines().any(|line| line.starts_with("error: ")) {
        return Message {
            title: wording::plain(text),
            ..Message::default()
        };
    }
    let lines = text.lines().map(str::trim);
    let mut lines =
        lines.filter(|line| !line.is_empty() && !IDLE.iter().any(|idle| line.starts_with(idle)));
    let title = lines.next().unwrap_or("cargo cannot build the cell");
    let title = title.trim_start_matches("error: ");
    Message {
        title: wording::plain(title),
        notes: lines.map(|line| (Level::NOTE, note(line))).collect(),
        ..Message::default()
    }
}

fn note(line: &str) -> String {
    let (cargos, ours) = OFFLINE;
    let line = line.strip_prefix("note: ").unwrap_or(line);
    wording::plain(if line.starts_with(cargos) { ours } else { line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_error_progress_and_temporary_paths_are_left_out() {
        for (text, title, notes) in [
            (
                "error: failed to parse manifest at `/tmp/.tmph80FWV/Cargo.toml`\n\nCaused by:\n  bad key\n",
                "failed to parse manifest at `Cargo.toml`",
                vec!["bad key"],
            ),
            (
                "    Updating crates.io index\nerror: no matching package named `x` found\nlocation searched: crates.io index",
                "no matching package named `x` found",
                vec!["location searched: crates.io index"],
            ),
            (
                "Compilation failed, but no parsable errors were found. STDERR:\nerror: could not run\n\nSTDOUT:{}\n",
                "could not run",
                vec![],
            ),
            (
                "error: failed to run custom build command for `x`\n\nCaused by:\n  note: To improve \
                 backtraces for build dependencies, set X\n  note: see the manual\n",
                "failed to run custom build command for `x`",
                vec!["see the manual"],
            ),
            (
                "error: no matching package\nAs a reminder, you're using offline mode (--offline)\n\
                 package `evcxr_dummy_validate_dep` depends on `x`\n",
                "no matching package",
                vec![OFFLINE.1, "the notebook depends on `x`"],
            ),
            (
                "No last error to explain",
                "No last error to explain",
                vec![],
            ),
        ] {
            let message = message(text);
            assert_eq!(message.title, title);
            let found: Vec<_> = message
                .notes
                .iter()
                .map(|(_, note)| note.as_str())
                .collect();
            assert_eq!(found, notes);
        }
    }
}
