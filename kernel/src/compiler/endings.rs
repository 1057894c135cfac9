//! Changes how the code that evcxr generates reports the end of a cell.
//!
//! evcxr's code prints lines for a `?` that met an error and for a panic. Text of the user could look
//! the same, so the cell calls functions of `memit_session` instead.

use memit_session::abi::declaration;

/// What evcxr's code returns from the user's part of a cell that contains a `?`.
const RESULT: &str = "-> std::result::Result<(), EvcxrUserCodeError> {";
const RESULT_END: &str = "Ok(())})();";
const ASYNC_END: &str = "Ok::<(), EvcxrUserCodeError>(())";

/// evcxr's error type: prints any error that has the format of its choice.
pub(super) const ERROR: &str = "struct EvcxrUserCodeError {}";
const ERROR_BODY: &str = "fn from(error: T) -> Self {\n";
const PRINTED: &str = "eprintln!(";
const ERROR_LINE: &str = "println!(\"{}\", evcxr_internal_runtime::USER_ERROR_OCCURRED);";

/// evcxr's line that says that the cell panicked. It is behind the user's part of the cell.
const PANIC_LINE: &str = "println!(\"EVCXR_PANIC_NOTIFICATION\");";

/// The entry point that reports a panic.
const PANICKED: &str = "memit_panic_was_not_caught";

/// A call of the entry point without `memit_session`: most cells need nothing else of the crate, and a
/// cell that does not load the crate compiles faster.
fn panic_call() -> Option<String> {
    let declaration = declaration(PANICKED)?;
    Some(format!(
        "{{ unsafe extern \"C\" {{ {declaration}; }} {PANICKED}() }}"
    ))
}

/// Lets the cell report a panic that ends it; `None` if it reports none.
pub(super) fn report_panics(source: &str) -> Option<String> {
    let (before, after) = source.rsplit_once(PANIC_LINE)?;
    Some([before, &panic_call()?, after].concat())
}

/// Lets the cell report a `?` that ends it; `None` if it contains none. `any` says that `?` may stand
/// behind a value of any type.
pub(super) fn report_question_marks(source: &str, any: bool) -> Option<String> {
    let start = source.find(ERROR)?;
    let (before, rest) = source.split_at(start);
    let reported = report_errors(rest);
    let rest = reported.as_deref().unwrap_or(rest);
    let rest = if any { return_anything(rest) } else { None }.unwrap_or_else(|| rest.to_owned());
    Some(before.to_owned() + &rest)
}

/// Lets evcxr's error type report an error instead of printing it.
fn report_errors(source: &str) -> Option<String> {
    let (before, rest) = source.split_once(ERROR_BODY)?;
    let (print, rest) = rest.split_once(ERROR_LINE)?;
    let print = print.replacen(PRINTED, "::memit_session::failed(&format!(", 1);
    let print = print.replacen(");", "));", 1);
    // On a line of its own, the attribute would move the user's lines.
    Some([before, "#[track_caller] ", ERROR_BODY, &print, rest].concat())
}

/// Lets the user's part of the cell return what `?` can make of any value.
fn return_anything(source: &str) -> Option<String> {
    const END: &str = "::memit_session::CellEnd";
    let at = source.rfind(ASYNC_END).zip(Some(ASYNC_END.len()));
    if let Some((start, length)) = at {
        return Some([&source[..start], END, &source[start + length..]].concat());
    }
    let start = source.find(RESULT)?;
    let end = source.rfind(RESULT_END)?;
    let inside = source.get(start + RESULT.len()..end)?;
    let after = &source[end + "Ok(())".len()..];
    Some([&source[..start], "-> ", END, " {", inside, END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of a cell that evcxr generates around `user`.
    fn cell(start: &str, user: &str, end: &str) -> String {
        format!(
            "fn item() {{}}\n
            struct EvcxrUserCodeError {{}}
            impl<T: std::fmt::Display> From<T> for EvcxrUserCodeError {{
                fn from(error: T) -> Self {{
                    eprintln!(\"{{}}\", error);
                    println!(\"{{}}\", evcxr_internal_runtime::USER_ERROR_OCCURRED);
                    EvcxrUserCodeError {{}}
                }}
            }}
        \n{start}\n{user}\n{end}\nevcxr_variable_store\n}}"
        )
    }

    const CLOSURE: &str = "let _ = (|| -> std::result::Result<(), EvcxrUserCodeError> {";

    #[test]
    fn a_question_mark_is_reported() {
        let source = cell(CLOSURE, "read()?;", "Ok(())})();");
        let reported = report_question_marks(&source, true).unwrap();
        let end = "-> ::memit_session::CellEnd {\nread()?;\n::memit_session::CellEnd})();";
        assert!(reported.contains(end), "{reported}");
        assert!(!reported.contains("println!"), "{reported}");
        assert_eq!(source.lines().count(), reported.lines().count());
    }

    #[test]
    fn a_question_mark_in_an_async_cell_is_reported() {
        let source = cell(
            ".block_on(async {",
            "read().await?;",
            "Ok::<(), EvcxrUserCodeError>(())\n});",
        );
        let reported = report_question_marks(&source, true).unwrap();
        let end = "read().await?;\n::memit_session::CellEnd\n});";
        assert!(reported.contains(end), "{reported}");
    }

    #[test]
    fn a_panic_is_reported_and_the_users_text_stays() {
        let reported = report_panics(&format!("{PANIC_LINE}\n}})) {{\n{PANIC_LINE}\n}}"));
        let call = panic_call().unwrap();
        assert!(
            call.contains("safe fn memit_panic_was_not_caught"),
            "{call}"
        );
        let expected = format!("{PANIC_LINE}\n}})) {{\n{call}\n}}");
        assert_eq!(reported, Some(expected));
        assert_eq!(report_panics("fn item() {}"), None);
    }

    #[test]
    fn an_older_compiler_reports_what_has_a_text() {
        let source = cell(CLOSURE, "read()?;", "Ok(())})();");
        let reported = report_question_marks(&source, false).unwrap();
        assert!(reported.contains(CLOSURE), "{reported}");
        assert!(!reported.contains("println!"), "{reported}");
        assert_eq!(report_question_marks("fn item() {}", true), None);
    }
}
