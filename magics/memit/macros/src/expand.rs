//! Expands the attribute to the function with probes, with its source in a static.

use std::path::Path;

use memit_instrument::{Function, Options, Runtime, instrument_item, whole_name};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;

const RUNTIME: Runtime<'_> = Runtime {
    path: "::memit::__private::lines",
};

/// The function with probes, or a compile error and the function as it was.
pub(crate) fn profile(arguments: TokenStream, item: TokenStream) -> TokenStream {
    probed(arguments, item.clone()).unwrap_or_else(|error| {
        // Without the function, every call would be one more error.
        let mut tokens = error.into_compile_error();
        tokens.extend(item);
        tokens
    })
}

fn probed(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = Options::parse(arguments)?;
    let span = item.clone().into_iter().next().map(|token| token.span());
    let (woven, function) = instrument_item(item, options, RUNTIME)?;
    let (Some(function), Some(span)) = (function, span) else {
        return Ok(woven);
    };
    Ok(begin_with(source(&function, span), woven))
}

/// The statements that keep the function's source and report its call.
fn source(function: &Function, span: Span) -> TokenStream {
    let place = span.file();
    let text = span.local_file().and_then(|file| read(&file));
    let text = text.unwrap_or_default();
    let name = name(&text, function);
    let (first, last) = (function.first, function.last);
    let lines = text.lines().skip(first - 1).take(last + 1 - first);
    let lines: Vec<&str> = lines.collect();
    let number = u32::try_from(first).unwrap_or(0);
    let precision = function.options.precision.map_or_else(
        || quote!(::core::option::Option::None),
        |precision| quote!(::core::option::Option::Some(#precision)),
    );
    quote! {
        static MEMIT_SOURCE: ::memit::__private::Source = ::memit::__private::Source::new(
            #name, #place, file!(), #number, &[#(#lines),*], #precision
        );
        let _memit_call = MEMIT_SOURCE.enter();
    }
}

/// The text of a source file. Paths are relative to the compiler's working directory.
fn read(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

/// The name of the function with the type or module before it, which its own tokens do not contain.
fn name(file: &str, function: &Function) -> String {
    // Tokens that the compiler lexes from a string have no positions; the fallback's have.
    proc_macro2::fallback::force();
    let whole = whole_name(file, function.first, &function.name);
    proc_macro2::fallback::unforce();
    whole.unwrap_or_else(|| function.name.clone())
}

/// Puts statements at the beginning of a function's body.
fn begin_with(mut statements: TokenStream, function: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = function.into_iter().collect();
    if let Some(TokenTree::Group(body)) = tokens.pop() {
        statements.extend(body.stream());
        let mut longer = Group::new(body.delimiter(), statements);
        longer.set_span(body.span());
        tokens.push(TokenTree::Group(longer));
    }
    tokens.into_iter().collect()
}
