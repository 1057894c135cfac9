//! The engine: evcxr, with a session process of memit as its child.

mod build_watch;
mod evaluation_error;
mod inserted;
mod interrupter;
mod questions;
mod record;
mod supervisor_link;
mod toolchain;

pub(crate) use build_watch::BuildWatch;
pub(crate) use evaluation_error::EvaluationError;
pub(crate) use inserted::Inserted;
pub(crate) use interrupter::Interrupter;
pub(crate) use record::Snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use evcxr::{CommandContext, EvalCallbacks, EvalContext, EvalOutputs};
use memit_magics::cell::{self, syntax};
use memit_magics::magic::Draw;
use memit_measurement::Described;
use memit_measurement::{LinesMeasurement, Measured};
use memit_session_process::{relay, supervisor};

use crate::compiler;
use crate::compiler::CELL_CRATE;
use crate::compiler::probes::{self, Probes};
use crate::compiler::variables::{self, ANCHOR, Compiled, GivenUp, Left, UNSEEN, Variable};
use crate::session::errors::Explanations;
use crate::session::errors::compiler::is_warning;
use crate::session::io::{Input, NoInput, Output, Stream};
use questions::Questions;
use record::{End, Record};
use supervisor_link::{CellOutcome, SupervisorLink};

/// Compiles and runs Rust. Knows nothing of magics.
pub(crate) struct Engine {
    // Dropped before the link, so that the session ends while its supervisor still listens.
    context: CommandContext,
    link: SupervisorLink,
    /// The questions of the running cell.
    questions: Questions,
    /// The functions with probes in the source that was compiled last.
    probes: Probes,
    record: Record,
    /// What the source that was compiled last does to the variables.
    compiled: Compiled,
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

/// A statement without an effect.
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
            record: Record::default(),
            compiled: Compiled::default(),
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

    /// The questions of the running cell.
    pub(crate) fn questions(&self) -> &Questions {
        &self.questions
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
        let mut unseen = BTreeSet::new();
        loop {
            let bound = self.record.bound(source, &unseen);
            match self.evaluate_bound(bound) {
                Err(EvaluationError::Other(message)) => match variable_without_type(&message) {
                    Some(variable) if unseen.insert(variable.to_owned()) => {}
                    _ => return Err(EvaluationError::Other(message)),
                },
                // evcxr does not name the variable if the compiler has warnings.
                Err(EvaluationError::Compile { errors, .. })
                    if unseen.is_empty() && errors.iter().all(is_warning) =>
                {
                    unseen.extend(cell::rust(source).bound_names());
                    if unseen.is_empty() {
                        return Err(EvaluationError::Other(NOT_COMPILED.to_owned()));
                    }
                }
                Ok((outputs, mut outcome)) => {
                    let named = std::mem::take(&mut outcome.named);
                    self.name_types(named);
                    return Ok((outputs, outcome));
                }
                error => return error,
            }
        }
    }

