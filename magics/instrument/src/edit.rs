//! Insertions between the tokens of a source.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, LexError, LineColumn, Span, TokenStream, TokenTree};

/// Text that was inserted into a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Insertion {
    /// The line, from 1.
    pub line: usize,
    /// The characters in front of it, without insertions.
    pub column: usize,
    /// Its length in characters.
    pub length: usize,
}

/// The column without insertions, from 1, of a column with insertions. `insertions` are in the order
/// of their places.
pub fn plain_column(insertions: &[Insertion], line: usize, column: usize) -> usize {
    let mut shift = 0;
    for insertion in insertions.iter().filter(|one| one.line == line) {
        let start = insertion.column + shift + 1;
        if column < start {
            break;
        }
        if column < start + insertion.length {
            return insertion.column + 1;
        }
        shift += insertion.length;
    }
    column - shift
}

/// Insertions. None contains a line break.
#[derive(Default)]
pub(crate) struct Edits {
    /// Position and text. Of several insertions at one position, the first is leftmost.
    insertions: Vec<(LineColumn, String)>,
}

impl Edits {
    /// Reserves a place for [`Self::fill`], left of later insertions at the same position.
    pub(crate) fn reserve(&mut self, at: LineColumn) -> usize {
        self.insert(at, "");
        self.insertions.len() - 1
    }

    /// Inserts at a reserved place.
    pub(crate) fn fill(&mut self, place: usize, text: String) {
        self.insertions[place].1 = text;
    }

    /// Inserts before the character at a position. The position must be the start or end of a token.
    pub(crate) fn insert(&mut self, at: LineColumn, text: impl Into<String>) {
        self.insertions.push((at, text.into()));
    }

    /// Number of insertions, reserved places included.
    pub(crate) fn len(&self) -> usize {
        self.insertions.len()
    }

    /// Replaces a name in all insertions.
    pub(crate) fn rename(&mut self, name: &str, other: &str) {
        for (_, text) in &mut self.insertions {
            *text = text.replace(name, other);
        }
    }

    /// Where the insertions are, and how long, in the order of their places.
    pub(crate) fn insertions(&self) -> Vec<Insertion> {
        let mut insertions: Vec<_> = self
            .insertions
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(at, text)| Insertion {
                line: at.line,
                column: at.column,
                length: text.chars().count(),
            })
            .collect();
        insertions.sort_by_key(|one| (one.line, one.column));
        insertions
    }

    /// The source with everything inserted.
    pub(crate) fn apply_to_text(self, source: &str) -> String {
        let starts = source.match_indices('\n').map(|(at, _)| at + 1);
        let lines: Vec<usize> = std::iter::once(0).chain(starts).collect();
        // Columns count characters.
        let offset = |at: LineColumn| {
            let line = &source[lines[at.line - 1]..];
            let column = line.char_indices().nth(at.column);
            lines[at.line - 1] + column.map_or(line.len(), |(offset, _)| offset)
        };
        let mut edited = String::with_capacity(2 * source.len());
        let mut copied = 0;
        for (at, text) in self.sorted() {
            let offset = offset(at);
            edited.push_str(&source[copied..offset]);
            edited.push_str(&text);
            copied = offset;
        }
        edited + &source[copied..]
    }

    /// The tokens with everything inserted. The original tokens keep their spans.
    ///
    /// # Errors
    ///
    /// If an insertion is not Rust.
    pub(crate) fn apply_to_tokens(self, tokens: TokenStream) -> Result<TokenStream, LexError> {
        let mut weaver = Weaver {
            insertions: self.sorted(),
            next: 0,
            open: Vec::new(),
            done: TokenStream::new(),
        };
        weaver.weave(tokens)?;
        let end = LineColumn {
            line: usize::MAX,
            column: 0,
        };
        weaver.insert_until(end)?;
        Ok(weaver.done)
    }

    fn sorted(self) -> Vec<(LineColumn, String)> {
        let mut insertions = self.insertions;
        insertions.sort_by_key(|(at, _)| *at);
        insertions
    }
}

/// Puts insertions between tokens. One insertion may open a group that another closes; only all of them
/// together are balanced.
struct Weaver {
    insertions: Vec<(LineColumn, String)>,
    next: usize,
    /// The open groups, each with the tokens before it.
    open: Vec<(Delimiter, TokenStream)>,
    done: TokenStream,
}

impl Weaver {
    fn weave(&mut self, tokens: TokenStream) -> Result<(), LexError> {
        for token in tokens {
            self.insert_until(token.span().start())?;
            match token {
                TokenTree::Group(group) => {
                    let before = std::mem::take(&mut self.done);
                    self.weave(group.stream())?;
                    self.insert_until(inside(group.span()).1)?;
                    let mut woven = Group::new(group.delimiter(), std::mem::take(&mut self.done));
                    woven.set_span(group.span());
                    self.done = before;
                    self.done.extend([TokenTree::Group(woven)]);
                }
                other => self.done.extend([other]),
            }
        }
        Ok(())
    }

