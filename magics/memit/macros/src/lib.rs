//! The attribute of the crate `memit`, which is where it is to be taken from.
#![forbid(unsafe_code)]

#[cfg(feature = "enabled")]
mod expand;

use proc_macro::TokenStream;

/// Counts what each line of a function does to memory: a free function, a method, one with a
/// default in a trait; `async` or generic.
///
/// `#[memit::profile(precision = 4)]` shows sizes in MiB with as many decimals, and
/// `#[memit::profile(backend = "rss")]` measures what the system says of the process (`"rss"`,
/// `"pss"`, `"uss"`) instead of the heap (`"heap"`). Both may be given.
///
/// Without memit's feature `enabled`, the function stays as it is. With it, the crate must be known to
/// the program by its name, `memit`.
///
/// # Errors
///
/// The compiler refuses other options, what is no function, and a `const fn`, which it may have to
/// run itself. Of functions that a macro makes, those can be profiled whose body stands in one place,
/// such as that of a `macro_rules!` which puts nothing into it; others are refused. So an attribute
/// that rewrites a body, such as `#[tokio::main]`, has to stand below this one. Where the compiler
/// does not tell lines, as in editors, the function stays as it is.
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
