//! Compiles a cell that is to be run, again if need be.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{ExitCode, Output};
use std::time::Instant;

use anyhow::Context as _;

use super::dependencies::Dependencies;
use super::division::divide;
use super::linker::Linker;
use super::needed::{self, Attempt, Needed};
use super::probes::{self, Probes, Problem, Sources};
use super::rustc::Rustc;
use super::statics::{Numbers, Sharing, unshared};
use super::variables::{self, Compiled, Decisions, Rewritten, naming};
use super::{Compilation, SOURCE, compilation, library, macros};

/// The directory, in that of the session, for what rustc writes when it names types.
const NAMES: &str = "names";

/// The compilation of a cell.
pub(super) struct CellCompilation {
    /// The arguments with which cargo asks for the cell.
    pub(super) asked: Vec<String>,
    pub(super) rustc: Rustc,
    pub(super) arguments: Vec<String>,
    /// The arguments that name the crates of ours.
    pub(super) externals: Vec<String>,
    /// Links the cell; `None` if the C compiler does.
    pub(super) linker: Option<Linker>,
    /// The libraries to which the cell is linked.
    pub(super) dependencies: Option<Dependencies>,
    /// The dependencies with their states.
    pub(super) crates: BTreeMap<String, u64>,
    /// The statics that the cell shares with others.
    pub(super) statics: Numbers,
    pub(super) sharing: Sharing,
    /// How statics are to be shared if the cell compiles.
    pub(super) better: Option<Sharing>,
    /// Whether the cell can have statics.
    pub(super) may_have_statics: bool,
    pub(super) cell: variables::Cell,
}

/// What rustc has made of a source.
enum Made {
    /// The cell. The bytes are those of its library.
    Cell(Output, Vec<u8>),
    /// Errors, from which something about the variables has been learnt.
    Learnt,
    /// Other errors.
    Errors(Output),
    /// The cell is to be compiled again, with what has been noted.
    Again,
}

