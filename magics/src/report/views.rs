//! The views of each magic's result.

use maud::Markup;
use memit_lines::{TimeText, units};

use super::{
    Views, costs_html, costs_text, lines_text, lprun_html, memory_html, memory_text, mprof_html,
    mprof_text, mprun_html, once_html, once_text, time_html, time_text, whos_html, whos_text,
};
use crate::result::{
    CostsOrder, CostsResult, LprunResult, MemitResult, MprofResult, MprunResult, TimeResult,
    TimeitResult, WhosOrder, WhosResult,
};

impl Views for MemitResult {
    const NAME: &'static str = "MemitResult";
    type Options<'a> = ();

    fn text(&self, (): ()) -> String {
        memory_text::text(self)
    }

    fn html(&self, (): ()) -> Markup {
        memory_html::html(self)
    }

    fn summary(&self) -> String {
        memory_text::summary(self)
    }
}

impl Views for TimeitResult {
    const NAME: &'static str = "TimeitResult";
    type Options<'a> = ();

    fn text(&self, (): ()) -> String {
        time_text::text(self)
    }

    fn html(&self, (): ()) -> Markup {
        time_html::html(self)
    }

    fn summary(&self) -> String {
        time_text::summary(self)
    }
}

impl Views for TimeResult {
    const NAME: &'static str = "TimeResult";
    type Options<'a> = ();

    fn text(&self, (): ()) -> String {
        once_text::text(self)
    }

    fn html(&self, (): ()) -> Markup {
        once_html::html(self)
    }

    fn summary(&self) -> String {
        once_text::times(self)
    }
}

/// The option is the order of the table.
impl Views for CostsResult {
    const NAME: &'static str = "CostsResult";
    type Options<'a> = CostsOrder;

    fn text(&self, order: CostsOrder) -> String {
        costs_text::table(self, order)
    }

    fn html(&self, order: CostsOrder) -> Markup {
        costs_html::table(self, order)
    }

    fn summary(&self) -> String {
        units::counted(&self.cells.len().to_string(), "cell")
    }
}

/// The option is the order of the table.
impl Views for WhosResult {
    const NAME: &'static str = "WhosResult";
    type Options<'a> = WhosOrder;

    fn text(&self, order: WhosOrder) -> String {
        whos_text::table(self, order)
    }

    fn html(&self, order: WhosOrder) -> Markup {
        whos_html::table(self, order)
    }

    fn summary(&self) -> String {
        whos_text::summary(self)
    }
}

/// With a precision, sizes are in MiB with that many decimals; without one, in the unit that fits.
impl Views for MprunResult {
    const NAME: &'static str = "MprunResult";
    type Options<'a> = Option<usize>;

    fn text(&self, precision: Option<usize>) -> String {
        lines_text::mprun(self, precision)
    }

    fn html(&self, precision: Option<usize>) -> Markup {
        mprun_html::html(self, precision)
    }

    fn summary(&self) -> String {
        lines_text::memory_summary(&self.profile)
    }
}

impl Views for LprunResult {
    const NAME: &'static str = "LprunResult";
    type Options<'a> = &'a TimeText;

    fn text(&self, view: &TimeText) -> String {
        lines_text::lprun(self, view)
    }

    fn html(&self, view: &TimeText) -> Markup {
        lprun_html::html(self, view)
    }

    fn summary(&self) -> String {
        lines_text::time_summary(&self.profile)
    }
}

/// The option is the title of the chart.
impl Views for MprofResult {
    const NAME: &'static str = "MprofResult";
    type Options<'a> = Option<&'a str>;

    fn text(&self, title: Option<&str>) -> String {
        mprof_text::text(self, title)
    }

    fn html(&self, title: Option<&str>) -> Markup {
        mprof_html::html(self, title)
    }

    fn summary(&self) -> String {
        mprof_text::summary(self)
    }
}
