//! Which functions may have their body twice, with probes and without.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::find::Found;

/// Whether two copies of the body in one function mean what one means. They do not if the body defines
/// a static, which would be two, or asks for its caller, which the closure around a copy hides. They do
/// not compile if the result is an `impl Trait`, which would be two types.
pub(crate) fn can_be_switched(found: &Found<'_>) -> bool {
    let mut attributes = found.attributes.iter();
    let mut finder = Finder {
        found: attributes.any(|one| one.path().is_ident("track_caller")),
    };
    finder.visit_return_type(&found.signature.output);
    finder.visit_block(found.block);
    !finder.found
}

/// Finds statics and types `impl Trait`.
struct Finder {
    found: bool,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {
        self.found = true;
    }

    fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
        self.found = true;
    }

    /// Parameters and results of functions within the body are their own.
    fn visit_signature(&mut self, _: &'ast syn::Signature) {}

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.found |= mentions_static(called.tokens.clone());
    }
}

/// Whether the keyword `static` is among tokens, at any depth. The lifetime `'static` is not the keyword.
fn mentions_static(tokens: TokenStream) -> bool {
    let mut is_lifetime = false;
    tokens.into_iter().any(|token| {
        let was_quote = std::mem::replace(
            &mut is_lifetime,
            matches!(&token, TokenTree::Punct(sign) if sign.as_char() == '\''),
        );
        match token {
            TokenTree::Group(group) => mentions_static(group.stream()),
            TokenTree::Ident(word) => word == "static" && !was_quote,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find;

    fn can_be(source: &str) -> bool {
        let file = find::parse(source).unwrap();
        can_be_switched(&find::all(&file)[0])
    }

    #[test]
    fn a_static_and_an_unnamed_type_must_not_be_two() {
        for source in [
            "fn f(n: &'static str) -> Result<u8, String> { let x: &'static str = n; log!(x as &'static str); Ok(1) }",
            "fn f(n: impl Iterator<Item = u8>) -> usize { fn g() -> impl Fn() { || () } g(); n.count() }",
            "async fn f() -> Box<dyn Fn()> { const N: u8 = 3; Box::new(|| drop(N)) }",
        ] {
            assert!(can_be(source), "{source}");
        }
        for source in [
            "fn f() -> u8 { static N: u8 = 3; N }",
            "fn f() -> u8 { if true { fn g() -> u8 { static N: u8 = 3; N } return g(); } 1 }",
            "fn f() -> u8 { thread_local! { static N: u8 = 3; } N.get() }",
            "fn f() -> u8 { macro_rules! m { () => { static N: u8 = 3; } } m!(); 1 }",
            "#[track_caller] fn f() -> u8 { panic!() }",
            "fn f() -> impl Iterator<Item = u8> { 0..3 }",
            "fn f() -> Option<impl Fn()> { Some(|| ()) }",
        ] {
            assert!(!can_be(source), "{source}");
        }
    }
}
