//! What the kernel tells about its language, to clients and in notebooks.

use std::process::Command;
use std::sync::OnceLock;

use jupyter_protocol::{CodeMirrorMode, LanguageInfo};
use serde_json::Value;

/// The language of the kernel.
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

    /// Asks `rustc` for its version, unless it has been asked. This takes some 50 ms, so a thread
    /// does it while the sockets are bound.
    pub(crate) fn rustc_version(&self) -> &str {
        self.rustc_version.get_or_init(|| {
            rustc_version().unwrap_or_else(|| {
                tracing::warn!("`rustc --version` gives no version; is Rust installed?");
                "unknown".to_owned()
            })
        })
    }

    /// The language, as notebooks keep it.
    pub(crate) fn language_info(&self) -> Value {
        serde_json::to_value(self.language()).expect("a struct of strings is valid JSON")
    }

    /// The language, as the reply to `kernel_info_request` has it.
    pub(crate) fn language(&self) -> LanguageInfo {
        LanguageInfo {
            name: "rust".to_owned(),
            version: self.rustc_version().to_owned(),
            // The type under which JupyterLab's editor knows Rust.
            mimetype: Some("text/x-rustsrc".to_owned()),
            file_extension: Some(".rs".to_owned()),
            pygments_lexer: Some("rust".to_owned()),
            codemirror_mode: Some(CodeMirrorMode::Simple("rust".to_owned())),
            nbconvert_exporter: None,
        }
    }
}

/// The version that cells are compiled with: they are not compiled in the notebook's directory,
/// so a toolchain chosen there does not count, nor should asking install one.
fn rustc_version() -> Option<String> {
    let output = Command::new("rustc")
        .arg("--version")
        .current_dir(std::env::temp_dir())
        .env("RUSTUP_AUTO_INSTALL", "0")
        .output()
        .ok()?;
    parse_version(std::str::from_utf8(&output.stdout).ok()?)
}

/// The number in `rustc 1.95.0 (59807616e 2026-04-14)`.
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
