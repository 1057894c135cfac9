//! Whether the compiler may inline a function with probes.

use syn::Attribute;

/// The attribute that keeps a function with probes from being inlined; empty if the user's
/// attributes already decide.
///
/// Inlined, the function would lose work whose result the caller ignores, such as allocating a value
/// that is dropped at once.
pub(crate) fn attribute(users: &[Attribute]) -> &'static str {
    let is_decided = users.iter().any(|one| one.path().is_ident("inline"));
    if is_decided { "" } else { "#[inline(never)] " }
}
