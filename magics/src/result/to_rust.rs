//! Turns data into Rust source. A struct lists its fields once, for its definition and its values.

use std::fmt::Write as _;

/// A type whose values can be written as Rust source.
pub(super) trait ToRust {
    /// The type in the user's session.
    fn rust_type() -> String;
    /// The value as an expression of that type.
    fn literal(&self) -> String;
    /// Adds the structs that the type consists of.
    fn define(_structs: &mut Structs) {}
}

/// Definitions of structs. The structs of a struct's fields come first.
#[derive(Default)]
pub(super) struct Structs {
    names: Vec<String>,
    source: String,
}

impl Structs {
    /// Adds the struct `name` with the fields of `T`, unless it is already defined.
    pub(super) fn add<T: Fields>(&mut self, name: &str) {
        self.add_with::<T>(name, None);
    }

    /// Adds the struct `name` with the fields of `T` and those in `more`, unless it is already defined.
    pub(super) fn add_with<T: Fields>(
        &mut self,
        name: &str,
        more: impl IntoIterator<Item = String>,
    ) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        self.names.push(name.to_owned());
        let fields: Vec<String> = T::types(self).into_iter().chain(more).collect();
        let fields = fields.join(",\n    pub ");
        let _ = writeln!(
            self.source,
            "#[derive(Debug, Clone, PartialEq)]\npub struct {name} {{\n    pub {fields},\n}}"
        );
    }

    /// The type of a field, after adding its structs. The argument only infers `T`.
    pub(super) fn type_of<T: ToRust>(&mut self, _any: Option<&T>) -> String {
        T::define(self);
        T::rust_type()
    }

    /// The fields of a struct that is flattened into another. The argument only infers `T`.
    pub(super) fn types_of<T: Fields>(&mut self, _any: Option<&T>) -> Vec<String> {
        T::types(self)
    }

    /// The source of all definitions.
    pub(super) fn into_source(self) -> String {
        self.source
    }
}

/// The fields of a struct, as Rust source.
pub(super) trait Fields {
    /// `name: type` of each field, after adding the structs of those types.
    fn types(structs: &mut Structs) -> Vec<String>;
    /// `name: value` of each field.
    fn values(&self) -> Vec<String>;
}

impl<T: Fields> Fields for &T {
    fn types(structs: &mut Structs) -> Vec<String> {
        T::types(structs)
    }

    fn values(&self) -> Vec<String> {
        (**self).values()
    }
}

/// Implements [`Fields`] from a list of fields: `Span { label: String::as_str, start, end }`. A
/// path behind a field is a function that converts the field, and `failure as stopped` renames it.
/// `with` flattens the fields of an inner struct; `without` leaves a field out.
///
/// The compiler rejects a list that lacks a field, so every field in the JSON of a result is also
/// in its Rust value.
macro_rules! rust_fields {
    ($of:ty {
        $($field:ident $(as $name:ident)? $(: $convert:path)?),* $(,)?
    } $(with $($inner:ident),+)? $(without $left_out:ident)?) => {
        impl $crate::result::to_rust::Fields for $of {
            fn types(structs: &mut $crate::result::to_rust::Structs) -> Vec<String> {
                let any = None::<&Self>;
                #[allow(unused_mut)]
                let mut types = vec![$(format!(
                    "{}: {}",
                    rust_fields!(@name $field $($name)?),
                    structs.type_of(
                        any.map(|of| rust_fields!(@value (&of.$field) $($convert)?)).as_ref(),
                    ),
                )),*];
                $($(types.extend(structs.types_of(any.map(|of| &of.$inner)));)+)?
                types
            }

            fn values(&self) -> Vec<String> {
                let Self { $($field,)* $($($inner,)+)? $($left_out: _)? } = self;
                #[allow(unused_mut)]
                let mut values = vec![$(format!(
                    "{}: {}",
                    rust_fields!(@name $field $($name)?),
                    $crate::result::to_rust::ToRust::literal(&rust_fields!(@value $field $($convert)?)),
                )),*];
                $($(values.extend($inner.values());)+)?
                values
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:ident) => { stringify!($name) };
    (@value $value:tt) => { $value };
    (@value $value:tt $convert:path) => { $convert($value) };
}

/// Also implements [`ToRust`], under a name for the session: `Span as "MprofSpan" { … }`.
macro_rules! rust_struct {
    ($of:ty as $name:literal $($fields:tt)+) => {
        rust_fields!($of $($fields)+);

        impl $crate::result::to_rust::ToRust for $of {
            fn rust_type() -> String {
                $name.to_owned()
            }

            fn literal(&self) -> String {
                let fields = $crate::result::to_rust::Fields::values(self).join(", ");
                format!(concat!($name, " {{ {} }}"), fields)
            }

            fn define(structs: &mut $crate::result::to_rust::Structs) {
                structs.add::<Self>($name);
            }
        }
    };
}
