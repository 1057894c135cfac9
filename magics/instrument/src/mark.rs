//! The attribute `#[profile]` and its options.

use memit_lines::Backend;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, Lit, MetaNameValue, Token};

use crate::error::Error;

/// The options in `#[profile(…)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `precision = 4`: decimals of the sizes in the table.
    pub precision: Option<usize>,
    /// `backend = "rss"`: which memory is measured.
    pub backend: Option<Backend>,
}

impl Options {
    /// Reads the arguments of the attribute, without the parentheses.
    ///
    /// # Errors
    ///
    /// If an argument is no option, or the value of an option is wrong.
    pub fn parse(arguments: proc_macro2::TokenStream) -> syn::Result<Self> {
        let parser = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
        let arguments = syn::parse::Parser::parse2(parser, arguments)
            .map_err(|error| syn::Error::new(error.span(), format!("`#[profile]`: {error}")))?;
        let mut options = Self::default();
        for argument in arguments {
            let wrong = |message: &str| Err(syn::Error::new(argument.value.span(), message));
            let Expr::Lit(value) = &argument.value else {
                return wrong("`#[profile]` takes literals");
            };
            match &value.lit {
                Lit::Int(number) if argument.path.is_ident("precision") => {
                    match number.base10_parse() {
                        Ok(number @ 0..=12) => options.precision = Some(number),
                        _ => return wrong("`precision` is a number of decimals from 0 to 12"),
                    }
                }
                Lit::Str(name) if argument.path.is_ident("backend") => {
                    let Ok(backend) = name.value().parse() else {
                        let known = Backend::ALL.map(Backend::name).join(", ");
                        return wrong(&format!("`backend` is one of {known}"));
                    };
                    options.backend = Some(backend);
                }
                _ => {
                    let message = "`#[profile]` takes `precision = 4` and `backend = \"rss\"`";
                    return Err(syn::Error::new(argument.path.span(), message));
                }
            }
        }
        Ok(options)
    }
}

/// The attribute `#[profile]` or `#[memit::profile]` of a function, if it has one.
pub(crate) fn of(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes.iter().find(|attribute| {
        let path = attribute.path();
        let mut segments = path.segments.iter();
        path.is_ident("profile")
            || (path.segments.len() == 2
                && segments.next().is_some_and(|first| first.ident == "memit")
                && segments.next().is_some_and(|last| last.ident == "profile"))
    })
}

/// The options of a `#[profile]` attribute.
pub(crate) fn options(attribute: &Attribute) -> Result<Options, Error> {
    match &attribute.meta {
        syn::Meta::List(list) => {
            Options::parse(list.tokens.clone()).map_err(|error| Error::Option {
                message: error.to_string(),
                line: error.span().start().line,
            })
        }
        _ => Ok(Options::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str) -> Result<Options, String> {
        Options::parse(arguments.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_and_others_refused() {
        assert_eq!(parsed(""), Ok(Options::default()));
        let both = Options {
            precision: Some(4),
            backend: Some(Backend::Rss),
        };
        assert_eq!(parsed("precision = 4, backend = \"rss\""), Ok(both));
        for (wrong, message) in [
            ("precision = 99", "`precision` is a number of decimals"),
            ("precision = x", "`#[profile]` takes literals"),
            ("backend = \"psutil\"", "`backend` is one of heap, rss"),
            ("verbose = 1", "`#[profile]` takes `precision = 4`"),
            ("3", "`#[profile]`: expected identifier"),
        ] {
            let error = parsed(wrong).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
