//! What the analyser and the compiler say about code that is not run.

use std::fs;
use std::task::Poll;
use std::time::Duration;

use memit_magics::cell::syntax::Statements;
use memit_magics::cell::{self, syntax};
use memit_magics::split;

use super::inserted::Inserted;
use super::{Engine, NOTHING};
use crate::analyser::{About, Answer, Completion, Completions, Documentation, Question};
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

    /// Whether the analyser knows the dependencies, or has been told to read them.
    pub(crate) fn is_prepared(&self) -> bool {
        self.prepared.as_ref() == Some(&self.manifest())
    }

    fn manifest(&self) -> String {
        std::fs::read_to_string(self.builds().join("Cargo.toml")).unwrap_or_default()
    }

    /// Lets the analyser read the library and the dependencies, which takes seconds of its own time.
    pub(crate) fn prepare_analyser(&mut self) {
        self.prepared = Some(self.manifest());
        let code = "let prepared = vec![String::new()]; prepared";
        let Some(asked) = self.asked(code, code.len(), About::Documentation) else {
            return;
        };
        if let Err(error) = self.analyser.prepare(&asked.question) {
            tracing::warn!("the analyser does not run: {error}");
        }
    }

    /// The completions at the byte `at` of `code`, or `Pending` if the analyser has not found them after
    /// `patience`. Asking once more goes on with waiting.
    pub(crate) fn completions(
        &mut self,
        code: &str,
        at: usize,
        patience: Duration,
    ) -> Poll<Completions> {
        if at < self.start_of_rust(code) {
            return Poll::Ready(self.command_completions(code, at));
        }
        let answer = self.answer(code, at, About::Completions, patience);
        answer.map(|answer| match answer {
            Some((Answer::Completions(mut found), start)) => {
                found.all.retain(|found| !is_ours(&found.code));
                found.start = found.start.saturating_sub(start);
                found.end = found.end.saturating_sub(start);
                found
            }
            _ => Completions::default(),
        })
    }

    /// The completions of a command of evcxr.
    fn command_completions(&mut self, code: &str, at: usize) -> Completions {
        let Ok(found) = self.context.completions(code, at) else {
            return Completions::default();
        };
        let all = found.completions.into_iter().map(|found| Completion {
            code: found.code,
            kind: found.kind.to_owned(),
        });
        Completions {
            all: all.collect(),
            start: found.start_offset,
            end: found.end_offset,
        }
    }

    /// The documentation of the name that ends at the byte `at` of `code`, or `Pending` if the analyser has
    /// not found it after `patience`.
    pub(crate) fn documentation(
        &mut self,
        code: &str,
        at: usize,
        patience: Duration,
    ) -> Poll<Option<Documentation>> {
        // The name in front of an open bracket.
        let at = at - usize::from(code[..at].ends_with('('));
        let answer = self.answer(code, at, About::Documentation, patience);
        answer.map(|answer| match answer {
            Some((Answer::Documentation(found), _)) => found,
            _ => None,
        })
    }

    /// The answer of the analyser, and the byte of the analyser's source at which `code` would begin.
    fn answer(
        &mut self,
        code: &str,
        at: usize,
        about: About,
        patience: Duration,
    ) -> Poll<Option<(Answer, usize)>> {
        let is_asked = |asked: &Asked| asked.is_of(code, at, about);
        if !self.asked.as_ref().is_some_and(is_asked) {
            self.asked = self.asked(code, at, about);
        }
        let Some(asked) = &self.asked else {
            return Poll::Ready(None);
        };
        self.prepared = Some(self.manifest());
        let answer = match self.analyser.answer(&asked.question, patience) {
            Ok(None) => return Poll::Pending,
            Ok(Some(answer)) => Some((answer, asked.question.at.saturating_sub(at))),
            Err(error) => {
                tracing::warn!("no answer of the analyser: {error}");
                None
            }
        };
        self.asked = None;
        Poll::Ready(answer)
    }

    /// The question about the byte `at` of `code`. evcxr writes the source: evcxr knows the items of the
    /// session.
    fn asked(&mut self, code: &str, at: usize, about: About) -> Option<Asked> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let typed = code[..at]
            .rsplit(|c| !is_word(c))
            .next()
            .unwrap_or_default();
        let words = syntax::words(code);
        let is_wanted = |name: &str| {
            words.contains(name) || about == About::Completions && name.starts_with(typed)
        };
        let (front, bound) = self.with_variables(code, is_wanted);
        let (before, behind) = bound.split_at(at + front);
        let marked = [before, CURSOR, behind].concat();
        // What the rust-analyzer in evcxr finds is of no use: it does not know the library.
        let written = self.context.completions(&marked, at + front);
        if let Err(error) = written {
            tracing::debug!("nothing to ask the analyser: {error}");
        }
        let source = self.last_source();
        // rust-analyzer compares paths, and cargo tells the path behind the link.
        let directory = fs::read_link(self.builds()).ok()?;
        Some(Asked {
            code: code.to_owned(),
            at,
            question: Question {
                directory,
                at: source.find(CURSOR)?,
                source: source.replace(CURSOR, ""),
                about,
            },
        })
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
}

/// Marks the byte that a question is about, until evcxr has written the source.
const CURSOR: &str = "memit_cursor";

/// A question that an editor has asked.
pub(super) struct Asked {
    code: String,
    /// The byte of the code.
    at: usize,
    question: Question,
}

impl Asked {
    fn is_of(&self, code: &str, at: usize, about: About) -> bool {
        self.code == code && self.at == at && self.question.about == about
    }
}

/// Whether a name belongs to the source that evcxr and the kernel write around the user's.
fn is_ours(name: &str) -> bool {
    compiler::marks::is_mark(name)
        || [
            ANCHOR,
            UNSEEN,
            "evcxr_variable_store",
            "evcxr_internal_runtime",
            "evcxr_analysis_wrapper",
        ]
        .iter()
        .any(|ours| name.starts_with(ours))
}
