//! Puts line probes into Rust functions.
//!
//! A probe tells the runtime which line is about to run. Probes are inserted between what is
//! there: no line break comes or goes, so every message of the compiler still has the line it
//! had, and what a function computes stays the same.
//!
//! What is a line of its own: a statement, the header of a loop each time round, the condition of
//! an `else if`, the arm of a `match`, the body of a closure, each if it starts on another line
//! than what is around it; and the end of a block, if variables may be dropped there. Items within
//! a function are not part of it.

mod edit;
mod find;
mod mark;
mod probe;

use std::fmt;

use proc_macro2::{LineColumn, TokenStream};
use syn::spanned::Spanned as _;

use edit::{Edits, Order};
use find::Found;
pub use mark::Options;

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
    /// What its `#[profile]` asks for.
    pub options: Options,
}

/// Source with probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The source, with as many lines as before.
    pub source: String,
    /// The source without them, and like it without `#[profile]`.
    pub plain: String,
    /// What has probes now, in the order in which it stands.
    pub functions: Vec<Function>,
}

/// Which functions are given probes.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// Those that have one of the names. A name may leave out modules and functions that its
    /// function is below; several functions may be meant by one name.
    Named(&'a [&'a str]),
    /// Those with the attribute `#[profile]` or `#[memit::profile]`.
    Marked,
    /// These, but instead of probes each is given a span: from its start to its end.
    Spans {
        /// What a span is called whose function has this whole name.
        name: fn(&str) -> &str,
    },
    /// None.
    Nothing,
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
    /// An option of `#[profile]` is wrong.
    Option {
        /// Which, and what would be right.
        message: String,
        /// Where, from 1.
        line: usize,
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
            Self::Option { message, .. } => out.write_str(message),
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

/// Whether `name` is the whole name of a function, or what is left of that without some of its first
/// parts.
pub fn is_called(whole: &str, name: &str) -> bool {
    let rest = whole.strip_suffix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}

/// The whole name, as [`functions`] lists it, of the function that is called `name` and whose
/// signature starts on a line.
pub fn whole_name(source: &str, line: usize, name: &str) -> Option<String> {
    let file = parse(source).ok()?;
    let is_here =
        |found: &Found<'_>| found.is_called(name) && found.signature.span().start().line == line;
    let found = find::functions(&file).into_iter().find(is_here)?;
    Some(found.name)
}

/// Puts probes into functions of a source, and blanks out every `#[profile]`.
pub fn instrument(
    source: &str,
    which: Which<'_>,
    runtime: Runtime<'_>,
) -> Result<Instrumented, Error> {
    let file = parse(source)?;
    let found = find::functions(&file);
    if let Which::Named(names) = which {
        expect_known(names, &found)?;
    }
    let mut edits = Edits::default();
    let mut functions = Vec::new();
    let mut blanked = source.to_owned();
    for function in &found {
        let mark = mark::of(function.attributes);
        let options = match which {
            Which::Marked | Which::Spans { .. } => mark.map(mark::options).transpose()?,
            Which::Named(_) | Which::Nothing => None,
        };
        if let Some(mark) = mark {
            let span = mark.span();
            blank(&mut blanked, span.start(), span.end());
        }
        let is_wanted = match which {
            Which::Named(names) => names.iter().any(|name| function.is_called(name)),
            Which::Marked => mark.is_some(),
            Which::Spans { name } => {
                if mark.is_some() {
                    expect_no_const(function)?;
                    probe::span(function, name(&function.name), runtime, &mut edits);
                }
                false
            }
            Which::Nothing => false,
        };
        if is_wanted {
            let options = options.unwrap_or_default();
            if !is_told_to_inline(function.attributes) {
                edits.insert(function.start, KEPT_WHOLE);
            }
            functions.push(probed(function, options, runtime, &mut edits)?);
        }
    }
    Ok(Instrumented {
        source: edits.apply_to_text(&blanked),
        plain: blanked,
        functions,
    })
}

/// Puts probes into the one function that an attribute stands at: free, or in an `impl` or a
/// `trait`. What cannot have probes is left as it is, with `None`: a function without a body, and
/// one whose tokens have no places, as in editors.
///
/// # Errors
///
/// If it is no function, or a `const fn`, or made by a macro of tokens from several places.
pub fn instrument_item(
    item: TokenStream,
    options: Options,
    runtime: Runtime<'_>,
) -> syn::Result<(TokenStream, Option<Function>)> {
    // Of the three kinds of functions, this one parses all, with or without a body.
    let function: syn::TraitItemFn = syn::parse2(without_visibility(item.clone()))?;
    let Some(block) = &function.default else {
        return Ok((item, None));
    };
    let name = function.sig.ident.to_string();
    if let Some(constness) = &function.sig.constness {
        return Err(syn::Error::new(constness.span, Error::Const { name }));
    }
    // In front of the body there may be tokens from anywhere: the name of a function that a macro
    // makes.
    let mut tokens: Vec<_> = item.clone().into_iter().collect();
    let body: TokenStream = tokens.pop().into_iter().collect();
    match edit::order(body.clone()) {
        Order::Unknown => return Ok((item, None)),
        Order::Mixed => {
            let message = format!(
                "`{name}` cannot be profiled: a macro has put it together from several places"
            );
            return Err(syn::Error::new(function.sig.ident.span(), message));
        }
        Order::Ascending => {}
    }
    let found = Found {
        name,
        attributes: &function.attrs,
        start: LineColumn { line: 0, column: 0 },
        signature: &function.sig,
        block,
    };
    let mut whole = TokenStream::new();
    if !is_told_to_inline(found.attributes) {
        whole.extend(KEPT_WHOLE.parse::<TokenStream>()?);
    }
    let mut edits = Edits::default();
    let probed = probe::function(&found, options, runtime, &mut edits);
    let woven = edits.apply_to_tokens(body)?;
    whole.extend(tokens.into_iter().chain(woven));
    Ok((whole, Some(probed)))
}

/// In front of a function with probes. Put into its caller, it would lose what the caller does not
/// look at: the memory of a value that is dropped at once.
const KEPT_WHOLE: &str = "#[inline(never)] ";

/// Whether the user has said whether a function is to be put into its callers.
fn is_told_to_inline(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("inline"))
}

