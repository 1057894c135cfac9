//! Files that magics read and write.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::nested::OtherCell;
use crate::notebook::Notebook;

/// The path of a file as the user typed it. `~` stands for the home directory, and a relative path starts
/// from `directory`.
pub(super) fn path(directory: &Path, typed: &str) -> PathBuf {
    let in_home = typed.strip_prefix("~/").zip(std::env::home_dir());
    match in_home {
        Some((rest, home)) => home.join(rest),
        None => directory.join(typed),
    }
}

/// The text of a file.
///
/// # Errors
///
/// If the file cannot be read; the error is a message.
pub(super) fn read(directory: &Path, typed: &str) -> Result<String, String> {
    let text = fs::read_to_string(path(directory, typed));
    text.map_err(|error| format!("cannot read `{typed}`: {error}"))
}

/// The cells in a file: the text of a Rust file, or the code cells of a notebook.
///
/// # Errors
///
/// If the file cannot be read, or has another name; the error is a message.
pub(super) fn cells(directory: &Path, typed: &str) -> Result<Vec<OtherCell>, String> {
    let cell = |code, file| OtherCell {
        code,
        announced: String::new(),
        file: Some(file),
    };
    let extension = Path::new(typed).extension().and_then(OsStr::to_str);
    match extension {
        Some("rs") => Ok(vec![cell(read(directory, typed)?, typed.to_owned())]),
        Some("ipynb") => {
            let notebook = Notebook::read(&path(directory, typed));
            let notebook = notebook.map_err(|error| format!("{error:#}"))?;
            let cells = notebook.code_cells().into_iter().enumerate();
            let cells = cells
                .map(|(at, code)| cell(code.source, format!("code cell {} of {typed}", at + 1)));
            Ok(cells.collect())
        }
        _ => Err(format!(
            "cannot run `{typed}`: the name must end in .rs or .ipynb"
        )),
    }
}

/// Writes a text to a file, or, if `appends`, behind what is in the file. Returns the text to show.
///
/// # Errors
///
/// If the file cannot be written; the error is a message.
pub(super) fn write(
    directory: &Path,
    typed: &str,
    text: &str,
    appends: bool,
) -> Result<String, String> {
    let path = path(directory, typed);
    let said = match path.exists() {
        true if appends => "Appending to",
        true => "Overwriting",
        false => "Writing",
    };
    let written = if appends {
        let file = File::options().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
    } else {
        fs::write(&path, text)
    };
    match written {
        Ok(()) => Ok(format!("{said} {typed}\n")),
        Err(error) => Err(format!("cannot write to `{typed}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_replaced_and_continued() {
        let directory = tempfile::tempdir().unwrap();
        let write =
            |typed: &str, text: &str, appends| write(directory.path(), typed, text, appends);
        assert_eq!(write("a.txt", "1\n", true).unwrap(), "Writing a.txt\n");
        assert_eq!(write("a.txt", "2\n", true).unwrap(), "Appending to a.txt\n");
        let read = || fs::read_to_string(directory.path().join("a.txt")).unwrap();
        assert_eq!(read(), "1\n2\n");
        assert_eq!(write("a.txt", "3\n", false).unwrap(), "Overwriting a.txt\n");
        assert_eq!(read(), "3\n");
        let error = write("none/a.txt", "", false).unwrap_err();
        assert!(
            error.starts_with("cannot write to `none/a.txt`: "),
            "{error}"
        );
    }

    #[test]
    fn a_path_starts_from_the_directory_or_from_home() {
        let path = |typed| path(Path::new("/here"), typed);
        assert_eq!(path("a/b"), Path::new("/here/a/b"));
        assert_eq!(path("/a"), Path::new("/a"));
        assert_eq!(path("~/a"), std::env::home_dir().unwrap().join("a"));
        assert_eq!(path("~a"), Path::new("/here/~a"));
    }
}
