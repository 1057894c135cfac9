//! What the cells of the session have cost.

use memit_magics::report::{self, Report};
use memit_magics::result::{CellCost, CostsOrder, CostsResult};

use crate::session::io::{MimeBundle, Output, bundle};

/// The variable that asks for a line below each cell.
const VARIABLE: &str = "MEMIT_COSTS";

/// The costs of all cells, and whether they are shown below each cell.
#[derive(Debug)]
pub(crate) struct CostLog {
    cells: CostsResult,
    shows: bool,
}

impl CostLog {
    /// No cells yet. The environment says whether costs are shown.
    pub(crate) fn new() -> Self {
        let asked = std::env::var(VARIABLE).unwrap_or_default();
        Self {
            cells: CostsResult::default(),
            shows: !["", "0", "off"].contains(&asked.trim()),
        }
    }

    /// Shows a line below each cell from now on, or no longer.
    pub(crate) fn show(&mut self, shows: bool) {
        self.shows = shows;
    }

    /// Keeps the cost of a cell, and shows the cost if the user wants that.
    pub(crate) fn add(&mut self, cost: CellCost, output: &dyn Output) {
        if self.shows
            && let Some([text, html]) = report::cost_line(&cost)
        {
            let mut line = bundle::of_text(&text);
            line.insert("text/html".to_owned(), html.into());
            output.display(line);
        }
        self.cells.cells.push(cost);
    }

    /// Forgets all cells.
    pub(crate) fn forget(&mut self) {
        self.cells = CostsResult::default();
    }

    /// The cost of the last cell.
    pub(crate) fn last(&self) -> Option<&CellCost> {
        self.cells.cells.last()
    }

    /// The costs of all cells.
    pub(crate) fn cells(&self) -> &CostsResult {
        &self.cells
    }

    /// A table of all cells.
    pub(crate) fn table(&self, order: CostsOrder) -> MimeBundle {
        let report = Report::of(&self.cells, order);
        bundle::of_report(&report, &report.text, true)
    }
}