/// A function's tokens without `pub`, `pub(crate)`, `default`.
fn without_visibility(item: TokenStream) -> TokenStream {
    use proc_macro2::TokenTree::{Group, Ident};
    let mut after_pub = false;
    let mut in_signature = false;
    let kept = item.into_iter().filter(|token| {
        if in_signature {
            return true;
        }
        let was_pub = std::mem::replace(&mut after_pub, false);
        match token {
            Ident(word) if word == "pub" => {
                after_pub = true;
                false
            }
            Group(_) if was_pub => false,
            Ident(word) if word == "default" => false,
            Ident(_) => {
                in_signature = true;
                true
            }
            _ => true,
        }
    });
    kept.collect()
}

fn probed(
    function: &Found<'_>,
    options: Options,
    runtime: Runtime<'_>,
    edits: &mut Edits,
) -> Result<Function, Error> {
    expect_no_const(function)?;
    Ok(probe::function(function, options, runtime, edits))
}

fn expect_no_const(function: &Found<'_>) -> Result<(), Error> {
    match function.signature.constness {
        Some(_) => Err(Error::Const {
            name: function.name.clone(),
        }),
        None => Ok(()),
    }
}

fn expect_known(names: &[&str], found: &[Found<'_>]) -> Result<(), Error> {
    let is_known = |name: &&&str| found.iter().any(|function| function.is_called(name));
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(Error::Unknown {
            name: (*name).to_owned(),
            known: found.iter().map(|function| function.name.clone()).collect(),
        }),
        None => Ok(()),
    }
}

