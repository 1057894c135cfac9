//! The attribute `#[profile]`, and what it asks for.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, Lit, MetaNameValue, Token};

use crate::Error;

/// What `#[profile(…)]` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `precision = 4`: decimals of the sizes in the table.
    pub precision: Option<usize>,
    /// `backend = "rss"`: what is measured, one of heap, rss, pss, uss.
    pub backend: Option<String>,
}

const BACKENDS: [&str; 4] = ["heap", "rss", "pss", "uss"];

impl Options {
    /// Reads what stands between the parentheses of the attribute.
    ///
    /// # Errors
    ///
    /// If it is none of the options above.
    pub fn parse(arguments: proc_macro2::TokenStream) -> Result<Self, Error> {
        let parser = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
        let arguments = syn::parse::Parser::parse2(parser, arguments).map_err(|error| {
            let line = error.span().start().line;
            option(line, format!("`#[profile]`: {error}"))
        })?;
        let mut options = Self::default();
        for argument in arguments {
            let line = argument.span().start().line;
            let Expr::Lit(value) = &argument.value else {
                return Err(option(line, "`#[profile]` takes literals".to_owned()));
            };
            match &value.lit {
                Lit::Int(number) if argument.path.is_ident("precision") => {
                    let number = number.base10_parse().ok().filter(|number| *number <= 12);
                    options.precision = Some(number.ok_or_else(|| {
                        let message = "`precision` is a number of decimals from 0 to 12";
                        option(line, message.to_owned())
                    })?);
                }
                Lit::Str(name) if argument.path.is_ident("backend") => {
                    let name = name.value();
                    if !BACKENDS.contains(&name.as_str()) {
                        let known = BACKENDS.join(", ");
                        return Err(option(line, format!("`backend` is one of {known}")));
                    }
                    options.backend = Some(name);
                }
                _ => {
                    let message = "`#[profile]` takes `precision = 4` and `backend = \"rss\"`";
                    return Err(option(line, message.to_owned()));
                }
            }
        }
        Ok(options)
    }
}

fn option(line: usize, message: String) -> Error {
    Error::Option { message, line }
}

/// `#[profile]` or `#[memit::profile]` among the attributes of a function.
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

/// The options of such an attribute.
pub(crate) fn options(attribute: &Attribute) -> Result<Options, Error> {
    match &attribute.meta {
        syn::Meta::List(list) => Options::parse(list.tokens.clone()),
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
            backend: Some("rss".into()),
        };
        assert_eq!(parsed("precision = 4, backend = \"rss\""), Ok(both));
        for (wrong, message) in [
            ("precision = 99", "from 0 to 12"),
            ("precision = x", "takes literals"),
            ("backend = \"psutil\"", "one of heap, rss"),
            ("verbose = 1", "takes `precision = 4`"),
            ("3", "`#[profile]`: expected"),
        ] {
            let error = parsed(wrong).unwrap_err();
            assert!(error.contains(message), "{wrong}: {error}");
        }
    }
}
