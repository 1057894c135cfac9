//! Probes in the one function that an attribute macro is applied to.

use proc_macro2::{LineColumn, TokenStream};

use crate::edit::{self, Edits, Order};
use crate::error::Error;
use crate::find::Found;
use crate::function::{Function, Runtime};
use crate::mark::Options;
use crate::{inlining, probe};

/// Puts probes into the one function that an attribute stands at: free, or in an `impl` or a
/// `trait`. What cannot have probes is left as it is, with `None`: a function without a body, and
/// one whose tokens have no places, as in editors.
///
/// # Errors
///
/// If it is no function, or a `const fn`, or made by a macro of tokens from several places.
pub fn instrument_item(
    item: TokenStream,
    options: Options,
    runtime: Runtime<'_>,
) -> syn::Result<(TokenStream, Option<Function>)> {
    // Of the three kinds of functions, this one parses all, with or without a body.
    let function: syn::TraitItemFn = syn::parse2(without_visibility(item.clone()))?;
    let Some(block) = &function.default else {
        return Ok((item, None));
    };
    let name = function.sig.ident.to_string();
    if let Some(constness) = &function.sig.constness {
        return Err(syn::Error::new(constness.span, Error::Const { name }));
    }
    // In front of the body there may be tokens from anywhere: the name of a function that a macro
    // makes.
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
        block,
    };
    let mut whole: TokenStream = inlining::attribute(found.attributes).parse()?;
    let mut edits = Edits::default();
    let probed = probe::function(&found, options, runtime, &mut edits);
    let woven = edits.apply_to_tokens(body)?;
    whole.extend(tokens.into_iter().chain(woven));
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
