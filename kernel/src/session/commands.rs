//! Adapts evcxr's commands to memit, before evcxr sees them.
//!
//! evcxr stops at the first command that fails and forgets the commands beside it, also a `:dep`. A
//! command without an effect in memit is therefore blanked, and a note tells the user.

use std::ops::Range;

use memit_magics::{MagicError, cell, nearest};

use crate::cargo_settings::RELEASE;

/// A piece of a cell with commands that evcxr understands. Bytes and lines are those of the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Adapted {
    pub(crate) source: String,
    /// What the user is told about commands.
    pub(crate) notes: Vec<String>,
    /// What the user asks about variables, which evcxr does not know.
    pub(crate) questions: Vec<Question>,
    /// Whether there is a `:clear`, which is left out of the source.
    pub(crate) clears: bool,
    /// The level of optimisation that the cell sets by `:opt`, which is left out of the source.
    pub(crate) opt_level: Option<&'static str>,
}

/// A question about the session's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// All variables with their types.
    All,
    /// The type of the variable of this name.
    TypeOf(String),
}

/// The commands of evcxr.
const COMMANDS: &[&str] = &[
    "allow_static_linking",
    "build_env",
    "cache",
    "clear",
    "clear_cache",
    "codegen_backend",
    "dep",
    "doc",
    "efmt",
    "env",
    "explain",
    "fmt",
    "help",
    "internal_debug",
    "last_compile_dir",
    "last_error_json",
    "linker",
    "load_config",
    "offline",
    "opt",
    "preserve_vars_on_panic",
    "quit",
    "restart",
    "sccache",
    "show_deps",
    "t",
    "time_passes",
    "timing",
    "toolchain",
    "type",
    "types",
    "vars",
    "version",
];

/// Why a command has no effect in memit.
fn without_effect(name: &str, argument: &str) -> Option<&'static str> {
    match name {
        "sccache" => Some("the session keeps compiled dependencies without it"),
        "time_passes" => Some("rustc's times would go to the terminal of the kernel"),
        "preserve_vars_on_panic" => Some("a cell that panics changes no variable"),
        "restart" => {
            Some("no cell breaks the process of the session. `:clear` forgets variables and items")
        }
        "quit" | "q" | "exit" => Some("the front-end shuts the kernel down"),
        "linker" if argument == "mold" && !is_installed("mold") => {
            Some("there is no program `mold` on the `PATH`")
        }
        _ => None,
    }
}

