//! The runtime of cells that `.await`.
//!
//! From the first `.await` of a session on, evcxr runs every cell within tokio's `block_on`, on one
//! runtime in the store. That runtime is for the copy of tokio that all cells share: another copy does
//! not find its threads and its clock, and would wait for ever. If each cell is linked with a copy of
//! tokio, a cell that awaits gets a runtime of its own, which lives as long as the session. A cell that
//! does not await runs outside of `block_on`, so that the user's own `block_on` works. Such a cell only
//! enters the shared runtime, so that its `tokio::spawn` works, too.

use memit_magics::cell::syntax::Statements;

use super::CELL_FUNCTION;

/// How evcxr's code starts.
const START: &str = "let mut mutex =\nevcxr_variable_store.lazy_arc(";
const RUNTIME: &str = "\"evcxr_tokio_runtime\"";
const OPEN: &str = ".block_on(async {";
/// What takes the runtime, which has a lock.
const TAKE: &str = "match\nmutex.lock()";
/// The end of evcxr's code, and of the part of the cell that can panic.
const CLOSE: &str = "\n});\n})) {";

/// The crate with the runtime.
pub(crate) const CRATE: &str = "tokio";

/// Gives the cell the runtime of the copy of tokio that all cells share, which has the number `shared`,
/// or one of its own, or none; `None` if evcxr's code has no runtime.
pub(super) fn of_the_cell(source: &str, shared: Option<u64>) -> Option<String> {
    let name = format!("fn {CELL_FUNCTION}");
    let function = source.rfind(&name)?;
    let start = function + source[function..].find(START)?;
    let open = start + source[start..].find(OPEN)?;
    let statements = open + OPEN.len();
    let close = source.rfind(CLOSE).filter(|close| *close >= statements)?;
    let users = &source[statements..close];
    let runtime = |own: &str| source[start..open].replacen(RUNTIME, own, 1);
    let shared = shared.map(|number| runtime(&format!("\"evcxr_tokio_runtime_of_{number:016x}\"")));
    if Statements::parse(users).awaits() {
        let cell = source[function + name.len()..].split('(').next()?;
        let code = shared.unwrap_or_else(|| runtime(&format!("\"evcxr_tokio_runtime_{cell}\"")));
        return Some([&source[..start], &code, &source[open..]].concat());
    }
    let entered = match shared.as_deref().and_then(|code| code.split_once(TAKE)) {
        Some((before, after)) => format!(
            "{before}let memit_runtime = {TAKE}{after}.handle().clone();\
             let _memit_entered = memit_runtime.enter();"
        ),
        None => "\n".repeat(source[start..statements].matches('\n').count()),
    };
    let after = &source[close + "\n});".len()..];
    let parts = [
        &source[..start],
        &entered,
        "let _ = (|| {",
        users,
        "\n})();",
        after,
    ];
    Some(parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(users: &str) -> String {
        format!(
            "pub extern \"C\" fn run_user_code_12(\n  std::panic::AssertUnwindSafe(||{{\nlet mut mutex =\n\
             evcxr_variable_store.lazy_arc(\"evcxr_tokio_runtime\", ||\nnew()); match\nmutex.lock() {{ }}\n\
             .block_on(async {{\n{users}\nOk::<(), EvcxrUserCodeError>(())\n}});\n}})) {{ \n"
        )
    }

    #[test]
    fn cells_that_await_share_a_runtime_if_they_share_tokio() {
        let source = cell("f().await;");
        let own = source.replace("_runtime\"", "_runtime_12\"");
        assert_eq!(of_the_cell(&source, None), Some(own));
        let shared = source.replace("_runtime\"", "_runtime_of_0000000000000007\"");
        assert_eq!(of_the_cell(&source, Some(7)), Some(shared));
    }

    #[test]
    fn a_cell_that_does_not_await_has_none_around_it() {
        let source = cell("runtime.block_on(async { f().await });");
        let plain = of_the_cell(&source, None).unwrap();
        assert_eq!(plain.lines().count(), source.lines().count());
        insta::assert_snapshot!(plain.replace("\n\n\n\n\n", "\n"), @r#"
        pub extern "C" fn run_user_code_12(
          std::panic::AssertUnwindSafe(||{
        let _ = (|| {
        runtime.block_on(async { f().await });
        Ok::<(), EvcxrUserCodeError>(())
        })();
        })) {
        "#);
        assert_eq!(of_the_cell("fn run_user_code_1() {}", None), None);
    }

    #[test]
    fn a_cell_that_does_not_await_enters_a_runtime_that_is_shared() {
        let source = cell("tokio::spawn(async { f().await });");
        let entered = of_the_cell(&source, Some(7)).unwrap();
        assert_eq!(entered.lines().count(), source.lines().count());
        insta::assert_snapshot!(entered, @r#"
        pub extern "C" fn run_user_code_12(
          std::panic::AssertUnwindSafe(||{
        let mut mutex =
        evcxr_variable_store.lazy_arc("evcxr_tokio_runtime_of_0000000000000007", ||
        new()); let memit_runtime = match
        mutex.lock() { }
        .handle().clone();let _memit_entered = memit_runtime.enter();let _ = (|| {
        tokio::spawn(async { f().await });
        Ok::<(), EvcxrUserCodeError>(())
        })();
        })) {
        "#);
    }
}
