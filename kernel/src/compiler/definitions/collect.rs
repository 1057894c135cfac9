//! Finds the definitions in a source.

use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasName};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode};

use super::mentions::{self, ERROR, Mention};
use super::{Definition, Definitions, PRELUDE, Reached, What, tokens};
use crate::compiler::macro_calls::{self, Makes};

/// How deep calls and files in each other are read.
const DEPTH: usize = 32;

impl Definitions {
    /// Adds the items in `parent`, a file or the items of a module.
    pub(super) fn collect(&mut self, parent: &SyntaxNode) {
        for item in parent.children().filter_map(ast::Item::cast) {
            self.add(&item);
        }
    }

    fn add(&mut self, item: &ast::Item) {
        let node = item.syntax();
        match item {
            ast::Item::Struct(of) => self.define(of.name(), node, What::Type),
            ast::Item::Enum(of) => self.define(of.name(), node, What::Type),
            ast::Item::Union(of) => self.define(of.name(), node, What::Type),
            ast::Item::TypeAlias(of) => self.define(of.name(), node, What::Other),
            ast::Item::Const(of) => self.define(of.name(), node, What::Other),
            ast::Item::Static(of) => self.define(of.name(), node, What::Other),
            ast::Item::MacroRules(of) => self.define(of.name(), node, What::Other),
            ast::Item::MacroDef(of) => self.define(of.name(), node, What::Other),
            ast::Item::Fn(of) if of.const_token().is_some() => {
                self.define(of.name(), node, What::Other);
            }
            ast::Item::Trait(of) => {
                self.define(of.name(), node, What::Other);
                let items = of.assoc_item_list().into_iter();
                for item in items.flat_map(|list| list.assoc_items()) {
                    self.define(constant(&item), node, What::Other);
                }
            }
            ast::Item::Module(of) => {
                if let Some(name) = of.name() {
                    // The definitions in the module count on their own.
                    self.insert(definition(name.text(), What::Other(0), None));
                }
                if let Some(items) = of.item_list() {
                    self.collect(items.syntax());
                }
            }
            ast::Item::Impl(of) => self.add_implementation(of),
            ast::Item::Use(of) => {
                if let Some(tree) = of.use_tree() {
                    self.add_import(&tree, "", &[]);
                }
            }
            ast::Item::ExternCrate(of) => {
                let name = of.rename().and_then(|rename| rename.name());
                self.define(name, node, What::Other);
            }
            ast::Item::MacroCall(of) => self.add_call(of),
            ast::Item::Fn(_) | ast::Item::ExternBlock(_) | ast::Item::AsmExpr(_) => {}
        }
        if item.attrs().any(|attribute| derives_error(&attribute)) {
            let name = node.children().find_map(ast::Name::cast);
            self.errors.extend(name.map(|name| Mention {
                name: name.text().to_string(),
                is_qualified: true,
            }));
        }
    }

    /// A call of a macro of the session defines what the macro makes of the call, and `include!` what
    /// is in the file.
    fn add_call(&mut self, call: &ast::MacroCall) {
        let node = call.syntax();
        if let Some(items) = self.macros.expand(call).filter(|_| self.depth < DEPTH) {
            self.depth += 1;
            self.collect(items.syntax());
            self.depth -= 1;
            return;
        }
        let what = What::Other(tokens::hash(tokens::text(node)));
        let (names, is_sure) = match self.macros.makes(call) {
            Makes::Items(names) => (names, true),
            Makes::PerhapsItems(names) if !names.is_empty() => (names, false),
            Makes::PerhapsItems(_) | Makes::PerhapsOf(_) | Makes::Statements => {
                let names = macro_calls::names(call).into_iter();
                let is_other = |name: &String| !PRELUDE.contains(&name.as_str());
                (names.filter(is_other).collect(), false)
            }
        };
        for name in &names {
            self.insert(definition(name, what, Some(node)));
        }
        // The macro may define any name, also one that it makes of others.
        if !is_sure {
            let name = macro_calls::name(call).unwrap_or_default();
            self.globs.push(definition(&name, what, Some(node)));
        }
    }

    fn define(&mut self, name: Option<ast::Name>, node: &SyntaxNode, what: fn(u64) -> What) {
        if let Some(name) = name {
            let what = what(tokens::hash(tokens::text(node)));
            self.insert(definition(name.text(), what, Some(node)));
        }
    }

    fn insert(&mut self, definition: Definition) {
        let name = definition.reached.name.clone();
        self.by_name.entry(name).or_default().push(definition);
    }

