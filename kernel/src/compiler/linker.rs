//! Links cells by lld, without the programs that stand between rustc and lld.
//!
//! rustc starts the C compiler, which starts `collect2`, which starts a wrapper of lld, which starts lld. Only
//! the C compiler knows where the libraries of the system are and which objects a library starts and ends with,
//! so it is asked once for a session. If the user has chosen a linker or arguments for the linker, or if the C
//! compiler can link what lld alone cannot, the C compiler links.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::{Deserialize, Serialize};

use super::value_of;

/// Where rustc itself links by lld, through the C compiler.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The name under which rustc starts the C compiler.
const C_COMPILER: &str = "cc";

/// The objects around the code of a shared library.
const OBJECTS: [&str; 4] = ["crti.o", "crtbeginS.o", "crtendS.o", "crtn.o"];

/// What the C compiler adds on its own.
const ADDED: [&str; 4] = ["-m", "elf_x86_64", "--build-id", "--hash-style=gnu"];

/// The file, in the directory of the session, for what has been found out.
const FILE: &str = "linker.json";

/// How rustc says that the linker has failed.
const FAILED: &str = "linking with `";

/// lld, and what it has to be told.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Linker {
    program: PathBuf,
    arguments: Vec<String>,
}

/// What has been found out for a compiler.
#[derive(Serialize, Deserialize)]
struct Known {
    rustc: PathBuf,
    linker: Option<Linker>,
}

impl Linker {
    /// The linker for a cell that rustc compiles with these arguments. `None` if the C compiler is to link.
    pub(super) fn of(session: &Path, rustc: &OsStr, arguments: &[String]) -> Option<Self> {
        let is_ours = value_of(arguments, "--target") == Some(TARGET);
        if !is_ours || arguments.iter().any(|argument| is_about_linking(argument)) {
            return None;
        }
        let rustc = Path::new(rustc);
        let known = fs::read(session.join(FILE)).ok();
        let known = known.and_then(|known| serde_json::from_slice::<Known>(&known).ok());
        if let Some(known) = known.filter(|known| known.rustc == rustc) {
            return known.linker;
        }
        let rustc = rustc.to_owned();
        let linker = Self::found(&rustc);
        let known = Known { rustc, linker };
        // Without the file, the next cell asks again.
        let _ = known.write(session);
        known.linker
    }

    /// Asks the C compiler.
    fn found(rustc: &Path) -> Option<Self> {
        let programs = rustc
            .parent()?
            .parent()?
            .join("lib/rustlib")
            .join(TARGET)
            .join("bin");
        let program = programs.join("rust-lld");
        // rustc links by lld if these files exist.
        if !program.exists() || !programs.join("gcc-ld/ld.lld").exists() {
            return None;
        }
        let ask = |question: &str| {
            let mut command = Command::new(C_COMPILER);
            command
                .arg(question)
                .stdin(Stdio::null())
                .stderr(Stdio::null());
            command.stdout(Stdio::piped()).spawn().ok()
        };
        let directories = ask("-print-search-dirs");
        let objects = OBJECTS.map(|object| ask(&format!("-print-file-name={object}")));
        let answer = |asked: Option<std::process::Child>| {
            let output = asked?.wait_with_output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            output.status.success().then_some(text)
        };
        let mut arguments = ADDED.map(str::to_owned).to_vec();
        for directory in search_directories(&answer(directories)?)? {
            if Path::new(directory).is_dir() {
                arguments.push(format!("-L{directory}"));
            }
        }
        for object in objects {
            let path = answer(object)?.trim_end().to_owned();
            // The C compiler answers with the bare name if there is no such file.
            if !Path::new(&path).is_file() {
                return None;
            }
            arguments.push(path);
        }
        Some(Self { program, arguments })
    }

    /// The arguments with which rustc links by lld what it would link with `arguments` by the C compiler.
    pub(super) fn arguments(&self, arguments: &[String]) -> Vec<String> {
        let mut translated: Vec<_> = arguments.iter().flat_map(|each| direct(each)).collect();
        translated.push("-Clinker-flavor=ld.lld".to_owned());
        translated.push(format!("-Clinker={}", self.program.display()));
        translated.extend(self.arguments.iter().map(|each| link_argument(each)));
        translated
    }

    /// Whether this output of rustc says that the linker has failed.
    pub(super) fn has_failed(output: &Output) -> bool {
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains(FAILED)
    }

    /// Lets the C compiler link all cells of the session from now on.
    pub(super) fn give_up(session: &Path, rustc: &OsStr) -> io::Result<()> {
        let known = Known {
            rustc: rustc.into(),
            linker: None,
        };
        known.write(session)
    }
}

impl Known {
    fn write(&self, session: &Path) -> io::Result<()> {
        fs::write(session.join(FILE), serde_json::to_vec(self)?)
    }
}

/// Whether the user, or a build script, has an argument for the linker.
fn is_about_linking(argument: &str) -> bool {
    let option = argument
        .trim_start_matches("--codegen=")
        .trim_start_matches("-C");
    option.starts_with("link") || argument.contains("crt-static")
}

/// An argument of rustc, with what the C compiler would take apart for the linker.
fn direct(argument: &str) -> Vec<String> {
    match argument.strip_prefix("-Clink-arg=-Wl,") {
        Some(several) => several.split(',').map(link_argument).collect(),
        None => vec![argument.to_owned()],
    }
}

fn link_argument(argument: &str) -> String {
    format!("-Clink-arg={argument}")
}

/// The directories in the answer of the C compiler: `libraries: =/usr/lib:/lib`.
fn search_directories(answer: &str) -> Option<impl Iterator<Item = &str>> {
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("libraries: ="))?;
    Some(line.split(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_about_linking_are_left_to_the_c_compiler() {
        for argument in [
            "link-arg=-s",
            "-Clinker=clang",
            "--codegen=link-args=-s",
            "linker-plugin-lto",
        ] {
            assert!(is_about_linking(argument), "{argument}");
        }
        assert!(is_about_linking("target-feature=+crt-static"));
        for argument in [
            "--emit=dep-info,link",
            "-C",
            "opt-level=3",
            "rpath",
            "-llink",
            "/tmp/link.rs",
        ] {
            assert!(!is_about_linking(argument), "{argument}");
        }
    }

    #[test]
    fn what_the_c_compiler_would_take_apart_is_taken_apart() {
        let linker = Linker {
            program: "/lld".into(),
            arguments: vec!["-L/lib".to_owned(), "/lib/crti.o".to_owned()],
        };
        let arguments = ["-O", "-Clink-arg=-Wl,-rpath,/a b"].map(str::to_owned);
        assert_eq!(
            linker.arguments(&arguments).join(" "),
            "-O -Clink-arg=-rpath -Clink-arg=/a b -Clinker-flavor=ld.lld -Clinker=/lld -Clink-arg=-L/lib \
             -Clink-arg=/lib/crti.o"
        );
    }

    #[test]
    fn the_search_directories_are_those_of_libraries() {
        let answer =
            "install: /usr/lib/gcc/\nprograms: =/usr/bin:/bin\nlibraries: =/usr/lib:/lib\n";
        assert_eq!(
            search_directories(answer).unwrap().collect::<Vec<_>>(),
            ["/usr/lib", "/lib"]
        );
        assert!(search_directories("").is_none());
    }
}
