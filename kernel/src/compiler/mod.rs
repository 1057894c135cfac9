//! The compiler of a session's cells: the part that memit plays for cargo.
//!
//! cargo runs memit in place of `rustc` (`RUSTC_WORKSPACE_WRAPPER`), through a link in the
//! session's directory with a name that selects this part. memit changes the source and the
//! arguments of cells, and then becomes `rustc`. It compiles everything else unchanged.

pub(crate) mod allocator;
mod cell;
pub(crate) mod definitions;
pub(crate) mod dependencies;
mod division;
mod edits;
mod endings;
mod identity;
mod kept;
mod linker;
pub(crate) mod macro_calls;
mod macros;
pub(crate) mod marks;
mod needed;
mod print;
pub(crate) mod probes;
pub(crate) mod recorded;
pub(crate) mod runtime;
mod rustc;
mod session_crate;
mod shadowing;
pub(crate) mod statics;
mod symbols;
mod value;
pub(crate) mod variables;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

pub(crate) use cell::pass_on;
use cell::{CellCompilation, write_copy};
use dependencies::Dependencies;
use identity::Identity;
use linker::Linker;
use rustc::Rustc;
use session_crate::{STORE, SessionCrate};
use statics::Sharing;

/// The name under which cargo starts this part.
const NAME: &str = "memit-rustc";

/// The name that evcxr gives to the crate of every cell.
pub(crate) const CELL_CRATE: &str = "ctx";

/// How the name of evcxr's function for the statements of a cell starts; a number follows.
const CELL_FUNCTION: &str = "run_user_code_";

/// The path of a cell's source, where cargo and evcxr expect it.
const SOURCE: &str = "src/lib.rs";

/// The argument with which cargo asks for a build and not only a check.
const TO_BE_RUN: &str = "--emit=dep-info,link";

/// Creates the compiler of a session, and returns the path to pass to cargo.
pub(crate) fn install(session: &Path) -> io::Result<PathBuf> {
    let path = session.join(NAME);
    symlink(std::env::current_exe()?, &path)?;
    Ok(path)
}

/// The directory of the session, if this process is its compiler.
pub(crate) fn session() -> Option<PathBuf> {
    let program = PathBuf::from(std::env::args_os().next()?);
    (program.file_name()? == NAME).then(|| program.with_file_name(""))
}

/// Compiles. Returns only if `rustc` was not executed in place of this process.
pub(crate) fn run(session: &Path) -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(rustc) = arguments.next() else {
        eprintln!("{NAME}: cargo starts this with the compiler as its first argument");
        return ExitCode::FAILURE;
    };
    let compilation = compilation(session, &rustc, arguments.collect(), Sharing::Made);
    let compiled = match compilation {
        Ok(Compilation::Cell(cell)) => cell.compile(session),
        Ok(Compilation::Other(mut command)) => {
            Err(anyhow::Error::from(command.exec()).context(rustc.display().to_string()))
        }
        Err(error) => Err(error),
    };
    compiled.unwrap_or_else(|error| {
        eprintln!("{NAME}: {error:#}");
        ExitCode::FAILURE
    })
}

/// Changes the source of a cell; `None` if there is nothing to change.
type Change<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What this process does for rustc.
enum Compilation {
    /// A cell that is to be run.
    Cell(Box<CellCompilation>),
    /// Anything else, by this command.
    Other(Command),
}