    /// An implementation counts by its constants and types only, so that methods can be added and
    /// changed.
    fn add_implementation(&mut self, of: &ast::Impl) {
        let trait_ = of.trait_();
        let self_type = of.self_ty();
        let header: String = of
            .syntax()
            .children()
            .filter(|part| part.kind() != SyntaxKind::ASSOC_ITEM_LIST)
            .map(|part| tokens::text(&part))
            .collect();
        let parameters = mentions::parameters(of.syntax());
        let mut of_type = self_type
            .map(|of| mentions::of(of.syntax()))
            .unwrap_or_default();
        of_type.retain(|mention| !parameters.contains(&mention.name));
        let mut of_header = of_type.clone();
        of_header.extend(trait_.iter().flat_map(|of| mentions::of(of.syntax())));
        for item in of
            .assoc_item_list()
            .into_iter()
            .flat_map(|list| list.assoc_items())
        {
            let Some(name) = constant(&item) else {
                continue;
            };
            let hash = tokens::hash((&header, tokens::text(item.syntax())));
            let name = name.text();
            let mut defined = definition(name, What::Other(hash), Some(item.syntax()));
            defined.mentions.extend(of_header.iter().cloned());
            defined
                .mentions
                .retain(|mention| !parameters.contains(&mention.name));
            // A type of a library names the associated types of its parameters by itself.
            if trait_.is_some() && matches!(item, ast::AssocItem::TypeAlias(_)) {
                for mention in &of_type {
                    let mut attached = defined.clone();
                    attached.reached = Reached {
                        name: mention.name.clone(),
                        what: What::Impl(hash),
                    };
                    let others = self.attached.entry(mention.name.clone()).or_default();
                    others.push(attached);
                }
            }
            self.insert(defined);
        }
        let is_error = trait_.is_some_and(|of| {
            let names = of.syntax().descendants().filter_map(ast::NameRef::cast);
            names
                .last()
                .is_some_and(|name| ERROR.contains(&name.text()))
        });
        if is_error {
            self.errors.extend(of_type);
        }
    }

    /// Adds the names that `tree` imports from `module`, a path that mentions `before`.
    fn add_import(&mut self, tree: &ast::UseTree, module: &str, before: &[Mention]) {
        let path = tree.path();
        let text = path.as_ref().map(|path| tokens::text(path.syntax()));
        let module = format!("{module} :: {}", text.unwrap_or_default());
        let mut mentioned = before.to_vec();
        if let Some(path) = &path {
            mentioned.extend(mentions::of(path.syntax()));
        }
        let is_standard = ["std", "core", "alloc"].iter().any(|name| {
            module
                .trim_start_matches([' ', ':'])
                .starts_with(&format!("{name} "))
        });
        if is_standard {
            mentioned.retain(|mention| mentions::hides(&mention.name));
        }
        if let Some(list) = tree.use_tree_list() {
            for tree in list.use_trees() {
                self.add_import(&tree, &module, &mentioned);
            }
            return;
        }
        let what = What::Import(tokens::hash(&module));
        let import = |name: &str| {
            let mut defined = definition(name, what, None);
            // The import and what it imports have one name.
            defined.mentions.extend(mentioned.iter().cloned());
            defined
        };
        if tree.star_token().is_some() {
            if !is_standard {
                self.globs.push(import(&module));
            }
            return;
        }
        let renamed = tree.rename().map(|rename| rename.name());
        let last = || path.and_then(|path| path.segment()?.name_ref());
        let name = match renamed {
            Some(name) => name.map(|name| name.text().to_string()),
            None => last().map(|name| name.text().to_string()),
        };
        let is_renamed = tree.rename().is_some();
        if let Some(name) = name {
            let says_nothing_new = is_standard && !is_renamed && is_in_prelude(&name, &module);
            if !says_nothing_new {
                self.insert(import(&name));
            }
        }
    }
}

/// Whether `name` means the same without its import from the standard library. Some modules have
/// a `Result` of their own.
fn is_in_prelude(name: &str, path: &str) -> bool {
    let has_others = ["io", "fmt", "thread"].iter();
    let is_other = has_others
        .map(|module| format!(" {module} "))
        .any(|module| path.contains(&module));
    PRELUDE.contains(&name) && !is_other
}

fn definition(name: &str, what: What, node: Option<&SyntaxNode>) -> Definition {
    Definition {
        reached: Reached {
            name: name.to_owned(),
            what,
        },
        mentions: node.map(mentions::of).unwrap_or_default(),
    }
}

/// The name of an item that the compiler uses where it lays out types.
fn constant(item: &ast::AssocItem) -> Option<ast::Name> {
    match item {
        ast::AssocItem::Const(of) => of.name(),
        ast::AssocItem::TypeAlias(of) => of.name(),
        ast::AssocItem::Fn(of) if of.const_token().is_some() => of.name(),
        ast::AssocItem::Fn(_) | ast::AssocItem::MacroCall(_) => None,
    }
}

fn derives_error(attribute: &ast::Attr) -> bool {
    let text = tokens_of(attribute);
    text.iter().any(|name| name == "derive")
        && text.iter().any(|name| ERROR.contains(&name.as_str()))
}

fn tokens_of(attribute: &ast::Attr) -> Vec<String> {
    attribute
        .syntax()
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .map(|token| token.text().to_owned())
        .collect()
}
