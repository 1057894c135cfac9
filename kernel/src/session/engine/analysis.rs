//! What the analyser and the compiler say about code that is not run.

use memit_magics::cell::syntax::Statements;
use memit_magics::cell::{self, syntax};
use memit_magics::split;

use super::inserted::Inserted;
use super::{Engine, NOTHING};
use crate::compiler;
use crate::compiler::variables::{ANCHOR, UNSEEN};

impl Engine {
    /// The errors and warnings of the compiler for `code`, and how to find their lines in `code`.
    pub(crate) fn check(&mut self, code: &str) -> (Vec<evcxr::CompilationError>, Inserted) {
        let start = self.mistaken(code).or_else(|| {
            let (commands, rust) = cell::split_commands(code);
            Some(commands.len() + Statements::parse(rust).start_of_run()?)
        });
        let bound = start.map_or_else(
            || Inserted::new(code, &[]),
            |start| self.record.bound_for_check(code, start),
        );
        let errors = self.context.check(&bound.source).unwrap_or_else(|error| {
            tracing::debug!("nothing to check: {error}");
            Vec::new()
        });
        (errors, bound)
    }

    /// The completions at the byte `at` of `code`.
    pub(crate) fn completions(&mut self, code: &str, at: usize) -> Option<evcxr::Completions> {
        self.wake_analyser();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let typed = code[..at]
            .rsplit(|c| !is_word(c))
            .next()
            .unwrap_or_default();
        let words = syntax::words(code);
        let is_wanted = |name: &str| name.starts_with(typed) || words.contains(name);
        let (front, bound) = if at < self.start_of_rust(code) {
            (0, code.to_owned())
        } else {
            self.with_variables(code, is_wanted)
        };
        match self.context.completions(&bound, at + front) {
            Ok(mut completions) => {
                let is_ours = |name: &str| {
                    compiler::marks::is_mark(name)
                        || [ANCHOR, UNSEEN].iter().any(|ours| name.starts_with(ours))
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
        let (commands, rust) = code.split_at(self.start_of_rust(code));
        let bindings = self.record.bindings(is_wanted);
        let source = format!("{commands}{NOTHING}{bindings}\n{rust}");
        (source.len() - code.len(), source)
    }

    /// Where a line of Rust begins that evcxr would take for a shell line or a command, if nothing stood
    /// above.
    fn mistaken(&self, code: &str) -> Option<usize> {
        let held = &self.record.variables().held;
        let apart = split::set_rust_apart(code, |name| held.contains_key(name));
        let mut pairs = code.bytes().zip(apart.bytes());
        pairs.position(|(here, there)| here != there)
    }

    /// Where the commands of evcxr end.
    fn start_of_rust(&self, code: &str) -> usize {
        let mistaken = self.mistaken(code);
        mistaken.unwrap_or_else(|| cell::split_commands(code).0.len())
    }

    /// The documentation of the name that ends at the byte `at` of `code`, as plain text and HTML.
    pub(crate) fn hover(&mut self, code: &str, at: usize) -> Option<(String, String)> {
        self.wake_analyser();
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
