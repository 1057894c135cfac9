//! The source of this crate, for the kernel.

/// The name of this crate in the source of a cell.
pub const NAME: &str = "memit_session";

/// The arguments that `rustc` needs to compile this crate for cells, apart from the paths.
pub const ARGUMENTS: [&str; 7] = [
    "--edition=2024",
    "--crate-type=rlib",
    "--crate-name=memit_session",
    "--cfg=feature=\"cells\"",
    "-Copt-level=3",
    "-Ccodegen-units=1",
    "-Cprefer-dynamic",
];

/// The argument that adds the modules `question_mark`, `lazy` and `no_memory`, which need unstable features.
pub const QUESTION_MARK: &str = "--cfg=feature=\"question_mark\"";

/// Path and text of each file, relative to the root of the source. [`ROOT`] is the root module.
pub const FILES: [(&str, &str); 33] = [
    (ROOT, include_str!("lib.rs")),
    ("abi/mod.rs", include_str!("abi/mod.rs")),
    ("abi/backend.rs", include_str!("abi/backend.rs")),
    ("abi/body.rs", include_str!("abi/body.rs")),
    ("abi/entry_points.rs", include_str!("abi/entry_points.rs")),
    ("abi/listed.rs", include_str!("abi/listed.rs")),
    ("abi/phase.rs", include_str!("abi/phase.rs")),
    ("abi/plans.rs", include_str!("abi/plans.rs")),
    ("abi/test.rs", include_str!("abi/test.rs")),
    ("abi/text.rs", include_str!("abi/text.rs")),
    ("batch.rs", include_str!("batch.rs")),
    ("captured.rs", include_str!("captured.rs")),
    ("clear_output.rs", include_str!("clear_output.rs")),
    ("ending.rs", include_str!("ending.rs")),
    ("function_result.rs", include_str!("function_result.rs")),
    ("harness.rs", include_str!("harness.rs")),
    ("lazy.rs", include_str!("lazy.rs")),
    ("lines/mod.rs", include_str!("lines/mod.rs")),
    ("lines/counters.rs", include_str!("lines/counters.rs")),
    ("lines/probes.rs", include_str!("lines/probes.rs")),
    ("lines/switch.rs", include_str!("lines/switch.rs")),
    ("listing.rs", include_str!("listing.rs")),
    ("no_memory.rs", include_str!("no_memory.rs")),
    ("phases.rs", include_str!("phases.rs")),
    ("placed.rs", include_str!("placed.rs")),
    ("print.rs", include_str!("print.rs")),
    ("question_mark.rs", include_str!("question_mark.rs")),
    ("shared_key.rs", include_str!("shared_key.rs")),
    ("start.rs", include_str!("start.rs")),
    ("surroundings.rs", include_str!("surroundings.rs")),
    ("test_runner.rs", include_str!("test_runner.rs")),
    ("value.rs", include_str!("value.rs")),
    ("variable_store.rs", include_str!("variable_store.rs")),
];

/// The root module among [`FILES`].
pub const ROOT: &str = "lib.rs";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn collect(directory: &Path, into: &mut BTreeSet<PathBuf>) {
        for entry in directory.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else {
                into.insert(path);
            }
        }
    }

    #[test]
    fn every_file_is_listed_with_its_text() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = BTreeSet::new();
        collect(&root, &mut files);
        // Cells do not need this file.
        files.remove(&root.join("sources.rs"));
        let listed: BTreeSet<_> = FILES.iter().map(|(name, _)| root.join(name)).collect();
        assert_eq!(listed, files);
        for (name, text) in FILES {
            assert_eq!(
                text,
                std::fs::read_to_string(root.join(name)).unwrap(),
                "{name}"
            );
        }
    }
}
