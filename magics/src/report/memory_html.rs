//! `%memit` as a card.

use maud::{Markup, html};

use super::{card, memory_text, notes, run_strips};
use crate::result::MemitResult;
use crate::units;

pub(super) fn html(result: &MemitResult) -> Markup {
    let figures = html! {
        (card::figure("peak memory", &units::mib_number(result.peak_memory), "MiB"))
        (card::figure("increment", &units::mib_number(result.increment), "MiB"))
    };
    card::card(
        &memory_text::summary(result),
        &html! {
            (card::headline(&figures))
            (run_strips::strips(&result.runs))
            (card::detail(&memory_text::heap(result)))
            (card::notes(&notes::of_memory(result)))
        },
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use memit_measurement::{MemoryMeasurement, MemoryRun, Source};

    use super::super::samples::{measured_memory, memit, run_of, vector_run};
    use super::*;

    #[test]
    fn three_runs() {
        let runs = vec![vector_run(), run_of(5_452_595, 99 << 20), vector_run()];
        assert_snapshot!(html(&memit(runs)).into_string());
    }

    #[test]
    fn nothing_in_one_run_in_place() {
        let result = MemitResult::from(MemoryMeasurement {
            isolated: false,
            threads: 5,
            source: Source::Sampled,
            ..measured_memory(vec![MemoryRun::default()])
        });
        assert_snapshot!(html(&result).into_string());
    }

    #[test]
    fn many_runs_are_summed_up() {
        let runs = (0..40).map(|run| run_of(5 << 20, run << 20)).collect();
        let card = html(&memit(runs)).into_string();
        assert!(card.contains("32 more runs: increments from 8.00 MiB to 39.00 MiB"));
        assert!(!card.contains("run 9"));
    }

    #[test]
    fn many_runs_that_agree_are_summed_up_in_one_figure() {
        let card = html(&memit(vec![vector_run(); 12])).into_string();
        assert!(card.contains("4 more runs: increment 100.00 MiB<"));
    }

    #[test]
    fn a_small_increment_beside_a_large_session_stays_visible() {
        let card = html(&memit(vec![run_of(4 << 30, 4_096)])).into_string();
        assert!(card.contains("width:0.0%;min-width:2px"));
    }
}
