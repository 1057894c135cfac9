//! The right side of a rule of `macro_rules!`: what a call becomes.

use ra_ap_syntax::SyntaxKind;
use ra_ap_syntax::ast;

use super::pattern::{self, Binding, Bindings, Pattern};
use super::trees::{self, Fragment, Group, Leaf, Origin, Tree};

/// A rule of a macro.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pattern: Vec<Pattern>,
    body: Vec<Tree>,
}

/// More than this many trees are no definitions that somebody wants to keep.
const MANY: usize = 100_000;

/// The rules of a macro; `None` if one of them cannot be read.
pub(super) fn rules(of: &ast::MacroRules) -> Option<Vec<Rule>> {
    let trees = trees::inside(&of.token_tree()?);
    let mut rest = &trees[..];
    let mut rules = Vec::new();
    while let [pattern, equals, greater, body, behind @ ..] = rest {
        if !equals.is("=") || !greater.is(">") {
            return None;
        }
        rules.push(Rule {
            pattern: pattern::read(&pattern.group()?.trees)?,
            body: body.group()?.trees.clone(),
        });
        rest = match behind {
            [semicolon, behind @ ..] if semicolon.is(";") => behind,
            behind => behind,
        };
    }
    rest.is_empty().then_some(rules)
}

/// Where the definition of a macro is, for the names in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Home<'a> {
    /// The crate of the macro; `None` for the session.
    pub(super) crate_: Option<&'a str>,
    /// Whether macros that the macro calls are in this crate (`local_inner_macros`).
    pub(super) has_inner_macros: bool,
    /// The number of the expansion.
    pub(super) number: u32,
}

/// What a call with these arguments becomes; `None` if no rule matches.
pub(super) fn expand(rules: &[Rule], arguments: &[Tree], home: Home<'_>) -> Option<Vec<Tree>> {
    let (rule, bindings) = rules.iter().find_map(|rule| {
        let bindings = pattern::matched(&rule.pattern, arguments)?;
        Some((rule, bindings))
    })?;
    let mut expanded = Vec::new();
    let body = at_home(&rule.body, home);
    transcribe(&body, &bindings, &mut expanded)?;
    Some(expanded)
}

/// The right side of a rule with full paths, and with its origin in each token.
fn at_home(body: &[Tree], home: Home<'_>) -> Vec<Tree> {
    let leaf = |text: &str, kind| Tree::Leaf(trees::written(text, kind, home.number));
    let colons = || [":", ":"].map(|text| leaf(text, SyntaxKind::COLON));
    let name = |text: &str| leaf(text, SyntaxKind::IDENT);
    let mut written = Vec::new();
    let mut rest = body;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            Tree::Leaf(of)
                if of.text == "$" && rest.first().is_some_and(|next| next.is("crate")) =>
            {
                match home.crate_ {
                    Some(crate_) => {
                        written.extend(colons());
                        written.push(name(crate_));
                    }
                    None => written.push(name("crate")),
                }
                rest = &rest[1..];
            }
            Tree::Leaf(of) => {
                // The name of a metavariable, or the end of a path, has its meaning already.
                let is_alone = !written
                    .last()
                    .is_some_and(|before: &Tree| before.is("$") || before.is(":"));
                let is_call = is_alone
                    && first.word().is_some()
                    && rest.first().is_some_and(|next| next.is("!"))
                    && rest.get(1).is_some_and(|next| next.group().is_some());
                if let Some(crate_) = home.crate_.filter(|_| home.has_inner_macros && is_call) {
                    written.extend(colons());
                    written.push(name(crate_));
                    written.extend(colons());
                }
                written.push(Tree::Leaf(Leaf {
                    origin: Origin::Macro(home.number),
                    ..of.clone()
                }));
            }
            Tree::Group(group) => written.push(Tree::Group(Group {
                open: group.open,
                trees: at_home(&group.trees, home),
                origins: [Origin::Macro(home.number); 2],
            })),
            Tree::Fragment(of) => written.push(Tree::Fragment(of.clone())),
        }
    }
    written
}

fn transcribe(body: &[Tree], bindings: &Bindings, to: &mut Vec<Tree>) -> Option<()> {
    let mut rest = body;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if to.len() > MANY {
            return None;
        }
        let name = rest.first().and_then(Tree::word);
        match first {
            Tree::Group(group) => {
                let mut inner = Vec::new();
                transcribe(&group.trees, bindings, &mut inner)?;
                to.push(Tree::Group(Group {
                    trees: inner,
                    ..group.clone()
                }));
            }
            Tree::Leaf(leaf) if leaf.text != "$" => to.push(first.clone()),
            Tree::Fragment(Fragment { .. }) => to.push(first.clone()),
            Tree::Leaf(_) => match name.and_then(|name| bindings.get(name)) {
                Some(Binding::One(trees)) => {
                    to.extend(trees.iter().cloned());
                    rest = &rest[1..];
                }
                Some(Binding::Many(_)) => return None,
                None => {
                    let group = rest.first().and_then(Tree::group);
                    match group.filter(|group| group.open == '(') {
                        Some(group) => rest = repeat(group, &rest[1..], bindings, to)?,
                        None => to.push(first.clone()),
                    }
                }
            },
        }
    }
    Some(())
}

/// Writes the turns of a repetition. Returns the trees behind the repetition.
fn repeat<'a>(
    group: &Group,
    behind: &'a [Tree],
    bindings: &Bindings,
    to: &mut Vec<Tree>,
) -> Option<&'a [Tree]> {
    let (repetition, length) = pattern::repeated(&group.trees, behind)?;
    let mut repeated = Vec::new();
    let mut of_turn = Bindings::new();
    for name in metavariables(&group.trees) {
        match bindings.get(&name) {
            Some(Binding::Many(turns)) => repeated.push((name, turns)),
            Some(one) => {
                of_turn.insert(name, one.clone());
            }
            None => {}
        }
    }
    let turns = repeated.iter().map(|(_, turns)| turns.len()).max()?;
    for turn in 0..turns {
        for (name, turns) in &repeated {
            of_turn.insert(name.clone(), turns.get(turn)?.clone());
        }
        if turn > 0 {
            to.extend(repetition.separator.iter().cloned().map(Tree::Leaf));
        }
        transcribe(repetition.of, &of_turn, to)?;
    }
    Some(&behind[length..])
}

/// The names behind `$` in `trees`.
fn metavariables(trees: &[Tree]) -> Vec<String> {
    let mut names = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            Tree::Group(group) => names.extend(metavariables(&group.trees)),
            leaf if leaf.is("$") => {
                let name = trees.get(at + 1).and_then(Tree::word);
                names.extend(name.map(str::to_owned));
            }
            Tree::Leaf(_) | Tree::Fragment(_) => {}
        }
    }
    names
}
