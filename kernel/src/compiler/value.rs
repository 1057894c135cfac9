//! Marks the value of a cell that evcxr's code displays, so that the value does not become another
//! representation of a chart in front of it. A value without `Debug` has another text.

use memit_measurement::message::VALUE;

/// evcxr's function that displays a value in plain text.
const FUNCTION: &str = "fn evcxr_send_text_plain(text: &str)";
const PLAIN: &str = "EVCXR_BEGIN_CONTENT text/plain";

/// evcxr's code for the text of a value, and ours.
const DEBUG: &str = "evcxr_send_text_plain(&format!(\"{:?}\",&(";
const TEXT: &str = "evcxr_send_text_plain(&::memit_session::value_text!(&(";

/// Lets the value be marked; `None` if evcxr's code displays none.
pub(super) fn mark(source: &str) -> Option<String> {
    let start = source.rfind(FUNCTION)?;
    let (before, function) = source.split_at(start);
    let marked = function.replacen(PLAIN, &format!("EVCXR_BEGIN_CONTENT {VALUE}"), 1);
    Some(before.to_owned() + &marked.replacen(DEBUG, TEXT, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_evcxrs_function_is_changed() {
        let source =
            format!("print(\"{PLAIN}\"); {FUNCTION} {{ print(b\"{PLAIN}\\n\") }} \"{PLAIN}\"");
        let marked = mark(&source).unwrap();
        assert_eq!(
            marked,
            format!(
                "print(\"{PLAIN}\"); {FUNCTION} {{ print(b\"{PLAIN};memit-value\\n\") }} \"{PLAIN}\""
            )
        );
        assert_eq!(mark("fn item() {}"), None);
        let call = |code: &str| format!("{FUNCTION} {{}} {code}\nvalue)));");
        assert_eq!(mark(&call(DEBUG)), Some(call(TEXT)));
    }
}
