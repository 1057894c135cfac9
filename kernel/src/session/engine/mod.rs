//! The engine: evcxr, with a session process of memit as its child.

mod analysis;
mod build_watch;
mod compiled_elsewhere;
mod evaluate;
mod evaluation_error;
mod inserted;
mod interrupter;
mod long_error;
mod questions;
mod record;
mod spent;
mod supervisor_link;
mod toolchain;

pub(crate) use build_watch::BuildWatch;
pub(crate) use evaluation_error::EvaluationError;
pub(crate) use inserted::Inserted;
pub(crate) use interrupter::Interrupter;
pub(crate) use record::{Anew, Snapshot};
pub(crate) use spent::Spent;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use evcxr::{CommandContext, EvalContext, EvalOutputs};
use memit_magics::magic::{Draw, SessionVariable};
use memit_measurement::{Described, Remark};
use memit_measurement::{LinesMeasurement, Measured};
use memit_session_process::{relay, supervisor};

use crate::analyser::Analyser;
use crate::cargo_settings::{OPT_LEVEL, RELEASE};
use crate::compiler;
use crate::compiler::probes::{self, Probes, Wanted};
use crate::compiler::variables::{self, Compiled, GivenUp, Left};
use crate::session::io::{Input, NoAnswer, NoInput, Output, Stream};
use crate::tools_environment;
use analysis::Asked;
use compiled_elsewhere::Keeping;
use questions::Questions;
use record::Record;
use supervisor_link::SupervisorLink;
pub(crate) use supervisor_link::{CellOutcome, ShowPlaced};

/// Compiles and runs Rust. Knows nothing of magics.
pub(crate) struct Engine {
    // Dropped before the context, which removes the files that are kept.
    keeping: Keeping,
    // Dropped before the link, so that the session ends while its supervisor still listens.
    context: CommandContext,
    link: SupervisorLink,
    analyser: Analyser,
    /// The question that an editor has asked last, until the next cell.
    asked: Option<Asked>,
    /// The manifest whose dependencies the analyser knows, or has been told to read.
    prepared: Option<String>,
    /// The level of optimisation of cells and dependencies.
    opt_level: &'static str,
    /// The questions of the running cell.
    questions: Questions,
    /// The functions with probes in the source that was compiled last.
    probes: Probes,
    record: Record,
    /// What the source that was compiled last does to the variables.
    compiled: Compiled,
    /// The variables that it gave up and whose destructors panicked.
    leaked: Vec<String>,
    /// The statics that have started anew.
    anew: Vec<Anew>,
    /// The counts of these functions in a cell that is not a measurement.
    counted: Option<LinesMeasurement>,
    /// The measurement of the code that ran last, complete or as far as it came.
    measured: Option<Measured>,
    /// What the figures of this measurement do not show.
    remarks: Vec<Remark>,
    /// What the running cell has spent.
    spent: Spent,
    /// The cell since which the session process has more than one thread.
    threads_since: Option<u64>,
}

/// What the user reads when the next cell finds that the supervisor has ended.
const RESTARTED: &str = "memit: the processes of the session had ended, so a new session has started: variables \
    are lost, items and dependencies are kept.\n";

/// The first cell of every session process.
const PRELUDE: &str = "let _ = ::memit_session::start_session();";

/// A statement without an effect.
const NOTHING: &str = "let _ = ();";

