//! The history: the cells of this session and of earlier sessions.

mod access;
mod database;
mod database_place;

pub(crate) use access::{Access, HistoryEntry};
pub(crate) use database_place::DatabasePlace;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::lifecycle::Alive;
use database::Database;

/// The longest wait for an answer. A home directory may be on a slow network disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// The history. A separate thread owns the database, so that no cell waits for a disk.
pub(crate) struct History {
    orders: Sender<Order>,
}

enum Order {
    Store { line: u32, source: String },
    LookUp(Access, Sender<Vec<HistoryEntry>>),
}

impl History {
    /// Opens the history at `place`. If that fails, logs a warning and keeps the cells of this
    /// session in memory. Holds `alive` until every cell has been written.
    pub(crate) fn open(place: DatabasePlace, alive: Alive) -> anyhow::Result<Self> {
        let (orders, received) = channel();
        thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                let _alive = alive;
                match open(place) {
                    Ok(database) => serve(database, &received),
                    Err(error) => tracing::error!("the history does not work: {error}"),
                }
            })
            .context("cannot start the history thread")?;
        Ok(Self { orders })
    }

    /// Stores cell number `line` of this session. Returns at once.
    pub(crate) fn store(&self, line: u32, source: &str) {
        let source = source.to_owned();
        // Fails if the thread has ended because it has no database; the thread has logged that.
        let _ = self.orders.send(Order::Store { line, source });
    }

    /// Finds cells, oldest first, including the cells that have just been stored.
    pub(crate) fn look_up(&self, access: Access) -> Vec<HistoryEntry> {
        let (answer, answered) = channel();
        let _ = self.orders.send(Order::LookUp(access, answer));
        answered.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            tracing::warn!("the history does not answer: {error}");
            Vec::new()
        })
    }
}

fn open(place: DatabasePlace) -> Result<Database, database::Error> {
    let Some(file) = place.file() else {
        return Database::in_memory();
    };
    Database::open(&file).or_else(|error| {
        tracing::warn!(
            "the history of this session is kept in memory only, because {} cannot be used: \
             {error}; repair or remove it, or turn the history off with MEMIT_HISTORY=off",
            file.display()
        );
        Database::in_memory()
    })
}

fn serve(mut database: Database, orders: &Receiver<Order>) {
    for order in orders {
        match order {
            Order::Store { line, source } => {
                if let Err(error) = database.store(line, &source) {
                    tracing::warn!("cannot write cell {line} to the history: {error}");
                }
            }
            Order::LookUp(access, answer) => {
                let found = database.look_up(&access).unwrap_or_else(|error| {
                    tracing::warn!("cannot read the history: {error}");
                    Vec::new()
                });
                // Fails if the client has stopped waiting.
                let _ = answer.send(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::lifecycle::alive;

    #[test]
    fn a_stored_cell_is_found_at_once_and_written_before_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("memit/history.sqlite");
        let (token, ended) = alive();
        let history = History::open(DatabasePlace::File(file.clone()), token).unwrap();
        history.store(1, "1 + 1");
        let tail = Access::Tail { n: 10 };
        assert_eq!(history.look_up(tail.clone())[0].source, "1 + 1");
        history.store(2, "2 + 2");
        drop(history);
        assert!(ended.wait(Duration::from_mins(1)));

        let found = Database::open(&file).unwrap().look_up(&tail).unwrap();
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_file_that_is_no_database_is_left_alone_and_memory_used() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("history.sqlite");
        std::fs::write(
            &file,
            "not a database, but longer than its header".repeat(100),
        )
        .unwrap();
        let before = std::fs::read(&file).unwrap();

        let (token, _ended) = alive();
        let history = History::open(DatabasePlace::File(file.clone()), token).unwrap();
        history.store(1, "1 + 1");
        assert_eq!(history.look_up(Access::Tail { n: 10 }).len(), 1);
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}
