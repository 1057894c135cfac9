//! Evaluates a cell, with the variables that it mentions.

use std::slice;
use std::sync::Arc;
use std::time::Instant;

use evcxr::{EvalCallbacks, EvalOutputs};
use memit_magics::cell;
use memit_magics::cell::snippet::lists_variables;
use memit_measurement::Measured;

use super::evaluation_error::{EvaluationError, Stopped};
use super::inserted::Inserted;
use super::record::End;
use super::supervisor_link::CellOutcome;
use super::{Engine, NOTHING};
use crate::compiler::CELL_CRATE;
use crate::compiler::probes;
use crate::compiler::variables::{self, ANCHOR, Compiled, Left, Variable};
use crate::session::errors::{Explanations, panic_site};

impl Engine {
    /// Evaluates Rust and evcxr's commands. Returns the outputs of evcxr and the outcome that the
    /// session's processes report.
    pub(crate) fn evaluate(
        &mut self,
        source: &str,
    ) -> Result<(EvalOutputs, CellOutcome), EvaluationError> {
        let statements = cell::rust(source);
        let bound = if lists_variables(source) {
            Inserted::new(source, &[])
        } else {
            self.record.bound(source, &statements)
        };
        let (outputs, mut outcome) = self.evaluate_bound(bound)?;
        let named = std::mem::take(&mut outcome.named);
        self.name_types(named);
        self.record.remember_blocks(statements.names_in_blocks());
        self.keep_dependencies();
        Ok((outputs, outcome))
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
        let begun = Instant::now();
        let result = self
            .context
            .execute_with_callbacks(&bound.source, &mut callbacks);
        let mut outcome = self.link.take_outcome();
        let took = begun.elapsed();
        // Results of magics in blocks are in the outcome, and showing them needs the probes.
        self.probes = probes::take(self.link.directory());
        self.counted = outcome.counted.take();
        let progress = outcome.progress.take().map(Measured::Timeline);
        self.remarks = std::mem::take(&mut outcome.remarks);
        self.measured = outcome.measured.take().or(progress);
        let is_early = outcome.panic.is_some() || outcome.failed.is_some();
        let end = match &result {
            _ if outcome.ended.is_some() || outcome.not_started.is_some() => End::Undone,
            _ if outcome.restored || !outcome.lost.is_empty() => End::Undone,
            Ok(_) if is_early => End::Early,
            Ok(_) => End::Complete,
            Err(_) => End::Undone,
        };
        let mut cost = outcome.cost.take();
        if let Some(cost) = &mut cost
            && outcome.restored
        {
            // The session has what it had before.
            cost.heap_change = Some(0);
        }
        let is_compile_error = matches!(result, Err(evcxr::Error::CompilationErrors(_)));
        let ended_early = cost.is_none() && end != End::Complete && !is_compile_error;
        self.spent.add(took, cost, ended_early);
        let compiled = variables::take_compiled(self.link.directory());
        // Commands of evcxr compile nothing.
        if let Some(compiled) = &compiled {
            let anew = self.record.settle(compiled, end);
            self.anew.extend(anew);
        }
        self.compiled = compiled.unwrap_or_default();
        self.leaked = std::mem::take(&mut outcome.leaked);
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
        let stopped = || Stopped {
            source: self.last_source(),
            is_restored: outcome.restored,
        };
        if let Some(panic) = outcome.panic.take() {
            let panic = panic_site::without_probes(panic, &self.probes);
            return Err(EvaluationError::Panic(panic, stopped()));
        }
        if let Some(mut failed) = outcome.failed.take() {
            failed.column = self.probes.plain_column(failed.line, failed.column);
            return Err(EvaluationError::Failed(failed, stopped()));
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
        if named.is_empty() {
            return;
        }
        let compiled = std::mem::take(&mut self.compiled);
        let mut left = compiled.left.clone();
        let of_cell = (
            std::mem::take(&mut self.probes),
            self.counted.take(),
            self.measured.take(),
        );
        let cell = self.record.cell;
        let mut doubtful = Vec::new();
        let mut unnamed = Vec::new();
        for (name, by_rustc) in named {
            let Some(put) = compiled.put.get(&name) else {
                continue;
            };
            let Some(of) = variables::of_rustc(&by_rustc, CELL_CRATE) else {
                unnamed.push(name);
                continue;
            };
            if !variables::is_common(&of) {
                doubtful.push(name.clone());
            }
            let variable = Arc::new(Variable {
                of,
                is_mutable: put.is_mutable,
                cell,
                reached: put.reached.clone(),
            });
            self.record.change(|variables| {
                variables.held.insert(name, variable);
            });
        }
        if !doubtful.is_empty() && self.evaluate_with(&doubtful).is_err() {
            let is_alone = doubtful.len() == 1;
            doubtful.retain(|name| is_alone || self.evaluate_with(slice::from_ref(name)).is_err());
            unnamed.extend(doubtful);
        }
        for name in unnamed {
            self.record.change(|variables| {
                variables.held.remove(&name);
            });
            self.record.leave(&name);
            self.record.change(|variables| {
                variables.unwanted.insert(name.clone());
            });
            left.insert(name, Left::Unnamed);
        }
        (self.probes, self.counted, self.measured) = of_cell;
        self.compiled = Compiled { left, ..compiled };
    }

    /// Evaluates nothing, with these variables: an error if no cell can take them all.
    fn evaluate_with(&mut self, names: &[String]) -> Result<(), EvaluationError> {
        let bindings = self
            .record
            .bindings(|name| names.iter().any(|with| with == name));
        let source = format!("let {ANCHOR} = ();{bindings}\n{NOTHING}");
        self.link.pass();
        self.evaluate_bound(Inserted::new(&source, &[])).map(drop)
    }
}
