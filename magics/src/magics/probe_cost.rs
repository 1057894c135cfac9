//! Subtracts the cost of probes from the times of lines.
//!
//! A run with probes takes longer than one without. Only a run without probes tells by how much. The
//! difference is divided among the lines that passed the probes: by hits if the time was sampled, by
//! clock readings if each probe read the clock. Together, the lines then take as long as they do
//! without probes.

use memit_lines::units::whole;
use memit_lines::{Clock, Kind, LineFigures, NoTotal, Total};
use memit_measurement::{LinesMeasurement, RunningAt, Timing, probes_of_lines};

/// A probe may take this many times what an empty loop of probes shows, when it keeps the compiler
/// from improving the loop around it. What a run takes beyond that is due to other programs.
const HIDDEN: f64 = 1.5;
/// As [`HIDDEN`], for a probe that reads the clock.
const HIDDEN_CLOCK: f64 = 2.0;

/// The measurement with the times of the lines without probes, as far as they are known. `plain_ns`
/// is the time of a run without probes.
pub(super) fn subtracted(
    mut measured: LinesMeasurement,
    plain_ns: Option<u64>,
) -> LinesMeasurement {
    let Some(timing) = measured.timing.take() else {
        return measured;
    };
    let Kind::Time { clock, .. } = measured.kind else {
        return measured;
    };
    measured.kind = match clock {
        Clock::Sampled { .. } => {
            let total = sampled(&mut measured, &timing, plain_ns);
            Kind::Time { clock, total }
        }
        Clock::Exact { too_short, .. } => {
            let (probe_ns, total) = exact(&mut measured, &timing, plain_ns);
            let clock = Clock::Exact {
                probe_ns,
                too_short,
            };
            Kind::Time { clock, total }
        }
    };
    measured
}

/// Sets the times of lines that were sampled.
fn sampled(measured: &mut LinesMeasurement, timing: &Timing, plain_ns: Option<u64>) -> Total {
    // Other programs make runs longer, never shorter, so the shortest run stands for all.
    let run_ns = measured.wall_ns as f64;
    let probes_ns = plain_ns.map_or(0.0, |plain| (run_ns - plain as f64).max(0.0));
    let costs = Costs::divided(measured, timing, run_ns, probes_ns);
    // What the probes cannot have taken is due to other programs: all lines took longer by it.
    let left = (run_ns - costs.sum()).max(1.0);
    let whole_ns = plain_ns.unwrap_or(measured.wall_ns) as f64;
    let scale = whole_ns / left;
    // If the probes take most of the time, the rest of a line is a small difference of large times. A
    // small difference between two runs may be chance. In both cases the sampled shares say more.
    let plain_part = whole_ns / run_ns.max(1.0);
    let probes_part = probes_ns / run_ns.max(1.0);
    let is_no_chance = ((probes_part - 0.05) / 0.25).clamp(0.0, 1.0);
    let trust = (2.0 * plain_part).min(1.0) * is_no_chance;
    for line in measured.functions.iter_mut().flat_map(|one| &mut one.lines) {
        line.figures.time_ns = 0;
    }
    let mut times: Vec<Vec<f64>> = measured
        .functions
        .iter()
        .map(|function| vec![0.0; function.lines.len()])
        .collect();
    for look in &timing.looks {
        let RunningAt { function, line } = look.at;
        if let Some(time) = times
            .get_mut(function)
            .and_then(|lines| lines.get_mut(line))
        {
            let subtracted = costs.kept(look.innermost) * scale;
            let part = trust * subtracted + (1.0 - trust) * plain_part;
            *time += look.part * run_ns * part;
        }
    }
    for (function, times) in measured.functions.iter_mut().zip(times) {
        for (line, time) in function.lines.iter_mut().zip(times) {
            line.figures.time_ns = whole(time);
        }
    }
    if let Some(plain_ns) = plain_ns {
        return Total::Compared {
            plain_ns,
            probes_ns: whole(probes_ns),
        };
    }
    let probes_ns = measured.probes_at_most(timing);
    if measured.is_negligible(probes_ns) {
        let probes_ns = whole(probes_ns);
        return Total::Bounded { probes_ns };
    }
    Total::Unknown {
        why: why(measured, timing),
    }
}

/// The time that the probes of each line take.
struct Costs {
    /// For each line of each function: the time in its own function, and the part of it that probes
    /// take.
    lines: Vec<Vec<(f64, f64)>>,
}

