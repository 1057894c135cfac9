//! The function that evcxr writes around the statements of a cell.

use std::collections::BTreeMap;
use std::ops::Range;

use memit_magics::cell::syntax::Statements;
use ra_ap_syntax::ast::{self, AstNode, HasArgList, HasGenericArgs, HasName};
use ra_ap_syntax::{SyntaxNode, SyntaxToken};

use super::{ANCHOR, BOUND, TAKEN, UNSEEN};
use crate::compiler::CELL_FUNCTION;

/// How evcxr names the store in the function.
pub(super) const STORE: &str = "evcxr_variable_store";
/// Where evcxr checks the variables of the store.
const CHECKS: &str = "{let mut vars_ok = true;";
/// Where evcxr has checked the variables of the store.
const CHECKED: &str = "if !vars_ok {return evcxr_variable_store;}}";

/// What evcxr writes around the statements of a cell without variables.
const CATCH: &str = "catch_unwind(||{";
const CAUGHT: &str = "}).is_err() {";

/// Places in the function, as bytes of the source, and the variables of the cell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RunFunction {
    /// The name of its parameter, which points to the store or is null.
    pub(super) parameter: String,
    /// Behind the brace that opens it.
    pub(super) start: usize,
    /// Where evcxr has written code for a store; `None` if evcxr sees no variables.
    pub(super) store: Option<StorePlaces>,
    /// Where that code is missing.
    pub(super) no_store: Option<NoStorePlaces>,
    /// Where the cell's own variables are put.
    pub(super) put: Option<usize>,
    /// Statements that have no place in the function.
    pub(super) superfluous: Vec<Range<usize>>,
    /// The variables that the cell takes.
    pub(super) taken: BTreeMap<String, Taken>,
    /// The variables that the cell binds and keeps.
    pub(super) bound: BTreeMap<String, Bound>,
    /// The variables that the cell binds, kept or not.
    pub(super) shadowed: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct StorePlaces {
    pub(super) check: usize,
    pub(super) take: usize,
    pub(super) put_back: usize,
}

/// Places in a function that has no store.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoStorePlaces {
    /// What opens and closes the part that can panic. evcxr leaves both out when it compiles only for
    /// the errors.
    pub(super) catch: Option<(Range<usize>, Range<usize>)>,
    /// What the function returns.
    pub(super) result: Range<usize>,
}

/// A variable that the cell takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) of: String,
    pub(super) is_mutable: bool,
}

/// A variable that the cell binds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bound {
    /// The type; `None` if evcxr does not know it.
    pub(super) of: Option<String>,
    pub(super) is_mutable: bool,
    /// Whether the source shows a type that every cell can write.
    pub(super) is_evident: bool,
    /// Where the cell binds it; 0 if no `let` does that evcxr sees.
    at: usize,
}

impl RunFunction {
    /// Finds the function in the source of a cell.
    pub(super) fn find(file: &SyntaxNode) -> Option<Self> {
        let functions: Vec<_> = file.children().filter_map(ast::Fn::cast).collect();
        let function = functions.into_iter().rev().find(|function| {
            let name = function.name();
            name.is_some_and(|name| name.text().starts_with(CELL_FUNCTION))
        })?;
        let text = function.syntax().text().to_string();
        let offset = start(function.syntax());
        let body = function.body()?.stmt_list()?;
        let parameter = function.param_list()?.params().next()?.pat()?;
        let ast::Pat::IdentPat(parameter) = parameter else {
            return None;
        };
        let behind = |part: &str| Some(offset + text.find(part)? + part.len());
        let store = behind(CHECKS).and_then(|check| {
            Some(StorePlaces {
                check,
                take: behind(CHECKED)?,
                put_back: offset + text.rfind(STORE)?,
            })
        });
        let at = |start: Option<usize>, part: &str| {
            let start = offset + start?;
            Some(start..start + part.len())
        };
        let no_store = || {
            Some(NoStorePlaces {
                catch: at(text.find(CATCH), CATCH).zip(at(text.rfind(CAUGHT), CAUGHT)),
                result: at(text.rfind(STORE), STORE)?,
            })
        };
        let mut found = Self {
            no_store: if store.is_none() { no_store() } else { None },
            parameter: parameter.name()?.text().to_string(),
            start: body.l_curly_token()?.text_range().end().into(),
            store,
            ..Self::default()
        };
        found.read_bound(function.syntax());
        if found.store.is_some() {
            found.read_variables(function.syntax());
        }
        Some(found)
    }

    /// Reads the bindings in front of a cell that binds no variable itself.
    fn read_bound(&mut self, function: &SyntaxNode) {
        let mut calls = function.descendants().filter_map(ast::MacroCall::cast);
        let call = calls.find(|call| is_of(call, BOUND));
        let Some((call, tree)) = call.and_then(|call| Some((call.clone(), call.token_tree()?)))
        else {
            return;
        };
        let is_statement = |node: &SyntaxNode| ast::ExprStmt::can_cast(node.kind());
        let statement = call.syntax().ancestors().find(is_statement);
        self.superfluous
            .push(range(statement.as_ref().unwrap_or(call.syntax())));
        let text = tree.syntax().text().to_string();
        for binding in Statements::parse(text.trim_matches(['(', ')'])).lets() {
            let is_mutable = binding.is_mutable;
            let names = binding.names.into_iter();
            let taken = names.zip(binding.of.map(|of| Taken { of, is_mutable }));
            self.taken.extend(taken);
        }
    }

