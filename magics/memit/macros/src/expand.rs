//! A function with probes, and its source beside them.

use std::path::Path;

use memit_instrument::{Function, Options, Runtime, instrument_item, whole_name};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;

const RUNTIME: Runtime<'_> = Runtime {
    path: "::memit::__private::lines",
};

/// The function with probes; what is wrong with it, if it can have none.
pub(crate) fn profile(arguments: TokenStream, item: TokenStream) -> TokenStream {
    probed(arguments, item.clone()).unwrap_or_else(|error| {
        // With the function itself, so that nobody misses it.
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

/// The statements that tell what the function is, and that it runs.
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

/// The compiler's directory is that to which the names of files are relative.
fn read(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

/// With the type or module that the function is of, which its own tokens do not tell.
fn name(file: &str, function: &Function) -> String {
    // What the compiler's lexer makes of a text has no places.
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
