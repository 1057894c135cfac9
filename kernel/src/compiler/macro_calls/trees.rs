//! Token trees: the form in which macros receive and make code.

use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};

/// A token, what stands between two delimiters, or what a metavariable stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Leaf(Leaf),
    Group(Group),
    Fragment(Fragment),
}

/// A token. An operator of several characters is several tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) text: String,
    pub(super) kind: SyntaxKind,
    /// Whether the next token follows without a blank, and can be a part of the same operator.
    pub(super) is_joint: bool,
    pub(super) origin: Origin,
    /// The fragment that the token is a part of, in source.
    pub(super) piece: Option<Piece>,
}

/// A fragment in source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    number: usize,
    kind: String,
}

/// Where a token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The text at this offset.
    Text(usize),
    /// The definition of a macro, written by the expansion of this number.
    Macro(u32),
}

/// What a metavariable of this kind stands for, which other macros cannot take apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) kind: String,
    pub(super) trees: Vec<Tree>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The opening delimiter.
    pub(super) open: char,
    pub(super) trees: Vec<Tree>,
    /// Where the delimiters come from.
    pub(super) origins: [Origin; 2],
}

impl Tree {
    pub(super) fn leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Leaf(leaf) => Some(leaf),
            Self::Group(_) | Self::Fragment(_) => None,
        }
    }

    pub(super) fn group(&self) -> Option<&Group> {
        match self {
            Self::Group(group) => Some(group),
            Self::Leaf(_) | Self::Fragment(_) => None,
        }
    }

    /// What the metavariable stands for.
    pub(super) fn fragment(&self) -> Option<&Fragment> {
        match self {
            Self::Fragment(fragment) => Some(fragment),
            Self::Leaf(_) | Self::Group(_) => None,
        }
    }

    /// Whether this is the token `text`.
    pub(super) fn is(&self, text: &str) -> bool {
        self.leaf().is_some_and(|leaf| leaf.text == text)
    }

    /// Whether this is a group with this opening delimiter.
    pub(super) fn opens(&self, open: char) -> bool {
        self.group().is_some_and(|group| group.open == open)
    }

    /// The name or keyword.
    pub(super) fn word(&self) -> Option<&str> {
        let leaf = self.leaf()?;
        let starts = |c: char| c.is_alphabetic() || c == '_';
        let is_word = leaf.text.starts_with(starts) && !leaf.kind.is_literal();
        is_word.then_some(&*leaf.text)
    }
}

/// The trees in `tree`, without its delimiters.
pub(super) fn inside(tree: &ast::TokenTree) -> Vec<Tree> {
    let delimiters = [tree.left_delimiter_token(), tree.right_delimiter_token()];
    let is_delimiter = |token: &SyntaxToken| delimiters.iter().flatten().any(|it| it == token);
    of(tree.syntax(), is_delimiter)
}

fn of(node: &SyntaxNode, leave_out: impl Fn(&SyntaxToken) -> bool) -> Vec<Tree> {
    let mut trees = Vec::new();
    for child in node.children_with_tokens() {
        match child {
            NodeOrToken::Token(token) if token.kind().is_trivia() || leave_out(&token) => {}
            NodeOrToken::Token(token) => trees.push(Tree::Leaf(leaf(&token))),
            NodeOrToken::Node(child) => {
                if let Some(tree) = ast::TokenTree::cast(child) {
                    trees.push(Tree::Group(group(&tree)));
                }
            }
        }
    }
    trees
}

fn group(tree: &ast::TokenTree) -> Group {
    let open = tree.left_delimiter_token();
    let range = tree.syntax().text_range();
    Group {
        open: open
            .and_then(|open| open.text().chars().next())
            .unwrap_or('('),
        trees: inside(tree),
        origins: [
            Origin::Text(range.start().into()),
            Origin::Text(usize::from(range.end()).saturating_sub(1)),
        ],
    }
}

fn leaf(token: &SyntaxToken) -> Leaf {
    let next = token.next_token();
    Leaf {
        text: token.text().to_owned(),
        kind: token.kind(),
        is_joint: next.is_some_and(|next| is_joined(&next)) && token.kind().is_punct(),
        origin: Origin::Text(token.text_range().start().into()),
        piece: None,
    }
}

/// Whether a token without a blank in front of it stays so. A metavariable can stand for any token.
fn is_joined(token: &SyntaxToken) -> bool {
    token.kind().is_punct() && !")]};,$".contains(token.text())
}

