//! The items of a source: its functions, and what else can mention functions.

use std::ops::Range;

use memit_magics::cell::syntax::mentions;
use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasName};
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, SyntaxNode};
use serde::{Deserialize, Serialize};

use super::closed::Names;
use crate::compiler::CELL_FUNCTION;
use crate::compiler::variables::UNSEEN;

/// How the names of items start that are not the user's.
const OURS: [&str; 2] = [CELL_FUNCTION, UNSEEN];

/// Attributes that let nobody call a function without naming it, and leave its body what it is.
const HARMLESS: [&str; 8] = [
    "allow",
    "cold",
    "deprecated",
    "doc",
    "inline",
    "must_use",
    "track_caller",
    "warn",
];

/// The items of a source. Ranges are bytes of the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Items {
    /// The function of the cell.
    pub(super) cell: Option<Range<usize>>,
    pub(super) functions: Vec<Function>,
    pub(super) definitions: Vec<Definition>,
    pub(super) implementations: Vec<Implementation>,
    /// What has no name, and counts for every cell.
    pub(super) roots: Vec<Range<usize>>,
    /// What is outside of functions, except the function of the cell.
    pub(super) rest: Vec<Range<usize>>,
    /// The items of the session, those of modules with their modules.
    pub(super) of_session: Vec<Range<usize>>,
    pub(super) names: Names,
}

/// A function or a method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) range: Range<usize>,
    /// The body, with its braces.
    pub(super) body: Range<usize>,
    /// Whether only the calls of the function depend on its body.
    pub(super) is_plain: bool,
    /// Whether others may call the function without naming it, as its attributes say.
    pub(super) is_exported: bool,
    /// The implementation of a method, as an index.
    pub(super) of: Option<usize>,
}

/// A definition that is no function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Definition {
    /// Its name, and the names of what it contains.
    pub(super) names: Vec<String>,
    pub(super) range: Range<usize>,
}

/// An `impl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Implementation {
    /// What stands in front of its items.
    pub(super) header: Range<usize>,
    pub(super) of_type: Range<usize>,
    pub(super) is_of_trait: bool,
    /// Its constants and types, and the calls of macros in it.
    pub(super) others: Vec<Range<usize>>,
}

impl Items {
    pub(super) fn of(source: &str) -> Self {
        let file = SourceFile::parse(source, Edition::Edition2024);
        let mut items = Self::default();
        items.collect(file.tree().syntax(), source);
        let file = file.tree();
        for item in file.syntax().children().filter_map(ast::Item::cast) {
            items.add_names(&item);
        }
        items
    }

    /// Whether these are the function of a cell, and nothing else.
    pub(super) fn are_one_cell(&self) -> bool {
        let cell = self.cell.clone();
        *self
            == Self {
                cell,
                ..Self::default()
            }
    }

    /// Places the function of the cell elsewhere, with all that is behind.
    pub(super) fn place_cell(&mut self, place: Range<usize>) {
        let end = place.end;
        let Some(before) = self.cell.replace(place).map(|cell| cell.end) else {
            return;
        };
        let functions = self.functions.iter_mut();
        let functions = functions.flat_map(|of| [&mut of.range, &mut of.body]);
        let definitions = self.definitions.iter_mut().map(|of| &mut of.range);
        let implementations = self.implementations.iter_mut().flat_map(|of| {
            let ranges = [&mut of.header, &mut of.of_type].into_iter();
            ranges.chain(&mut of.others)
        });
        let ranges = functions
            .chain(definitions)
            .chain(implementations)
            .chain(&mut self.roots)
            .chain(&mut self.rest)
            .chain(&mut self.of_session);
        for range in ranges.filter(|range| range.start >= before) {
            *range = range.start - before + end..range.end - before + end;
        }
    }

    fn collect(&mut self, parent: &SyntaxNode, source: &str) {
        for item in parent.children().filter_map(ast::Item::cast) {
            self.add(&item, source);
        }
    }

    fn add(&mut self, item: &ast::Item, source: &str) {
        let range = range(item.syntax());
        let name = match item {
            ast::Item::Fn(function) => {
                self.add_function(function, source, None);
                return;
            }
            ast::Item::Impl(of) => {
                self.add_implementation(of, source);
                return;
            }
            ast::Item::Module(module) => {
                let list = module.item_list();
                let end = list
                    .as_ref()
                    .map_or(range.end, |list| self::range(list.syntax()).start);
                self.rest.push(range.start..end);
                if let Some(list) = list {
                    self.collect(list.syntax(), source);
                }
                return;
            }
            ast::Item::Struct(of) => of.name(),
            ast::Item::Enum(of) => of.name(),
            ast::Item::Union(of) => of.name(),
            ast::Item::TypeAlias(of) => of.name(),
            ast::Item::Const(of) => of.name(),
            ast::Item::Static(of) => of.name(),
            ast::Item::MacroRules(of) => of.name(),
            ast::Item::MacroDef(of) => of.name(),
            ast::Item::Trait(of) => of.name(),
            ast::Item::Use(_)
            | ast::Item::ExternCrate(_)
            | ast::Item::ExternBlock(_)
            | ast::Item::MacroCall(_)
            | ast::Item::AsmExpr(_) => None,
        };
        if name.as_ref().is_some_and(|name| name.text() == UNSEEN) {
            return;
        }
        self.rest.push(range.clone());
        let Some(name) = name else {
            self.roots.push(range);
            return;
        };
        let mut names = vec![name.text().to_string()];
        if let ast::Item::Trait(of) = item {
            let methods = of.assoc_item_list().into_iter();
            let methods = methods.flat_map(|list| list.assoc_items());
            names.extend(methods.filter_map(|method| match method {
                ast::AssocItem::Fn(method) => Some(method.name()?.text().to_string()),
                _ => None,
            }));
        }
        self.definitions.push(Definition { names, range });
    }

