//! Says which variables of a cell are not kept, and what to write to keep them.

use memit_magics::cell::syntax::Let;

use crate::compiler::variables::Left;

/// The note for a variable that `binding` binds and the session does not keep.
pub(crate) fn note(variable: &str, left: &Left, binding: Option<&Let>) -> String {
    let value = binding
        .filter(|binding| matches!(binding.names.as_slice(), [name] if name == variable))
        .and_then(|binding| binding.value.as_deref())
        .filter(|value| value.len() <= LONGEST && !value.contains('\n'));
    let (reason, helps) = match left {
        Left::Borrows(of) => {
            let typed = binding.and_then(|binding| binding.of.as_deref());
            borrows(variable, of.as_deref(), value, typed)
        }
        Left::Unnamed if binding.is_some_and(|binding| binding.is_closure) => closure(
            variable,
            value,
            binding.is_some_and(|binding| binding.is_mutable),
        ),
        Left::Unnamed => unnamed(variable, value),
        Left::Unset => (
            "it has no value at the end of the cell".to_owned(),
            Vec::new(),
        ),
    };
    let mut note = format!("`{variable}` is not kept after this cell: {reason}");
    for help in helps {
        note += "\nhelp: ";
        note += &help;
    }
    note
}

/// A longer value is not repeated in a note.
const LONGEST: usize = 60;

/// Why a variable is not kept, and what to write to keep it.
type Explained = (String, Vec<String>);

fn borrows(
    variable: &str,
    of: Option<&str>,
    value: Option<&str>,
    typed: Option<&str>,
) -> Explained {
    let reason = match of {
        Some(of) => format!("it borrows from `{of}`"),
        None => "it borrows from a value that ends with the cell".to_owned(),
    };
    let borrowed = value.and_then(|value| value.strip_prefix('&'));
    let copy = match borrowed.filter(|borrowed| !borrowed.starts_with("mut ")) {
        Some(borrowed) => format!(
            "bind a copy: `let {variable} = {}.to_owned();`",
            borrowed.trim()
        ),
        None => {
            "bind a value that owns what it holds, for example with `.to_owned()` or `.cloned()`"
                .to_owned()
        }
    };
    let for_good = of.map(|of| {
        let again = value.map_or_else(
            || format!("bind `{variable}`"),
            |value| {
                let typed = typed.map_or_else(String::new, |of| format!(": {of}"));
                format!("`let {variable}{typed} = {value};`")
            },
        );
        format!("or keep `{of}` for good: `let {of} = &*Box::leak(Box::new({of}));`, then {again}")
    });
    (
        reason,
        [Some(copy), for_good].into_iter().flatten().collect(),
    )
}

fn closure(variable: &str, value: Option<&str>, is_mutable: bool) -> Explained {
    let count = |parameters: &str| match parameters.trim() {
        "" => 0,
        some => some.trim_end_matches(',').split(',').count(),
    };
    let parameters = value
        .and_then(|value| value.split('|').nth(1))
        .map_or(0, count);
    let parameters = vec!["_"; parameters].join(", ");
    let value = value.unwrap_or("…");
    // What the closure uses moves along, because a reference would end with the cell.
    let value = value.strip_prefix("move ").unwrap_or(value);
    let (mutability, kind) = if is_mutable {
        ("mut ", "FnMut")
    } else {
        ("", "Fn")
    };
    let help = format!(
        "box the closure: `let {mutability}{variable}: Box<dyn {kind}({parameters}) -> _> = Box::new(move {value});`"
    );
    ("the type of a closure has no name".to_owned(), vec![help])
}

fn unnamed(variable: &str, value: Option<&str>) -> Explained {
    let reason = "its type has no name that another cell could write".to_owned();
    let text = value.unwrap_or_default();
    let shown = value.unwrap_or("…");
    let help = if text.starts_with("async") || text.contains("future") {
        format!(
            "box the future: `let {variable}: std::pin::Pin<Box<dyn Future<Output = _>>> = Box::pin({shown});`"
        )
    } else if ADAPTERS.iter().any(|adapter| text.contains(adapter)) {
        format!("collect the items: `let {variable} = {shown}.collect::<Vec<_>>();`")
    } else {
        format!(
            "box the value as a trait that it implements: `let {variable}: Box<dyn Trait> = Box::new({shown});`"
        )
    };
    (reason, vec![help])
}

/// Methods that make an iterator from an iterator and a function.
const ADAPTERS: [&str; 8] = [
    ".map(",
    ".filter(",
    ".filter_map(",
    ".flat_map(",
    ".scan(",
    ".take_while(",
    ".skip_while(",
    ".inspect(",
];

#[cfg(test)]
mod tests {
    use super::*;
    use memit_magics::cell::syntax::Statements;

    fn said(left: &Left, source: &str) -> String {
        let binding = Statements::parse(source).lets().remove(0);
        note(&binding.names[0], left, Some(&binding))
    }

    #[test]
    fn notes_say_what_to_write() {
        let all = [
            said(&Left::Borrows(Some("all".into())), "let some = &all[2..4];"),
            said(
                &Left::Borrows(Some("all".into())),
                "let it: Vec<&u8> = all.iter().collect();",
            ),
            said(&Left::Borrows(None), "let s = String::new().as_str();"),
            said(&Left::Unnamed, "let add = |x, y| x + y;"),
            said(&Left::Unnamed, "let mut count = || { n += 1; n };"),
            said(&Left::Unnamed, "let lazy = async { 1 };"),
            said(&Left::Unnamed, "let shape = make();"),
            said(&Left::Unnamed, "let names = text.split(' ').map(str::len);"),
            said(&Left::Unset, "let x: i32;"),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        `some` is not kept after this cell: it borrows from `all`
        help: bind a copy: `let some = all[2..4].to_owned();`
        help: or keep `all` for good: `let all = &*Box::leak(Box::new(all));`, then `let some = &all[2..4];`
        `it` is not kept after this cell: it borrows from `all`
        help: bind a value that owns what it holds, for example with `.to_owned()` or `.cloned()`
        help: or keep `all` for good: `let all = &*Box::leak(Box::new(all));`, then `let it: Vec<&u8> = all.iter().collect();`
        `s` is not kept after this cell: it borrows from a value that ends with the cell
        help: bind a value that owns what it holds, for example with `.to_owned()` or `.cloned()`
        `add` is not kept after this cell: the type of a closure has no name
        help: box the closure: `let add: Box<dyn Fn(_, _) -> _> = Box::new(move |x, y| x + y);`
        `count` is not kept after this cell: the type of a closure has no name
        help: box the closure: `let mut count: Box<dyn FnMut() -> _> = Box::new(move || { n += 1; n });`
        `lazy` is not kept after this cell: its type has no name that another cell could write
        help: box the future: `let lazy: std::pin::Pin<Box<dyn Future<Output = _>>> = Box::pin(async { 1 });`
        `shape` is not kept after this cell: its type has no name that another cell could write
        help: box the value as a trait that it implements: `let shape: Box<dyn Trait> = Box::new(make());`
        `names` is not kept after this cell: its type has no name that another cell could write
        help: collect the items: `let names = text.split(' ').map(str::len).collect::<Vec<_>>();`
        `x` is not kept after this cell: it has no value at the end of the cell
        ");
    }
}