impl Engine {
    /// Starts the compiler and the session process. Takes seconds.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let link = SupervisorLink::start()?;
        if let Some(directory) = tools_environment::directory() {
            symlink(directory, link.directory().join(supervisor::TOOLS))?;
        }
        let mut command = Command::new(std::env::current_exe()?);
        command.env(relay::SOCKET_VARIABLE, link.socket());
        let (context, outputs) = EvalContext::with_subprocess_command(command)
            .map_err(|error| toolchain::explained(error.into()))?;
        let mut context = CommandContext::with_eval_context(context);
        // User output arrives through the link, but evcxr waits until its own channels are empty.
        drain("evcxr stdout", outputs.stdout)?;
        drain("evcxr stderr", outputs.stderr)?;
        let rustc = compiler::install(link.directory())?;
        context.execute(&format!(
            ":build_env RUSTC_WORKSPACE_WRAPPER={}",
            rustc.display()
        ))?;
        let compiled = context.execute(":last_compile_dir")?;
        if let Some(directory) = compiled.get("text/plain") {
            symlink(
                directory.trim(),
                link.directory().join(supervisor::COMPILED),
            )?;
        }
        link.expect_prelude();
        context.execute(PRELUDE)?;
        Ok(Self {
            keeping: Keeping::default(),
            context,
            link,
            analyser: Analyser::default(),
            asked: None,
            prepared: None,
            opt_level: RELEASE,
            questions: Questions::new(Arc::new(NoInput("no cell runs"))),
            probes: Probes::default(),
            record: Record::default(),
            compiled: Compiled::default(),
            leaked: Vec::new(),
            anew: Vec::new(),
            counted: None,
            measured: None,
            remarks: Vec::new(),
            spent: Spent::default(),
            threads_since: None,
        })
    }

    /// Starts the cell `number`, which front-ends show as `shown`: `output` receives its output, and
    /// `input` answers its questions. Begins a new session if the supervisor of the last one has
    /// ended.
    ///
    /// # Errors
    ///
    /// If a new session is needed and cannot be started.
    pub(crate) fn begin_cell(
        &mut self,
        number: u64,
        shown: u64,
        output: &Arc<dyn Output>,
        input: Arc<dyn Input>,
    ) -> Result<(), EvaluationError> {
        self.analyser.pause();
        self.asked = None;
        self.spent = Spent::default();
        self.questions = Questions::new(input);
        self.record.cell = shown;
        let is_lost = self.link.is_lost();
        if is_lost {
            self.link
                .restart()
                .map_err(|error| EvaluationError::NotStarted(error.to_string()))?;
        }
        self.link.begin_cell(number, Arc::clone(output));
        if is_lost {
            self.begin_session()?;
            output.stream(Stream::Stderr, RESTARTED);
        }
        Ok(())
    }

    /// Lets evcxr find that its child is gone, and start another.
    fn begin_session(&mut self) -> Result<(), EvaluationError> {
        self.record.clear();
        let mut begin = || {
            self.link.expect_prelude();
            self.evaluate(PRELUDE)
        };
        begin().or_else(|_| begin()).map(drop)
    }

    /// Sends the output of the cell here from now on.
    pub(crate) fn output_to(&self, output: Arc<dyn Output>) {
        self.link.output_to(output);
    }

    /// The questions of the running cell.
    pub(crate) fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Asks the user a question of the kernel.
    ///
    /// # Errors
    ///
    /// If nobody answers.
    pub(crate) fn ask(&self, prompt: &str) -> Result<String, NoAnswer> {
        self.questions.ask(prompt, &self.link)
    }

    /// Waits until all output of the cell has been delivered.
    pub(crate) fn end_cell(&mut self) {
        self.link.end_cell();
        self.analyser.resume();
        let has_threads = self.link.threads() > 1;
        let since = self.threads_since.unwrap_or(self.record.cell);
        self.threads_since = has_threads.then_some(since);
    }

    /// The number that front-ends show for the cell that left the session with more than one thread.
    pub(crate) fn threads_since(&self) -> Option<u64> {
        self.threads_since
    }

    /// Ends standard input of the cells.
    pub(crate) fn close_input(&self) {
        self.link.close_input();
    }

    pub(crate) fn interrupted(&self) -> bool {
        self.link.interrupted()
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        Interrupter::new(self.link.interrupt_sender())
    }

    /// Like [`Self::evaluate`], for code that leaves the session unchanged.
    pub(crate) fn evaluate_passing(
        &mut self,
        source: &str,
    ) -> Result<(EvalOutputs, CellOutcome), EvaluationError> {
        self.link.pass();
        self.evaluate(source)
    }

    /// Like [`Self::evaluate_passing`], with probes in the functions with these names.
    pub(crate) fn evaluate_probed(
        &mut self,
        source: &str,
        names: &[&str],
    ) -> Result<(EvalOutputs, CellOutcome), EvaluationError> {
        self.want_probes(names, false)?;
        self.evaluate_passing(source)
    }

    /// Takes the functions with probes in the source that was compiled last.
    pub(crate) fn take_probes(&mut self) -> Probes {
        std::mem::take(&mut self.probes)
    }

    /// Takes the variables without which the source that was compiled last starts, because their
    /// types reach a definition that has changed. If the source took effect, they are gone.
    pub(crate) fn take_given_up(&mut self) -> Vec<GivenUp> {
        std::mem::take(&mut self.compiled.given_up)
    }

    /// Takes the variables of the source that was compiled last that the session does not keep.
    pub(crate) fn take_left(&mut self) -> BTreeMap<String, Left> {
        std::mem::take(&mut self.compiled.left)
    }

    /// Drops the variable.
    pub(crate) fn delete(&mut self, name: &str) -> Result<(), EvaluationError> {
        let before = self.record.snapshot();
        self.record.change(|variables| {
            variables.held.remove(name);
            variables.unwanted.insert(name.to_owned());
        });
        let dropped = self.evaluate(NOTHING).map(drop);
        if dropped.is_err() {
            self.record.restore(&before);
        }
        dropped
    }

    /// Whether the running cell has bound the variable of this name that the session holds.
    pub(crate) fn is_new(&self, name: &str) -> bool {
        self.record.is_new(name)
    }

    /// Records that the session does not keep a variable of the source that was compiled last.
    pub(crate) fn leave(&mut self, name: &str) {
        self.record.leave(name);
    }

    /// Whether the destructor of the variable has panicked when the last source gave the variable up.
    pub(crate) fn is_leaked(&self, variable: &str) -> bool {
        self.leaked.iter().any(|leaked| leaked == variable)
    }

    /// Takes the statics that have started anew.
    pub(crate) fn take_anew(&mut self) -> Vec<Anew> {
        std::mem::take(&mut self.anew)
    }

    /// The variables as they are now, for [`Self::undo`].
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.record.snapshot()
    }

    /// Takes the counts of the functions with probes in the last cell.
    pub(crate) fn take_counted(&mut self) -> Option<LinesMeasurement> {
        self.counted.take()
    }

    /// Takes the measurement of the code that ran last, complete or as far as it came.
    pub(crate) fn take_measured(&mut self) -> Option<Measured> {
        self.measured.take()
    }

    /// What the running cell has spent so far.
    pub(crate) fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Takes what the figures of this measurement do not show.
    pub(crate) fn take_remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// Sets the function that draws unfinished timelines; `None` draws nothing.
    pub(crate) fn draw_by(&self, draw: Option<Draw>) {
        self.link.draw_by(draw);
    }

    /// Sets the function that shows the results of magics in blocks.
    pub(crate) fn show_placed_by(&self, show: ShowPlaced) {
        self.link.show_placed_by(show);
    }

    /// Puts probes into the functions with these names in the next cell. If `switched`, the functions can
    /// also run without probes.
    pub(crate) fn want_probes(
        &self,
        names: &[&str],
        switched: bool,
    ) -> Result<(), EvaluationError> {
        if names.is_empty() {
            return Ok(());
        }
        let names = names.iter().map(|&name| name.to_owned()).collect();
        probes::want(self.link.directory(), &Wanted { names, switched })
            .map_err(|error| EvaluationError::Other(error.to_string()))
    }

    /// The working directory of the session process.
    pub(crate) fn working_directory(&self) -> PathBuf {
        self.link.working_directory()
    }

    /// The directory of the session's files.
    pub(crate) fn directory(&self) -> &Path {
        self.link.directory()
    }

    /// Takes the session process back to the start of the cell `number`; false if that cell has no
    /// checkpoint. Afterwards evcxr knows no variables, items or dependencies. `variables` is the
    /// snapshot of that time.
    pub(crate) fn undo(
        &mut self,
        number: u64,
        variables: &Snapshot,
    ) -> Result<bool, EvaluationError> {
        if !self.link.undo(number) {
            return Ok(false);
        }
        self.record.restore(variables);
        match self.context.execute(":clear") {
            Ok(_) => Ok(true),
            Err(error) => Err(EvaluationError::Other(error.to_string())),
        }
    }

    /// Begins a new session process. Afterwards, evcxr knows no variables, items or dependencies, and
    /// no cell has a checkpoint.
    pub(crate) fn clear(&mut self) -> Result<(), EvaluationError> {
        self.record.clear();
        self.link.clear();
        let cleared = self.context.execute(":clear");
        let other = |error: evcxr::Error| EvaluationError::Other(error.to_string());
        cleared.map(drop).map_err(other)
    }

    /// Describes the processes of the session.
    pub(crate) fn describe(&self) -> Option<Described> {
        self.link.describe()
    }

    /// The source that was compiled last.
    pub(crate) fn last_source(&self) -> String {
        self.context.last_source().unwrap_or_default()
    }

    /// The names of the session's variables, sorted.
    pub(crate) fn variables(&self) -> Vec<String> {
        self.record.variables().held.keys().cloned().collect()
    }

    /// The session's variables, sorted by name.
    pub(crate) fn held(&self) -> impl Iterator<Item = SessionVariable> {
        let held = self.record.variables().held.iter();
        held.map(|(name, variable)| SessionVariable {
            name: name.clone(),
            of: variables::shown(&variable.of),
            written: variable.of.clone(),
            cell: variable.cell,
        })
    }

    /// The names of the session's variables with their types, sorted.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, String)> {
        let held = self.record.variables().held.iter();
        held.map(|(name, variable)| (name.as_str(), variables::shown(&variable.of)))
    }

    /// Whether the session depends on the crate of this name.
    pub(crate) fn depends_on(&mut self, name: &str) -> bool {
        let shown = self.context.execute(":show_deps");
        let shown = shown.unwrap_or_else(|_| EvalOutputs::new());
        let dependencies = shown.get("text/plain").unwrap_or_default();
        let mut names = dependencies
            .lines()
            .filter_map(|line| line.split(' ').next());
        names.any(|other| other == name)
    }

    /// The dependencies of which each cell has a copy of its own, with the reasons.
    pub(crate) fn separate_dependencies(&self) -> BTreeMap<String, String> {
        compiler::dependencies::separate(self.link.directory())
    }

    /// Whether a type of the dependencies of the last cell may display itself; `None` if that is not known.
    pub(crate) fn dependencies_display(&self) -> Option<bool> {
        compiler::dependencies::display(self.link.directory())
    }

    /// The level of optimisation of cells and dependencies.
    pub(crate) fn opt_level(&self) -> &'static str {
        self.opt_level
    }

    /// Sets the level of optimisation of the next cells.
    pub(crate) fn set_opt_level(&mut self, level: &'static str) {
        if level != self.opt_level {
            let command = format!(":build_env {OPT_LEVEL}={level}");
            match self.context.execute(&command) {
                Ok(_) => self.opt_level = level,
                Err(error) => tracing::warn!("{command}: {error}"),
            }
        }
    }

    /// The number of threads of the session process.
    pub(crate) fn threads(&self) -> u32 {
        self.link.threads()
    }
}

/// The time that evcxr spent on compiling.
pub(crate) fn compile_time(outputs: &EvalOutputs) -> Duration {
    let phases = outputs
        .phases
        .iter()
        .filter(|phase| phase.name != "Execution");
    phases.map(|phase| phase.duration).sum()
}

/// Empties one of evcxr's output channels for ever. Text that still arrives there is logged.
fn drain(name: &str, lines: impl IntoIterator<Item = String> + Send + 'static) -> io::Result<()> {
    let label = name.to_owned();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            for line in lines {
                tracing::warn!("{label}: {line}");
            }
        })
        .map(drop)
}
