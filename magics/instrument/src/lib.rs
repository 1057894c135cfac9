//! Puts line probes into Rust functions.
//!
//! A probe tells the runtime which line is about to run. Probes are inserted between what is
//! there: no line break comes or goes, so every message of the compiler still has the line it
//! had, and what a function computes stays the same.
//!
//! What is a line of its own: a statement, the header of a loop each time round, the condition of
//! an `else if`, the arm of a `match`, the body of a closure, each if it starts on another line
//! than what is around it. Items within a function are not part of it.

mod edit;
mod find;
mod probe;

use std::fmt;

use edit::Edits;

/// Paths of what generated code calls, all below one path of a crate.
#[derive(Debug, Clone, Copy)]
pub struct Runtime<'a> {
    /// For example `::memit_session::lines`.
    pub path: &'a str,
}

/// A function that has been given probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// As [`functions`] lists it.
    pub name: String,
    /// The line of its signature, and that of its closing brace; the first line is 1.
    pub first: usize,
    /// See `first`.
    pub last: usize,
    /// The lines that have probes, in ascending order.
    pub lines: Vec<usize>,
}

/// Source with probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The source, with as many lines as before.
    pub source: String,
    /// What has probes now, in the order in which it stands.
    pub functions: Vec<Function>,
}

/// Why there are no probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The source is no Rust.
    Syntax {
        /// What the parser says.
        message: String,
        /// Where, from 1.
        line: usize,
    },
    /// There is no function of this name; `known` are those that there are.
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A `const fn` is also run by the compiler, which cannot call the runtime.
    Const {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message, line } => write!(out, "line {line}: {message}"),
            Self::Unknown { name, known } if known.is_empty() => {
                write!(out, "there is no function `{name}`, nor any other")
            }
            Self::Unknown { name, known } => {
                let known = known.join("`, `");
                write!(out, "there is no function `{name}`, but there is `{known}`")
            }
            Self::Const { name } => {
                write!(out, "`{name}` is a `const fn`, which cannot be profiled")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The functions of a source: `name`, `Type::name`, `Trait::name`, below modules `module::…`, and
/// below a function that they are within `function::…`.
pub fn functions(source: &str) -> Result<Vec<String>, Error> {
    let file = parse(source)?;
    Ok(find::functions(&file)
        .into_iter()
        .map(|found| found.name)
        .collect())
}

/// Puts probes into the functions that have one of the `names`. A name may leave out modules and
/// functions that its function is below; several functions may be meant by one name.
pub fn instrument(
    source: &str,
    names: &[&str],
    runtime: Runtime<'_>,
) -> Result<Instrumented, Error> {
    let file = parse(source)?;
    let found = find::functions(&file);
    for name in names {
        if !found.iter().any(|function| function.is_called(name)) {
            return Err(Error::Unknown {
                name: (*name).to_owned(),
                known: found.into_iter().map(|function| function.name).collect(),
            });
        }
    }
    let mut edits = Edits::new(source);
    let mut functions = Vec::new();
    for function in &found {
        if !names.iter().any(|name| function.is_called(name)) {
            continue;
        }
        if function.signature.constness.is_some() {
            let name = function.name.clone();
            return Err(Error::Const { name });
        }
        functions.push(probe::function(function, runtime, &mut edits));
    }
    Ok(Instrumented {
        source: edits.apply(),
        functions,
    })
}

fn parse(source: &str) -> Result<syn::File, Error> {
    syn::parse_file(source).map_err(|error| Error::Syntax {
        line: error.span().start().line,
        message: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNTIME: Runtime<'_> = Runtime { path: "::rt" };

    fn body(source: &str) -> String {
        let source = instrument(source, &["f"], RUNTIME).unwrap().source;
        let guard = "MEMIT_FUNCTION.enter(); ";
        let start = source.find(guard).unwrap() + guard.len();
        source[start..].replace("MEMIT_FUNCTION.", "")
    }

    #[test]
    fn a_function_gets_its_counters_and_each_line_a_probe() {
        let source = "fn f() -> u8 {\n    let a = 1;\n    a + 1\n}\n";
        let done = instrument(source, &["f"], RUNTIME).unwrap();
        assert_eq!(
            done.source,
            "fn f() -> u8 { static MEMIT_FUNCTION: ::rt::Function<2> = \
             ::rt::Function::new(\"f\", 1, 4, [::rt::Line::new(2), ::rt::Line::new(3)]); \
             let _memit_guard = MEMIT_FUNCTION.enter(); \n    \
             MEMIT_FUNCTION.line(0); let a = 1;\n    MEMIT_FUNCTION.line(1); a + 1\n}\n"
        );
        let function = Function {
            name: "f".into(),
            first: 1,
            last: 4,
            lines: vec![2, 3],
        };
        assert_eq!(done.functions, [function]);
    }

    #[test]
    fn headers_count_each_time_round() {
        assert_eq!(
            body("fn f() {\nwhile a {\nb();\n}\n'l: for x in &mut y {\nz();\n}\n}"),
            "\nwhile header(0) && a {\nline(1); b();\n}\nhere(2); 'l: for x in each(2, &mut y) {\n\
             line(3); z();\n}\n}"
        );
        assert_eq!(
            body("fn f() {\nwhile a || b {}\nwhile let Some(x) = s.pop() {}\n}"),
            "\nwhile header(0) && (a || b) {}\nwhile header(1) && let Some(x) = s.pop() {}\n}"
        );
    }

    #[test]
    fn what_is_on_a_line_of_its_own_has_a_probe_of_its_own() {
        assert_eq!(
            body("fn f() {\nif a { b() }\nelse if c {\nd()\n}\nelse { e() }\n}"),
            "\nline(0); if a { b() }\nelse if header(1) && c {\nline(2); d()\n}\n\
             else { line(3); e() }\n}"
        );
        assert_eq!(
            body("fn f() {\nmatch a {\nb => c,\nd => {\ne\n}\n}\n}"),
            "\nline(0); match a {\nb => { line(1); c },\nd => {\nline(2); e\n}\n}\n}"
        );
        assert_eq!(
            body("fn f() {\na.map(|x| x)\n.map(|y|\ny)\n}"),
            "\nline(0); a.map(|x| x)\n.map(|y|\n{ line(1); y })\n}"
        );
    }

    #[test]
    fn items_within_are_left_alone() {
        assert_eq!(
            body("fn f() {\nuse a::b;\nfn g() {\nh();\n}\ng();\n}"),
            "\nuse a::b;\nfn g() {\nh();\n}\nline(0); g();\n}"
        );
    }

    #[test]
    fn what_cannot_be_profiled_is_said() {
        let error = |source, name| {
            instrument(source, &[name], RUNTIME)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error("fn f() {} impl S { fn g() {} }", "h"),
            "there is no function `h`, but there is `f`, `S::g`"
        );
        assert_eq!(
            error("const fn f() {}", "f"),
            "`f` is a `const fn`, which cannot be profiled"
        );
        assert!(error("fn f() {\n let = 1; }", "f").starts_with("line 2: expected one of"));
    }
}
