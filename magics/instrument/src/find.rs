//! The functions of a file, and their names.

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Attribute, Block, Signature, Type, Visibility};

use crate::error::Error;

/// A function with a body.
pub(crate) struct Found<'ast> {
    /// The name, with the modules, types and functions around it.
    pub(crate) name: String,
    pub(crate) attributes: &'ast [Attribute],
    /// Where the function begins, after its attributes.
    pub(crate) start: LineColumn,
    pub(crate) signature: &'ast Signature,
    /// Whether text may be inserted into the signature: its tokens are where the source has them.
    pub(crate) signature_is_source: bool,
    pub(crate) block: &'ast Block,
}

impl Found<'_> {
    /// Whether `name` is the whole name, or a suffix of it that starts at a `::`.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        crate::is_called(&self.name, name)
    }
}

/// All functions in source order, nested functions included.
pub(crate) fn all(file: &syn::File) -> Vec<Found<'_>> {
    let mut finder = Finder::default();
    finder.visit_file(file);
    finder.found
}

/// The names of all functions of a source: `name`, `Type::name`, `Trait::name`, with `module::` and
/// `function::` in front inside modules and functions.
pub fn functions(source: &str) -> Result<Vec<String>, Error> {
    let file = parse(source)?;
    Ok(all(&file).into_iter().map(|found| found.name).collect())
}

/// The whole name, as [`functions`] lists it, of the function `name` whose signature starts on a line.
pub fn whole_name(source: &str, line: usize, name: &str) -> Option<String> {
    let file = parse(source).ok()?;
    let is_here =
        |found: &Found<'_>| found.is_called(name) && found.signature.span().start().line == line;
    let found = all(&file).into_iter().find(is_here)?;
    Some(found.name)
}

/// The macro that makes a function with this name, as far as the tokens of macros show.
pub(crate) fn macro_that_makes(file: &syn::File, name: &str) -> Option<String> {
    let mut makers = Makers {
        name: name.rsplit("::").next().unwrap_or(name),
        found: None,
    };
    makers.visit_file(file);
    makers.found
}

/// Looks for a macro that contains `fn name`, or a call of a macro among items that mentions the name.
struct Makers<'n> {
    name: &'n str,
    found: Option<String>,
}

impl<'ast> Visit<'ast> for Makers<'_> {
    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let words = words(item.mac.tokens.clone());
        let mentions = words.iter().any(|word| word == self.name);
        let defines = words
            .windows(2)
            .any(|pair| pair[0] == "fn" && pair[1] == self.name);
        let called = || {
            item.mac
                .path
                .segments
                .last()
                .map(|last| last.ident.to_string())
        };
        match &item.ident {
            Some(definition) if defines => self.found = Some(definition.to_string()),
            None if mentions => self.found = called(),
            _ => {}
        }
    }
}

/// The identifiers among tokens, at any depth.
fn words(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => words(group.stream()),
            TokenTree::Ident(word) => vec![word.to_string()],
            _ => Vec::new(),
        })
        .collect()
}

pub(crate) fn parse(source: &str) -> Result<syn::File, Error> {
    syn::parse_file(source).map_err(|error| Error::Syntax {
        line: error.span().start().line,
        message: error.to_string(),
    })
}

#[derive(Default)]
struct Finder<'ast> {
    /// Names of the modules, types and functions around the current position.
    path: Vec<String>,
    found: Vec<Found<'ast>>,
}

impl<'ast> Finder<'ast> {
    fn function(
        &mut self,
        attributes: &'ast [Attribute],
        visibility: &Visibility,
        signature: &'ast Signature,
        block: &'ast Block,
    ) {
        self.path.push(signature.ident.to_string());
        self.found.push(Found {
            name: self.path.join("::"),
            attributes,
            start: match visibility {
                Visibility::Inherited => signature.span().start(),
                visibility => visibility.span().start(),
            },
            signature,
            signature_is_source: true,
            block,
        });
        self.visit_block(block);
        self.path.pop();
    }

    fn below(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.path.push(name);
        visit(self);
        self.path.pop();
    }
}

impl<'ast> Visit<'ast> for Finder<'ast> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.vis, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.vis, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, &Visibility::Inherited, &item.sig, block);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.below(type_name(&item.self_ty), |finder| {
            syn::visit::visit_item_impl(finder, item);
        });
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.below(item.ident.to_string(), |finder| {
            syn::visit::visit_item_trait(finder, item);
        });
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.below(item.ident.to_string(), |finder| {
            syn::visit::visit_item_mod(finder, item);
        });
    }
}

/// The last segment of a type's path; `_` for a type without a path.
fn type_name(of: &Type) -> String {
    match of {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.map_or_else(String::new, |segment| segment.ident.to_string())
        }
        Type::Reference(reference) => type_name(&reference.elem),
        Type::Paren(paren) => type_name(&paren.elem),
        Type::Group(group) => type_name(&group.elem),
        _ => "_".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions;

    #[test]
    fn functions_are_found_wherever_they_are() {
        let source = "
            fn free() { fn within() {} }
            mod inner { pub fn free() {} }
            struct S<T>(T);
            impl<T> S<T> { fn method(&self) {} const fn constant() {} }
            impl<T> Clone for &S<T> { fn clone(&self) -> Self { todo!() } }
            trait Tr { fn required(&self); fn provided(&self) {} }
            impl Tr for [u8; 2] { fn required(&self) {} }
            extern \"C\" { fn foreign(); }
        ";
        assert_eq!(
            functions(source).unwrap(),
            [
                "free",
                "free::within",
                "inner::free",
                "S::method",
                "S::constant",
                "S::clone",
                "Tr::provided",
                "_::required"
            ]
        );
    }
}
