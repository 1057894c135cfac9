//! The left side of a rule of `macro_rules!`.
//!
//! Fragments are told from each other by the tokens that may stand behind them, and repetitions
//! take as much as they can. This is less than rustc does, but enough to tell what a call makes:
//! rustc itself expands the call.

use std::collections::HashMap;

use ra_ap_syntax::SyntaxKind;

use super::fragment;
use super::trees::{Group, Leaf, Tree};

#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Token(String),
    Group(char, Vec<Pattern>),
    Fragment { name: String, kind: String },
    Repetition(Repetition<Vec<Pattern>>),
}

/// `$(…)`, a separator and an operator.
#[derive(Debug, Clone)]
pub(super) struct Repetition<T> {
    pub(super) of: T,
    pub(super) separator: Vec<Leaf>,
    pub(super) operator: String,
}

/// What a metavariable stands for.
#[derive(Debug, Clone)]
pub(super) enum Binding {
    One(Vec<Tree>),
    /// One binding for each turn of a repetition.
    Many(Vec<Binding>),
}

pub(super) type Bindings = HashMap<String, Binding>;

/// The separator and the operator at the start of `trees`, and the number of their trees.
pub(super) fn repeated<T>(of: T, trees: &[Tree]) -> Option<(Repetition<T>, usize)> {
    let is_operator = |tree: &Tree| ["*", "+", "?"].iter().any(|text| tree.is(text));
    let at_most = trees.iter().take(4);
    let separator: Vec<_> = at_most.take_while(|tree| !is_operator(tree)).collect();
    let length = separator.len();
    let separator: Option<Vec<_>> = separator
        .into_iter()
        .map(|tree| tree.leaf().cloned())
        .collect();
    let operator = trees.get(length).filter(|tree| is_operator(tree))?;
    let repetition = Repetition {
        of,
        separator: separator?,
        operator: operator.leaf()?.text.clone(),
    };
    Some((repetition, length + 1))
}

/// Reads the patterns in `trees`.
pub(super) fn read(trees: &[Tree]) -> Option<Vec<Pattern>> {
    let mut patterns = Vec::new();
    let mut rest = trees;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            Tree::Group(Group { open, trees, .. }) => {
                patterns.push(Pattern::Group(*open, read(trees)?));
            }
            Tree::Leaf(leaf) if leaf.kind == SyntaxKind::DOLLAR => {
                if let Some(Tree::Group(group)) = rest.first() {
                    let (repetition, length) = repeated(read(&group.trees)?, &rest[1..])?;
                    patterns.push(Pattern::Repetition(repetition));
                    rest = &rest[1 + length..];
                } else if let [name, colon, kind, ..] = rest
                    && colon.is(":")
                {
                    patterns.push(Pattern::Fragment {
                        name: name.word()?.to_owned(),
                        kind: kind.word()?.to_owned(),
                    });
                    rest = &rest[3..];
                } else {
                    patterns.push(Pattern::Token(leaf.text.clone()));
                }
            }
            Tree::Leaf(leaf) => patterns.push(Pattern::Token(leaf.text.clone())),
            Tree::Fragment(_) => return None,
        }
    }
    Some(patterns)
}

/// What the metavariables stand for if `trees` match the patterns.
pub(super) fn matched(patterns: &[Pattern], trees: &[Tree]) -> Option<Bindings> {
    let mut bindings = Bindings::new();
    let rest = start_matches(patterns, trees, &mut bindings)?;
    rest.is_empty().then_some(bindings)
}

/// The trees behind those that match the patterns.
fn start_matches<'a>(
    patterns: &[Pattern],
    trees: &'a [Tree],
    bindings: &mut Bindings,
) -> Option<&'a [Tree]> {
    let mut rest = trees;
    for pattern in patterns {
        match pattern {
            Pattern::Token(text) => {
                rest = rest.split_first().filter(|(tree, _)| tree.is(text))?.1;
            }
            Pattern::Group(open, patterns) => {
                let (first, behind) = rest.split_first()?;
                let group = first.group().filter(|group| group.open == *open)?;
                bindings.extend(matched(patterns, &group.trees)?);
                rest = behind;
            }
            Pattern::Fragment { name, kind } => {
                let (fragment, behind) = rest.split_at(fragment::length(kind, rest)?);
                let one = Binding::One(fragment::one_piece(kind, fragment));
                bindings.insert(name.clone(), one);
                rest = behind;
            }
            Pattern::Repetition(repetition) => rest = repeat(repetition, rest, bindings)?,
        }
    }
    Some(rest)
}

/// The trees behind the turns of the repetition.
fn repeat<'a>(
    repetition: &Repetition<Vec<Pattern>>,
    trees: &'a [Tree],
    bindings: &mut Bindings,
) -> Option<&'a [Tree]> {
    let mut rest = trees;
    let mut turns = Vec::new();
    loop {
        let separator = &repetition.separator[..];
        let behind = if turns.is_empty() {
            Some(rest)
        } else {
            let found = rest.get(..separator.len());
            let mut pairs = found.into_iter().flatten().zip(separator);
            let is_found = found.is_some() && pairs.all(|(tree, leaf)| tree.is(&leaf.text));
            is_found.then(|| &rest[separator.len()..])
        };
        let mut turn = Bindings::new();
        let behind = behind.and_then(|trees| start_matches(&repetition.of, trees, &mut turn));
        let Some(behind) = behind.filter(|behind| behind.len() < rest.len()) else {
            break;
        };
        rest = behind;
        turns.push(turn);
        if repetition.operator == "?" {
            break;
        }
    }
    if repetition.operator == "+" && turns.is_empty() {
        return None;
    }
    for name in names(&repetition.of) {
        let of_turns = turns.iter_mut().filter_map(|turn| turn.remove(&name));
        let of_turns = Binding::Many(of_turns.collect());
        bindings.insert(name, of_turns);
    }
    Some(rest)
}

/// The metavariables in patterns.
fn names(patterns: &[Pattern]) -> Vec<String> {
    let of = |pattern: &Pattern| match pattern {
        Pattern::Token(_) => Vec::new(),
        Pattern::Fragment { name, .. } => vec![name.clone()],
        Pattern::Group(_, patterns) => names(patterns),
        Pattern::Repetition(repetition) => names(&repetition.of),
    };
    patterns.iter().flat_map(of).collect()
}
