//! Keeps a text in the directory of a session, with what is known of the text.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The text that is kept under this name, and what is known of the text; `None` if there is none.
pub(super) fn read<T: DeserializeOwned>(session: &Path, name: &str) -> Option<(String, T)> {
    let known = fs::read(session.join(known(name))).ok()?;
    let text = fs::read_to_string(session.join(text(name))).ok()?;
    Some((text, serde_json::from_slice(&known).ok()?))
}

/// Keeps a text under this name. A text without what is known of the text counts as none.
pub(super) fn write(
    session: &Path,
    name: &str,
    content: &str,
    of_content: &impl Serialize,
) -> io::Result<()> {
    let known = session.join(known(name));
    if known.exists() {
        fs::remove_file(&known)?;
    }
    fs::write(session.join(text(name)), content)?;
    fs::write(known, serde_json::to_vec(of_content)?)
}

fn text(name: &str) -> String {
    format!("{name}.rs")
}

fn known(name: &str) -> String {
    format!("{name}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_with_what_is_known() {
        let session = tempfile::tempdir().unwrap();
        let session = session.path();
        let kept = || read::<u8>(session, "cell");
        assert_eq!(kept(), None);
        for (content, of_content) in [("one", 1), ("two", 2)] {
            write(session, "cell", content, &of_content).unwrap();
            assert_eq!(kept(), Some((content.to_owned(), of_content)));
        }
        assert_eq!(read::<u8>(session, "other"), None);
        fs::remove_file(session.join("cell.json")).unwrap();
        assert_eq!(kept(), None);
    }
}