/// Puts spaces in the place of what stands between two places, whose columns count characters.
fn blank(source: &mut String, start: LineColumn, end: LineColumn) {
    let mut at = LineColumn { line: 1, column: 0 };
    let blanked = source.chars().map(|character| {
        let inside = start <= at && at < end;
        if character == '\n' {
            at = LineColumn {
                line: at.line + 1,
                column: 0,
            };
            character
        } else {
            at.column += 1;
            if inside { ' ' } else { character }
        }
    });
    *source = blanked.collect();
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
        let source = instrument(source, Which::Named(&["f"]), RUNTIME)
            .unwrap()
            .source;
        let guard = "MEMIT_FUNCTION.enter(); ";
        let start = source.find(guard).unwrap() + guard.len();
        let body = source[start..].replace("MEMIT_FUNCTION.", "");
        body.replace(" let _memit_guard =", "")
    }

    #[test]
    fn a_function_gets_its_counters_and_each_line_a_probe() {
        let source = "fn f() -> u8 {\n    let a = 1;\n    a + 1\n}\n";
        let done = instrument(source, Which::Named(&["f"]), RUNTIME).unwrap();
        assert_eq!(
            done.source,
            "#[inline(never)] fn f() -> u8 { static MEMIT_FUNCTION: ::rt::Function<2> = \
             ::rt::Function::new(\"f\", file!(), 1, 4, 0, [::rt::Line::new(2), ::rt::Line::new(3)]); \
             let _memit_guard = MEMIT_FUNCTION.enter(); \n    \
             MEMIT_FUNCTION.line(0); let a = 1;\n    MEMIT_FUNCTION.line(1); a + 1\n}\n"
        );
        let function = Function {
            name: "f".into(),
            first: 1,
            last: 4,
            lines: vec![2, 3],
            options: Options::default(),
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
            "\nwhile header(0) && (a || b) {}\nwhile let Some(x) = value(line(1), s.pop()) {}\n}"
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
            "\nline(0); a.map(|x| x)\n.map(|y|\n{ within(); { line(1); y } })\n}"
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
    fn variables_are_dropped_at_the_end_of_their_block() {
        assert_eq!(
            body(
                "fn f(v: Vec<u8>, n: usize) {\nfor i in 0..n {\nlet s = g();\nh(s);\n}\nv.len()\n}"
            ),
            "let v = v; \nhere(0); for i in each(0, 0..n) {\nline(1); let s = g();\nline(2); h(s);\n\
             line(3); }\nlet _memit_end = end(4); line(5); v.len()\n}"
        );
        let unowned =
            "fn f(r: &[u8], mut n: usize) {\nlet c = n as u8;\nlet d: f64 = c.into();\nd\n}";
        assert!(!body(unowned).contains("end("));
    }

    #[test]
    fn a_future_waits_on_a_line() {
        assert_eq!(
            body("async fn f() {\nlet a = g(1).await;\nasync { b.await }.await\n}"),
            "\nline(0); let a = _memit_guard.awaited(0, g(1)).await;\n\
             let _memit_end = end(1); line(2); _memit_guard.awaited(2, \
             async { within(); _memit_guard.awaited(2, b).await }).await\n}"
        );
    }

    #[test]
    fn marks_are_blanked_out_and_tell_what_they_ask_for() {
        let source =
            "#[profile(precision = 2)]\nfn f() {\n    g();\n}\n#[memit::profile] fn g() {}\n";
        let marked = instrument(source, Which::Marked, RUNTIME).unwrap();
        let names: Vec<_> = marked.functions.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["f", "g"]);
        assert_eq!(marked.functions[0].options.precision, Some(2));
        let blanked = instrument(source, Which::Nothing, RUNTIME).unwrap();
        assert_eq!(
            blanked.source,
            format!(
                "{:25}\nfn f() {{\n    g();\n}}\n{:17} fn g() {{}}\n",
                "", ""
            )
        );
    }

    #[test]
    fn marked_functions_are_given_spans_instead_of_probes() {
        fn last(name: &str) -> &str {
            name.rsplit("::").next().unwrap()
        }
        let source =
            "#[profile]\nfn f() {\n    g();\n}\nmod m { #[profile] fn g() {} fn h() {} }\n";
        let spanned = instrument(source, Which::Spans { name: last }, RUNTIME).unwrap();
        assert!(spanned.functions.is_empty());
        let path = RUNTIME.path;
        assert_eq!(
            spanned.source,
            format!(
                "{:10}\nfn f() {{ let _memit_span = {path}::phase(\"f\"); \n    g();\n}}\n\
                 mod m {{ {:10} fn g() {{ let _memit_span = {path}::phase(\"g\"); }} fn h() {{}} }}\n",
                "", ""
            )
        );
        let constant = instrument(
            "#[profile] const fn c() {}",
            Which::Spans { name: last },
            RUNTIME,
        );
        assert_eq!(
            constant,
            Err(Error::Const {
                name: "c".to_owned()
            })
        );
    }

    #[test]
    fn an_attribute_gets_the_tokens_that_a_cell_gets() {
        for source in [
            "fn f(v: Vec<u8>) -> usize {\nlet n = v.iter().map(|x|\nx + 1).count();\nn\n}",
            "pub(crate) async fn f<T>(x: T)\nwhere T: Future {\nx.await;\nif a {\nb()\n} else if c {\nd[e]\n}\n}",
            "fn f(&mut self) {\nwhile let Some(x) = self.0.pop() {\nmatch x {\n1 => 2,\n_ =>\n3,\n};\n}\n}",
        ] {
            let tokens = |source: &str| source.parse::<TokenStream>().unwrap();
            let (woven, function) =
                instrument_item(tokens(source), Options::default(), RUNTIME).unwrap();
            let wrapped = format!("impl S {{ {source} }}");
            let whole = if source.contains("self") {
                &wrapped
            } else {
                source
            };
            let text = instrument(whole, Which::Named(&["f"]), RUNTIME).unwrap();
            let expected = text.source.replace("\"S::f\"", "\"f\"");
            let expected = match expected.strip_prefix("impl S { ") {
                Some(inner) => inner.strip_suffix(" }").unwrap(),
                None => &expected,
            };
            assert_eq!(woven.to_string(), tokens(expected).to_string());
            assert_eq!(function.unwrap().name, "f");
        }
    }

    #[test]
    fn a_line_and_a_name_tell_the_whole_name() {
        let source = "fn f() {}\nimpl S { fn f() {} fn g() {} }";
        assert_eq!(whole_name(source, 1, "f").as_deref(), Some("f"));
        assert_eq!(whole_name(source, 2, "f").as_deref(), Some("S::f"));
        assert_eq!(whole_name(source, 1, "g"), None);
    }

    #[test]
    fn an_attribute_leaves_what_has_no_lines() {
        let tokens = |source: &str| source.parse::<TokenStream>().unwrap();
        let item = |item| instrument_item(item, Options::default(), RUNTIME);
        assert!(item(tokens("fn f(&self);")).unwrap().1.is_none());
        assert!(
            item(quote::quote!(
                fn f() {
                    g();
                }
            ))
            .unwrap()
            .1
            .is_none()
        );
        let error = |source| item(tokens(source)).unwrap_err().to_string();
        assert_eq!(
            error("pub const fn f() {}"),
            "`f` is a `const fn`, which cannot be profiled"
        );
        assert!(error("struct S;").starts_with("expected"));
    }

    #[test]
    fn what_cannot_be_profiled_is_said() {
        let error = |source, name| {
            instrument(source, Which::Named(&[name]), RUNTIME)
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