    /// Adds an item of the session, with the names that the item defines outside of bodies.
    fn add_names(&mut self, item: &ast::Item) {
        let range = range(item.syntax());
        let name = match item {
            ast::Item::Fn(of) => of.name(),
            ast::Item::MacroRules(of) => of.name(),
            // The crates that every cell needs.
            ast::Item::ExternCrate(_) => return,
            _ => None,
        };
        let is_ours = |name: ast::Name| OURS.iter().any(|ours| name.text().starts_with(ours));
        if name.is_some_and(is_ours) {
            return;
        }
        let nodes = || item.syntax().descendants();
        let names = &mut self.names;
        names.are_open |= nodes().any(|node| match ast::UseTree::cast(node.clone()) {
            Some(tree) => tree.star_token().is_some(),
            None => is_call_between_items(&node),
        });
        let brings_traits = |node| ast::Use::can_cast(node) || ast::Trait::can_cast(node);
        names.has_traits |= names.are_open || nodes().any(|node| brings_traits(node.kind()));
        let first = self
            .functions
            .partition_point(|of| of.range.start < range.start);
        let bodies = self.functions[first..].iter().map(|of| &of.body);
        let bodies = bodies.take_while(|body| body.start < range.end);
        let bodies: Vec<_> = bodies.collect();
        let is_in_body = |name: &SyntaxNode| {
            let start = usize::from(name.text_range().start());
            bodies.iter().any(|body| body.contains(&start))
        };
        for node in nodes() {
            let name = match ast::UseTree::cast(node.clone()) {
                Some(tree) => imported(&tree),
                None if ast::Name::can_cast(node.kind()) && !is_in_body(&node) => {
                    Some(node.text().to_string())
                }
                None => None,
            };
            names.defined.extend(name);
        }
        self.of_session.push(range);
    }

    fn add_function(&mut self, function: &ast::Fn, source: &str, of: Option<usize>) {
        let range = range(function.syntax());
        let name = function.name().map(|name| name.text().to_string());
        let name = name.map(|name| name.trim_start_matches("r#").to_owned());
        let body = function.body().map(|body| self::range(body.syntax()));
        let (Some(name), Some(body)) = (name, body) else {
            self.rest.push(range.clone());
            self.roots.push(range);
            return;
        };
        if of.is_none() && name.starts_with(CELL_FUNCTION) {
            self.cell = Some(range);
            return;
        }
        let is_harmless = |attribute: ast::Attr| {
            let path = attribute.path();
            path.is_some_and(|path| HARMLESS.contains(&path.syntax().text().to_string().as_str()))
        };
        self.functions.push(Function {
            is_exported: !function.attrs().all(is_harmless),
            is_plain: is_plain(function, &source[body.clone()]),
            name,
            range,
            body,
            of,
        });
    }

    fn add_implementation(&mut self, of: &ast::Impl, source: &str) {
        let (Some(of_type), Some(list)) = (of.self_ty(), of.assoc_item_list()) else {
            self.rest.push(range(of.syntax()));
            return;
        };
        let header = range(of.syntax()).start..range(list.syntax()).start;
        let index = self.implementations.len();
        self.rest.push(header.clone());
        let mut others = Vec::new();
        for item in list.assoc_items() {
            match item {
                ast::AssocItem::Fn(method) => self.add_function(&method, source, Some(index)),
                other => others.push(range(other.syntax())),
            }
        }
        self.rest.extend(others.iter().cloned());
        self.implementations.push(Implementation {
            header,
            of_type: range(of_type.syntax()),
            is_of_trait: of.trait_().is_some(),
            others,
        });
    }
}

/// Whether only the calls of a function depend on its body. The body of a constant function runs while
/// the cell is compiled, the result `impl Trait` has the type that the body has, and implementations,
/// macros and statics in a body count everywhere.
fn is_plain(function: &ast::Fn, body: &str) -> bool {
    const FAR: [&str; 3] = ["impl", "macro_rules", "static"];
    let result = function.ret_type();
    let result = result.map(|result| result.syntax().text().to_string());
    let is_opaque = |result: String| mentions(&result, "impl");
    function.const_token().is_none()
        && !result.is_some_and(is_opaque)
        && !FAR.iter().any(|word| mentions(body, word))
}

/// The name that an import without braces imports, apart from a new name.
fn imported(tree: &ast::UseTree) -> Option<String> {
    let path = tree.path()?;
    let last = path.segment()?;
    let is_leaf = tree.use_tree_list().is_none() && tree.star_token().is_none();
    if !is_leaf {
        return None;
    }
    let name = if last.self_token().is_some() {
        // `use a::{self}` imports `a`.
        let braces = tree.syntax().parent()?;
        let outer = braces.parent().and_then(ast::UseTree::cast)?;
        outer.path()?.segment()?.name_ref()
    } else {
        last.name_ref()
    };
    name.map(|name| name.text().to_string())
}

fn is_call_between_items(node: &SyntaxNode) -> bool {
    ast::MacroCall::can_cast(node.kind())
        && node.parent().is_some_and(|parent| {
            matches!(
                parent.kind(),
                SyntaxKind::SOURCE_FILE | SyntaxKind::ITEM_LIST
            )
        })
}

fn range(node: &SyntaxNode) -> Range<usize> {
    // A comment above an item is a part of the item, and so is its layout.
    let start = node
        .children_with_tokens()
        .find(|part| !matches!(part.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
        .map_or(node.text_range().start(), |part| part.text_range().start());
    usize::from(start)..usize::from(node.text_range().end())
}
