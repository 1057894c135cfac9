//! What rust-analyzer knows of a crate and of all that the crate depends on.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use crossbeam_channel::Receiver;
use ra_ap_base_db::SourceRoot;
use ra_ap_hir::{ChangeWithProcMacros, PrefixKind};
use ra_ap_ide::{
    AnalysisHost, CallableSnippets, CompletionConfig, CompletionFieldsToResolve, CompletionItem,
    CompletionItemKind, FilePosition, FileRange, HoverConfig, HoverDocFormat, RaFixtureConfig,
    SubstTyLen, TextRange, TextSize,
};
use ra_ap_ide_db::imports::insert_use::{ImportGranularity, InsertUseConfig};
use ra_ap_ide_db::{FxHashMap, SnippetCap, SymbolKind};
use ra_ap_paths::AbsPathBuf;
use ra_ap_project_model::{CargoConfig, ProjectManifest, ProjectWorkspace, RustLibSource};
use ra_ap_vfs::loader::{Config, Directories, Entry, Handle as _, LoadingProgress, Message};
use ra_ap_vfs::{Change, FileId, Vfs, VfsPath, file_set::FileSetConfig};
use ra_ap_vfs_notify::NotifyHandle;
use regex::Regex;

use super::{Completion, Completions, Documentation};

/// The path of the crate's source, from the directory of its manifest.
const SOURCE: &str = "src/lib.rs";

const MANIFEST: &str = "Cargo.toml";

/// A crate, and what rust-analyzer knows of it.
pub(super) struct Library {
    directory: AbsPathBuf,
    host: AnalysisHost,
    files: Vfs,
    loader: NotifyHandle,
    loaded: Receiver<Message>,
    source_file: FileId,
    source: String,
    /// The manifest whose dependencies are known.
    manifest: Option<String>,
}

impl Library {
    /// The crate whose manifest lies in this directory.
    ///
    /// # Errors
    ///
    /// If the path is not absolute or not UTF-8.
    pub(super) fn of(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.to_str().context("the path is not UTF-8")?;
        let directory = AbsPathBuf::try_from(path).map_err(|_| anyhow!("the path is relative"))?;
        let (sender, loaded) = crossbeam_channel::unbounded();
        let mut files = Vfs::default();
        let path = VfsPath::from(directory.join(SOURCE));
        files.set_file_contents(path.clone(), Some(Vec::new()));
        let (source_file, _) = files.file_id(&path).context("the source has no number")?;
        Ok(Self {
            directory,
            host: AnalysisHost::default(),
            files,
            loader: NotifyHandle::spawn(sender),
            loaded,
            source_file,
            source: String::new(),
            manifest: None,
        })
    }

    /// Sets the source. Reads the dependencies if the manifest has changed, which takes seconds.
    ///
    /// # Errors
    ///
    /// If there is no manifest that cargo understands.
    pub(super) fn set_source(&mut self, source: &str) -> anyhow::Result<()> {
        let manifest = fs::read_to_string(self.directory.join(MANIFEST))?;
        let path = VfsPath::from(self.directory.join(SOURCE));
        self.files
            .set_file_contents(path, Some(source.as_bytes().to_vec()));
        let mut change = ChangeWithProcMacros::default();
        if self.manifest.as_ref() != Some(&manifest) {
            self.read_dependencies(&mut change)?;
            // evcxr may have written another manifest meanwhile.
            let read = fs::read_to_string(self.directory.join(MANIFEST))?;
            self.manifest = Some(manifest).filter(|manifest| *manifest == read);
        }
        change.change_file(self.source_file, Some(source.to_owned()));
        source.clone_into(&mut self.source);
        self.host.apply_change(change);
        Ok(())
    }

    fn read_dependencies(&mut self, change: &mut ChangeWithProcMacros) -> anyhow::Result<()> {
        let manifest = ProjectManifest::from_manifest_file(self.directory.join(MANIFEST))?;
        let config = CargoConfig {
            sysroot: Some(RustLibSource::Discover),
            ..CargoConfig::default()
        };
        let workspace = ProjectWorkspace::load(manifest, &config, &|_| {})?;
        let load = workspace.to_roots().into_iter().map(|root| {
            Entry::Directories(Directories {
                extensions: vec!["rs".to_owned()],
                include: root.include,
                exclude: root.exclude,
            })
        });
        self.loader.set_config(Config {
            version: 1,
            load: load.collect(),
            watch: Vec::new(),
        });
        for message in &self.loaded {
            match message {
                Message::Progress {
                    n_done: LoadingProgress::Finished,
                    ..
                } => break,
                Message::Progress { .. } => {}
                Message::Loaded { files } | Message::Changed { files } => {
                    for (path, contents) in files {
                        // The text of the source is the kernel's, not that of the file.
                        if path != self.directory.join(SOURCE) {
                            self.files.set_file_contents(path.into(), contents);
                        }
                    }
                }
            }
        }
        for (file, changed) in self.files.take_changes() {
            let contents = match changed.change {
                Change::Create(contents, _) | Change::Modify(contents, _) => {
                    String::from_utf8(contents).ok()
                }
                Change::Delete => None,
            };
            change.change_file(file, contents);
        }
        let roots = FileSetConfig::default().partition(&self.files);
        change.set_roots(roots.into_iter().map(SourceRoot::new_local).collect());
        let files = &self.files;
        let mut number = |path: &ra_ap_paths::AbsPath| {
            let (file, _) = files.file_id(&path.to_path_buf().into())?;
            Some(file)
        };
        let (graph, _) = workspace.to_crate_graph(&mut number, &FxHashMap::default());
        change.set_crate_graph(graph);
        Ok(())
    }

