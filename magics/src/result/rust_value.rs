//! A result as Rust source, which binds it to a variable of the user's session.

use memit_lines::{Backend, NoTotal};
use memit_measurement::{Clock, Source};
use serde::Serialize;

use super::to_rust::{Fields, Structs, ToRust};

/// Rust source that recreates a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustValue {
    /// Definitions of the structs in the value. They are the same for every result of a magic, so a
    /// session can define them again.
    pub items: String,
    /// The name of the result's struct.
    name: String,
    /// `name: value` of each field but the last, [`REMARKS`].
    fields: Vec<String>,
    remarks: Vec<String>,
}

/// The field for what the report says beside the figures.
const REMARKS: &str = "remarks";

impl RustValue {
    /// The source of `value` and of its structs, without remarks.
    pub(super) fn of<T: ToRust + Fields>(value: &T) -> Self {
        let mut structs = Structs::default();
        let name = T::rust_type();
        let remarks = format!("{REMARKS}: {}", Vec::<String>::rust_type());
        structs.add_with::<T>(&name, Some(remarks));
        Self {
            items: structs.into_source(),
            name,
            fields: value.values(),
            remarks: Vec::new(),
        }
    }

    /// The value, as an expression of [`Self::items`].
    pub fn expr(&self) -> String {
        let fields = self.fields.join(", ");
        let remarks = self.remarks.literal();
        format!("{} {{ {fields}, {REMARKS}: {remarks} }}", self.name)
    }

    /// The same value with more remarks.
    pub(crate) fn with_remarks(mut self, remarks: &[String]) -> Self {
        self.remarks.extend_from_slice(remarks);
        self
    }
}

impl<T: ToRust> ToRust for &T {
    fn rust_type() -> String {
        T::rust_type()
    }

    fn literal(&self) -> String {
        (**self).literal()
    }

    fn define(structs: &mut Structs) {
        T::define(structs);
    }
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
            // Unlike `Display`, `Debug` always writes a point or an exponent, so this is a float.
            format!("{self:?}")
        }
    }
}

impl<T: ToRust> ToRust for Vec<T> {
    fn rust_type() -> String {
        format!("Vec<{}>", T::rust_type())
    }

    fn literal(&self) -> String {
        let elements: Vec<String> = self.iter().map(T::literal).collect();
        format!("vec![{}]", elements.join(", "))
    }

    fn define(structs: &mut Structs) {
        T::define(structs);
    }
}

impl ToRust for &str {
    fn rust_type() -> String {
        "&'static str".to_owned()
    }

    fn literal(&self) -> String {
        // `Debug` escapes a string as Rust source does.
        format!("{self:?}")
    }
}

impl ToRust for String {
    fn rust_type() -> String {
        "String".to_owned()
    }

    fn literal(&self) -> String {
        format!("String::from({})", self.as_str().literal())
    }
}

impl<T: ToRust> ToRust for Option<T> {
    fn rust_type() -> String {
        format!("Option<{}>", T::rust_type())
    }

    fn literal(&self) -> String {
        match self {
            Some(value) => format!("Some({})", value.literal()),
            None => "None".to_owned(),
        }
    }

    fn define(structs: &mut Structs) {
        T::define(structs);
    }
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

literal_as_json_name!(Backend, Clock, NoTotal, Source);

/// The JSON string of a variant, which is also a Rust literal, as it consists of ASCII letters.
fn json_name(variant: &impl Serialize) -> String {
    serde_json::to_string(variant).expect("a variant without data is a JSON string")
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;
    use std::process::Command;
    use std::{env, fs};

    use super::*;

    /// Compiles and runs a program that binds `value` to `r` and then runs `body`. Returns its
    /// output.
    pub(in crate::result) fn run_with(value: &RustValue, name: &str, body: &str) -> String {
        let directory = Scratch::new(name);
        let source = directory.0.join("main.rs");
        let program = directory.0.join("main");
        let (items, expr) = (&value.items, value.expr());
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