/// What memit adds to the answer of a command.
fn introduction(name: &str) -> Option<&'static str> {
    match name {
        "help" => Some("`%lsmagic` lists the magics. The commands:"),
        "version" => Some(concat!(
            "memit ",
            env!("CARGO_PKG_VERSION"),
            ", with evcxr:"
        )),
        _ => None,
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Adapts the commands at the start of `source`. `current` is the level of optimisation so far.
///
/// # Errors
///
/// If there is no such command. The range of the error is a range of `source`.
pub(crate) fn adapted(source: &str, current: &str) -> Result<Adapted, MagicError> {
    let (commands, rust) = cell::split_commands(source);
    let mut adapted = String::new();
    let mut notes = Vec::new();
    let mut questions = Vec::new();
    let mut clears = false;
    let mut opt_level = None;
    for line in commands.split_inclusive('\n') {
        let Some(command) = Command::read(line) else {
            adapted.push_str(line);
            continue;
        };
        let name = &line[command.name.clone()];
        let argument = line[command.name.end..].trim();
        let without_effect = without_effect(name, argument);
        if !COMMANDS.contains(&name) && without_effect.is_none() {
            let start = adapted.len();
            let span = start + command.name.start - 1..start + command.name.end;
            return Err(unknown(name, span));
        }
        notes.extend(introduction(name).map(str::to_owned));
        let blank = || line.chars().map(|c| if c == '\n' { c } else { ' ' });
        if let Some(reason) = without_effect {
            let written = line.trim();
            notes.push(format!("`{written}` has no effect here: {reason}."));
            adapted.extend(blank());
        } else if let Some(question) = question(name, argument) {
            questions.push(question);
            adapted.extend(blank());
        } else if name == "clear" {
            clears = true;
            adapted.extend(blank());
        } else if name == "dep" {
            adapted.push_str(&with_hyphen(line));
        } else if name == "opt" {
            let of_line = adapted.len()..adapted.len() + line.trim_end().len();
            let level = optimisation(argument, opt_level.unwrap_or(current), of_line)?;
            notes.push(format!("Optimization: {level}"));
            opt_level = Some(level);
            adapted.extend(blank());
        } else {
            adapted.push_str(line);
        }
    }
    adapted.push_str(rust);
    Ok(Adapted {
        source: adapted,
        notes,
        questions,
        clears,
        opt_level,
    })
}

/// The source with blanks in place of the shell lines at its start, and these lines without their `!`.
pub(crate) fn without_shell_lines(source: &str) -> (String, Vec<String>) {
    let (commands, rust) = cell::split_commands(source);
    let mut blanked = String::new();
    let mut shell_lines = Vec::new();
    for line in commands.split_inclusive('\n') {
        if line.starts_with('!') {
            let shell_line = line.trim_start_matches('!').trim();
            shell_lines.push(shell_line.to_owned());
            let length = line.trim_end_matches('\n').len();
            blanked.push_str(&" ".repeat(length));
            blanked.push_str(&line[length..]);
        } else {
            blanked.push_str(line);
        }
    }
    blanked.push_str(rust);
    (blanked, shell_lines)
}

/// The level of optimisation that `:opt` asks for. Without an argument, `:opt` switches optimisation off
/// and on.
fn optimisation(
    argument: &str,
    current: &str,
    line: Range<usize>,
) -> Result<&'static str, MagicError> {
    let wanted = match argument {
        "" if current == OFF => RELEASE,
        "" => OFF,
        level => level,
    };
    OPT_LEVELS
        .into_iter()
        .find(|level| *level == wanted)
        .ok_or_else(|| {
            let message = format!("there is no level of optimisation `{wanted}`");
            let help = format!("the levels are {}", OPT_LEVELS.join(", "));
            MagicError::new(message, line).with_help(help)
        })
}

/// The levels of optimisation that cargo knows.
const OPT_LEVELS: [&str; 6] = [OFF, "1", "2", RELEASE, "s", "z"];
const OFF: &str = "0";

/// What a command asks about variables.
fn question(name: &str, argument: &str) -> Option<Question> {
    match name {
        "vars" => Some(Question::All),
        "t" | "type" if !argument.is_empty() => Some(Question::TypeOf(argument.to_owned())),
        _ => None,
    }
}

/// A command in its line.
struct Command {
    /// The name, without the colon.
    name: Range<usize>,
}

impl Command {
    fn read(line: &str) -> Option<Self> {
        let start = line.len() - line.trim_start().len();
        let rest = line[start..].strip_prefix(':')?;
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let name = start + 1..start + 1 + length;
        Some(Self { name })
    }
}

fn unknown(name: &str, span: Range<usize>) -> MagicError {
    let help = match nearest(name, COMMANDS.iter().copied()) {
        Some(near) => format!("did you mean `:{near}`? `:help` lists all commands"),
        None => "`:help` lists all commands".to_owned(),
    };
    MagicError::new(format!("there is no command `:{name}`"), span).with_help(help)
}

/// The key of cargo's manifest that older editions spell with an underscore. evcxr's edition does
/// not, but most notebooks do.
const UNDERSCORED: &str = "default_features";

