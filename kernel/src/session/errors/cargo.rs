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
];

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
        notes: lines
            .map(|line| (Level::NOTE, wording::plain(line)))
            .collect(),
        ..Message::default()
    }
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
