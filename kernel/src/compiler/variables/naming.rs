//! Asks rustc for the types of the variables that a cell binds.
//!
//! `std::any::type_name` names the module in which a type is defined, which is often private, or belongs to
//! a crate that the cell cannot name. The messages of rustc name types by paths that the cell can write. A cell
//! is therefore compiled without machine code first, with a call in front of each put of a variable. A lint of
//! rustc warns about such a call, and the warning says the type of the variable.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::decisions::{Decision, Decisions, Message, Puts, parsed};
use super::rewrite::Rewritten;
use super::types;
use crate::compiler::{TO_BE_RUN, externs};

/// The lint about a call that drops a reference. The call needs nothing of the type, and a lint runs when
/// all types are inferred.
const LINT: &str = "dropping_references";

/// How the lint labels the reference; the type and a backquote follow.
const LABEL: &str = "argument has type `&";

/// Crates that a cell can name without an argument of rustc.
const KNOWN: [&str; 5] = ["alloc", "core", "memit_session", "proc_macro", "std"];

/// What makes rustc warn, and name each type in full by a path that the cell can write. The options that
/// begin with `-Z` need [`UNSTABLE`].
const OPTIONS: [&str; 6] = [
    "--verbose",
    "-Ztrim-diagnostic-paths=no",
    "-Zwrite-long-types-to-disk=no",
    "-Awarnings",
    "--force-warn",
    LINT,
];

/// The variable with which rustc accepts unstable options.
const UNSTABLE: &str = "RUSTC_BOOTSTRAP";

impl Rewritten {
    /// The source with calls about which rustc says the types; `None` if all types are known or evident.
    pub(crate) fn asking(&self) -> Option<Self> {
        if self
            .puts
            .iter()
            .all(|put| put.of.is_some() || put.is_evident)
        {
            return None;
        }
        let mut asking = Self {
            source: self.source.clone(),
            compiled: self.compiled.clone(),
            puts: self.puts.clone(),
            can_borrow: self.can_borrow.clone(),
        };
        for put in asking.puts.iter_mut().filter(|put| put.of.is_none()) {
            let start = asking.source.rfind(&put.text)?;
            let call = format!(" ::core::mem::drop(&{});", put.variable);
            asking.source.insert_str(start, &call);
            put.text.insert_str(0, &call);
        }
        Some(asking)
    }
}

impl Decisions {
    /// Learns the types from the warnings of rustc, `messages`, about the compiled `source`. `arguments`
    /// are those of rustc. A type that no cell can write decides nothing.
    pub(crate) fn learn_types(
        &mut self,
        asking: &Rewritten,
        source: &str,
        messages: &[u8],
        arguments: &[String],
    ) {
        let dependencies = externs(arguments).map(|(name, _)| name);
        let crates: BTreeSet<_> = dependencies.chain(KNOWN).collect();
        let puts = Puts::of(asking, source);
        for message in parsed(messages) {
            let message = Message(&message);
            let slot = puts.at(message.spans(true)).first().copied();
            let of = named_type(&message).and_then(|of| types::of_message(of, &crates));
            if let Some((slot, of)) = slot.zip(of) {
                self.decide(slot, Decision::Typed(of));
            }
        }
    }
}

/// Whether rustc has found an error in the source. A rustc that refuses the options has not.
pub(crate) fn is_error_of_source(messages: &[u8]) -> bool {
    let mut errors = parsed(messages).filter(|message| message["level"] == "error");
    errors.any(|error| Message(&error).all_spans().next().is_some())
}

/// The type that the lint names.
fn named_type<'a>(message: &Message<'a>) -> Option<&'a str> {
    let mut labels = message
        .all_spans()
        .filter_map(|span| span["label"].as_str());
    let of = labels.find_map(|label| label.strip_prefix(LABEL)?.strip_suffix('`'));
    of.filter(|_| message.code() == LINT)
}

/// The command that asks, made from the command for a cell, with what it writes in `directory`.
pub(crate) fn command(cell: &Command, directory: &Path) -> Command {
    let mut command = Command::new(cell.get_program());
    if let Some(current) = cell.get_current_dir() {
        command.current_dir(current);
    }
    let mut arguments = cell.get_args();
    while let Some(argument) = arguments.next() {
        if argument == TO_BE_RUN {
            command.arg("--emit=metadata");
        } else if argument == "--out-dir" {
            arguments.next();
            command.arg(argument).arg(directory);
        } else if argument == "-C" {
            let option = arguments.next().unwrap_or(OsStr::new(""));
            command.arg(argument);
            if option.to_string_lossy().starts_with("incremental=") {
                // What the code of cells is made from stays as it is.
                command.arg(format!("incremental={}", directory.display()));
            } else {
                command.arg(option);
            }
        } else {
            command.arg(argument);
        }
    }
    command.args(OPTIONS).env(UNSTABLE, "1");
    command
}