impl Costs {
    /// Divides `probes_ns` among the lines by the number of probes, but gives no line more than its
    /// time.
    fn divided(measured: &LinesMeasurement, timing: &Timing, run_ns: f64, probes_ns: f64) -> Self {
        let functions = measured.functions.iter();
        let mut own: Vec<Vec<(f64, f64)>> = functions
            .map(|function| {
                probes_of_lines(function)
                    .map(|weight| (0.0, weight))
                    .collect()
            })
            .collect();
        for look in timing.looks.iter().filter(|look| look.at == look.innermost) {
            let RunningAt { function, line } = look.at;
            if let Some(line) = own.get_mut(function).and_then(|lines| lines.get_mut(line)) {
                line.0 += look.part * run_ns;
            }
        }
        let cost = |each: f64| move |&(time, weight): &(f64, f64)| time.min(weight * each);
        let sum = |each: f64| -> f64 { own.iter().flatten().map(cost(each)).sum() };
        let (mut low, mut high) = (0.0, HIDDEN * timing.probe_ns.max(1.0));
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if sum(middle) < probes_ns {
                low = middle;
            } else {
                high = middle;
            }
        }
        let lines = own.iter().map(|lines| {
            let with_cost = |line: &(f64, f64)| (line.0, cost(low)(line));
            lines.iter().map(with_cost).collect()
        });
        Self {
            lines: lines.collect(),
        }
    }

    fn sum(&self) -> f64 {
        self.lines.iter().flatten().map(|(_, cost)| cost).sum()
    }

    /// The part of a line's time that probes do not take.
    fn kept(&self, at: RunningAt) -> f64 {
        let line = self
            .lines
            .get(at.function)
            .and_then(|lines| lines.get(at.line));
        match line {
            Some(&(time, cost)) if time > 0.0 => 1.0 - cost / time,
            _ => 1.0,
        }
    }
}

/// Sets the times of lines whose probes read the clock. Returns what was subtracted for each probe.
fn exact(measured: &mut LinesMeasurement, timing: &Timing, plain_ns: Option<u64>) -> (f64, Total) {
    let plain_ns = plain_ns.filter(|_| !timing.shared);
    let run_ns = measured.wall_ns as f64;
    let all_ns = plain_ns.map_or(timing.probe_ns * timing.probes as f64, |plain| {
        (run_ns - plain as f64).max(0.0)
    });
    let probe_ns = all_ns / (timing.probes as f64).max(1.0);
    let probe_ns = probe_ns.min(HIDDEN_CLOCK * timing.probe_ns.max(1.0));
    let left_ns = (run_ns - probe_ns * timing.probes as f64).max(1.0);
    let slower = plain_ns.map_or(1.0, |plain| plain as f64 / left_ns);
    let mut is_swamped = false;
    for function in &mut measured.functions {
        let left = |line: &LineFigures| {
            line.figures.time_ns as f64 - line.figures.allocations as f64 * probe_ns
        };
        let total: f64 = function.lines.iter().map(left).sum();
        let positive: f64 = function.lines.iter().map(|line| left(line).max(0.0)).sum();
        let most = plain_ns.map_or(f64::INFINITY, |plain| plain as f64);
        is_swamped |= function.calls > 0 && total <= 0.0;
        let scale = if total > 0.0 {
            (total * slower).min(most) / positive
        } else {
            1.0
        };
        for line in &mut function.lines {
            line.figures.time_ns = whole(left(line).max(0.0) * scale);
            // Probes are not allocations.
            line.figures.allocations = 0;
        }
    }
    let probes = whole(all_ns);
    let total = match plain_ns {
        _ if is_swamped => Total::Unknown {
            why: NoTotal::Clock,
        },
        Some(plain_ns) => Total::Compared {
            plain_ns,
            probes_ns: probes,
        },
        None if !timing.shared && measured.is_negligible(all_ns) => {
            Total::Bounded { probes_ns: probes }
        }
        None => Total::Unknown {
            why: why(measured, timing),
        },
    };
    (probe_ns, total)
}

fn why(measured: &LinesMeasurement, timing: &Timing) -> NoTotal {
    if !measured.isolated {
        NoTotal::InPlace
    } else if timing.shared && timing.probes > 0 {
        NoTotal::Threads
    } else {
        NoTotal::Failed
    }
}

