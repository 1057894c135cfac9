//! The history in an SQLite database with the layout of IPython's.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::access::{Access, HistoryEntry};

/// How long to wait for another kernel that is writing.
const BUSY: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (
        session INTEGER PRIMARY KEY AUTOINCREMENT,
        start TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    -- rowid has the order in which cells ran, across all kernels.
    CREATE TABLE IF NOT EXISTS history (
        session INTEGER NOT NULL,
        line INTEGER NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (session, line)
    );";

/// Why the history cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The directory cannot be created.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The database fails.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// An open history.
pub(super) struct Database {
    connection: Connection,
    /// The number of this session. A session gets its number with its first cell, so that kernels
    /// which run nothing leave no session behind.
    session: Option<i64>,
}

impl Database {
    /// Opens the file; creates it and its directory if necessary.
    pub(super) fn open(file: &Path) -> Result<Self, Error> {
        if let Some(directory) = file.parent() {
            create_private(directory)?;
        }
        Self::with(Connection::open(file)?)
    }

    /// Creates a history that is never written to disk.
    pub(super) fn in_memory() -> Result<Self, Error> {
        Self::with(Connection::open_in_memory()?)
    }

    fn with(mut connection: Connection) -> Result<Self, Error> {
        connection.busy_timeout(BUSY)?;
        // Locks for writing, so that a read-only file fails here.
        let schema = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema.execute_batch(SCHEMA)?;
        schema.commit()?;
        Ok(Self {
            connection,
            session: None,
        })
    }

    /// Adds a cell to this session.
    pub(super) fn store(&mut self, line: u32, source: &str) -> Result<(), Error> {
        let writing = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let session = if let Some(session) = self.session {
            session
        } else {
            writing.execute("INSERT INTO sessions DEFAULT VALUES", [])?;
            writing.last_insert_rowid()
        };
        writing.execute(
            "INSERT INTO history (session, line, source) VALUES (?1, ?2, ?3)",
            params![session, line, source],
        )?;
        writing.commit()?;
        self.session = Some(session);
        Ok(())
    }

    /// Finds cells, oldest first.
    pub(super) fn look_up(&self, access: &Access) -> Result<Vec<HistoryEntry>, Error> {
        match access {
            Access::Tail { n } => self.tail(*n),
            Access::Range {
                session,
                start,
                stop,
            } => self.range(*session, *start, *stop),
            Access::Search { pattern, n, unique } => self.search(pattern, *n, *unique),
        }
    }

    fn tail(&self, n: u32) -> Result<Vec<HistoryEntry>, Error> {
        let found = self.entries(
            "SELECT session, line, source FROM history
             ORDER BY rowid DESC LIMIT ?1",
            params![n],
        )?;
        Ok(reversed(found))
    }

    fn range(
        &self,
        session: i64,
        start: i64,
        stop: Option<i64>,
    ) -> Result<Vec<HistoryEntry>, Error> {
        let session = if session > 0 {
            session
        } else {
            self.number()?.saturating_add(session)
        };
        let end: i64 = self.connection.query_row(
            "SELECT coalesce(max(line), 0) + 1 FROM history WHERE session = ?1",
            [session],
            |row| row.get(0),
        )?;
        let from_end = |line: i64| if line < 0 { line + end } else { line };
        self.entries(
            "SELECT session, line, source FROM history
             WHERE session = ?1 AND line >= ?2 AND line < ?3 ORDER BY line",
            params![session, from_end(start), stop.map_or(end, from_end)],
        )
    }

    fn search(
        &self,
        pattern: &str,
        n: Option<u32>,
        unique: bool,
    ) -> Result<Vec<HistoryEntry>, Error> {
        // SQLite gives brackets a meaning; in Rust code they are everywhere, so they are literal.
        let pattern = pattern.replace('[', "[[]");
        let sql = if unique {
            "SELECT session, line, source FROM history
             WHERE rowid IN (SELECT max(rowid) FROM history WHERE source GLOB ?1 GROUP BY source)
             ORDER BY rowid DESC LIMIT ?2"
        } else {
            "SELECT session, line, source FROM history WHERE source GLOB ?1
             ORDER BY rowid DESC LIMIT ?2"
        };
        let no_limit = -1;
        let found = self.entries(sql, params![pattern, n.map_or(no_limit, i64::from)])?;
        Ok(reversed(found))
    }

    /// The number of this session, or the number that its first cell will give it.
    fn number(&self) -> Result<i64, Error> {
        if let Some(session) = self.session {
            return Ok(session);
        }
        let next = "SELECT coalesce(max(session), 0) + 1 FROM sessions";
        Ok(self.connection.query_row(next, [], |row| row.get(0))?)
    }

    fn entries(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<HistoryEntry>, Error> {
        let mut statement = self.connection.prepare(sql)?;
        let entries = statement.query_map(params, entry)?;
        Ok(entries.collect::<Result<_, _>>()?)
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    Ok(HistoryEntry {
        session: row.get(0)?,
        line: row.get(1)?,
        source: row.get(2)?,
    })
}

fn reversed(mut entries: Vec<HistoryEntry>) -> Vec<HistoryEntry> {
    entries.reverse();
    entries
}

/// Creates a directory that only its owner can read, because cells may contain passwords.
fn create_private(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(directory) {
        // Another kernel has created the directory in the meantime.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two earlier sessions and the current one.
    fn database() -> Database {
        let mut database = Database::in_memory().unwrap();
        for sources in [
            &["let a = 1;", "vec![a]"][..],
            &["let b = 2;"],
            &["vec![a]", "b", "vec![a]"],
        ] {
            database.session = None;
            for (line, source) in (1..).zip(sources) {
                database.store(line, source).unwrap();
            }
        }
        database
    }

    fn found(database: &Database, access: serde_json::Value) -> Vec<String> {
        let access = serde_json::from_value(access).unwrap();
        let entries = database.look_up(&access).unwrap();
        let text =
            |entry: &HistoryEntry| format!("{}/{} {}", entry.session, entry.line, entry.source);
        entries.iter().map(text).collect()
    }

    macro_rules! assert_found {
        ($access:tt, $expected:expr) => {
            let access = serde_json::json!($access);
            assert_eq!(found(&database(), access.clone()), $expected, "{access}");
        };
    }

    #[test]
    fn the_tail_reaches_into_earlier_sessions() {
        assert_found!(
            {"hist_access_type": "tail", "n": 4},
            ["2/1 let b = 2;", "3/1 vec![a]", "3/2 b", "3/3 vec![a]"]
        );
        assert_found!({"hist_access_type": "tail", "n": 0}, [""; 0]);
    }

    #[test]
    fn a_range_is_of_one_session_by_its_number_or_relative() {
        let whole = ["1/1 let a = 1;", "1/2 vec![a]"];
        assert_found!({"hist_access_type": "range", "session": 1}, whole);
        assert_found!({"hist_access_type": "range", "session": -2, "stop": null}, whole);
        assert_found!({"hist_access_type": "range", "session": -1}, ["2/1 let b = 2;"]);
        assert_found!({"hist_access_type": "range", "start": 2, "stop": 3}, ["3/2 b"]);
        assert_found!({"hist_access_type": "range", "start": -2, "stop": -1}, ["3/2 b"]);
        assert_found!({"hist_access_type": "range", "session": 4}, [""; 0]);
        assert_found!({"hist_access_type": "range", "session": i64::MIN}, [""; 0]);
    }

    #[test]
    fn a_session_that_has_run_nothing_is_empty_and_follows_the_others() {
        let mut database = database();
        database.session = None;
        let range = |session| serde_json::json!({"hist_access_type": "range", "session": session});
        assert_eq!(found(&database, range(0)), [""; 0]);
        assert_eq!(found(&database, range(-2)), ["2/1 let b = 2;"]);
    }

    #[test]
    fn a_search_knows_two_wildcards_and_takes_brackets_literally() {
        assert_found!({"hist_access_type": "search", "pattern": "let ? = *"}, ["1/1 let a = 1;", "2/1 let b = 2;"]);
        assert_found!(
            {"hist_access_type": "search", "pattern": "*[a]", "n": 2},
            ["3/1 vec![a]", "3/3 vec![a]"]
        );
        assert_found!(
            {"hist_access_type": "search", "pattern": "vec!*", "unique": true},
            ["3/3 vec![a]"]
        );
        assert_found!(
            {"hist_access_type": "search", "unique": true, "n": 2},
            ["3/2 b", "3/3 vec![a]"]
        );
    }

    #[test]
    fn kernels_that_share_a_file_have_sessions_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("below/history.sqlite");
        let mut first = Database::open(&file).unwrap();
        let mut second = Database::open(&file).unwrap();
        first.store(1, "a").unwrap();
        second.store(1, "b").unwrap();
        first.store(2, "c").unwrap();
        let all = serde_json::json!({"hist_access_type": "tail"});
        assert_eq!(found(&second, all), ["1/1 a", "2/1 b", "1/2 c"]);
    }
}
