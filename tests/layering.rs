//! Which crate may depend on which, and which folder of the kernel may import which.
//!
//! The tables in `layering/crates.rs` and `layering/folders.rs` begin at the ground: a row may name
//! only rows above it, so that there is no circle. Whoever wants a new arrow adds it there.

#[path = "layering/crates.rs"]
mod crates;
#[path = "layering/folders.rs"]
mod folders;
#[path = "layering/imports.rs"]
mod imports;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn workspace() -> PathBuf {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR"));
    kernel
        .parent()
        .expect("the package lies in the workspace")
        .to_owned()
}

/// Fails with all that is `wrong`, one line each, and with the place of the table.
#[track_caller]
fn assert_none(wrong: &[String], table: &str) {
    assert!(
        wrong.is_empty(),
        "\n{}\nThe table is `{table}`.\n",
        wrong.join("\n")
    );
}

/// Names in `table` that stand on a row below the one that names them, or on none.
fn not_above<'a>(table: impl Iterator<Item = (&'a str, &'a [&'a str])>) -> Vec<String> {
    let mut above = Vec::new();
    let mut wrong = Vec::new();
    for (name, others) in table {
        for other in others {
            if !above.contains(other) {
                wrong.push(format!("no row above `{name}` is for `{other}`"));
            }
        }
        above.push(name);
    }
    wrong
}
