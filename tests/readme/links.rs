//! Links of the README files lead somewhere.

use regex::Regex;

use crate::markdown::Page;
use crate::support;

/// Every page that a person reads first.
const PAGES: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "kernel/README.md",
    "magics/README.md",
    "magics/memit/README.md",
    "tests/compare/README.md",
];

#[test]
fn links_between_pages_lead_to_files_and_headings() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("it is well-formed");
    let mut broken = Vec::new();
    for name in PAGES {
        let page = Page::read(name);
        for (_, [target]) in link.captures_iter(page.text()).map(|found| found.extract()) {
            if !target.starts_with("https://") && !exists(&page, target) {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

/// Whether `target` on `page` is a file, and has the heading that it names.
fn exists(page: &Page, target: &str) -> bool {
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (target, None),
    };
    let directory = page.path().parent().expect("a file is in a directory");
    let path = if file.is_empty() {
        page.path().to_owned()
    } else {
        directory.join(file)
    };
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    let Some(anchor) = anchor else { return true };
    let root = support::workspace()
        .canonicalize()
        .expect("the workspace is there");
    let relative = path
        .strip_prefix(root)
        .expect("links stay within the repository");
    let anchors = Page::read(&relative.to_string_lossy()).anchors();
    anchors.iter().any(|heading| heading == anchor)
}

#[test]
fn every_readme_is_among_the_pages() {
    let root = support::workspace();
    for directory in [
        "",
        "kernel",
        "magics",
        "magics/memit",
        "notebooks",
        "tests/compare",
    ] {
        let name = format!("{directory}/README.md");
        let name = name.trim_start_matches('/');
        assert_eq!(
            root.join(name).exists(),
            PAGES.contains(&name),
            "{name}: `PAGES` lists what exists"
        );
    }
}