/// A token that stands in no text.
pub(super) fn written(text: &str, kind: SyntaxKind, expansion: u32) -> Leaf {
    Leaf {
        text: text.to_owned(),
        kind,
        is_joint: kind == SyntaxKind::COLON,
        origin: Origin::Macro(expansion),
        piece: None,
    }
}

/// The tokens of trees, as source that means the same: what a metavariable stands for stays one piece.
pub(super) fn leaves(trees: &[Tree]) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    flatten(trees, None, &mut leaves);
    leaves
}

fn flatten(trees: &[Tree], piece: Option<&Piece>, leaves: &mut Vec<Leaf>) {
    for (at, tree) in trees.iter().enumerate() {
        let mut of_fragment = None;
        let (open, inner, close) = match tree {
            Tree::Leaf(leaf) => {
                let piece = piece.cloned();
                leaves.push(Leaf {
                    piece,
                    ..leaf.clone()
                });
                continue;
            }
            Tree::Group(Group { open, trees, .. }) => match open {
                '[' => ("[", trees, "]"),
                '{' => ("{", trees, "}"),
                _ => ("(", trees, ")"),
            },
            Tree::Fragment(of) => {
                let (number, kind) = (leaves.len(), of.kind.clone());
                of_fragment = Some(Piece { number, kind });
                let (open, close) = of.delimiters(&trees[at + 1..]);
                (open, &of.trees, close)
            }
        };
        let piece = piece.or(of_fragment.as_ref());
        let of_macro = [Origin::Macro(0); 2];
        let origins = tree.group().map_or(of_macro, |group| group.origins);
        let delimiter = |text: &str, origin| Leaf {
            piece: piece.cloned(),
            origin,
            ..written(text, SyntaxKind::WHITESPACE, 0)
        };
        leaves.extend((!open.is_empty()).then(|| delimiter(open, origins[0])));
        flatten(inner, piece, leaves);
        leaves.extend((!close.is_empty()).then(|| delimiter(close, origins[1])));
    }
}

/// The trees of a call in the source of `leaves`, which begin at `starts`: with the fragments that the
/// source consists of.
pub(super) fn with_fragments(trees: Vec<Tree>, leaves: &[Leaf], starts: &[usize]) -> Vec<Tree> {
    let mut whole: Vec<(Option<Piece>, Vec<Tree>)> = Vec::new();
    for tree in trees {
        let origin = match &tree {
            Tree::Leaf(leaf) => Some(leaf.origin),
            Tree::Group(group) => Some(group.origins[0]),
            Tree::Fragment(_) => None,
        };
        let number = match origin {
            Some(Origin::Text(at)) => starts.binary_search(&at).ok(),
            _ => None,
        };
        let piece = number.and_then(|number| leaves[number].piece.clone());
        let tree = match tree {
            Tree::Group(group) if piece.is_none() => Tree::Group(Group {
                trees: with_fragments(group.trees, leaves, starts),
                ..group
            }),
            tree => tree,
        };
        match whole.last_mut() {
            Some((last, trees)) if piece.is_some() && *last == piece => trees.push(tree),
            _ => whole.push((piece, vec![tree])),
        }
    }
    let fragments = whole.into_iter().flat_map(|(piece, trees)| match piece {
        Some(Piece { kind, .. }) => vec![Tree::Fragment(Fragment { kind, trees })],
        None => trees,
    });
    fragments.collect()
}

impl Fragment {
    /// What must stand around the fragment for it to stay one piece in front of `behind`.
    fn delimiters(&self, behind: &[Tree]) -> (&'static str, &'static str) {
        let is_path = behind.first().is_some_and(|tree| tree.is(":"))
            && behind.get(1).is_some_and(|tree| tree.is(":"));
        match self.kind.as_str() {
            _ if self.trees.len() < 2 => ("", ""),
            "ty" if is_path => ("<", ">"),
            "ty" if self.trees.iter().any(|tree| tree.is("+")) => ("(", ")"),
            "expr" | "expr_2021" | "literal" => ("(", ")"),
            _ => ("", ""),
        }
    }
}

/// Writes trees as source.
pub(super) fn write(trees: &[Tree], text: &mut String) {
    for leaf in leaves(trees) {
        text.push_str(&leaf.text);
        if !leaf.is_joint {
            text.push(' ');
        }
    }
}
