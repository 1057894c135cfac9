//! The files of the kernelspec.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

/// The file that tells Jupyter how to start the kernel.
pub(super) const KERNEL_JSON: &str = "kernel.json";

/// The logos, under the names that Jupyter looks for.
const LOGOS: [(&str, &[u8]); 3] = [
    (
        "logo-svg.svg",
        include_bytes!("../../resources/logo-svg.svg"),
    ),
    (
        "logo-32x32.png",
        include_bytes!("../../resources/logo-32x32.png"),
    ),
    (
        "logo-64x64.png",
        include_bytes!("../../resources/logo-64x64.png"),
    ),
];

/// The arguments with which Jupyter starts the kernel; it fills in the path of the connection file.
const ARGUMENTS: [&str; 3] = ["kernel", "--connection-file", "{connection_file}"];

/// The owner of a kernelspec.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The directory does not exist.
    Nobody,
    /// memit, in any version and under any name.
    Memit,
    /// Another kernel, or an unreadable directory.
    Other,
}

/// Writes all files of the kernelspec into `directory`. Jupyter will run `executable`.
pub(super) fn write(directory: &Path, executable: &Path, display_name: &str) -> anyhow::Result<()> {
    // Paths need not be Unicode, but JSON must.
    let executable = executable.to_str().with_context(|| {
        format!(
            "Jupyter cannot start {}: the path is not Unicode",
            executable.display()
        )
    })?;
    let mut kernel = serde_json::to_string_pretty(&kernel_json(executable, display_name))?;
    kernel.push('\n');

    let files = LOGOS.into_iter().chain([(KERNEL_JSON, kernel.as_bytes())]);
    for (name, bytes) in files {
        let path = directory.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Finds the owner of the kernelspec in `directory`.
pub(super) fn owner(directory: &Path) -> Owner {
    match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Owner::Nobody,
        Err(_) => return Owner::Other,
        Ok(_) => {}
    }
    let kernel = fs::read(directory.join(KERNEL_JSON)).unwrap_or_default();
    let kernel: Value = serde_json::from_slice(&kernel).unwrap_or_default();
    let argv = kernel["argv"].as_array().map_or(&[][..], Vec::as_slice);
    if kernel["language"] == "rust" && argv.len() == 4 && argv[1..] == ARGUMENTS {
        Owner::Memit
    } else {
        Owner::Other
    }
}

fn kernel_json(executable: &str, display_name: &str) -> Value {
    let [command, option, connection_file] = ARGUMENTS;
    json!({
        "argv": [executable, command, option, connection_file],
        "display_name": display_name,
        "language": "rust",
        // A signal would reach the kernel process, which does not run the cells.
        "interrupt_mode": "message",
        "env": {},
        "metadata": {"debugger": false},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernelspec_says_how_to_start_the_kernel() {
        insta::assert_json_snapshot!(kernel_json("/usr/bin/memit", "Rust (memit)"), @r#"
        {
          "argv": [
            "/usr/bin/memit",
            "kernel",
            "--connection-file",
            "{connection_file}"
          ],
          "display_name": "Rust (memit)",
          "language": "rust",
          "interrupt_mode": "message",
          "env": {},
          "metadata": {
            "debugger": false
          }
        }
        "#);
    }

    #[test]
    fn a_kernelspec_is_distinguished_from_that_of_another_kernel() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        assert_eq!(owner(&directory.join("absent")), Owner::Nobody);
        assert_eq!(owner(directory), Owner::Other);

        let evcxr = r#"{"argv": ["evcxr_jupyter", "--control_file", "{connection_file}"],
            "display_name": "Rust", "language": "rust"}"#;
        fs::write(directory.join(KERNEL_JSON), evcxr).unwrap();
        assert_eq!(owner(directory), Owner::Other);

        write(directory, Path::new("/usr/bin/memit"), "Rust").unwrap();
        assert_eq!(owner(directory), Owner::Memit);
    }

    #[test]
    fn the_logos_are_images_of_the_size_in_their_name() {
        for (name, bytes) in LOGOS {
            if name == "logo-svg.svg" {
                assert!(bytes.starts_with(b"<svg "));
            } else {
                assert!(bytes.starts_with(b"\x89PNG"));
                // Width and height are the first two fields of the first chunk.
                let size = |at| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
                assert_eq!(name, format!("logo-{}x{}.png", size(16), size(20)));
            }
        }
    }
}
