//! `kernel_info_request`: describes the kernel and its language.

use jupyter_protocol::{HelpLink, KernelInfoReply, ReplyStatus};
use serde_json::Value;

use crate::jupyter::wire::PROTOCOL_VERSION;
use crate::kernel_info::KernelInfo;

/// The reply.
pub(crate) fn reply(info: &KernelInfo) -> Value {
    let rustc = info.rustc_version();
    let version = env!("CARGO_PKG_VERSION");
    let reply = KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: PROTOCOL_VERSION.to_owned(),
        implementation: "memit".to_owned(),
        implementation_version: version.to_owned(),
        language_info: info.language(),
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

fn link(text: &str, url: &str) -> HelpLink {
    HelpLink {
        text: text.to_owned(),
        url: url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_is_complete() {
        let info = KernelInfo::of_rustc("1.95.0");
        let mut reply = reply(&info);
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
