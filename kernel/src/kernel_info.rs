//! `kernel_info_request`: which kernel this is, and of which language.

use std::process::Command;
use std::sync::OnceLock;

use jupyter_protocol::{CodeMirrorMode, HelpLink, KernelInfoReply, LanguageInfo, ReplyStatus};
use serde_json::Value;

use super::wire::PROTOCOL_VERSION;

/// What the kernel tells clients about itself.
#[derive(Default)]
pub(crate) struct KernelInfo {
    rustc_version: OnceLock<String>,
}

impl KernelInfo {
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

    fn language(&self) -> LanguageInfo {
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

    /// The content of the reply.
    pub(crate) fn reply(&self) -> Value {
        let rustc = self.rustc_version();
        let version = env!("CARGO_PKG_VERSION");
        let reply = KernelInfoReply {
            status: ReplyStatus::Ok,
            protocol_version: PROTOCOL_VERSION.to_owned(),
            implementation: "memit".to_owned(),
            implementation_version: version.to_owned(),
            language_info: self.language(),
            banner: format!(
                "memit {version}, Rust {rustc}\nMeasure with %memit and %timeit; %lsmagic lists \
                 all magics."
            ),
            help_links: vec![
                link(
                    "The Rust standard library",
                    "https://doc.rust-lang.org/std/",
                ),
                link(
                    "The Rust programming language",
                    "https://doc.rust-lang.org/book/",
                ),
            ],
            debugger: false,
            error: None,
        };
        serde_json::to_value(reply).expect("a struct of strings is valid JSON")
    }
}

fn link(text: &str, url: &str) -> HelpLink {
    HelpLink {
        text: text.to_owned(),
        url: url.to_owned(),
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

    #[test]
    fn the_reply_is_complete() {
        let info = KernelInfo {
            rustc_version: "1.95.0".to_owned().into(),
        };
        let mut reply = info.reply();
        let fields = reply.as_object_mut().unwrap();
        let banner = fields.shift_remove("banner").unwrap();
        assert!(banner.as_str().unwrap().starts_with("memit "), "{banner}");
        let version = fields.shift_remove("implementation_version").unwrap();
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
        insta::assert_json_snapshot!(reply, @r#"
        {
          "status": "ok",
          "protocol_version": "5.4",
          "implementation": "memit",
          "language_info": {
            "name": "rust",
            "version": "1.95.0",
            "mimetype": "text/x-rustsrc",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust"
          },
          "help_links": [
            {
              "text": "The Rust standard library",
              "url": "https://doc.rust-lang.org/std/"
            },
            {
              "text": "The Rust programming language",
              "url": "https://doc.rust-lang.org/book/"
            }
          ],
          "debugger": false
        }
        "#);
    }
}