#[cfg(test)]
mod tests {
    use super::super::rewrite::PutCall;
    use super::*;
    use serde_json::json;

    fn put(variable: &str, of: Option<&str>, is_evident: bool) -> PutCall {
        PutCall {
            slot: variable.to_owned(),
            variable: variable.to_owned(),
            of: of.map(str::to_owned),
            is_evident,
            text: format!(" put({variable});"),
        }
    }

    fn rewritten(puts: Vec<PutCall>) -> Rewritten {
        let texts: Vec<_> = puts.iter().map(|put| &*put.text).collect();
        let source = format!("let (x, y) = f();\n{}", texts.concat());
        Rewritten {
            source,
            ..Rewritten::of_puts(puts)
        }
    }

    #[test]
    fn rustc_is_asked_for_types_that_the_source_does_not_show() {
        let known = vec![put("x", Some("u8"), false), put("y", None, true)];
        assert!(rewritten(known).asking().is_none());
        let unknown = vec![put("x", Some("u8"), false), put("y", None, false)];
        let asking = rewritten(unknown).asking().unwrap();
        let asked = "let (x, y) = f();\n put(x); ::core::mem::drop(&y); put(y);";
        assert_eq!(asking.source, asked);
        assert_eq!(asking.puts[1].text, " ::core::mem::drop(&y); put(y);");
    }

    #[test]
    fn a_warning_says_the_type_of_the_variable_in_its_call() {
        let puts = vec![put("x", None, false), put("y", None, false)];
        let asking = rewritten(puts).asking().unwrap();
        let warning = |text: &str, of: &str| {
            let start = asking.source.find(text).unwrap();
            let span = |start: usize, is_primary: bool, label: Option<String>| {
                json!({
                    "byte_start": start, "byte_end": start + 2, "is_primary": is_primary, "label": label,
                })
            };
            let label = Some(format!("argument has type `&{of}`"));
            json!({
                "level": "warning", "message": "calls to `std::mem::drop`", "code": {"code": LINT},
                "spans": [span(start, true, None), span(start + 2, false, label)],
            })
        };
        let messages = [
            warning("::core::mem::drop(&x)", "std::vec::Vec<P>"),
            warning("::core::mem::drop(&y)", "{closure@src/lib.rs:1:1: 1:2}"),
            // A call of the user's.
            warning("f()", "u8"),
        ];
        let messages = messages.map(|message| message.to_string()).join("\n");
        let mut decisions = Decisions::default();
        decisions.learn_types(&asking, &asking.source, messages.as_bytes(), &[]);
        let of = "::std::vec::Vec<crate::P>".to_owned();
        let learned = [("x".to_owned(), Decision::Typed(of))];
        assert_eq!(decisions.of, learned.into());
    }

    #[test]
    fn a_compiler_that_refuses_the_options_has_found_no_error() {
        let error = |spans: serde_json::Value| {
            let message = json!({ "level": "error", "message": "refused", "spans": spans });
            is_error_of_source(message.to_string().as_bytes())
        };
        assert!(error(json!([{ "byte_start": 1, "byte_end": 2 }])));
        assert!(!error(json!([])));
    }

    #[test]
    fn the_command_that_asks_makes_no_code() {
        let mut cell = Command::new("rustc");
        cell.current_dir("/session");
        cell.args(["--crate-name", "ctx", TO_BE_RUN, "--out-dir", "/deps"]);
        cell.args(["-C", "opt-level=3", "-C", "incremental=/i", "src/lib.rs"]);
        let asks = command(&cell, Path::new("/session/names"));
        assert_eq!(asks.get_current_dir(), Some(Path::new("/session")));
        let arguments: Vec<_> = asks.get_args().filter_map(OsStr::to_str).collect();
        let expected = [
            "--crate-name",
            "ctx",
            "--emit=metadata",
            "--out-dir",
            "/session/names",
            "-C",
            "opt-level=3",
            "-C",
            "incremental=/session/names",
            "src/lib.rs",
        ];
        assert_eq!(arguments, [&expected[..], &OPTIONS].concat());
    }
}