    /// Reads what evcxr puts into the store, and the statements beside these calls.
    fn read_variables(&mut self, function: &SyntaxNode) {
        let calls = function.descendants().filter_map(ast::MethodCallExpr::cast);
        let puts: Vec<_> = calls.filter_map(|call| put(&call)).collect();
        let Some((first, ..)) = puts.first() else {
            return;
        };
        self.put = Some(start(first));
        let Some(list) = first.parent() else { return };
        for (statement, variable, of) in puts {
            self.superfluous.push(range(&statement));
            if variable != ANCHOR {
                let of = Some(of);
                self.bound.insert(
                    variable,
                    Bound {
                        of,
                        ..Bound::default()
                    },
                );
            }
        }
        for statement in list.children() {
            if let Some(binding) = ast::LetStmt::cast(statement.clone()) {
                self.read_let(&binding);
            } else if let Some(call) = statement.descendants().find_map(ast::MacroCall::cast)
                && is_of(&call, UNSEEN)
            {
                self.read_unseen(&call);
            }
        }
        // evcxr also puts what the cell has taken.
        let taken = &self.taken;
        self.bound
            .retain(|name, bound| bound.at > 0 || !taken.contains_key(name));
    }

    fn read_let(&mut self, binding: &ast::LetStmt) {
        let Some(pattern) = binding.pat() else { return };
        let names = pattern
            .syntax()
            .descendants()
            .filter_map(ast::IdentPat::cast);
        let is_taken = binding
            .initializer()
            .is_some_and(|value| value.syntax().text() == TAKEN);
        for name in names {
            let is_mutable = name.mut_token().is_some();
            let Some(name) = name.name() else { continue };
            let at = start(name.syntax());
            let name = name.text().to_string();
            if is_taken {
                let Some(of) = binding.ty() else { continue };
                let of = of.syntax().text().to_string();
                self.superfluous.push(range(binding.syntax()));
                self.taken.insert(name, Taken { of, is_mutable });
            } else if name == ANCHOR {
                self.superfluous.push(range(binding.syntax()));
            } else {
                if let Some(bound) = self.bound.get_mut(&name) {
                    bound.is_mutable = is_mutable;
                    bound.at = at;
                }
                self.shadowed.push(name);
            }
        }
    }

    /// Reads the names in front of `=>`, which the cell keeps, and all that the `let` binds.
    fn read_unseen(&mut self, call: &ast::MacroCall) {
        let Some(tree) = call.token_tree() else {
            return;
        };
        let at = start(call.syntax());
        let tokens: Vec<SyntaxToken> = tree
            .syntax()
            .descendants_with_tokens()
            .filter_map(ra_ap_syntax::NodeOrToken::into_token)
            .filter(|token| !token.kind().is_trivia())
            .collect();
        let text = tree.syntax().text().to_string();
        let Some((names, statement)) = text.split_once("=>") else {
            return;
        };
        let names = names.trim_start_matches('(');
        let lets = Statements::parse(statement.trim_end_matches(')')).lets();
        for name in names.split_whitespace() {
            let is_mutable = tokens
                .windows(2)
                .any(|pair| pair[0].text() == "mut" && pair[1].text() == name);
            let seen = self.bound.get(name);
            // The last binding is the one that is kept.
            if seen.is_none_or(|seen| seen.at < at) {
                self.bound.insert(
                    name.to_owned(),
                    Bound {
                        of: None,
                        is_mutable,
                        is_evident: lets.iter().all(|each| each.is_evident),
                        at,
                    },
                );
            }
        }
        let unseen: Vec<_> = lets.into_iter().flat_map(|each| each.names).collect();
        self.bound
            .retain(|name, bound| bound.at >= at || !unseen.contains(name));
        self.shadowed.extend(unseen);
    }
}

/// Whether `call` is one of the macro `name`.
fn is_of(call: &ast::MacroCall, name: &str) -> bool {
    call.path().is_some_and(|path| path.syntax().text() == name)
}

/// The statement, the variable and the type, if `call` puts a variable into the store.
fn put(call: &ast::MethodCallExpr) -> Option<(SyntaxNode, String, String)> {
    let is_put = call.name_ref()?.text() == "put_variable";
    if !is_put || call.receiver()?.syntax().text() != STORE {
        return None;
    }
    let of = call.generic_arg_list()?.generic_args().next()?;
    let ast::Expr::MacroExpr(variable) = call.arg_list()?.args().next()? else {
        return None;
    };
    let tree = variable.macro_call()?.token_tree()?;
    let variable = tree.syntax().text().to_string();
    Some((
        call.syntax().parent()?,
        variable.trim_matches(['(', ')', ' ']).to_owned(),
        of.syntax().text().to_string(),
    ))
}

fn start(node: &SyntaxNode) -> usize {
    node.text_range().start().into()
}

fn range(node: &SyntaxNode) -> Range<usize> {
    start(node)..node.text_range().end().into()
}
