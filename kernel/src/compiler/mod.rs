//! The part that memit plays for cargo: the compiler of a session's cells.
//!
//! cargo starts it in the place of `rustc` (`RUSTC_WORKSPACE_WRAPPER`), by a name of its own: a
//! link to the executable in the session's directory. It becomes `rustc`, with arguments that suit
//! cells. Whatever it does not recognise is compiled as it is.

mod identity;
// A crate of its own otherwise.
#[cfg(test)]
#[allow(unreachable_pub, dead_code)]
mod variable_store;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::bail;
use memit_magics::snippet::MEASUREMENT;

use identity::Identity;

/// The name by which cargo starts this part.
const NAME: &str = "memit-rustc";

/// What evcxr calls the crate of every cell.
pub(crate) const CELL_CRATE: &str = "ctx";

/// The source of a cell, where cargo and evcxr expect it.
const SOURCE: &str = "src/lib.rs";

/// The module that [`variable_store`] replaces.
const STORE_CRATE: &str = "evcxr_internal_runtime";
const STORE_SOURCE: &str = include_str!("variable_store.rs");

/// Makes the compiler of a session. cargo must be given the returned path.
pub(crate) fn install(session: &Path) -> io::Result<PathBuf> {
    let path = session.join(NAME);
    symlink(std::env::current_exe()?, &path)?;
    Ok(path)
}

/// The directory of the session whose compiler this process is.
pub(crate) fn session() -> Option<PathBuf> {
    let program = PathBuf::from(std::env::args_os().next()?);
    (program.file_name()? == NAME).then(|| program.with_file_name(""))
}

/// Compiles; returns only if that could not be started.
pub(crate) fn run(session: &Path) -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(rustc) = arguments.next() else {
        eprintln!("{NAME}: cargo starts this with the compiler as its first argument");
        return ExitCode::FAILURE;
    };
    let arguments: Vec<_> = arguments.collect();
    let cell = cell(session, &rustc, &arguments).unwrap_or_else(|error| {
        eprintln!("{NAME}: {error:#}; the cell is compiled as evcxr wrote it");
        None
    });
    let mut command = cell.unwrap_or_else(|| {
        let mut command = Command::new(&rustc);
        command.args(arguments);
        command
    });
    let error = command.exec();
    eprintln!("{NAME}: {}: {error}", rustc.display());
    ExitCode::FAILURE
}

/// How a cell is compiled; `None` if it is something else that shall be compiled.
fn cell(
    session: &Path,
    rustc: &OsString,
    arguments: &[OsString],
) -> anyhow::Result<Option<Command>> {
    let text = |argument: &OsString| argument.to_str().map(str::to_owned);
    let Some(mut arguments) = arguments.iter().map(text).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    if value_of(&arguments, "--crate-name") != Some(CELL_CRATE)
        || value_of(&arguments, "--crate-type") != Some("cdylib")
    {
        return Ok(None);
    }
    let source = fs::read_to_string(SOURCE)?;
    keep_identity(session, rustc, &mut arguments)?;

    let mut command = Command::new(rustc);
    if let Some(source) = without_store(&source) {
        // Under another directory and the same name, so that messages name evcxr's file.
        let store = variable_store(session, rustc)?;
        let copy = session.join(SOURCE);
        fs::create_dir_all(copy.with_file_name(""))?;
        fs::write(copy, source)?;
        command.current_dir(session);
        arguments.push("--extern".to_owned());
        arguments.push(format!("{STORE_CRATE}={}", store.display()));
    }
    if source.contains(MEASUREMENT) {
        // What would be inlined in a program of one's own otherwise depends on how the code
        // happens to be divided.
        arguments.push("-Ccodegen-units=1".to_owned());
        let incremental = session.join("incremental");
        arguments.push(format!("-Cincremental={}", incremental.display()));
    }
    command.args(arguments);
    Ok(Some(command))
}

