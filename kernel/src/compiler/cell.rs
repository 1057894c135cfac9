//! Compiles a cell that is to be run, again if need be.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use super::dependencies::Dependencies;
use super::probes::{self, Probes, Problem, Sources};
use super::statics::{Numbers, Sharing, unshared};
use super::variables::{self, Decisions, naming};
use super::{Compilation, SOURCE, compilation, macros};

/// The directory, in that of the session, for what rustc writes when it names types.
const NAMES: &str = "names";

/// The compilation of a cell.
pub(super) struct CellCompilation {
    /// The arguments with which cargo asks for the cell.
    pub(super) asked: Vec<String>,
    pub(super) command: Command,
    /// The libraries to which the cell is linked.
    pub(super) dependencies: Option<Dependencies>,
    /// The statics that the cell shares with others.
    pub(super) statics: Numbers,
    pub(super) sharing: Sharing,
    /// How statics are to be shared if the cell compiles.
    pub(super) better: Option<Sharing>,
    /// Whether the cell can have statics.
    pub(super) may_have_statics: bool,
    pub(super) cell: variables::Cell,
}

impl CellCompilation {
    /// Compiles the cell. If an error is about what becomes of a variable at the end of the cell,
    /// compiles again with another end.
    ///
    /// Compiles the source with probes first, if there is one. Without it, or if it does not
    /// compile, compiles the plain source, so that compiler messages are about the user's code.
    pub(super) fn compile(mut self, session: &Path) -> anyhow::Result<Result<ExitCode, Command>> {
        let mut decisions = Decisions::default();
        if self.better.is_none()
            && !self.learn_types(session, &mut decisions)?
            && let Some((sharing, better)) = less(self.sharing)
        {
            return self.again(session, sharing, better);
        }
        let mut may_switch = true;
        loop {
            let mut rewritten = self.cell.rewritten(&decisions);
            rewritten.compiled.statics.clone_from(&self.statics);
            let source = macros::first(&rewritten.source);
            let source = source.as_ref().unwrap_or(&rewritten.source);
            let Sources {
                probed,
                has_switched,
                plain,
                mut probes,
            } = probes::put(session, source, true, may_switch);
            if let Some(probed) = &probed {
                let Some(output) = self.output(session, probed)? else {
                    let (sharing, better) = (self.sharing, self.better);
                    return self.again(session, sharing, better);
                };
                if output.status.success() {
                    if let Some(sharing) = self.better {
                        return self.again(session, sharing, None);
                    }
                    probes::tell(session, &probes)?;
                    rewritten.compiled.unshared = unshared::of(&self.asked);
                    variables::write_compiled(session, &rewritten.compiled)?;
                    return pass_on(&output);
                }
                if decisions.learn(&rewritten, probed, &output.stderr) {
                    continue;
                }
                if has_switched {
                    // Not every body compiles twice in one function.
                    may_switch = false;
                    continue;
                }
                probes = Probes {
                    problem: Some(Problem::Compile {
                        message: String::from_utf8_lossy(&output.stderr).into_owned(),
                    }),
                    ..Probes::default()
                };
            }
            match &probes.problem {
                None => {}
                Some(Problem::Compile { .. }) => probes::tell(session, &probes)?,
                // The kernel reports the problem.
                Some(_) => {
                    probes::tell(session, &probes)?;
                    return Ok(Ok(ExitCode::FAILURE));
                }
            }
            let source = plain.as_ref().unwrap_or(source);
            let is_plain = !rewritten.has_variables() && self.dependencies.is_none();
            if is_plain && !self.may_have_statics {
                variables::write_compiled(session, &rewritten.compiled)?;
                write_copy(session, source)?;
                return Ok(Err(self.command));
            }
            let Some(output) = self.output(session, source)? else {
                let (sharing, better) = (self.sharing, self.better);
                return self.again(session, sharing, better);
            };
            if output.status.success() {
                if let Some(sharing) = self.better {
                    return self.again(session, sharing, None);
                }
                rewritten.compiled.unshared = unshared::of(&self.asked);
                variables::write_compiled(session, &rewritten.compiled)?;
                return pass_on(&output);
            }
            if !decisions.learn(&rewritten, source, &output.stderr) {
                // An error of the user's is told about the user's columns.
                return match less(self.sharing) {
                    None => pass_on(&output),
                    Some((sharing, better)) => self.again(session, sharing, better),
                };
            }
        }
    }

