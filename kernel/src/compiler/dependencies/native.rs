//! Code in other languages, which rustc packs into the file of a Rust crate.
//!
//! A cell can call such code without the crate in between: through an `extern` block that the crate
//! makes public, or in a generic function of the crate. rustc hides the symbols of such code in a
//! shared library, so the linker is told to show them.

use std::fmt::Write as _;
use std::io;

use super::archive;
use super::contents::Crate;

/// A script for the linker that keeps and shows all symbols of other languages in these crates;
/// `None` if there are none.
pub(super) fn exports(crates: &[Crate]) -> io::Result<Option<String>> {
    let mut symbols = Vec::new();
    for each in crates {
        let members = archive::symbols(&each.file)?.into_iter();
        let foreign = members.filter(|(name, _)| !is_rust(name));
        symbols.extend(foreign.flat_map(|(_, symbols)| symbols));
    }
    Ok((!symbols.is_empty()).then(|| script(symbols.into_iter())))
}

/// Whether a file of this name holds compiled Rust.
fn is_rust(name: &str) -> bool {
    [".rcgu.o", ".rmeta"].iter().any(|end| name.ends_with(end))
}

fn script(symbols: impl Iterator<Item = String>) -> String {
    let mut script = String::new();
    for symbol in symbols.filter(|symbol| !symbol.contains('"')) {
        let _ = writeln!(
            script,
            "EXTERN(\"{symbol}\") VERSION {{ {{ global: \"{symbol}\"; }}; }}"
        );
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_symbols_of_other_languages_are_shown() {
        let script = script(["f", "g\"", "_ZN1a1bEv"].map(str::to_owned).into_iter());
        assert_eq!(
            script,
            "EXTERN(\"f\") VERSION { { global: \"f\"; }; }\n\
             EXTERN(\"_ZN1a1bEv\") VERSION { { global: \"_ZN1a1bEv\"; }; }\n"
        );
        assert!(is_rust("log-1.log.0-cgu.0.rcgu.o") && is_rust("lib.rmeta"));
        assert!(!is_rust("8017ddc1-sqlite3.o"));
    }
}
