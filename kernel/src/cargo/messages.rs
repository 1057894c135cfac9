//! What cargo prints with `--message-format=json`.

use serde_json::{Value, json};

use crate::compiler::CELL_CRATE;

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

/// The kind of a build script.
pub(super) const SCRIPT: &str = "custom-build";

/// A crate that cargo has built, or that was fresh.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) is_compiled: bool,
    pub(super) is_script: bool,
}

impl Dependency {
    /// The dependency in a line of cargo, if the line is about one.
    pub(super) fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let target = &value["target"];
        let is_one = value["reason"] == "compiler-artifact" && target["name"] != CELL_CRATE;
        is_one.then(|| Self {
            is_compiled: value["fresh"] == false,
            is_script: target["kind"][0] == SCRIPT,
        })
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

    #[test]
    fn dependencies_are_told_from_the_cell_and_from_build_scripts() {
        let read = |name: &str, kind: &str, fresh: bool| {
            let target = json!({"name": name, "kind": [kind]});
            let line = json!({"reason": "compiler-artifact", "target": target, "fresh": fresh});
            Dependency::read(&line.to_string())
        };
        let dependency = |is_compiled, is_script| {
            Some(Dependency {
                is_compiled,
                is_script,
            })
        };
        assert_eq!(read("dep", "lib", false), dependency(true, false));
        assert_eq!(
            read("build-script-build", SCRIPT, true),
            dependency(false, true)
        );
        assert_eq!(read("ctx", "cdylib", false), None);
        assert_eq!(Dependency::read("Compiling dep"), None);
    }
}
