//! The attributes of a static.

use ra_ap_syntax::ast::{self, AstNode, AstToken, HasAttrs, HasName};
use ra_ap_syntax::{NodeOrToken, SyntaxToken};

use crate::compiler::definitions::tokens;

/// Attributes that leave a static a static, wherever it is stored.
const HARMLESS: [&str; 3] = ["cfg", "link_section", "used"];

/// Attributes that choose the name of a static for the linker.
const NAMING: [&str; 2] = ["export_name", "no_mangle"];

/// The name that the attributes of a static choose; `None` if an attribute may make something else of
/// the static.
#[expect(
    clippy::option_option,
    reason = "no static, or one without a name of its own"
)]
pub(super) fn name(of: &ast::Static) -> Option<Option<String>> {
    let mut chosen = None;
    for attribute in of.attrs() {
        let tokens = tokens_of(&attribute);
        // `cfg` is a keyword for the parser.
        let is_word = |token: &&SyntaxToken| {
            token.text().starts_with(char::is_alphabetic) && token.text() != "unsafe"
        };
        let word = tokens.iter().find(is_word)?;
        if tokens::is_neutral(attribute.syntax()) || HARMLESS.contains(&word.text()) {
            continue;
        }
        if !NAMING.contains(&word.text()) {
            return None;
        }
        let name = if word.text() == "no_mangle" {
            of.name()?.text().to_string()
        } else {
            let mut strings = tokens.iter().cloned().filter_map(ast::String::cast);
            strings.next()?.value().ok()?.into_owned()
        };
        if chosen.replace(name).is_some() {
            return None;
        }
    }
    Some(chosen)
}

fn tokens_of(attribute: &ast::Attr) -> Vec<SyntaxToken> {
    let all = attribute.syntax().descendants_with_tokens();
    all.filter_map(NodeOrToken::into_token).collect()
}
