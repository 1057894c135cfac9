//! Which variables may free memory when they are dropped.

use syn::{Expr, FnArg, Local, Pat, Signature, Type};

/// Parameters that may free memory when they are dropped: whether each is `mut`, and its name.
pub(super) fn owned_parameters(signature: &Signature) -> Vec<(bool, String)> {
    let parameters = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) if !owns_nothing(&typed.ty) => match &*typed.pat {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
                Some((name.mutability.is_some(), name.ident.to_string()))
            }
            _ => None,
        },
        _ => None,
    });
    parameters.collect()
}

/// Whether dropping a value of the type certainly frees nothing.
fn owns_nothing(of: &Type) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
        "i128", "isize", "f32", "f64", "str",
    ];
    match of {
        Type::Reference(_) | Type::Ptr(_) | Type::BareFn(_) | Type::Never(_) => true,
        Type::Path(path) => PRIMITIVES.iter().any(|name| path.path.is_ident(name)),
        Type::Tuple(tuple) => tuple.elems.iter().all(owns_nothing),
        Type::Array(array) => owns_nothing(&array.elem),
        Type::Paren(paren) => owns_nothing(&paren.elem),
        _ => false,
    }
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
