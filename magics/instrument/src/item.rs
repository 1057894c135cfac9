//! Probes in the one function that an attribute macro is applied to.

use proc_macro2::{LineColumn, TokenStream};

use crate::edit::{self, Edits, Order};
use crate::error::Error;
use crate::find::Found;
use crate::function::{Function, Runtime};
use crate::mark::Options;
use crate::{inlining, probe};

/// Puts probes into the function that an attribute is applied to: a free function, or one in an `impl`
/// or a `trait`. Returns the item unchanged and `None` if the function has no body, or its tokens have
/// no positions, as in editors.
///
/// # Errors
///
/// If the item is no function, is a `const fn`, or is made by a macro of tokens from several places.
pub fn instrument_item(
    item: TokenStream,
    options: Options,
    runtime: Runtime<'_>,
) -> syn::Result<(TokenStream, Option<Function>)> {
    // `TraitItemFn` parses all three kinds of functions, with or without a body.
    let function: syn::TraitItemFn = syn::parse2(without_visibility(item.clone()))?;
    let Some(block) = &function.default else {
        return Ok((item, None));
    };
    let name = function.sig.ident.to_string();
    if let Some(constness) = &function.sig.constness {
        return Err(syn::Error::new(constness.span, Error::Const { name }));
    }
    // Tokens in front of the body may be from anywhere, such as a name that a macro inserts.
    let signature_is_source = edit::order(item.clone()) == Order::Ascending;
    let mut tokens: Vec<_> = item.clone().into_iter().collect();
    let body: TokenStream = tokens.pop().into_iter().collect();
    match edit::order(body.clone()) {
        Order::Unknown => return Ok((item, None)),
        Order::Mixed => {
            let message = format!(
                "`{name}` cannot be profiled: a macro has put it together from several places"
            );
            return Err(syn::Error::new(function.sig.ident.span(), message));
        }
        Order::Ascending => {}
    }
    let found = Found {
        name,
        attributes: &function.attrs,
        start: LineColumn { line: 0, column: 0 },
        signature: &function.sig,
        signature_is_source,
        block,
    };
    let mut whole: TokenStream = inlining::attribute(found.attributes).parse()?;
    let mut edits = Edits::default();
    let probed = probe::function(&found, options, runtime, false, &mut edits);
    probe::avoid_names_in(&body.to_string(), &mut edits);
    if signature_is_source {
        whole.extend(edits.apply_to_tokens(item)?);
    } else {
        let woven = edits.apply_to_tokens(body)?;
        whole.extend(tokens.into_iter().chain(woven));
    }
    Ok((whole, Some(probed)))
}

/// A function's tokens without `pub`, `pub(crate)`, `default`.
fn without_visibility(item: TokenStream) -> TokenStream {
    use proc_macro2::TokenTree::{Group, Ident};
    let mut after_pub = false;
    let mut in_signature = false;
    let kept = item.into_iter().filter(|token| {
        if in_signature {
            return true;
        }
        let was_pub = std::mem::replace(&mut after_pub, false);
        match token {
            Ident(word) if word == "pub" => {
                after_pub = true;
                false
            }
            Group(_) if was_pub => false,
            Ident(word) if word == "default" => false,
            Ident(_) => {
                in_signature = true;
                true
            }
            _ => true,
        }
    });
    kept.collect()
}
