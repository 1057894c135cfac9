//! A result as Rust source, to bind it to a variable of the user's session.

use std::fmt::Write as _;

use memit_lines::Backend;
use memit_measurement::{Clock, Source};
use serde::Serialize;

/// Rust source that recreates a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustValue {
    /// Definitions of the structs that the value is made of. The same for every value of a kind,
    /// so a session may be given them again.
    pub items: String,
    /// The value, as an expression over those structs.
    pub expr: String,
}

/// A struct with public fields, and one value of it.
pub(super) struct StructSource {
    name: &'static str,
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    rust_type: String,
    literal: String,
}

impl StructSource {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            fields: Vec::new(),
        }
    }

    pub(super) fn field<T: ToRust>(self, name: &'static str, value: &T) -> Self {
        self.nested(name, T::rust_type(), value.literal())
    }

    /// A field whose type is itself written as source: another struct, or a collection of one.
    pub(super) fn nested(
        mut self,
        name: &'static str,
        rust_type: impl Into<String>,
        literal: String,
    ) -> Self {
        self.fields.push(Field {
            name,
            rust_type: rust_type.into(),
            literal,
        });
        self
    }

    pub(super) fn definition(&self) -> String {
        let mut source = format!(
            "#[derive(Debug, Clone, PartialEq)]\npub struct {} {{\n",
            self.name
        );
        for field in &self.fields {
            writeln!(source, "    pub {}: {},", field.name, field.rust_type)
                .expect("a String takes every text");
        }
        source.push_str("}\n");
        source
    }

    pub(super) fn literal(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|field| format!("{}: {}", field.name, field.literal))
            .collect();
        format!("{} {{ {} }}", self.name, fields.join(", "))
    }
}

/// A value that Rust source can spell.
pub(super) trait ToRust {
    fn rust_type() -> String;
    fn literal(&self) -> String;
}

macro_rules! literal_as_debug {
    ($($primitive:ty),*) => {$(
        impl ToRust for $primitive {
            fn rust_type() -> String {
                stringify!($primitive).to_owned()
            }

            fn literal(&self) -> String {
                format!("{self:?}")
            }
        }
    )*};
}

literal_as_debug!(bool, i64, u32, u64, usize);

impl ToRust for f64 {
    fn rust_type() -> String {
        "f64".to_owned()
    }

    fn literal(&self) -> String {
        if self.is_nan() {
            "f64::NAN".to_owned()
        } else if *self == f64::INFINITY {
            "f64::INFINITY".to_owned()
        } else if *self == f64::NEG_INFINITY {
            "f64::NEG_INFINITY".to_owned()
        } else {
            // Unlike `Display`, this always has a point or an exponent, and reads back the same.
            format!("{self:?}")
        }
    }
}

impl<T: ToRust> ToRust for Vec<T> {
    fn rust_type() -> String {
        format!("Vec<{}>", T::rust_type())
    }

    fn literal(&self) -> String {
        vec_literal(self.iter().map(T::literal))
    }
}

impl ToRust for String {
    fn rust_type() -> String {
        "String".to_owned()
    }

    fn literal(&self) -> String {
        // `Debug` escapes a string as Rust source does.
        format!("String::from({self:?})")
    }
}

impl<T: ToRust> ToRust for Option<T> {
    fn rust_type() -> String {
        format!("Option<{}>", T::rust_type())
    }

    fn literal(&self) -> String {
        option_literal(self.as_ref().map(T::literal))
    }
}

pub(super) fn option_literal(value: Option<String>) -> String {
    match value {
        Some(value) => format!("Some({value})"),
        None => "None".to_owned(),
    }
}

pub(super) fn vec_literal(elements: impl Iterator<Item = String>) -> String {
    let elements: Vec<String> = elements.collect();
    format!("vec![{}]", elements.join(", "))
}

macro_rules! literal_as_json_name {
    ($($kind:ty),*) => {$(
        impl ToRust for $kind {
            fn rust_type() -> String {
                "&'static str".to_owned()
            }

            fn literal(&self) -> String {
                json_name(self)
            }
        }
    )*};
}

literal_as_json_name!(Backend, Clock, Source);

/// The name that the JSON has for a variant, in quotes: lower-case ASCII letters, so a Rust
/// literal too.
fn json_name(variant: &impl Serialize) -> String {
    serde_json::to_string(variant).expect("a variant without data is a JSON string")
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;
    use std::process::Command;
    use std::{env, fs};

    use super::*;

    /// Compiles a program that binds `value` to `r`, then runs `body`, and returns what it prints.
    pub(in crate::result) fn run_with(value: &RustValue, name: &str, body: &str) -> String {
        let directory = Scratch::new(name);
        let source = directory.0.join("main.rs");
        let program = directory.0.join("main");
        let RustValue { items, expr } = value;
        fs::write(
            &source,
            format!("{items}\nfn main() {{ let r = {expr}; {body} }}"),
        )
        .unwrap();
        let compiler = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition=2024", "-Adead_code", "-Dwarnings", "-o"])
            .args([&program, &source])
            .output()
            .unwrap();
        assert!(
            compiler.status.success(),
            "{}",
            String::from_utf8_lossy(&compiler.stderr)
        );
        let run = Command::new(program).output().unwrap();
        assert!(run.status.success());
        String::from_utf8(run.stdout).unwrap()
    }

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("memit-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn every_float_is_a_rust_literal() {
        let literals: Vec<String> = [1.0, 1e300, 1e-7, -0.5, 0.0, f64::NAN]
            .iter()
            .chain(&[f64::INFINITY, f64::NEG_INFINITY])
            .map(ToRust::literal)
            .collect();
        assert_eq!(
            literals,
            [
                "1.0",
                "1e300",
                "1e-7",
                "-0.5",
                "0.0",
                "f64::NAN",
                "f64::INFINITY",
                "f64::NEG_INFINITY"
            ]
        );
    }
}
