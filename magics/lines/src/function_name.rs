//! Names of functions, whole and shortened.

/// Whether `name` is `whole`, or a suffix of `whole` that starts at a `::`.
pub fn is_called(whole: &str, name: &str) -> bool {
    let rest = whole.strip_suffix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_leave_out_what_is_before_a_path_separator() {
        for name in ["shapes::Square::area", "Square::area", "area"] {
            assert!(is_called("shapes::Square::area", name), "{name}");
        }
        for name in [
            "rea",
            "quare::area",
            ":area",
            "Circle::area",
            "x::shapes::Square::area",
        ] {
            assert!(!is_called("shapes::Square::area", name), "{name}");
        }
    }
}