    /// Evaluates a source with its variables.
    fn evaluate_bound(
        &mut self,
        bound: Inserted,
    ) -> Result<(EvalOutputs, CellOutcome), EvaluationError> {
        self.record
            .tell(self.link.directory())
            .map_err(|error| EvaluationError::Other(error.to_string()))?;
        let (questions, link) = (&self.questions, &self.link);
        let mut callbacks = EvalCallbacks {
            input_reader: &|asked| questions.answer(&asked.prompt, asked.is_password, link),
        };
        let result = self
            .context
            .execute_with_callbacks(&bound.source, &mut callbacks);
        self.probes = probes::take(self.link.directory());
        let mut outcome = self.link.take_outcome();
        self.counted = outcome.counted.take();
        let progress = outcome.progress.take().map(Measured::Timeline);
        self.measured = outcome.measured.take().or(progress);
        let is_early = outcome.panic.is_some() || outcome.failed.is_some();
        let end = match &result {
            _ if outcome.ended.is_some() || outcome.not_started.is_some() => End::Undone,
            _ if outcome.restored || !outcome.lost.is_empty() => End::Undone,
            Ok(_) if is_early => End::Early,
            Ok(_) => End::Complete,
            Err(_) => End::Undone,
        };
        self.compiled = variables::take_compiled(self.link.directory()).unwrap_or_default();
        self.record.settle(&self.compiled, end);
        if outcome.ended.is_some() && !outcome.restored {
            self.record.clear();
        }
        if !outcome.lost.is_empty() {
            let lost = std::mem::take(&mut outcome.lost);
            self.record.change(|variables| {
                variables.held.retain(|name, _| !lost.contains(name));
            });
            return Err(EvaluationError::Lost(lost));
        }
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
            Ok(outputs) => Ok((outputs, outcome)),
            Err(evcxr::Error::CompilationErrors(errors)) => {
                let explanations =
                    Explanations::of(&errors, self.record.variables(), &self.compiled);
                Err(EvaluationError::Compile {
                    errors,
                    bound,
                    explanations,
                })
            }
            Err(evcxr::Error::SubprocessTerminated(message)) => {
                tracing::debug!("evcxr: {message}");
                self.record.clear();
                Err(EvaluationError::Ended(self.link.wait_for_end(), false))
            }
            Err(error) => Err(EvaluationError::Other(error.to_string())),
        }
    }

    /// Learns the types of variables that only rustc knows. A variable whose type no cell can write is
    /// not kept.
    fn name_types(&mut self, named: Vec<(String, String)>) {
        let compiled = std::mem::take(&mut self.compiled);
        let mut left = compiled.left.clone();
        for (name, by_rustc) in named {
            let Some(put) = compiled.put.get(&name) else {
                continue;
            };
            let cell = self.record.cell;
            let variable = |of| Variable {
                of,
                is_mutable: put.is_mutable,
                cell,
                reached: put.reached.clone(),
            };
            if let Some(of) = variables::of_rustc(&by_rustc, CELL_CRATE) {
                let variable = Arc::new(variable(of));
                self.record.change(|variables| {
                    variables.held.insert(name.clone(), variable);
                });
                if self.evaluate_with(&name).is_ok() {
                    continue;
                }
            }
            self.record.leave(&name);
            self.record.change(|variables| {
                variables.unwanted.insert(name.clone());
            });
            left.insert(name, Left::Unnamed);
        }
        self.compiled = Compiled { left, ..compiled };
    }

    /// Evaluates nothing, with a variable: an error if no cell can take the variable.
    fn evaluate_with(&mut self, variable: &str) -> Result<(), EvaluationError> {
        let bindings = self.record.bindings(|name| name == variable);
        let source = format!("let {ANCHOR} = ();{bindings}\n{NOTHING}");
        self.link.pass();
        self.evaluate_bound(Inserted::new(&source, &[])).map(drop)
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
        std::mem::take(&mut self.compiled.given_up)
    }

    /// Takes the variables of the source that was compiled last that the session does not keep.
    pub(crate) fn take_left(&mut self) -> BTreeMap<String, Left> {
        std::mem::take(&mut self.compiled.left)
    }

    /// Records that the session does not keep a variable of the source that was compiled last.
    pub(crate) fn leave(&mut self, name: &str) {
        self.record.leave(name);
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
        self.record.restore(variables);
        match self.context.execute(":clear") {
            Ok(_) => Ok(true),
            Err(error) => Err(EvaluationError::Other(error.to_string())),
        }
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

    /// The names of the session's variables with their types, sorted.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &str)> {
        let held = self.record.variables().held.iter();
        held.map(|(name, variable)| (name.as_str(), variable.of.as_str()))
    }

    /// The number of threads of the session process.
    pub(crate) fn threads(&self) -> u32 {
        self.link.threads()
    }

    /// The errors and warnings of the compiler for `code`, and how to find their lines in `code`.
    pub(crate) fn check(&mut self, code: &str) -> (Vec<evcxr::CompilationError>, Inserted) {
        let bound = self.record.bound(code, &BTreeSet::new());
        let errors = self.context.check(&bound.source).unwrap_or_else(|error| {
            tracing::debug!("nothing to check: {error}");
            Vec::new()
        });
        (errors, bound)
    }

    /// The completions at the byte `at` of `code`.
    pub(crate) fn completions(&mut self, code: &str, at: usize) -> Option<evcxr::Completions> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let typed = code[..at]
            .rsplit(|c| !is_word(c))
            .next()
            .unwrap_or_default();
        let words = syntax::words(code);
        let is_wanted = |name: &str| name.starts_with(typed) || words.contains(name);
        let (commands, _) = cell::split_commands(code);
        let (front, bound) = if at < commands.len() {
            (0, code.to_owned())
        } else {
            self.with_variables(code, is_wanted)
        };
        match self.context.completions(&bound, at + front) {
            Ok(mut completions) => {
                let is_ours = |name: &str| {
                    name.starts_with(compiler::MARK)
                        || [ANCHOR, UNSEEN].contains(&name.trim_end_matches('!'))
                };
                completions
                    .completions
                    .retain(|found| !is_ours(&found.code));
                completions.start_offset = completions.start_offset.saturating_sub(front);
                completions.end_offset = completions.end_offset.saturating_sub(front);
                Some(completions)
            }
            Err(error) => {
                tracing::debug!("no completions: {error}");
                None
            }
        }
    }

    /// The code behind a statement for each variable that is wanted, and the length of these.
    fn with_variables(&self, code: &str, is_wanted: impl Fn(&str) -> bool) -> (usize, String) {
        let (commands, rust) = cell::split_commands(code);
        let bindings = self.record.bindings(is_wanted);
        let source = format!("{commands}{bindings}\n{rust}");
        (source.len() - code.len(), source)
    }

    /// The documentation of the name that ends at the byte `at` of `code`, as plain text and HTML.
    pub(crate) fn hover(&mut self, code: &str, at: usize) -> Option<(String, String)> {
        let words = syntax::words(code);
        let (front, bound) = self.with_variables(code, |name| words.contains(name));
        match self.context.hover_at(&bound, at + front) {
            Ok(hover) => Some(hover),
            Err(error) => {
                tracing::debug!("nothing to inspect: {error}");
                None
            }
        }
    }
}

/// What the user reads if a cell does not compile and the compiler says no more.
const NOT_COMPILED: &str = "the cell does not compile";

/// The variable whose type evcxr cannot name, if this is evcxr's complaint.
fn variable_without_type(message: &str) -> Option<&str> {
    let is_such = message.starts_with("Couldn't automatically determine type of variable")
        || message.contains("is a closure, which cannot be persisted");
    message.split('`').nth(1).filter(|_| is_such)
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