/// The argument behind `option`.
fn value_of<'a>(arguments: &'a [String], option: &str) -> Option<&'a str> {
    let mut behind = arguments.iter().skip_while(|argument| *argument != option);
    behind.nth(1).map(String::as_str)
}

/// Lets types that cells define stay the same when a dependency comes.
fn keep_identity(session: &Path, rustc: &OsString, arguments: &mut [String]) -> anyhow::Result<()> {
    let dependencies = arguments
        .windows(2)
        .filter(|pair| pair[0] == "--extern")
        .filter_map(|pair| pair[1].split_once('='))
        .map(|(name, file)| (name.to_owned(), file.to_owned()))
        .collect();
    let Some((argument, chosen)) = arguments.iter_mut().find_map(|argument| {
        let metadata = argument.strip_prefix("metadata=")?.to_owned();
        Some((argument, metadata))
    }) else {
        return Ok(());
    };
    let new = Identity {
        metadata: chosen,
        rustc: rustc.to_string_lossy().into_owned(),
        dependencies,
    };
    let metadata = identity::metadata(&session.join("identities.json"), new)?;
    *argument = format!("metadata={metadata}");
    Ok(())
}

/// The source with blank lines where evcxr's variable store is; `None` if there is no store.
fn without_store(source: &str) -> Option<String> {
    const LAST_ITEM: &str = "pub fn create_variable_store(";
    let start = source.find(&format!("mod {STORE_CRATE} {{\n"))?;
    let last_item = start + source[start..].find(LAST_ITEM)?;
    let end = last_item + source[last_item..].find("\n}\n}\n")? + "\n}\n}".len();
    let lines = source[start..end].matches('\n').count();
    Some([&source[..start], &"\n".repeat(lines), &source[end..]].concat())
}

/// The compiled variable store.
fn variable_store(session: &Path, rustc: &OsString) -> anyhow::Result<PathBuf> {
    // A session can change its toolchain.
    let name: String = rustc
        .to_string_lossy()
        .replace(|c: char| !c.is_alphanumeric(), "_");
    let directory = session.join(name);
    let library = directory.join(format!("lib{STORE_CRATE}.rlib"));
    if library.exists() {
        return Ok(library);
    }
    fs::create_dir_all(&directory)?;
    let source = directory.join("variable_store.rs");
    fs::write(&source, STORE_SOURCE)?;
    let output = Command::new(rustc)
        .args([
            "--edition=2024",
            "--crate-type=rlib",
            "--crate-name",
            STORE_CRATE,
        ])
        .args([
            "-Copt-level=3",
            "-Ccodegen-units=1",
            "-Cprefer-dynamic",
            "--out-dir",
        ])
        .arg(&directory)
        .arg(&source)
        .output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_leaves_blank_lines_behind() {
        let source = "#![allow(x)]\nmod evcxr_internal_runtime {\npub struct VariableStore {\n}\n\
            pub fn create_variable_store() {\n    new()\n}\n}\nfn user() {}\n";
        let without = without_store(source).unwrap();
        assert_eq!(without, "#![allow(x)]\n\n\n\n\n\n\n\nfn user() {}\n");
        assert_eq!(without_store("fn user() {}\n"), None);
    }

    #[test]
    fn identities_take_the_files_of_dependencies() {
        let session = tempfile::tempdir().unwrap();
        let rustc = OsString::from("rustc");
        let kept = |metadata: &str, dependency: &str| {
            let arguments = ["-C", metadata, "--extern", dependency, "-C", "opt-level=3"];
            let mut arguments = arguments.map(str::to_owned);
            keep_identity(session.path(), &rustc, &mut arguments).unwrap();
            arguments[1].clone()
        };
        assert_eq!(kept("metadata=0", "a=/deps/liba-1.rlib"), "metadata=0");
        assert_eq!(kept("metadata=1", "b=/deps/libb-1.rlib"), "metadata=0");
        assert_eq!(kept("metadata=2", "b=/deps/libb-2.rlib"), "metadata=2");
    }
}
