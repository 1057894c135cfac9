//! Constants that stand for items without a name.
//!
//! evcxr stores items by name, and knows no items that a macro makes. The kernel therefore writes
//! constants: one before each `impl`, and one around each call that makes items. The stand-in for
//! `rustc` puts the call in the place of its constant, and removes constants that only end an item.

/// How the name of a constant starts that stands for an `impl`.
pub(crate) const IMPLEMENTATION: &str = "MEMIT_IMPL_";

/// How the name of a constant starts that contains a call.
const CALL: &str = "MEMIT_ITEMS_";

/// The type of a constant that takes the place of an item that has ended.
const ENDED: &str = "MEMIT_ENDED";

/// How an item starts that only evcxr's analyser reads. The item is in one line.
const ANALYSED: &str = "#[cfg(not(memit_rustc))] ";

/// Whether `name` is the name of a constant of the kernel.
pub(crate) fn is_mark(name: &str) -> bool {
    name.starts_with(IMPLEMENTATION) || name.starts_with(CALL)
}

/// The name of the constant around the call with this number.
pub(crate) fn of_call(number: usize) -> String {
    format!("{CALL}{number}")
}

/// The lines above and below a call that is in the constant `mark`.
pub(crate) fn around_call(mark: &str) -> (String, String) {
    (
        format!("const {mark}: &str = stringify! {{"),
        format!("{mark}}};"),
    )
}

/// The constant that ends the item called `name`.
pub(crate) fn end(name: &str) -> String {
    format!("const {name}: {ENDED} = ();")
}

/// Whether `constant` ends an item.
pub(crate) fn is_end(constant: &str) -> bool {
    constant.ends_with(&format!(": {ENDED} = ();"))
}

/// An item for the analyser, which knows no item that a call makes; `None` if `item` has several lines.
pub(crate) fn analysed(item: &str) -> Option<String> {
    (!item.contains('\n')).then(|| format!("{ANALYSED}{item}"))
}

/// The source with the calls in place of their constants, and without ended items; `None` if there
/// are none. No line is added or removed.
pub(super) fn resolved(source: &str) -> Option<String> {
    if !source.contains(CALL) && !source.contains(ENDED) {
        return None;
    }
    Some(without_ended(&with_calls(&without_analysed(source))))
}

fn without_analysed(source: &str) -> String {
    let blank = |line: &str| if line.ends_with('\n') { "\n" } else { "" };
    let kept = source.split_inclusive('\n').map(|line| {
        if line.starts_with(ANALYSED) {
            blank(line)
        } else {
            line
        }
    });
    kept.collect()
}

fn with_calls(source: &str) -> String {
    let mut resolved = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find(CALL) {
        let length = CALL.len() + digits(&rest[at + CALL.len()..]);
        let (above, below) = around_call(&rest[at..at + length]);
        let start = rest[..at].strip_suffix("const ").map(str::len);
        let call = start.and_then(|start| {
            let behind = rest[start..].strip_prefix(&above)?;
            let (call, behind) = behind.split_once(&format!("\n{below}"))?;
            Some((start, call, behind))
        });
        if let Some((start, call, behind)) = call {
            resolved.push_str(&rest[..start]);
            resolved.push_str(call);
            resolved.push('\n');
            rest = behind;
        } else {
            resolved.push_str(&rest[..at + length]);
            rest = &rest[at + length..];
        }
    }
    resolved + rest
}

fn digits(text: &str) -> usize {
    text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len()
}

fn without_ended(source: &str) -> String {
    let end = format!(": {ENDED} = ();");
    let mut pieces = source.split(&end).peekable();
    let mut without = String::with_capacity(source.len());
    while let Some(piece) = pieces.next() {
        let start = piece.rfind("const ").filter(|_| pieces.peek().is_some());
        without.push_str(&piece[..start.unwrap_or(piece.len())]);
    }
    without
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_the_place_of_its_constant() {
        let (above, below) = around_call(&of_call(12));
        let source = format!(
            "fn f() {{}}\n{above}\n  unit!(\n    Metre);\n{below}\n{above}\nx!();\n{below}\n"
        );
        let expected = "fn f() {}\n\n  unit!(\n    Metre);\n\n\nx!();\n\n";
        assert_eq!(resolved(&source).unwrap(), expected);
        assert_eq!(source.lines().count(), expected.lines().count());
    }

    #[test]
    fn an_ended_item_leaves_nothing() {
        let ended = end("Metre") + &end(&of_call(3));
        let source = format!("struct A;\n{ended}\nconst B: u8 = 1;\n");
        assert_eq!(
            resolved(&source).unwrap(),
            "struct A;\n\nconst B: u8 = 1;\n"
        );
        assert_eq!(resolved("const B: u8 = 1;"), None);
    }

    #[test]
    fn the_compiler_reads_no_item_for_the_analyser() {
        let (above, below) = around_call(&of_call(1));
        let item = analysed("struct Metre ( f64 ) ;").unwrap();
        let source = format!("{above}\nunit!(Metre);\n{below}\n{item}\nfn f() {{}}\n");
        assert_eq!(
            resolved(&source).unwrap(),
            "\nunit!(Metre);\n\n\nfn f() {}\n"
        );
    }

    #[test]
    fn text_that_only_looks_like_a_mark_stays() {
        let source = "let s = \"const MEMIT_ITEMS_1: \";";
        assert_eq!(resolved(source).unwrap(), source);
    }
}
