//! Magics of other kernels, and what their users do here.

/// The advice about a magic of IPython, of its extensions or of gonb; `None` if the name is none of theirs.
pub(crate) fn advice(name: &str) -> Option<&'static str> {
    let known = FOREIGN.iter().find(|(names, _)| names.contains(&name));
    known.map(|(_, advice)| *advice)
}

#[rustfmt::skip]
const FOREIGN: &[(&[&str], &str)] = &[
    // Extensions and settings.
    (&["load_ext", "reload_ext", "unload_ext"], "not needed here: all magics are built in"),
    (&["matplotlib", "pylab"], "not needed here: plots of crates that know evcxr, such as plotters, show themselves"),
    (&["autoreload", "aimport"], "not needed here: a cell that defines an item again replaces the item"),
    (&["automagic", "autocall", "alias", "alias_magic", "macro"], "there are no other names for magics and commands here"),
    (&["config", "colors", "xmode", "pprint", "precision"], "not needed here: `{value:#?}` and `{value:.3}` in `println!` format a value"),
    // Packages.
    (&["pip", "conda", "mamba", "micromamba", "uv", "get"], "not needed here: `:dep NAME = \"VERSION\"` adds a crate"),
    (&["autoget", "noautoget", "goworkfix"], "not needed here: `:dep NAME = \"VERSION\"` adds a crate, and nothing is added without it"),
    (&["track", "untrack"], "not needed here: `:dep NAME = { path = \"DIR\" }` adds a crate on this machine"),
    (&["goflags"], "not needed here: `:opt LEVEL` sets the level of optimisation"),
    // Measurements.
    (&["prun"], "`%lprun -f FUNC STATEMENTS` shows where the time goes, line by line"),
    (&["bench"], "`%timeit STATEMENTS` measures time"),
    // Errors.
    (&["debug", "pdb", "tb"], "not needed here: an error shows its line, and the session is as it was before the cell; `dbg!(value)` shows a value"),
    // Variables and cells.
    (&["who_ls", "list", "vars"], "`:vars` lists the variables with their types"),
    (&["del", "reset_selective"], "`%xdel NAME` deletes a variable or an item"),
    (&["clear"], "`%reset` forgets everything, `memit_session::clear_output(true)` clears the output"),
    (&["hist", "recall", "rep", "save", "notebook", "logstart", "logstop"], "`%history` shows earlier cells, `%rerun` runs them again"),
    (&["edit", "ed", "pastebin", "loadpy"], "`%load FILE` puts the text of a file into the cell"),
    (&["file"], "`%%writefile FILE` writes the cell to a file"),
    (&["store"], "values outlive the session only in files"),
    (&["main", "args"], "not needed here: the statements of a cell run without a function `main`"),
    (&["go", "rust", "cargo"], "not needed here: a cell is Rust"),
    (&["with_inputs", "with_password"], "not needed here: the crate `evcxr_input` asks for a line or a password"),
    // Help.
    (&["help", "magic", "quickref", "guiref"], "`%lsmagic` lists the magics, `:help` the commands"),
    (&["pinfo", "pinfo2", "pdoc", "pdef", "psource", "pfile", "psearch"], "not needed here: the front-end shows the documentation of a name, most often by Shift+Tab"),
    (&["version"], "`:version` shows the version"),
    (&["dep"], "the command is `:dep NAME = \"VERSION\"`"),
    (&["opt"], "the command is `:opt LEVEL`"),
    (&["type", "t"], "the command is `:type NAME`"),
    // Programs.
    (&["ls", "ll", "cat", "cp", "mv", "mkdir", "rmdir", "less", "more", "man", "sx", "sc", "system"], "`!COMMAND` runs a command of the shell"),
    (&["rm"], "`!rm FILE` removes a file, `%xdel NAME` deletes a variable or an item"),
    (&["pushd", "popd", "dirs", "dhist"], "`%cd DIR` changes the working directory, `%cd -` changes back"),
    (&["set_env"], "`%env NAME=VALUE` sets an environment variable"),
    (&["script", "python", "python3", "python2", "pypy", "perl", "ruby", "cmd"], "`%%bash` runs a script, which can start other programs"),
    (&["javascript", "js"], "`%%html` shows HTML, which may contain a `<script>`"),
    (&["quit", "exit", "kill"], "not needed here: the front-end shuts the kernel down"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::magics::registry;

    #[test]
    fn the_table_is_about_other_magics_and_names_ours() {
        let mut seen = HashSet::new();
        for (names, advice) in FOREIGN {
            assert!(!advice.ends_with('.') && !names.is_empty());
            for name in *names {
                assert!(registry::find(name).is_none(), "{name} is a magic of ours");
                assert!(seen.insert(name), "{name} is listed twice");
            }
            let words = advice.split(|c: char| c.is_whitespace() || c == '`');
            for word in words.filter(|word| word.starts_with('%')) {
                let name = word.trim_start_matches('%');
                assert!(registry::find(name).is_some(), "{word} is no magic");
            }
        }
    }
}
