//! Token trees: the form in which macros receive and make code.

use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};

/// A token, or what stands between two delimiters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Leaf(Leaf),
    Group(Group),
}

/// A token. An operator of several characters is several tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) text: String,
    pub(super) kind: SyntaxKind,
    /// Whether the next token follows without a blank.
    pub(super) is_joint: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The opening delimiter.
    pub(super) open: char,
    pub(super) trees: Vec<Tree>,
}

impl Tree {
    pub(super) fn leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Leaf(leaf) => Some(leaf),
            Self::Group(_) => None,
        }
    }

    pub(super) fn group(&self) -> Option<&Group> {
        match self {
            Self::Group(group) => Some(group),
            Self::Leaf(_) => None,
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
    Group {
        open: open
            .and_then(|open| open.text().chars().next())
            .unwrap_or('('),
        trees: inside(tree),
    }
}

fn leaf(token: &SyntaxToken) -> Leaf {
    let next = token.next_token();
    Leaf {
        text: token.text().to_owned(),
        kind: token.kind(),
        is_joint: next.is_some_and(|next| next.kind().is_punct()) && token.kind().is_punct(),
    }
}

/// Writes trees as source.
pub(super) fn write(trees: &[Tree], text: &mut String) {
    for tree in trees {
        match tree {
            Tree::Leaf(leaf) => {
                text.push_str(&leaf.text);
                if !leaf.is_joint {
                    text.push(' ');
                }
            }
            Tree::Group(Group { open, trees }) => {
                text.push(*open);
                text.push(' ');
                write(trees, text);
                text.push(match open {
                    '[' => ']',
                    '{' => '}',
                    _ => ')',
                });
                text.push(' ');
            }
        }
    }
}
