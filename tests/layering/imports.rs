//! The modules of its own crate that a source file names.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path of modules and items from the root of the crate, and the line that names it.
#[derive(Debug, PartialEq)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// What the `source` of the module `module` names with `crate::` or `super::`, in macros as well.
/// Unit tests are left out: they may use anything.
pub(crate) fn imports(source: &str, module: &[String]) -> Vec<Import> {
    let tokens: TokenStream = source.parse().expect("it is Rust");
    let mut found = Vec::new();
    walk(tokens, module, &mut found);
    found
}

fn walk(tokens: TokenStream, module: &[String], found: &mut Vec<Import>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            // A module in the file.
            (TokenTree::Ident(word), [TokenTree::Ident(name), TokenTree::Group(body), ..])
                if word == "mod" =>
            {
                if name != "tests" {
                    walk(body.stream(), &child(module, name), found);
                }
                rest = &behind[2..];
            }
            // Who may see an item is no import.
            (TokenTree::Ident(word), [TokenTree::Group(_), behind @ ..]) if word == "pub" => {
                rest = behind;
            }
            (TokenTree::Ident(word), _) if word == "crate" => {
                follow(behind, Vec::new(), first.span().start().line, found);
            }
            (TokenTree::Ident(word), _) if word == "super" => {
                let mut above = module.to_vec();
                above.pop();
                // Of `super::super`, the rest of the path is read at once.
                while let [
                    TokenTree::Punct(_),
                    TokenTree::Punct(_),
                    TokenTree::Ident(word),
                    ..,
                ] = rest
                    && word == "super"
                {
                    above.pop();
                    rest = &rest[3..];
                }
                follow(rest, above, first.span().start().line, found);
            }
            (TokenTree::Group(group), _) => walk(group.stream(), module, found),
            _ => {}
        }
    }
}

/// Follows a path whose beginning is `path`: a group in braces ends it in several ways.
fn follow(rest: &[TokenTree], mut path: Vec<String>, line: usize, found: &mut Vec<Import>) {
    let mut rest = rest;
    while let [
        TokenTree::Punct(colon),
        TokenTree::Punct(_),
        next,
        behind @ ..,
    ] = rest
        && colon.as_char() == ':'
    {
        match next {
            TokenTree::Ident(name) => path.push(name.to_string()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                return follow_each(group, &path, found);
            }
            _ => break,
        }
        rest = behind;
    }
    found.push(Import { path, line });
}

fn follow_each(group: &Group, path: &[String], found: &mut Vec<Import>) {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
    for part in tokens.split(is_comma) {
        if let [first, rest @ ..] = part {
            let mut path = path.to_vec();
            if let TokenTree::Ident(name) = first
                && name != "self"
            {
                path.push(name.to_string());
            }
            follow(rest, path, first.span().start().line, found);
        }
    }
}

fn child(module: &[String], name: &impl ToString) -> Vec<String> {
    let mut child = module.to_vec();
    child.push(name.to_string());
    child
}

#[test]
fn imports_are_found_wherever_they_are() {
    let source = r#"
        use crate::wire::{Message, codec::{self, Codec}};
        use super::super::Shell;
        pub(super) fn f() -> super::Reply { println!("{}", crate::cli::name()); "crate::text" }
        mod inner { use super::own; }
        mod tests { use crate::anything; }
    "#;
    let module = ["jupyter", "socket"].map(str::to_owned);
    let found = imports(source, &module);
    let found: Vec<_> = found
        .iter()
        .map(|import| (import.line, import.path.join("::")))
        .collect();
    let expected = [
        (2, "wire::Message"),
        (2, "wire::codec"),
        (2, "wire::codec::Codec"),
        (3, "Shell"),
        (4, "jupyter::Reply"),
        (4, "cli::name"),
        (5, "jupyter::socket::own"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}
