//! `%who`: the names of the variables.

use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

/// The magic.
pub(crate) struct Who;

impl Magic for Who {
    fn name(&self) -> &'static str {
        "who"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "List the variables, all or those of a type"
    }

    fn argument(&self) -> &'static str {
        "[TYPE ...]"
    }

    fn details(&self) -> &'static str {
        "Shows the names of the session's variables, in the order in which cells have made them. With types, \
         only variables whose type is one of the types or contains it: `%who Vec` also lists a \
         `Option<Vec<u8>>`. `%whos` shows types, sizes and values.\n\
         \n\
         Examples:\n    %who\n    %who Vec\n    %who i32 HashMap<String, u64>"
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let types = types(call.argument.text());
        Ok(Action::Who { types })
    }
}

/// The types of an argument, which blanks part. Blanks within brackets part nothing.
fn types(argument: &str) -> Vec<String> {
    let (mut types, mut depth) = (vec![String::new()], 0_usize);
    for c in argument.trim().trim_end_matches(';').chars() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() && depth == 0 => {
                types.push(String::new());
                continue;
            }
            _ => {}
        }
        types.last_mut().expect("there is a first type").push(c);
    }
    types.retain(|of| !of.is_empty());
    types
}

/// Whether a type is the type that the user has named, or contains it.
pub fn has_type(of: &str, named: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    let (of, named) = (plain(of), plain(named));
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    of.match_indices(&named).any(|(at, _)| {
        let (before, behind) = (&of[..at], &of[at + named.len()..]);
        let goes_on_before = before.ends_with(is_part) && named.starts_with(is_part);
        let goes_on_behind = behind.starts_with(is_part) && named.ends_with(is_part);
        !goes_on_before && !goes_on_behind
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_part_types() {
        assert_eq!(types(" i32  Vec<(u8, u8)> "), ["i32", "Vec<(u8, u8)>"]);
        assert!(types("").is_empty());
    }

    #[test]
    fn a_type_is_named_in_whole_words() {
        assert!(has_type("i32", "i32"));
        assert!(has_type("Option<Vec<u8>>", "Vec"));
        assert!(has_type("HashMap<String, u64>", "HashMap<String,u64>"));
        assert!(has_type("::serde_json::Value", "Value"));
        assert!(has_type("[u8; 4]", "[u8; 4]"));
        assert!(!has_type("VecDeque<u8>", "Vec"));
        assert!(!has_type("MyVec", "Vec"));
    }
}
