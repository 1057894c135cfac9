//! A measurement of `%mprof` as a chart.

use memit_measurement::TimelineMeasurement;

use super::{Chart, Functions, Options};
use crate::mprof_file::Profile;

impl Chart {
    /// The resident memory and the heap of a run, with its phases. `None` if the run ended before
    /// the first sample.
    pub fn of_timeline(measured: &TimelineMeasurement, title: Option<&str>) -> Option<Self> {
        let label = if measured.children {
            "RSS with children"
        } else {
            "RSS"
        };
        let options = Options {
            title: title.map(str::to_owned),
            functions: Functions::Both,
            whole_names: true,
            ..Options::default()
        };
        let profile = Profile::from(measured);
        if profile.samples.is_empty() {
            return None;
        }
        Self::new(&[(label.to_owned(), &profile)], &options).ok()
    }
}
