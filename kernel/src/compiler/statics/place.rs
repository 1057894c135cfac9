//! Where a static is in the source of a session.

use ra_ap_syntax::SyntaxNode;
use ra_ap_syntax::ast::{self, AstNode};

use crate::compiler::CELL_FUNCTION;

/// The place of a static, or of a call that makes statics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The names of what the static is in, and its own.
    pub(super) path: String,
    /// The path that the user knows.
    pub(super) shown: String,
}

impl Place {
    /// `None` in the statements of a cell, and in a block of foreign items.
    pub(super) fn of(node: &SyntaxNode) -> Option<Self> {
        let mut path: Vec<String> = Vec::new();
        let mut shown: Vec<String> = Vec::new();
        let mut is_hidden = false;
        for node in node.ancestors() {
            if let Some(of) = ast::Impl::cast(node.clone()) {
                let self_type = of.self_ty().map(|of| of.syntax().to_string());
                path.extend(self_type.clone());
                path.extend(of.trait_().map(|of| of.syntax().to_string()));
                // What a macro hides belongs to the type for which the macro implements a trait.
                if is_hidden {
                    shown.clear();
                }
                shown.extend(self_type);
            } else if ast::ExternBlock::can_cast(node.kind()) {
                return None;
            } else if let Some(name) = node.children().find_map(ast::Name::cast) {
                let name = name.text().to_string();
                if name.starts_with(CELL_FUNCTION) {
                    return None;
                }
                is_hidden |= name.starts_with("__");
                path.push(name.clone());
                shown.push(name);
            }
        }
        let joined = |mut names: Vec<String>| {
            names.reverse();
            names.join("::")
        };
        Some(Self {
            path: joined(path),
            shown: joined(shown),
        })
    }

    /// The place of `name` in this place.
    pub(super) fn with(&self, name: &str) -> Self {
        let with = |path: &str| {
            if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}::{name}")
            }
        };
        Self {
            path: with(&self.path),
            shown: with(&self.shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ra_ap_syntax::{Edition, SourceFile};

    fn of(source: &str) -> Option<(String, String)> {
        let file = SourceFile::parse(source, Edition::Edition2024).tree();
        let mut statics = file.syntax().descendants().filter_map(ast::Static::cast);
        let place = Place::of(statics.next().unwrap().syntax())?;
        Some((place.path, place.shown))
    }

    #[test]
    fn a_static_has_a_path_and_the_path_that_the_user_knows() {
        let some = |path: &str, shown: &str| Some((path.to_owned(), shown.to_owned()));
        assert_eq!(of("mod m { static A: u8 = 1; }"), some("m::A", "m::A"));
        assert_eq!(
            of("impl Drop for S { fn drop(&mut self) { static N: u8 = 1; } }"),
            some("Drop::S::drop::N", "S::drop::N")
        );
        assert_eq!(
            of("impl Deref for LOG { fn deref() { fn __stability() { static LAZY: u8 = 1; } } }"),
            some("Deref::LOG::deref::__stability::LAZY", "LOG")
        );
        assert_eq!(of("fn run_user_code_7() { static A: u8 = 1; }"), None);
        assert_eq!(
            of("unsafe extern \"C\" { static environ: *const u8; }"),
            None
        );
    }
}
