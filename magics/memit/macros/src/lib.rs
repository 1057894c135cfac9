//! The attribute of the crate `memit`. Use `memit::profile`, not this crate.
#![forbid(unsafe_code)]

#[cfg(feature = "enabled")]
mod expand;

use proc_macro::TokenStream;

/// Counts what each line of a function does to memory. The function may be free, a method or the
/// default of a trait method, and it may be `async` or generic.
///
/// `#[memit::profile(precision = 4)]` shows sizes in MiB with four decimals.
/// `#[memit::profile(backend = "rss")]` measures the process as the system sees it (`"rss"`, `"pss"`,
/// `"uss"`) instead of the heap (`"heap"`). Both options may be given.
///
/// Without memit's feature `enabled`, the function is not changed. With the feature, the program must
/// know the crate by the name `memit`.
///
/// # Errors
///
/// The compiler refuses other options, items that are no functions, and `const fn`, because the compiler
/// may run a `const fn` itself. A function that a macro makes can be profiled if its whole body stands
/// in one place of the source, as in a `macro_rules!` that inserts nothing into the body; other such
/// functions are refused. Therefore an attribute that rewrites the body, such as `#[tokio::main]`, must
/// stand below this one. In editors the compiler reports no lines, and the function is not changed.
#[proc_macro_attribute]
pub fn profile(arguments: TokenStream, item: TokenStream) -> TokenStream {
    #[cfg(feature = "enabled")]
    {
        expand::profile(arguments.into(), item.into()).into()
    }
    #[cfg(not(feature = "enabled"))]
    {
        let _ = arguments;
        item
    }
}