/// Prepares a compilation with these arguments of rustc. A cell that is to be run can share statics with
/// other cells.
fn compilation(
    session: &Path,
    rustc: &OsStr,
    arguments: Vec<OsString>,
    sharing: Sharing,
) -> anyhow::Result<Compilation> {
    let mut command = Command::new(rustc);
    let text = |argument: &OsString| argument.to_str().map(str::to_owned);
    let texts = arguments.iter().map(text).collect::<Option<Vec<_>>>();
    let Some(mut arguments) = texts.filter(|arguments| is_cell(arguments)) else {
        command.args(arguments);
        return Ok(Compilation::Other(command));
    };
    let session_crate = SessionCrate::compiled(session, rustc)?;
    let to_be_run = arguments.iter().any(|argument| argument == TO_BE_RUN);
    let started = to_be_run.then(|| {
        let started = Rustc::start(rustc, session);
        recorded::record();
        started
    });
    let any = session_crate.accepts_any_question_mark();
    let mut source = fs::read_to_string(SOURCE)?;
    let dependencies = if to_be_run {
        Dependencies::linked(session, rustc, &arguments, &source)?
    } else {
        None
    };
    let tokio = dependencies
        .as_ref()
        .and_then(|all| all.copy_of(runtime::CRATE));
    let changes: [Change<'_>; 10] = [
        &without_store,
        &marks::resolved,
        &|source| runtime::of_the_cell(source, tokio),
        &endings::report_panics,
        &|source| endings::report_question_marks(source, any),
        &value::mark,
        &print::at_once,
        &variables::without_keeping,
        &shadowing::prevented,
        &|source| Some(allocator::named(source)),
    ];
    for change in changes {
        source = change(&source).unwrap_or(source);
    }
    command.current_dir(session);
    let Some(started) = started else {
        source = macros::first(&source).unwrap_or(source);
        source = probes::put(session, &source, false, false)
            .plain
            .unwrap_or(source);
        write_copy(session, &source)?;
        command
            .args(&arguments)
            .args(session_crate.arguments(&arguments));
        return Ok(Compilation::Other(command));
    };
    let asked = arguments.clone();
    keep_identity(session, rustc, &mut arguments)?;
    let libraries = externs(&arguments)
        .map(|(name, file)| (name.to_owned(), PathBuf::from(file)))
        .collect::<BTreeMap<_, _>>();
    let crates = variables::crates(&arguments);
    let shared = statics::shared(&source, sharing, crates, &libraries);
    let sharing = shared.sharing();
    let may_have_statics = statics::may_have_statics(&source) || !libraries.is_empty();
    let (source, statics) = shared.apply(&source);
    let held = variables::held(session);
    let cell = variables::Cell::read(session, source, &arguments, held);
    let externals = session_crate.arguments(&arguments);
    let linker = Linker::of(session, rustc, &arguments);
    Ok(Compilation::Cell(Box::new(CellCompilation {
        asked,
        rustc: started,
        crates: variables::crates(&arguments),
        arguments,
        externals,
        linker,
        dependencies,
        statics,
        sharing,
        better: None,
        may_have_statics,
        cell,
    })))
}

/// Whether these arguments of rustc are those of a cell.
fn is_cell(arguments: &[String]) -> bool {
    value_of(arguments, "--crate-name") == Some(CELL_CRATE)
        && value_of(arguments, "--crate-type") == Some("cdylib")
}

/// The argument behind `option`.
pub(crate) fn value_of<'a>(arguments: &'a [String], option: &str) -> Option<&'a str> {
    let mut behind = arguments.iter().skip_while(|argument| *argument != option);
    behind.nth(1).map(String::as_str)
}

/// The dependencies in the arguments of rustc, with their files.
pub(crate) fn externs(arguments: &[String]) -> impl Iterator<Item = (&str, &str)> {
    let values = arguments.windows(2).filter(|pair| pair[0] == "--extern");
    values.filter_map(|pair| pair[1].split_once('='))
}

/// The library that rustc makes of a cell with these arguments.
fn library(arguments: &[String]) -> PathBuf {
    let suffix = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("extra-filename="));
    let directory = value_of(arguments, "--out-dir").unwrap_or_default();
    let name = format!("lib{CELL_CRATE}{}.so", suffix.unwrap_or_default());
    Path::new(directory).join(name)
}

/// Keeps the identity of types that cells define when a dependency is added.
fn keep_identity(session: &Path, rustc: &OsStr, arguments: &mut [String]) -> anyhow::Result<()> {
    let dependencies = externs(arguments)
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

/// Replaces evcxr's variable store with blank lines; `None` if the source has no store.
fn without_store(source: &str) -> Option<String> {
    const LAST_ITEM: &str = "pub fn create_variable_store(";
    let start = source.find(&format!("mod {STORE} {{\n"))?;
    let last_item = start + source[start..].find(LAST_ITEM)?;
    let end = last_item + source[last_item..].find("\n}\n}\n")? + "\n}\n}".len();
    let lines = source[start..end].matches('\n').count();
    Some([&source[..start], &"\n".repeat(lines), &source[end..]].concat())
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
        let rustc = OsStr::new("rustc");
        let kept = |metadata: &str, dependency: &str| {
            let arguments = ["-C", metadata, "--extern", dependency, "-C", "opt-level=3"];
            let mut arguments = arguments.map(str::to_owned);
            keep_identity(session.path(), rustc, &mut arguments).unwrap();
            arguments[1].clone()
        };
        assert_eq!(kept("metadata=0", "a=/deps/liba-1.rlib"), "metadata=0");
        assert_eq!(kept("metadata=1", "b=/deps/libb-1.rlib"), "metadata=0");
        assert_eq!(kept("metadata=2", "b=/deps/libb-2.rlib"), "metadata=2");
    }
}
