//! `thread_local!`, which makes a constant of each static in it.
//!
//! The constant is a key to a value that belongs to the cell that made the key. Each constant becomes
//! a static of the same name, so that cells share the key.

use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasName, HasVisibility};
use ra_ap_syntax::{Edition, SourceFile, SyntaxNode};

use super::place::Place;
use super::{Shared, add, attribute};
use crate::compiler::definitions::{Definitions, tokens};

const MACRO: [&str; 3] = ["thread_local", "std::thread_local", "::std::thread_local"];

/// Shares the statics in a call of `thread_local!`. Leaves another call alone.
pub(super) fn share(call: &ast::MacroCall, definitions: &Definitions, shared: &mut Shared) {
    let mut attributes = call.attrs();
    if !is_thread_local(call)
        || !attributes.all(|attribute| tokens::is_neutral(attribute.syntax()))
        || is_computed(call)
    {
        return;
    }
    let (Some(arguments), Some(around)) = (call.token_tree(), Place::of(call.syntax())) else {
        return;
    };
    let text = arguments.syntax().to_string();
    let Some(statics) = text.get(1..text.len() - 1).and_then(statics) else {
        return;
    };
    let whole = call.syntax().text_range();
    let inner = arguments.syntax().text_range();
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
        let place = around.with(&name);
        let number = shared.number(&place.path, of.syntax(), call.syntax(), definitions);
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
        add(&mut shared.numbers, place.shown, number);
    }
    shared.edits.extend(edits);
}

/// Whether a call of `thread_local!` is in `node`.
pub(super) fn is_in(node: &SyntaxNode) -> bool {
    let mut calls = node.descendants().filter_map(ast::MacroCall::cast);
    calls.any(|call| is_thread_local(&call))
}

fn is_thread_local(call: &ast::MacroCall) -> bool {
    let name = call.path().map(|path| path.syntax().text().to_string());
    let name = name.map(|name| name.replace(' ', ""));
    name.is_some_and(|name| MACRO.contains(&name.as_str()))
}

/// Whether the compiler computes the value that the call is a part of. A key in a static cannot take
/// part.
fn is_computed(call: &ast::MacroCall) -> bool {
    let mut around = call.syntax().ancestors().skip(1);
    let function = around.find(|node| {
        ast::Fn::can_cast(node.kind())
            || ast::Static::can_cast(node.kind())
            || ast::Const::can_cast(node.kind())
    });
    function.is_some_and(|node| !ast::Fn::can_cast(node.kind()))
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