    /// Makes all insertions at or before a position.
    fn insert_until(&mut self, at: LineColumn) -> Result<(), LexError> {
        while let Some((place, text)) = self.insertions.get(self.next)
            && *place <= at
        {
            let text = text.clone();
            self.next += 1;
            self.insert(&text)?;
        }
        Ok(())
    }

    fn insert(&mut self, text: &str) -> Result<(), LexError> {
        let (before, behind) = unbalanced(text);
        let mut whole = 0;
        for (at, delimiter) in before.into_iter().chain(behind) {
            self.done.extend(TokenStream::from_str(&text[whole..at])?);
            whole = at + 1;
            match delimiter {
                Some(delimiter) => {
                    let outside = std::mem::take(&mut self.done);
                    self.open.push((delimiter, outside));
                }
                None => {
                    if let Some((delimiter, outside)) = self.open.pop() {
                        let inside = std::mem::replace(&mut self.done, outside);
                        let group = Group::new(delimiter, inside);
                        self.done.extend([TokenTree::Group(group)]);
                    }
                }
            }
        }
        self.done.extend(TokenStream::from_str(&text[whole..])?);
        Ok(())
    }
}

/// The positions after the opening and before the closing delimiter of a group with this span. The spans
/// of the delimiters cannot be used: in a group that a macro rebuilt, both are the span of the group.
pub(crate) fn inside(group: Span) -> (LineColumn, LineColumn) {
    let (start, end) = (group.start(), group.end());
    let open = LineColumn {
        column: start.column + 1,
        ..start
    };
    let close = LineColumn {
        column: end.column.saturating_sub(1),
        ..end
    };
    (open, close)
}

/// The order of the tokens' positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The same as the order of the tokens.
    Ascending,
    /// All tokens are at one position, so the real positions are unknown.
    Unknown,
    /// Some tokens are from elsewhere: a macro inserted them.
    Mixed,
}

/// The order of the positions of a block's tokens.
pub(crate) fn order(block: TokenStream) -> Order {
    let mut places = Vec::new();
    add_places(block, &mut places);
    // Several tokens may share a position: the compiler turns a doc comment into an attribute.
    if !places.is_sorted() {
        Order::Mixed
    } else if places.first() == places.last() {
        Order::Unknown
    } else {
        Order::Ascending
    }
}

fn add_places(tokens: TokenStream, places: &mut Vec<LineColumn>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                add_places(group.stream(), places);
            }
            TokenTree::Group(group) => {
                places.push(group.span().start());
                add_places(group.stream(), places);
                places.push(inside(group.span()).1);
            }
            other => places.push(other.span().start()),
        }
    }
}

/// Positions of delimiters without a partner in a text: closing ones (`None`), or opening ones.
type Unbalanced = Vec<(usize, Option<Delimiter>)>;

fn unbalanced(text: &str) -> (Unbalanced, Unbalanced) {
    let mut closes = Vec::new();
    let mut opens = Vec::new();
    let mut in_string = false;
    for (at, character) in text.char_indices() {
        let delimiter = match character {
            '"' => {
                in_string = !in_string;
                continue;
            }
            _ if in_string => continue,
            '(' => Delimiter::Parenthesis,
            '{' => Delimiter::Brace,
            '[' => Delimiter::Bracket,
            ')' | '}' | ']' => {
                if opens.pop().is_none() {
                    closes.push((at, None));
                }
                continue;
            }
            _ => continue,
        };
        opens.push((at, Some(delimiter)));
    }
    (closes, opens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        let mut edits = Edits::default();
        edits.insert(LineColumn { line: 2, column: 4 }, "<");
        edits.insert(LineColumn { line: 1, column: 6 }, "|");
        edits.insert(LineColumn { line: 1, column: 0 }, ">");
        edits.insert(LineColumn { line: 2, column: 6 }, "$");
        let edited = edits.apply_to_text("é = 1;\nü = 2;");
        assert_eq!(edited, ">é = 1;|\nü = <2;$");
    }

    #[test]
    fn the_order_of_places_tells_what_a_macro_has_made() {
        let tokens = |source: &str| TokenStream::from_str(source).unwrap();
        assert_eq!(order(tokens("{ f(a, 'b) }")), Order::Ascending);
        assert_eq!(order(quote::quote!({ f(a) })), Order::Unknown);
        let (first, second) = (tokens("\n{ a }"), tokens("b"));
        assert_eq!(order(quote::quote!(#first #second)), Order::Mixed);
    }

    #[test]
    fn insertions_may_open_what_another_closes() {
        let source = "a => f(x, y)[0] , é";
        let mut edits = Edits::default();
        let at = |column| LineColumn { line: 1, column };
        edits.insert(at(5), "{ p(\"(\"); ");
        edits.insert(at(7), "q(1, ");
        edits.insert(at(8), ")");
        edits.insert(at(15), " }");
        edits.insert(at(19), "; z()");
        let tokens = edits
            .apply_to_tokens(TokenStream::from_str(source).unwrap())
            .unwrap();
        let expected = "a => { p(\"(\"); f(q(1, x), y)[0] } , é; z()";
        let expected = TokenStream::from_str(expected).unwrap();
        assert_eq!(tokens.to_string(), expected.to_string());
    }
}
