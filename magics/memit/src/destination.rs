//! The files that environment variables name, and standard error.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The file that an environment variable names, wherever the program goes.
pub(crate) fn file(variable: &str) -> Option<PathBuf> {
    let name = std::env::var_os(variable).filter(|name| !name.is_empty())?;
    let path = PathBuf::from(name);
    Some(std::path::absolute(&path).unwrap_or(path))
}

/// Replaces the content of a file; the error is a message for the user.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), String> {
    let written = File::create(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| cannot_write(file, &error))
}

/// The message for the user that a file cannot be written.
pub(crate) fn cannot_write(file: &Path, error: &io::Error) -> String {
    format!("memit: cannot write {}: {error}", file.display())
}

/// Ignores errors: the program ends, and no other place is left to report them.
pub(crate) fn show_on_standard_error(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