#[cfg(test)]
mod tests {
    use memit_lines::{Backend, Figures, FunctionLines};
    use memit_measurement::Look;

    use super::*;

    /// A function with these hits, or these clock readings and times, of its lines.
    fn function(calls: u64, lines: &[(u64, u64)]) -> FunctionLines {
        let line = |(line, &(hits, time_ns)): (u32, &(u64, u64))| LineFigures {
            line,
            ends: false,
            figures: Figures {
                hits,
                allocations: hits,
                time_ns,
                ..Figures::default()
            },
        };
        FunctionLines {
            name: "f".to_owned(),
            file: String::new(),
            first: 1,
            backend: Backend::Heap,
            calls,
            depth: 1,
            running: None,
            lines: (2..).zip(lines).map(line).collect(),
        }
    }

    fn at(function: usize, line: usize) -> RunningAt {
        RunningAt { function, line }
    }

    fn look(of: RunningAt, innermost: RunningAt, part: f64) -> Look {
        Look {
            at: of,
            innermost,
            part,
        }
    }

    fn of_clock(
        clock: Clock,
        functions: Vec<FunctionLines>,
        run_ns: u64,
        looks: Vec<Look>,
    ) -> LinesMeasurement {
        let is_exact = matches!(clock, Clock::Exact { .. });
        let probes = functions.iter().flat_map(|function| &function.lines);
        let probes = probes.map(|line| line.figures.allocations).sum();
        LinesMeasurement {
            functions,
            kind: Kind::Time {
                clock,
                total: Total::Unknown {
                    why: NoTotal::InPlace,
                },
            },
            wall_ns: run_ns,
            isolated: true,
            threads: 1,
            threaded: false,
            outlasting: 0,
            failure: None,
            timing: Some(Timing {
                probe_ns: 2.0,
                probes: if is_exact { probes } else { 0 },
                shared: false,
                switched: false,
                looks,
            }),
        }
    }

    const SAMPLED: Clock = Clock::Sampled {
        interval_ns: 100_000,
        samples: 1_000,
        runs: 1,
        points: 1.9,
    };

    const EXACT: Clock = Clock::Exact {
        probe_ns: 2.0,
        too_short: false,
    };

    fn times(measured: &LinesMeasurement, function: usize) -> Vec<u64> {
        let lines = measured.functions[function].lines.iter();
        lines.map(|line| line.figures.time_ns).collect()
    }

    fn total(measured: &LinesMeasurement) -> Total {
        match measured.kind {
            Kind::Time { total, .. } => total,
            Kind::Memory { .. } => panic!("{measured:?}"),
        }
    }

    #[test]
    fn probes_of_a_loop_are_subtracted_from_the_loop_alone() {
        // A loop of 2 ms with probes of 3 ms, beside a line of 5 ms.
        let looks = vec![look(at(0, 0), at(0, 0), 0.5), look(at(0, 1), at(0, 1), 0.5)];
        let lines = [(2_000_000, 0), (1, 0)];
        let measured = of_clock(SAMPLED, vec![function(1, &lines)], 10_000_000, looks);
        assert!(measured.needs_plain_run());
        let measured = subtracted(measured, Some(7_000_000));
        let times = times(&measured, 0);
        assert!(times[0].abs_diff(2_000_000) < 50_000, "{times:?}");
        assert!(times[1].abs_diff(5_000_000) < 50_000, "{times:?}");
        let expected = Total::Compared {
            plain_ns: 7_000_000,
            probes_ns: 3_000_000,
        };
        assert_eq!(total(&measured), expected);
    }

    #[test]
    fn a_calling_line_loses_the_probes_of_the_called_function() {
        // All of the time is in the loop of a called function, whose probes take three quarters.
        let looks = vec![look(at(0, 0), at(1, 0), 1.0), look(at(1, 0), at(1, 0), 1.0)];
        let functions = vec![function(1, &[(1, 0)]), function(1, &[(2_000_000, 0)])];
        let measured = of_clock(SAMPLED, functions, 4_000_000, looks);
        let measured = subtracted(measured, Some(1_000_000));
        assert_eq!(times(&measured, 0), times(&measured, 1));
        assert!(times(&measured, 0)[0].abs_diff(1_000_000) < 10_000);
    }