impl CellCompilation {
    /// Compiles the cell. If an error is about what becomes of a variable at the end of the cell,
    /// compiles again with another end.
    ///
    /// Compiles the source with probes first, if there is one. Without it, or if it does not
    /// compile, compiles the plain source, so that compiler messages are about the user's code.
    pub(super) fn compile(self, session: &Path) -> anyhow::Result<ExitCode> {
        let mut decisions = Decisions::default();
        if self.better.is_none()
            && !self.learn_types(session, &mut decisions)?
            && let Some((sharing, better)) = self.less()
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
                match self.make(session, probed, &mut decisions, &rewritten)? {
                    Made::Again => return self.again_as_before(session),
                    Made::Cell(output, library) => {
                        if self.better.is_none() {
                            probes::tell(session, &probes)?;
                        }
                        return self.finish(session, rewritten.compiled, &output, &library);
                    }
                    Made::Learnt => continue,
                    Made::Errors(_) if has_switched => {
                        // Not every body compiles twice in one function.
                        may_switch = false;
                        continue;
                    }
                    Made::Errors(output) => {
                        probes = Probes {
                            problem: Some(Problem::Compile {
                                message: String::from_utf8_lossy(&output.stderr).into_owned(),
                            }),
                            ..Probes::default()
                        };
                    }
                }
            }
            match &probes.problem {
                None => {}
                Some(Problem::Compile { .. }) => probes::tell(session, &probes)?,
                // The kernel reports the problem.
                Some(_) => {
                    probes::tell(session, &probes)?;
                    return Ok(ExitCode::FAILURE);
                }
            }
            let source = plain.as_ref().unwrap_or(source);
            return match self.make(session, source, &mut decisions, &rewritten)? {
                Made::Again => self.again_as_before(session),
                Made::Cell(output, library) => {
                    self.finish(session, rewritten.compiled, &output, &library)
                }
                Made::Learnt => continue,
                Made::Errors(output) => self.fail(session, &rewritten.compiled, &output),
            };
        }
    }

    /// Reports errors of the user's, told about the user's columns, and what the cell would do.
    fn fail(
        self,
        session: &Path,
        compiled: &Compiled,
        output: &Output,
    ) -> anyhow::Result<ExitCode> {
        if let Some((sharing, better)) = self.less() {
            return self.again(session, sharing, better);
        }
        variables::write_compiled(session, compiled)?;
        Ok(pass_on(output)?)
    }

    /// How to share statics if the cell does not compile, and how to share them afterwards.
    fn less(&self) -> Option<(Sharing, Option<Sharing>)> {
        match self.sharing {
            Sharing::Written if self.may_have_statics => Some((Sharing::Nothing, None)),
            Sharing::Made if self.may_have_statics => {
                Some((Sharing::Nothing, Some(Sharing::Written)))
            }
            _ => None,
        }
    }

    /// Lets rustc name the types of the variables. Returns whether rustc has found no error of the user's.
    fn learn_types(&self, session: &Path, decisions: &mut Decisions) -> io::Result<bool> {
        'asking: while let Some(asking) = self.cell.rewritten(decisions).asking() {
            let source = macros::first(&asking.source);
            let source = source.as_ref().unwrap_or(&asking.source);
            let mut needed = Needed::of(session, source, &self.crates);
            let mut is_error = false;
            while let Some(attempt) = needed.next() {
                let arguments = self.linked(session, &attempt)?;
                let command = self.rustc.command(&arguments);
                let output = naming::command(&command, &session.join(NAMES)).output()?;
                if output.status.success() {
                    decisions.learn_types(&asking, &attempt.source, &output.stderr, &self.asked);
                    return Ok(true);
                }
                if decisions.learn(&asking, &attempt.source, &output.stderr) {
                    continue 'asking;
                }
                is_error = naming::is_error_of_source(&output.stderr);
            }
            return Ok(!is_error);
        }
        Ok(true)
    }

    /// Reports what the compiled cell does, unless statics can be shared in a better way.
    fn finish(
        self,
        session: &Path,
        mut compiled: Compiled,
        output: &Output,
        library: &[u8],
    ) -> anyhow::Result<ExitCode> {
        if let Some(sharing) = self.better {
            return self.again(session, sharing, None);
        }
        self.cell.keep_definitions(session)?;
        compiled.unshared = unshared::of(library);
        variables::write_compiled(session, &compiled)?;
        Ok(pass_on(output)?)
    }

    /// Compiles a source: first with what the cell needs of the session's items, and with everything if
    /// that does not do. Learns from errors.
    fn make(
        &self,
        session: &Path,
        source: &str,
        decisions: &mut Decisions,
        rewritten: &Rewritten,
    ) -> anyhow::Result<Made> {
        let mut needed = Needed::of(session, source, &self.crates);
        let mut errors = None;
        while let Some(attempt) = needed.next() {
            let begun = Instant::now();
            let Some(output) = self.output(session, &attempt)? else {
                return Ok(Made::Again);
            };
            if !output.status.success() {
                if decisions.learn(rewritten, &attempt.source, &output.stderr) {
                    return Ok(Made::Learnt);
                }
                errors = Some(output);
                continue;
            }
            let library = fs::read(library(&self.asked)).unwrap_or_default();
            if !needed::is_missed(&library) {
                needed.remember(session, &attempt, begun.elapsed())?;
                return Ok(Made::Cell(output, library));
            }
        }
        errors.map(Made::Errors).context("rustc has not been run")
    }

    /// What rustc says; `None` if it cannot link the cell to the libraries of the dependencies.
    fn output(&self, session: &Path, attempt: &Attempt<'_>) -> io::Result<Option<Output>> {
        let output = self.linked_output(session, attempt)?;
        let Some(dependencies) = self.libraries(attempt) else {
            return Ok(Some(output));
        };
        let Some(reason) = Dependencies::suspected(&output) else {
            return Ok(Some(output));
        };
        // The libraries are to blame if the cell compiles without them.
        write_copy(session, &attempt.source)?;
        let arguments = self.arguments(session, attempt);
        let without = self.rustc.output(&arguments)?;
        if !without.status.success() {
            return Ok(Some(output));
        }
        dependencies.give_up(&reason)?;
        Ok(None)
    }

    /// What rustc says when the cell is linked to the libraries of the dependencies.
    fn linked_output(&self, session: &Path, attempt: &Attempt<'_>) -> io::Result<Output> {
        let arguments = self.linked(session, attempt)?;
        if let Some(linker) = &self.linker {
            let output = self.rustc.output(&linker.arguments(&arguments))?;
            if !Linker::has_failed(&output) {
                return Ok(output);
            }
        }
        // The C compiler may know better, and its messages are the familiar ones.
        let output = self.rustc.output(&arguments)?;
        if self.linker.is_some() && output.status.success() {
            Linker::give_up(session, self.rustc.program())?;
        }
        Ok(output)
    }

    /// The libraries to which a source is linked.
    fn libraries(&self, attempt: &Attempt<'_>) -> Option<&Dependencies> {
        let libraries = self.dependencies.as_ref();
        libraries.filter(|_| attempt.has_items)
    }

    /// Writes a source, and returns the arguments that compile the source with the libraries.
    fn linked(&self, session: &Path, attempt: &Attempt<'_>) -> io::Result<Vec<String>> {
        let mut arguments = self.arguments(session, attempt);
        match self.libraries(attempt) {
            Some(libraries) => {
                write_copy(session, &libraries.named(&attempt.source))?;
                arguments.extend(libraries.arguments());
            }
            None => write_copy(session, &attempt.source)?,
        }
        Ok(arguments)
    }

    /// The arguments that compile a source without the libraries of the dependencies.
    fn arguments(&self, session: &Path, attempt: &Attempt<'_>) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        divide(session, &attempt.source, attempt.work, &mut arguments);
        arguments.extend_from_slice(&self.externals);
        arguments
    }

    /// Compiles the cell with what has been noted, and shares statics as before.
    fn again_as_before(self, session: &Path) -> anyhow::Result<ExitCode> {
        let (sharing, better) = (self.sharing, self.better);
        self.again(session, sharing, better)
    }

    /// Compiles the cell with what has been noted. If the cell compiles, compiles the cell with a `better`
    /// sharing of statics.
    fn again(
        self,
        session: &Path,
        sharing: Sharing,
        better: Option<Sharing>,
    ) -> anyhow::Result<ExitCode> {
        let arguments = self.asked.into_iter().map(OsString::from).collect();
        match compilation(session, self.rustc.program(), arguments, sharing)? {
            Compilation::Cell(mut cell) => {
                cell.better = better;
                cell.compile(session)
            }
            Compilation::Other(mut command) => Ok(pass_on(&command.output()?)?),
        }
    }
}

/// Writes what rustc is to compile: the same file name as evcxr's in another directory, so that
/// messages name evcxr's file.
pub(super) fn write_copy(session: &Path, source: &str) -> io::Result<()> {
    let copy = session.join(SOURCE);
    fs::create_dir_all(copy.with_file_name(""))?;
    fs::write(copy, source)
}

/// Passes on what a program wrote, and how the program ended.
pub(crate) fn pass_on(output: &Output) -> io::Result<ExitCode> {
    io::stdout().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    let code = output
        .status
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
