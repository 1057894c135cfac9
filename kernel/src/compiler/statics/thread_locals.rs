//! `thread_local!`, which makes a constant of each static in it.
//!
//! The constant is a key to a value that belongs to the cell that made the key. Each constant becomes
//! a static of the same name, so that cells share the key.

use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasName, HasVisibility};
use ra_ap_syntax::{Edition, SourceFile};

use super::{Shared, attribute, path};
use crate::compiler::definitions::Definitions;

const MACRO: [&str; 3] = ["thread_local", "std::thread_local", "::std::thread_local"];

/// Shares the statics in a call of `thread_local!`. Leaves another call alone.
pub(super) fn share(call: &ast::MacroCall, definitions: &Definitions, shared: &mut Shared) {
    let name = call.path().map(|path| path.syntax().to_string());
    let is_thread_local = name.is_some_and(|name| MACRO.contains(&name.as_str()));
    if !is_thread_local || call.attrs().next().is_some() {
        return;
    }
    let (Some(tokens), Some(around)) = (call.token_tree(), path(call.syntax())) else {
        return;
    };
    let text = tokens.syntax().to_string();
    let Some(statics) = text.get(1..text.len() - 1).and_then(statics) else {
        return;
    };
    let whole = call.syntax().text_range();
    let inner = tokens.syntax().text_range();
    let start = usize::from(inner.start()) + 1;
    let source = call.syntax().to_string();
    // No line moves.
    let without = |from: usize, to: usize| {
        let begin = usize::from(whole.start());
        let lines = source[from - begin..to - begin].matches('\n').count();
        (from..to, "\n".repeat(lines))
    };
    let mut edits = vec![
        without(whole.start().into(), start),
        without(usize::from(inner.end()) - 1, whole.end().into()),
    ];
    for of in statics {
        let key = Key::of(&of);
        let Some(Key {
            name,
            type_,
            body_end,
            start: begin,
            type_start,
        }) = key
        else {
            return;
        };
        let path = if around.is_empty() {
            name.clone()
        } else {
            format!("{around}::{name}")
        };
        let number = shared.number(&path, of.syntax(), definitions);
        let insert = |at: usize, text: String| (start + at..start + at, text);
        edits.push(insert(begin, attribute(number) + " "));
        let made = format!(
            "::memit_session::SharedKey<{type_}> = ::memit_session::SharedKey::new({{ \
             ::std::thread_local! {{ static {name}: "
        );
        edits.push(insert(type_start, made));
        let is_closed = of
            .semicolon_token()
            .is_some_and(|semicolon| usize::from(semicolon.text_range().end()) < text.len() - 1);
        let end = if is_closed { "" } else { ";" };
        edits.push(insert(body_end, format!(" }} {name} }}){end}")));
        shared.numbers.insert(path, number);
    }
    shared.edits.extend(edits);
}

/// A static in a call, by places in the text between the delimiters.
struct Key {
    start: usize,
    name: String,
    type_start: usize,
    /// The type in one line.
    type_: String,
    body_end: usize,
}

impl Key {
    fn of(of: &ast::Static) -> Option<Self> {
        let type_ = of.ty()?.syntax().clone();
        let visibility = of.visibility().map(|of| of.syntax().text_range());
        let start = visibility.or_else(|| Some(of.static_token()?.text_range()))?;
        Some(Self {
            start: start.start().into(),
            name: of.name()?.text().to_string(),
            type_start: type_.text_range().start().into(),
            type_: type_
                .to_string()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            body_end: of.body()?.syntax().text_range().end().into(),
        })
    }
}

/// The statics between the delimiters of a call; `None` if anything else is there.
fn statics(inner: &str) -> Option<Vec<ast::Static>> {
    let parsed = |text: &str| {
        let file = SourceFile::parse(text, Edition::Edition2024);
        file.errors().is_empty().then(|| file.tree())
    };
    // The last static may end without a semicolon.
    let file = parsed(inner).or_else(|| parsed(&format!("{inner}\n;")))?;
    let items = file.syntax().children().map(ast::Static::cast);
    items.collect()
}
