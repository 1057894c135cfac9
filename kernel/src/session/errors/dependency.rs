//! Finds the place of a message about the source of a crate that a cell depends on.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::diagnostics::byte_at;

/// A place in the source of a crate.
pub(super) struct Place {
    pub(super) file: String,
    /// The text of the file.
    pub(super) source: String,
    pub(super) span: Range<usize>,
    pub(super) label: String,
    /// The directory of the crate.
    pub(super) directory: PathBuf,
}

/// The first place of the message with this JSON, if the place is in a crate. cargo compiles cells under a
/// relative path, and crates under an absolute path.
pub(super) fn place(json: &Value) -> Option<Place> {
    let mut spans = json["spans"].as_array()?.iter();
    let primary = spans.find(|span| span["is_primary"].as_bool() == Some(true))?;
    let file = Path::new(primary["file_name"].as_str()?);
    if !file.is_absolute() {
        return None;
    }
    let source = fs::read_to_string(file).ok()?;
    let number = |key: &str| usize::try_from(primary[key].as_u64()?).ok();
    let at = |line: &str, column: &str| byte_at(&source, number(line)?, number(column)?);
    let start = at("line_start", "column_start")?;
    let end = at("line_end", "column_end")?;
    let has_manifest = |directory: &&Path| directory.join("Cargo.toml").exists();
    Some(Place {
        directory: file.ancestors().skip(1).find(has_manifest)?.to_owned(),
        file: file.display().to_string(),
        span: start..end.max(start),
        label: primary["label"].as_str().unwrap_or_default().to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_place_in_a_crate_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("src/lib.rs");
        fs::create_dir(directory.path().join("src")).unwrap();
        fs::write(&file, "fn f() {}\nfn é() { 1 }\n").unwrap();
        let json = |file: &Path| {
            json!({"spans": [{
                "is_primary": true, "file_name": file, "label": "expected `()`",
                "line_start": 2, "column_start": 10, "line_end": 2, "column_end": 11,
            }]})
        };
        assert!(place(&json(&file)).is_none());
        fs::write(directory.path().join("Cargo.toml"), "").unwrap();
        let found = place(&json(&file)).unwrap();
        assert_eq!(&found.source[found.span], "1");
        assert_eq!(found.directory, directory.path());
        assert!(place(&json(Path::new("src/lib.rs"))).is_none());
    }
}
