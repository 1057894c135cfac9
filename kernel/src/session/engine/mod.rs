//! The engine: evcxr, with a session process of memit as its child.

mod build_watch;
mod evaluation_error;
mod interrupter;
mod questions;
mod supervisor_link;
mod toolchain;

pub(crate) use build_watch::BuildWatch;
pub(crate) use evaluation_error::EvaluationError;
pub(crate) use interrupter::Interrupter;

use std::io;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use evcxr::{CommandContext, EvalCallbacks, EvalContext, EvalOutputs};
use memit_magics::magic::Draw;
use memit_measurement::Described;
use memit_measurement::{LinesMeasurement, Measured};
use memit_session_process::{relay, supervisor};

use crate::compiler;
use crate::compiler::kept::{self, GivenUp, Snapshot};
use crate::compiler::probes::{self, Probes};
use crate::session::io::{Input, NoAnswer, NoInput, Output, Stream};
use questions::Questions;
pub(crate) use supervisor_link::CellOutcome;
use supervisor_link::SupervisorLink;

/// Compiles and runs Rust. Knows nothing of magics.
pub(crate) struct Engine {
    // Dropped before the link, so that the session ends while its supervisor still listens.
    context: CommandContext,
    link: SupervisorLink,
    /// The questions of the running cell.
    questions: Questions,
    /// The functions with probes in the source that was compiled last.
    probes: Probes,
    /// The variables without which the source that was compiled last starts.
    given_up: Vec<GivenUp>,
    /// Those of them whose destructors panicked.
    leaked: Vec<String>,
    /// The counts of these functions in a cell that is not a measurement.
    counted: Option<LinesMeasurement>,
    /// The measurement of the code that ran last, complete or as far as it came.
    measured: Option<Measured>,
}

/// What the user reads when the next cell finds that the supervisor has ended.
const RESTARTED: &str = "memit: the processes of the session had ended, so a new session has started: variables \
    are lost, items and dependencies are kept.\n";

/// The first cell of every session process.
const PRELUDE: &str = "let _ = ::memit_session::start_session();";

/// A statement without an effect. Unlike an item, it makes evcxr take the variables from the store.
const NOTHING: &str = "let _ = ();";

/// Makes cells and dependencies release code, together with [`RELEASE_OPT_LEVEL`]: evcxr's manifest
/// turns both checks on.
const RELEASE: [&str; 2] = [
    ":build_env CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false",
    ":build_env CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false",
];
const RELEASE_OPT_LEVEL: &str = "3";

