//! The language of the kernel, as clients and notebook files describe it.

use std::process::Command;
use std::sync::OnceLock;

use jupyter_protocol::{CodeMirrorMode, LanguageInfo};
use serde_json::Value;

/// Knows the version of Rust that cells are compiled with.
#[derive(Default)]
pub(crate) struct KernelInfo {
    rustc_version: OnceLock<String>,
}

impl KernelInfo {
    /// The kernel of a given version of `rustc`.
    #[cfg(test)]
    pub(crate) fn of_rustc(version: &str) -> Self {
        Self {
            rustc_version: version.to_owned().into(),
        }
    }

    /// The version of `rustc`. The first call runs `rustc`, which takes some 50 ms, so a thread
    /// makes it while the sockets are bound.
    pub(crate) fn rustc_version(&self) -> &str {
        self.rustc_version.get_or_init(|| {
            rustc_version().unwrap_or_else(|| {
                tracing::warn!("`rustc --version` gives no version; is Rust installed?");
                "unknown".to_owned()
            })
        })
    }

    /// The language in the format of notebook metadata.
    pub(crate) fn language_info(&self) -> Value {
        serde_json::to_value(self.language()).expect("a struct of strings is valid JSON")
    }

    /// The language in the format of `kernel_info_reply`.
    pub(crate) fn language(&self) -> LanguageInfo {
        LanguageInfo {
            name: "rust".to_owned(),
            version: self.rustc_version().to_owned(),
            // The name that JupyterLab's editor has for Rust.
            mimetype: Some("text/x-rustsrc".to_owned()),
            file_extension: Some(".rs".to_owned()),
            pygments_lexer: Some("rust".to_owned()),
            codemirror_mode: Some(CodeMirrorMode::Simple("rust".to_owned())),
            nbconvert_exporter: None,
        }
    }
}

/// Asks `rustc` for its version. Cells are not compiled in the notebook's directory, so a toolchain
/// file there must not count; and the question must not install a toolchain.
fn rustc_version() -> Option<String> {
    let output = Command::new("rustc")
        .arg("--version")
        .current_dir(std::env::temp_dir())
        .env("RUSTUP_AUTO_INSTALL", "0")
        .output()
        .ok()?;
    parse_version(std::str::from_utf8(&output.stdout).ok()?)
}

/// Extracts `1.95.0` from `rustc 1.95.0 (59807616e 2026-04-14)`.
fn parse_version(text: &str) -> Option<String> {
    text.strip_prefix("rustc ")?
        .split_whitespace()
        .next()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_number_alone() {
        let version = parse_version("rustc 1.95.0 (59807616e 2026-04-14)\n");
        assert_eq!(version.as_deref(), Some("1.95.0"));
        assert_eq!(
            parse_version("rustc 1.97.0-nightly (a 2026-05-01)").unwrap(),
            "1.97.0-nightly"
        );
        assert_eq!(parse_version(""), None);
        assert_eq!(parse_version("error: no toolchain"), None);
    }
}