    /// What may stand at the byte `at`.
    ///
    /// # Errors
    ///
    /// If two completions replace different parts of the source, or one replaces two parts.
    pub(super) fn completions(&self, at: usize) -> anyhow::Result<Completions> {
        let position = FilePosition {
            file_id: self.source_file,
            offset: TextSize::try_from(at)?,
        };
        let analysis = self.host.analysis();
        let found = analysis.completions(&completion_config(), position, None);
        let mut all = Vec::new();
        let mut replaced = None;
        for item in found.ok().flatten().unwrap_or_default() {
            let Some(completion) = self.completion(&item, &mut replaced)? else {
                continue;
            };
            all.push(completion);
        }
        let (start, end) = replaced.map_or((at, at), |range: TextRange| {
            (range.start().into(), range.end().into())
        });
        Ok(Completions { all, start, end })
    }

    /// The completion; `None` if it does not begin as the replaced text does.
    fn completion(
        &self,
        item: &CompletionItem,
        replaced: &mut Option<TextRange>,
    ) -> anyhow::Result<Option<Completion>> {
        let mut edits = item.text_edit.iter();
        let Some(edit) = edits.next() else {
            return Ok(None);
        };
        if !item.lookup().starts_with(&self.source[edit.delete]) {
            return Ok(None);
        }
        let is_one = *replaced.get_or_insert(edit.delete) == edit.delete && edits.next().is_none();
        anyhow::ensure!(is_one, "completions replace different parts of the source");
        let names_of_arguments = Regex::new(r"\$\{[0-9]+:([^}]*)\}")?;
        let code = names_of_arguments.replace_all(&edit.insert, "$1");
        Ok(Some(Completion {
            code: code.replace("$0", ""),
            kind: kind(item.kind).to_owned(),
        }))
    }

    /// What the name means that ends at the byte `at`.
    ///
    /// # Errors
    ///
    /// If the source is too long.
    pub(super) fn documentation(&self, at: usize) -> anyhow::Result<Option<Documentation>> {
        let at = TextSize::try_from(at)?;
        let place = FileRange {
            file_id: self.source_file,
            range: TextRange::empty(at),
        };
        let text = |format| {
            let found = self.host.analysis().hover(&hover_config(format), place);
            Some(found.ok()??.info.markup.as_str().to_owned())
        };
        let both = text(HoverDocFormat::PlainText).zip(text(HoverDocFormat::Markdown));
        Ok(both.map(|(plain, markdown)| {
            let mut html = String::new();
            pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(&markdown));
            Documentation { plain, html }
        }))
    }
}

fn completion_config() -> CompletionConfig<'static> {
    CompletionConfig {
        enable_postfix_completions: true,
        snippet_cap: SnippetCap::new(true),
        enable_imports_on_the_fly: false,
        enable_self_on_the_fly: true,
        enable_private_editable: true,
        prefer_no_std: false,
        full_function_signatures: true,
        snippets: Vec::new(),
        insert_use: InsertUseConfig {
            prefix_kind: PrefixKind::ByCrate,
            group: false,
            granularity: ImportGranularity::Item,
            enforce_granularity: false,
            skip_glob_imports: false,
        },
        callable: Some(CallableSnippets::FillArguments),
        limit: None,
        prefer_prelude: false,
        enable_term_search: true,
        term_search_fuel: 400,
        prefer_absolute: false,
        add_semicolon_to_unit: true,
        fields_to_resolve: CompletionFieldsToResolve::empty(),
        exclude_flyimport: Vec::new(),
        exclude_traits: &[],
        enable_auto_iter: true,
        enable_auto_await: true,
        ra_fixture: RaFixtureConfig::default(),
        add_colons_to_module: true,
    }
}

fn hover_config(format: HoverDocFormat) -> HoverConfig<'static> {
    HoverConfig {
        links_in_hover: true,
        memory_layout: None,
        documentation: true,
        keywords: true,
        format,
        max_trait_assoc_items_count: None,
        max_fields_count: Some(5),
        max_enum_variants_count: Some(5),
        max_subst_ty_len: SubstTyLen::Unlimited,
        show_drop_glue: false,
        ra_fixture: RaFixtureConfig::default(),
    }
}

/// The kind in the words of Jupyter.
fn kind(kind: CompletionItemKind) -> &'static str {
    use CompletionItemKind as Kind;
    match kind {
        Kind::Keyword => "keyword",
        Kind::SymbolKind(symbol) => match symbol {
            SymbolKind::Function
            | SymbolKind::Method
            | SymbolKind::Macro
            | SymbolKind::ProcMacro
            | SymbolKind::Derive
            | SymbolKind::DeriveHelper
            | SymbolKind::Attribute
            | SymbolKind::BuiltinAttr => "function",
            SymbolKind::Struct
            | SymbolKind::Enum
            | SymbolKind::Union
            | SymbolKind::Trait
            | SymbolKind::TypeAlias
            | SymbolKind::TypeParam
            | SymbolKind::SelfType => "class",
            SymbolKind::Module | SymbolKind::CrateRoot | SymbolKind::ToolModule => "module",
            _ => "instance",
        },
        _ => "instance",
    }
}