    /// Lets rustc name the types of the variables. Returns whether rustc has found no error of the user's.
    fn learn_types(&self, session: &Path, decisions: &mut Decisions) -> io::Result<bool> {
        while let Some(asking) = self.cell.rewritten(decisions).asking() {
            let source = macros::first(&asking.source);
            let source = source.as_ref().unwrap_or(&asking.source);
            let linked = self.dependencies.as_ref().map(|all| all.named(source));
            write_copy(session, linked.as_ref().unwrap_or(source))?;
            let output = naming::command(&self.command, &session.join(NAMES)).output()?;
            if output.status.success() {
                decisions.learn_types(&asking, source, &output.stderr, &self.asked);
                break;
            }
            if !decisions.learn(&asking, source, &output.stderr) {
                return Ok(!naming::is_error_of_source(&output.stderr));
            }
        }
        Ok(true)
    }

    /// What rustc says; `None` if it cannot link the cell to the libraries of the dependencies.
    fn output(&mut self, session: &Path, source: &str) -> io::Result<Option<Output>> {
        let Some(dependencies) = &self.dependencies else {
            write_copy(session, source)?;
            return self.command.output().map(Some);
        };
        write_copy(session, &dependencies.named(source))?;
        let output = self.command.output()?;
        let Some(reason) = Dependencies::suspected(&output) else {
            return Ok(Some(output));
        };
        // The libraries are to blame if the cell compiles without them.
        write_copy(session, source)?;
        let arguments: Vec<_> = self.command.get_args().collect();
        let others = arguments.len() - dependencies.arguments().len();
        let mut without = Command::new(self.command.get_program());
        without.current_dir(session).args(&arguments[..others]);
        if !without.output()?.status.success() {
            return Ok(Some(output));
        }
        dependencies.give_up(&reason)?;
        Ok(None)
    }

    /// Compiles the cell with what has been noted. If the cell compiles, compiles the cell with a `better`
    /// sharing of statics.
    fn again(
        self,
        session: &Path,
        sharing: Sharing,
        better: Option<Sharing>,
    ) -> anyhow::Result<Result<ExitCode, Command>> {
        let arguments = self.asked.into_iter().map(OsString::from).collect();
        match compilation(session, self.command.get_program(), arguments, sharing)? {
            Compilation::Cell(mut cell) => {
                cell.better = better;
                cell.compile(session)
            }
            Compilation::Other(command) => Ok(Err(command)),
        }
    }
}

/// The sharing for a cell that does not compile with this one, and the one to try afterwards.
fn less(sharing: Sharing) -> Option<(Sharing, Option<Sharing>)> {
    match sharing {
        Sharing::Nothing => None,
        Sharing::Written => Some((Sharing::Nothing, None)),
        Sharing::Made => Some((Sharing::Nothing, Some(Sharing::Written))),
    }
}

/// Writes what rustc is to compile: the same file name as evcxr's in another directory, so that
/// messages name evcxr's file.
pub(super) fn write_copy(session: &Path, source: &str) -> io::Result<()> {
    let copy = session.join(SOURCE);
    fs::create_dir_all(copy.with_file_name(""))?;
    fs::write(copy, source)
}

/// Passes on what rustc wrote, and how it ended.
fn pass_on(output: &Output) -> anyhow::Result<Result<ExitCode, Command>> {
    io::stdout().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    let code = output
        .status
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(Ok(code.map_or(ExitCode::FAILURE, ExitCode::from)))
}