    #[test]
    fn a_slower_machine_is_no_cost_of_probes() {
        // Ten probes cannot take 3 ms: another program made all lines slower.
        let looks = vec![look(at(0, 0), at(0, 0), 0.2), look(at(0, 1), at(0, 1), 0.8)];
        let lines = [(9, 0), (1, 0)];
        let measured = of_clock(SAMPLED, vec![function(1, &lines)], 10_000_000, looks);
        assert!(!measured.needs_plain_run());
        let measured = subtracted(measured, Some(7_000_000));
        let times = times(&measured, 0);
        assert!(times[0].abs_diff(1_400_000) < 1_000, "{times:?}");
        assert!(times[1].abs_diff(5_600_000) < 1_000, "{times:?}");
    }

    #[test]
    fn few_probes_need_no_comparison() {
        let looks = vec![look(at(0, 0), at(0, 0), 0.9)];
        let measured = of_clock(SAMPLED, vec![function(1, &[(996, 0)])], 10_000_000, looks);
        assert!(!measured.needs_plain_run());
        let measured = subtracted(measured, None);
        assert_eq!(times(&measured, 0), [9_000_000]);
        assert_eq!(total(&measured), Total::Bounded { probes_ns: 2_000 });
    }

    #[test]
    fn without_a_comparison_many_probes_leave_shares_alone() {
        let looks = vec![look(at(0, 0), at(0, 0), 1.0)];
        let mut measured = of_clock(
            SAMPLED,
            vec![function(1, &[(1_000_000, 0)])],
            5_000_000,
            looks,
        );
        measured.isolated = false;
        assert!(!measured.needs_plain_run());
        let why = NoTotal::InPlace;
        assert_eq!(
            total(&subtracted(measured.clone(), None)),
            Total::Unknown { why }
        );
        measured.isolated = true;
        let why = NoTotal::Failed;
        assert_eq!(total(&subtracted(measured, None)), Total::Unknown { why });
    }

    #[test]
    fn clock_readings_are_subtracted_by_their_number() {
        // 7.8 μs without probes, and 300 probes of 4 ns each.
        let lines = [(100, 2_500), (200, 6_500)];
        let measured = of_clock(EXACT, vec![function(1, &lines)], 9_000, Vec::new());
        assert!(measured.needs_plain_run());
        let measured = subtracted(measured, Some(7_800));
        assert_eq!(times(&measured, 0), [2_100, 5_700]);
        assert_eq!(measured.functions[0].lines[0].figures.allocations, 0);
        let Kind::Time { clock, .. } = measured.kind else {
            panic!("{measured:?}");
        };
        let probe_ns = 4.0;
        let too_short = false;
        assert_eq!(
            clock,
            Clock::Exact {
                probe_ns,
                too_short
            }
        );
    }

    #[test]
    fn lines_add_up_to_the_run_where_a_line_would_be_negative() {
        let lines = [(100, 300), (200, 1_700)];
        let measured = of_clock(EXACT, vec![function(1, &lines)], 2_000, Vec::new());
        let measured = subtracted(measured, Some(800));
        assert_eq!(times(&measured, 0), [0, 800]);
    }

    #[test]
    fn a_slower_machine_is_no_cost_of_clock_readings() {
        // 300 probes cannot take more than 1.2 μs: another program made all lines slower.
        let lines = [(100, 3_000), (200, 6_600)];
        let measured = of_clock(EXACT, vec![function(1, &lines)], 9_600, Vec::new());
        let measured = subtracted(measured, Some(4_200));
        assert_eq!(times(&measured, 0), [1_300, 2_900]);
    }

    #[test]
    fn threads_that_read_the_clock_have_no_total() {
        let mut measured = of_clock(EXACT, vec![function(2, &[(100, 5_000)])], 9_000, Vec::new());
        if let Some(timing) = &mut measured.timing {
            timing.shared = true;
        }
        assert!(!measured.needs_plain_run());
        let why = NoTotal::Threads;
        assert_eq!(
            total(&subtracted(measured.clone(), Some(3_000))),
            Total::Unknown { why }
        );
        // Not even the shares of a function whose clock readings took longer than the function.
        let lines = [(1_000, 900)];
        let measured = of_clock(EXACT, vec![function(1, &lines)], 9_000, Vec::new());
        let why = NoTotal::Clock;
        assert_eq!(
            total(&subtracted(measured, Some(3_000))),
            Total::Unknown { why }
        );
    }
}