/// Writes the key with a hyphen, except in strings.
fn with_hyphen(line: &str) -> String {
    let mut spelt = line.to_owned();
    for (at, _) in line.match_indices(UNDERSCORED) {
        let is_in_string = line[..at].matches('"').count() % 2 == 1;
        let rest = &line[at + UNDERSCORED.len()..];
        if !is_in_string && rest.trim_start().starts_with('=') {
            spelt.replace_range(at..at + UNDERSCORED.len(), "default-features");
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted(source: &str) -> Result<Adapted, MagicError> {
        super::adapted(source, "3")
    }

    #[test]
    fn the_level_of_optimisation_is_set_and_switched() {
        let level = |source: &str| adapted(source).unwrap().opt_level;
        assert_eq!(level(":dep a"), None);
        assert_eq!(level(":opt s\n1"), Some("s"));
        assert_eq!(level(":opt"), Some("0"));
        assert_eq!(level(":opt\n:opt"), Some("3"));
        let cell = adapted("\n :opt 1\n1").unwrap();
        assert_eq!(
            (&*cell.source, &*cell.notes),
            ("\n       \n1", &["Optimization: 1".to_owned()][..])
        );
        let error = adapted("1;\n").and(adapted(" :opt 4")).unwrap_err();
        assert_eq!(error.span, 0..7);
        assert_eq!(error.message, "there is no level of optimisation `4`");
    }

    #[test]
    fn a_command_without_an_effect_leaves_the_lines_around_it() {
        let source =
            "// slow\n:sccache 1\n:dep a\n  :time_passes\n:preserve_vars_on_panic 0\na::f()";
        let Adapted { source, notes, .. } = adapted(source).unwrap();
        insta::assert_snapshot!(source.replace(' ', "."), @r"
        //.slow
        ..........
        :dep.a
        ..............
        .........................
        a::f()
        ");
        insta::assert_snapshot!(notes.join("\n"), @"
        `:sccache 1` has no effect here: the session keeps compiled dependencies without it.
        `:time_passes` has no effect here: rustc's times would go to the terminal of the kernel.
        `:preserve_vars_on_panic 0` has no effect here: a cell that panics changes no variable.
        ");
    }

    #[test]
    fn commands_that_would_end_or_break_the_session_are_blanked() {
        let source = ":quit\n:exit\n:q\n:restart\n:version\n1";
        let Adapted { source, notes, .. } = adapted(source).unwrap();
        assert_eq!(source.trim(), ":version\n1");
        let version = env!("CARGO_PKG_VERSION");
        insta::assert_snapshot!(notes.join("\n").replace(version, "1"), @"
        `:quit` has no effect here: the front-end shuts the kernel down.
        `:exit` has no effect here: the front-end shuts the kernel down.
        `:q` has no effect here: the front-end shuts the kernel down.
        `:restart` has no effect here: no cell breaks the process of the session. `:clear` forgets variables and items.
        memit 1, with evcxr:
        ");
    }

    #[test]
    fn shell_lines_are_left_out() {
        let cell = "!ls -l\n:dep a\n!! wc é\nlet x = 1;\n!ready";
        let (source, lines) = without_shell_lines(cell);
        assert_eq!(lines, ["ls -l", "wc é"]);
        assert_eq!(source, "      \n:dep a\n        \nlet x = 1;\n!ready");
        assert_eq!(source.len(), cell.len());
    }

    #[test]
    fn the_kernel_clears_the_session_itself() {
        let cleared = adapted(":dep a\n  :clear\nlet x = 1;").unwrap();
        assert!(cleared.clears);
        assert_eq!(cleared.source, ":dep a\n        \nlet x = 1;");
        assert!(!adapted(":clear_cache").unwrap().clears);
    }

    #[test]
    fn the_key_of_a_dependency_is_spelt_as_cargo_wants_it() {
        let spelt = |source: &str| adapted(source).unwrap().source;
        for (written, expected) in [
            (
                ":dep a = { version = \"1\", default_features = false }",
                ":dep a = { version = \"1\", default-features = false }",
            ),
            (
                ":dep a={path=\".\",default_features=true,features=[\"x\"]}\n1",
                ":dep a={path=\".\",default-features=true,features=[\"x\"]}\n1",
            ),
            (
                ":dep a = { features = [\"default_features = x\"] }",
                ":dep a = { features = [\"default_features = x\"] }",
            ),
            ("let default_features = 1;", "let default_features = 1;"),
        ] {
            assert_eq!(spelt(written), expected);
        }
    }

    #[test]
    fn an_unknown_command_names_the_nearest_one() {
        let error = |source: &str| {
            let error = adapted(source).unwrap_err();
            format!(
                "{}: {}: {}",
                &source[error.span],
                error.message,
                error.help.unwrap()
            )
        };
        let errors = ["// x\n:deps itoa", ":dep a\n  :Vars", ":no_such_command\n1"].map(error);
        insta::assert_snapshot!(errors.join("\n"), @"
        :deps: there is no command `:deps`: did you mean `:dep`? `:help` lists all commands
        :Vars: there is no command `:Vars`: did you mean `:vars`? `:help` lists all commands
        :no_such_command: there is no command `:no_such_command`: `:help` lists all commands
        ");
        assert_eq!(
            adapted("::std::mem::size_of::<u8>()").unwrap().notes.len(),
            0
        );
    }
}
