//! Which variables may free memory when they are dropped.

use quote::ToTokens as _;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Expr, ExprClosure, FnArg, Local, Pat, PatIdent, PatWild, ReturnType, Type};

use crate::edit::Edits;
use crate::find::Found;

/// Values that belong to a body and may free memory when they are dropped. Parameters are dropped
/// behind the body, where nobody counts, so the body takes them over.
#[derive(Default)]
pub(super) struct Owned {
    /// Variables: whether each is `mut`, and its name.
    variables: Vec<(bool, String)>,
    /// For a function that owns `self`: what surrounds the body, so that the body owns `self`.
    pub(super) receiver: Option<Receiver>,
}

/// The receiver of a function that owns it. A receiver has no other name than `self`, so a closure or an
/// `async` block takes it along.
pub(super) struct Receiver {
    is_async: bool,
    /// The type of the result, if the type has a name.
    result: Option<String>,
}

impl Receiver {
    /// The code in front of the body and behind it. `guard` is a reference to the running body.
    pub(super) fn around(&self, guard: &str) -> (String, &'static str) {
        let result = self.result.as_deref();
        if self.is_async {
            let of = result.map_or_else(String::new, |of| format!("::<{of}, _>"));
            let open = format!("{guard}.owning_async{of}(async move {{ let _ = &self; ");
            return (open, " }).await");
        }
        let of = result.map_or_else(String::new, |of| format!("-> {of} "));
        let open = format!("{guard}.owning(move || {of}{{ let _ = &self; ");
        (open, " })")
    }
}

/// Start of the names of parameters without a name.
const UNNAMED: &str = "_memit_owned";

impl Owned {
    /// The parameters of a function. Gives names to those without a name, if the signature may be
    /// changed.
    pub(super) fn by_function(found: &Found<'_>, edits: &mut Edits) -> Self {
        let signature = found.signature;
        let mut owned = Self::default();
        for input in &signature.inputs {
            match input {
                FnArg::Typed(typed) if !owns_nothing(&typed.ty) => {
                    let edits = found.signature_is_source.then_some(&mut *edits);
                    owned.add(&typed.pat, edits);
                }
                FnArg::Receiver(receiver)
                    if receiver.reference.is_none() && !owns_nothing(&receiver.ty) =>
                {
                    owned.receiver = Some(Receiver {
                        is_async: signature.asyncness.is_some(),
                        result: result(&signature.output),
                    });
                }
                FnArg::Typed(_) | FnArg::Receiver(_) => {}
            }
        }
        owned
    }

    /// The parameters of a closure.
    pub(super) fn by_closure(closure: &ExprClosure) -> Self {
        let mut owned = Self::default();
        for input in &closure.inputs {
            let owns = match input {
                Pat::Type(typed) => !owns_nothing(&typed.ty),
                _ => true,
            };
            if owns {
                owned.add(input, None);
            }
        }
        owned
    }

    fn add(&mut self, pattern: &Pat, edits: Option<&mut Edits>) {
        let mut finder = Finder { owned: self, edits };
        finder.visit_pat(pattern);
    }

    /// Whether there are such values.
    pub(super) fn owns(&self) -> bool {
        !self.variables.is_empty() || self.receiver.is_some()
    }

    /// Code that makes the variables those of the body.
    pub(super) fn rebound(&self) -> String {
        let rebound = self.variables.iter().map(|(mutable, name)| {
            let mutable = if *mutable { "mut " } else { "" };
            format!("let {mutable}{name} = {name}; ")
        });
        rebound.collect()
    }
}

/// The type of a result; `None` if the type has no name.
pub(super) fn result(output: &ReturnType) -> Option<String> {
    match output {
        ReturnType::Default => Some("()".to_owned()),
        ReturnType::Type(_, of) => {
            let text = of.to_token_stream().to_string().replace('\n', " ");
            (!text.contains("impl ")).then_some(text)
        }
    }
}

/// Finds the variables of a pattern.
struct Finder<'o, 'e> {
    owned: &'o mut Owned,
    /// Takes names for the parts of the pattern without a name, if they may have one.
    edits: Option<&'e mut Edits>,
}

impl Finder<'_, '_> {
    /// Gives a name to a part of the pattern.
    fn name(&mut self, part: &impl Spanned) {
        if let Some(edits) = &mut self.edits {
            let name = format!("{UNNAMED}{}", self.owned.variables.len());
            edits.insert(part.span().start(), format!("{name} @ "));
            self.owned.variables.push((false, name));
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_, '_> {
    fn visit_pat_ident(&mut self, name: &'ast PatIdent) {
        if name.by_ref.is_none() {
            let mutable = name.mutability.is_some();
            self.owned.variables.push((mutable, name.ident.to_string()));
        }
    }

    fn visit_pat_wild(&mut self, wild: &'ast PatWild) {
        self.name(wild);
    }

    /// The rest of an array may have a name.
    fn visit_pat_slice(&mut self, slice: &'ast syn::PatSlice) {
        for element in &slice.elems {
            match element {
                Pat::Rest(rest) => self.name(rest),
                element => self.visit_pat(element),
            }
        }
    }

    fn visit_pat_reference(&mut self, _: &'ast syn::PatReference) {}
    fn visit_expr(&mut self, _: &'ast Expr) {}
    fn visit_type(&mut self, _: &'ast Type) {}
}

/// Whether dropping a value of the type certainly frees nothing.
fn owns_nothing(of: &Type) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
        "i128", "isize", "f32", "f64", "str",
    ];
    match of {
        Type::Reference(_) | Type::Ptr(_) | Type::BareFn(_) | Type::Never(_) => true,
        Type::Path(path) => PRIMITIVES.iter().any(|name| path.path.is_ident(name)) || is_pin(path),
        Type::Tuple(tuple) => tuple.elems.iter().all(owns_nothing),
        Type::Array(array) => owns_nothing(&array.elem),
        Type::Paren(paren) => owns_nothing(&paren.elem),
        _ => false,
    }
}

/// Whether the type is a `Pin` of a reference.
fn is_pin(path: &syn::TypePath) -> bool {
    let last = path.path.segments.last();
    last.is_some_and(|last| {
        let arguments = last.arguments.to_token_stream().to_string();
        last.ident == "Pin" && arguments.replace([' ', '<'], "").starts_with('&')
    })
}

/// Whether dropping the variables of a declaration may free something, as far as the syntax shows. A
/// probe at the end of a block costs little, but in an innermost loop it shows.
pub(super) fn may_own(local: &Local) -> bool {
    if let Pat::Type(typed) = &local.pat
        && owns_nothing(&typed.ty)
    {
        return false;
    }
    let init = local.init.as_ref().map(|init| &*init.expr);
    !matches!(
        init,
        Some(Expr::Lit(_) | Expr::Cast(_) | Expr::Reference(_) | Expr::Closure(_))
    )
}
