//! What cargo prints with `--message-format=json`.

use serde_json::{Value, json};

/// What a build that has succeeded said of the crate of the cell.
#[derive(Debug, Clone)]
pub(super) struct Artifact {
    line: String,
    value: Value,
}

impl Artifact {
    /// Finds the crate in the lines of a build.
    pub(super) fn find(output: &str, package: &str) -> Option<Self> {
        output.lines().rev().find_map(|line| {
            let value: Value = serde_json::from_str(line).ok()?;
            let is_it =
                value["reason"] == "compiler-artifact" && value["target"]["name"] == package;
            is_it.then(|| Self {
                line: line.to_owned(),
                value,
            })
        })
    }

    /// The line of the crate.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// The files of the crate.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let files = self.value["filenames"].as_array();
        files.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The line for what the compiler said; `None` if that is nothing for the user.
    pub(super) fn message(&self, of_compiler: &str) -> Option<String> {
        let message: Value = serde_json::from_str(of_compiler).ok()?;
        message.get("message")?;
        let line = json!({
            "reason": "compiler-message",
            "package_id": self.value["package_id"],
            "manifest_path": self.value["manifest_path"],
            "target": self.value["target"],
            "message": message,
        });
        Some(line.to_string())
    }
}

/// The last line of a build.
pub(super) fn finished(success: bool) -> String {
    json!({ "reason": "build-finished", "success": success }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_wrapped_as_cargo_wraps_them() {
        let output = r#"{"reason":"compiler-artifact","package_id":"p#dep","target":{"name":"dep"},"filenames":["/libdep.rlib"]}
{"reason":"compiler-artifact","package_id":"p#ctx","manifest_path":"/Cargo.toml","target":{"name":"ctx"},"filenames":["/libctx.so"]}
{"reason":"build-finished","success":true}"#;
        assert!(Artifact::find(output, "other").is_none());
        let artifact = Artifact::find(output, "ctx").unwrap();
        assert_eq!(Some(artifact.line()), output.lines().nth(1));
        assert_eq!(artifact.files().collect::<Vec<_>>(), ["/libctx.so"]);
        let said = r#"{"$message_type":"diagnostic","message":"unused","spans":[]}"#;
        insta::assert_snapshot!(artifact.message(said).unwrap(), @r#"{"reason":"compiler-message","package_id":"p#ctx","manifest_path":"/Cargo.toml","target":{"name":"ctx"},"message":{"$message_type":"diagnostic","message":"unused","spans":[]}}"#);
        let emitted = r#"{"$message_type":"artifact","artifact":"/libctx.so","emit":"link"}"#;
        assert_eq!(artifact.message(emitted), None);
        assert_eq!(artifact.message("error: no JSON"), None);
        assert_eq!(finished(true), output.lines().last().unwrap());
    }
}
