//! What the cells of a session have cost.

use serde::Serialize;

/// What a cell has cost. Times are in nanoseconds and sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CellCost {
    /// The number that front-ends show for the cell.
    pub cell: u64,
    /// Whether the cell succeeded.
    pub succeeded: bool,
    /// Wall-clock time from the request to the end.
    pub wall_ns: u64,
    /// Time to compile; absent if the cell ended early.
    pub compile_ns: Option<u64>,
    /// Wall-clock time that the code of the cell ran; absent if the cell ended early.
    pub run_ns: Option<u64>,
    /// Processor time of all threads in user mode while the code ran.
    pub user_ns: u64,
    /// Processor time of all threads in the system while the code ran.
    pub system_ns: u64,
    /// Highest resident set size while the code ran; absent where the system does not tell.
    pub peak_memory: Option<u64>,
    /// Growth of the resident set size while the code ran.
    pub increment: Option<u64>,
    /// Heap that the session holds more afterwards, to within what the allocator keeps ready for each thread;
    /// absent where the allocator does not tell. Negative if the cell freed memory of the session.
    pub session_change: Option<i64>,
    /// The first line of the cell.
    pub source: String,
}

/// The cells of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "magic", rename = "costs")]
pub struct CostsResult {
    /// The cells, in the order in which they ran.
    pub cells: Vec<CellCost>,
}

/// The order of a table of costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CostsOrder {
    /// As the cells ran.
    #[default]
    Cell,
    /// The highest peak first.
    Peak,
    /// The longest time to compile and to run first.
    Time,
    /// What the session holds most of first.
    Held,
}

impl CostsOrder {
    /// The order with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "cell" => Some(Self::Cell),
            "peak" => Some(Self::Peak),
            "time" => Some(Self::Time),
            "held" => Some(Self::Held),
            _ => None,
        }
    }
}

impl CostsResult {
    /// The cells in this order.
    pub fn ordered(&self, order: CostsOrder) -> Vec<&CellCost> {
        let mut cells: Vec<_> = self.cells.iter().collect();
        match order {
            CostsOrder::Cell => {}
            CostsOrder::Peak => cells.sort_by_key(|cell| std::cmp::Reverse(cell.peak_memory)),
            CostsOrder::Time => cells.sort_by_key(|cell| std::cmp::Reverse(cell.wall_ns)),
            CostsOrder::Held => cells.sort_by_key(|cell| std::cmp::Reverse(cell.session_change)),
        }
        cells
    }
}