impl Engine {
    /// Starts the compiler, the analyser and the session process. Takes seconds.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let link = SupervisorLink::start()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.env(relay::SOCKET_VARIABLE, link.socket());
        let (context, outputs) = EvalContext::with_subprocess_command(command)
            .map_err(|error| toolchain::explained(error.into()))?;
        let mut context = CommandContext::with_eval_context(context);
        // User output arrives through the link, but evcxr waits until its own channels are empty.
        drain("evcxr stdout", outputs.stdout)?;
        drain("evcxr stderr", outputs.stderr)?;
        context.set_opt_level(RELEASE_OPT_LEVEL)?;
        for command in RELEASE {
            context.execute(command)?;
        }
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
            context,
            link,
            questions: Questions::new(Arc::new(NoInput("no cell runs"))),
            probes: Probes::default(),
            given_up: Vec::new(),
            leaked: Vec::new(),
            counted: None,
            measured: None,
        })
    }

    /// Makes the analyser infer its first types, which takes seconds, here or in the first `let`.
    pub(crate) fn warm_up(&mut self) {
        let code = "let warm = vec![String::new()]; warm";
        if let Err(error) = self.context.hover_at(code, code.len()) {
            tracing::debug!("warming up: {error}");
        }
    }

    /// Starts a cell: `output` receives its output, and `input` answers its questions. Begins a new
    /// session if the supervisor of the last one has ended.
    ///
    /// # Errors
    ///
    /// If a new session is needed and cannot be started.
    pub(crate) fn begin_cell(
        &mut self,
        number: u64,
        output: &Arc<dyn Output>,
        input: Arc<dyn Input>,
    ) -> Result<(), EvaluationError> {
        self.questions = Questions::new(input);
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
        let mut begin = || {
            self.link.expect_prelude();
            self.evaluate(PRELUDE)
        };
        begin().or_else(|_| begin()).map(drop)
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
    pub(crate) fn end_cell(&self) {
        self.link.end_cell();
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

    /// Evaluates Rust and evcxr's commands. Returns the outputs of evcxr and the outcome that the
    /// session's processes report.
    pub(crate) fn evaluate(
        &mut self,
        source: &str,
    ) -> Result<(EvalOutputs, CellOutcome), EvaluationError> {
        let (questions, link) = (&self.questions, &self.link);
        let mut callbacks = EvalCallbacks {
            input_reader: &|asked| questions.answer(&asked.prompt, asked.is_password, link),
        };
        let result = self.context.execute_with_callbacks(source, &mut callbacks);
        self.probes = probes::take(self.link.directory());
        let mut outcome = self.link.take_outcome();
        self.counted = outcome.counted.take();
        let progress = outcome.progress.take().map(Measured::Timeline);
        self.measured = outcome.measured.take().or(progress);
        let took_effect = result.is_ok()
            && outcome.panic.is_none()
            && outcome.failed.is_none()
            && outcome.not_started.is_none()
            && outcome.ended.is_none();
        let settled = kept::settle(self.link.directory(), took_effect);
        self.given_up = settled.given_up;
        self.leaked = std::mem::take(&mut outcome.leaked);
        if let Some(reason) = outcome.not_started.take() {
            return Err(EvaluationError::NotStarted(reason));
        }
        if let Some(panic) = outcome.panic.take() {
            return Err(EvaluationError::Panic(panic, self.last_source()));
        }
        if let Some(failed) = outcome.failed.take() {
            return Err(EvaluationError::Failed(failed, self.last_source()));
        }
        if outcome.ended.is_some() {
            return Err(EvaluationError::Ended(outcome.ended, outcome.restored));
        }
        match result {
            Ok(outputs) => {
                if settled.is_pending && source != NOTHING {
                    self.evaluate(NOTHING)?;
                }
                Ok((outputs, outcome))
            }
            Err(evcxr::Error::CompilationErrors(errors)) => Err(EvaluationError::Compile(errors)),
            Err(evcxr::Error::SubprocessTerminated(message)) => {
                tracing::debug!("evcxr: {message}");
                Err(EvaluationError::Ended(self.link.wait_for_end(), false))
            }
            Err(error) => Err(EvaluationError::Other(error.to_string())),
        }
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
        if !names.is_empty() {
            probes::want(self.link.directory(), names)
                .map_err(|error| EvaluationError::Other(error.to_string()))?;
        }
        self.evaluate_passing(source)
    }

    /// Takes the functions with probes in the source that was compiled last.
    pub(crate) fn take_probes(&mut self) -> Probes {
        std::mem::take(&mut self.probes)
    }

    /// Takes the variables without which the source that was compiled last starts, because their
    /// types reach a definition that has changed. If the source took effect, they are gone.
    pub(crate) fn take_given_up(&mut self) -> Vec<GivenUp> {
        std::mem::take(&mut self.given_up)
    }

    /// Whether the destructor of the variable has panicked when the last source gave the variable up.
    pub(crate) fn is_leaked(&self, variable: &str) -> bool {
        self.leaked.iter().any(|leaked| leaked == variable)
    }

    /// The variables as the compiler knows them, for [`Self::undo`].
    pub(crate) fn snapshot(&self) -> Snapshot {
        kept::snapshot(self.link.directory())
    }

    /// Takes the counts of the functions with probes in the last cell.
    pub(crate) fn take_counted(&mut self) -> Option<LinesMeasurement> {
        self.counted.take()
    }

    /// Takes the measurement of the code that ran last, complete or as far as it came.
    pub(crate) fn take_measured(&mut self) -> Option<Measured> {
        self.measured.take()
    }

    /// Sets the function that draws unfinished timelines; `None` draws nothing.
    pub(crate) fn draw_by(&self, draw: Option<Draw>) {
        self.link.draw_by(draw);
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
        kept::restore(self.link.directory(), variables)
            .map_err(|error| EvaluationError::Other(error.to_string()))?;
        match self.context.execute(":clear") {
            Ok(_) => Ok(true),
            Err(error) => Err(EvaluationError::Other(error.to_string())),
        }
    }

    /// Begins a new session process. Afterwards, evcxr knows no variables, items or dependencies, and
    /// no cell has a checkpoint.
    pub(crate) fn clear(&mut self) -> Result<(), EvaluationError> {
        let other = |error: String| EvaluationError::Other(error);
        kept::restore(self.link.directory(), &Snapshot::default())
            .map_err(|error| other(error.to_string()))?;
        let cleared = self.context.execute(":clear");
        cleared.map(drop).map_err(|error| other(error.to_string()))
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
        let mut names: Vec<_> = self.types().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    /// The names of the session's variables with their types.
    pub(crate) fn types(&self) -> Vec<(String, String)> {
        let owned = |(name, of): (&str, &str)| (name.to_owned(), of.to_owned());
        self.context.variables_and_types().map(owned).collect()
    }

    /// The number of threads of the session process.
    pub(crate) fn threads(&self) -> u32 {
        self.link.threads()
    }

    /// The errors and warnings of the compiler for `code`.
    pub(crate) fn check(&mut self, code: &str) -> Vec<evcxr::CompilationError> {
        match self.context.check(code) {
            Ok(errors) => errors,
            Err(error) => {
                tracing::debug!("nothing to check: {error}");
                Vec::new()
            }
        }
    }

    /// The completions at the byte `at` of `code`.
    pub(crate) fn completions(&mut self, code: &str, at: usize) -> Option<evcxr::Completions> {
        match self.context.completions(code, at) {
            Ok(mut completions) => {
                let all = &mut completions.completions;
                all.retain(|found| !compiler::marks::is_mark(&found.code));
                Some(completions)
            }
            Err(error) => {
                tracing::debug!("no completions: {error}");
                None
            }
        }
    }

    /// The documentation of the name that ends at the byte `at` of `code`, as plain text and HTML.
    pub(crate) fn hover(&mut self, code: &str, at: usize) -> Option<(String, String)> {
        match self.context.hover_at(code, at) {
            Ok(hover) => Some(hover),
            Err(error) => {
                tracing::debug!("nothing to inspect: {error}");
                None
            }
        }
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
