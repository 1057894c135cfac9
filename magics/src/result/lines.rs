//! The results of `%mprun` and `%lprun`.

use memit_lines::{
    Backend, Clock, Figures, Function, Kind, Line, NoTotal, Place, Profile, Stopped, Total,
};
use serde::Serialize;

use super::rust_value::RustValue;
use super::to_rust::ToRust;

/// The memory of functions line by line. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "magic", rename = "mprun")]
pub struct MprunResult {
    /// The measured profile, of [`Kind::Memory`].
    #[serde(flatten)]
    pub profile: Profile,
}

/// The time of functions line by line. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "magic", rename = "lprun")]
pub struct LprunResult {
    /// The measured profile, of [`Kind::Time`].
    #[serde(flatten)]
    pub profile: Profile,
}

impl MprunResult {
    /// This result as an `MprunResult` of `ProfiledFunction`s of `ProfiledLine`s, with the fields
    /// of the JSON; the fields of `kind` are fields of the result.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(&Value {
            profile: &self.profile,
            kind: MemoryKind::from(self.profile.kind),
        })
    }
}

impl LprunResult {
    /// This result as an `LprunResult` of `ProfiledFunction`s of `ProfiledLine`s, with the fields
    /// of the JSON; the fields of `kind`, of its clock and of its total are fields of the result, 0,
    /// `false` or `None` if the clock or the total has no such field.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(&Value {
            profile: &self.profile,
            kind: TimeKind::from(self.profile.kind),
        })
    }
}

/// A profile whose `kind` is replaced by the fields of the kind.
struct Value<'a, K> {
    profile: &'a Profile,
    kind: K,
}

#[derive(Default)]
struct MemoryKind {
    backend: Backend,
    children: bool,
    baseline: u64,
}

#[derive(Default)]
struct TimeKind {
    clock: &'static str,
    interval_ns: u64,
    samples: u64,
    runs: u32,
    points: f64,
    probe_ns: f64,
    too_short: bool,
    total: &'static str,
    plain_ns: u64,
    probes_ns: u64,
    why: Option<NoTotal>,
}

impl From<Kind> for MemoryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Memory {
                backend,
                children,
                baseline,
            } => Self {
                backend,
                children,
                baseline,
            },
            Kind::Time { .. } => Self::default(),
        }
    }
}

impl From<Kind> for TimeKind {
    fn from(kind: Kind) -> Self {
        let Kind::Time { clock, total } = kind else {
            return Self::default();
        };
        let mut fields = match clock {
            Clock::Sampled {
                interval_ns,
                samples,
                runs,
                points,
            } => Self {
                clock: "sampled",
                interval_ns,
                samples,
                runs,
                points,
                ..Self::default()
            },
            Clock::Exact {
                probe_ns,
                too_short,
            } => Self {
                clock: "exact",
                probe_ns,
                too_short,
                ..Self::default()
            },
        };
        match total {
            Total::Compared {
                plain_ns,
                probes_ns,
            } => {
                fields.total = "compared";
                fields.plain_ns = plain_ns;
                fields.probes_ns = probes_ns;
            }
            Total::Bounded { probes_ns } => {
                fields.total = "bounded";
                fields.probes_ns = probes_ns;
            }
            Total::Unknown { why } => {
                fields.total = "unknown";
                fields.why = Some(why);
            }
        }
        fields
    }
}

rust_struct! {
    Value<'_, MemoryKind> as "MprunResult" {} with profile, kind
}

rust_struct! {
    Value<'_, TimeKind> as "LprunResult" {} with profile, kind
}

rust_fields! {
    MemoryKind { backend, children, baseline }
}

rust_fields! {
    TimeKind {
        clock, interval_ns, samples, runs, points, probe_ns, too_short, total, plain_ns, probes_ns, why,
    }
}

rust_fields! {
    Profile { functions, wall_ns, isolated, threads, threaded, outlasting, stopped } without kind
}

rust_struct! {
    Function as "ProfiledFunction" {
        name, place, first, calls, lines, stopped_at,
    }
}

rust_struct! {
    Line as "ProfiledLine" { number, source, figures }
}

rust_struct! {
    Figures as "LineFigures" { hits, memory, increment, peak, allocations, time_ns }
}

impl ToRust for Place {
    fn rust_type() -> String {
        String::rust_type()
    }

    fn literal(&self) -> String {
        self.to_string().literal()
    }
}

impl ToRust for Stopped {
    fn rust_type() -> String {
        String::rust_type()
    }

    fn literal(&self) -> String {
        self.why.literal()
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust_value::tests::run_with;
    use super::*;

    fn profile(kind: Kind) -> Profile {
        let line = |number, source: &str, figures| Line {
            number,
            source: source.to_owned(),
            figures,
        };
        let figures = Figures {
            hits: 2,
            memory: -64,
            increment: i64::MIN,
            peak: u64::MAX,
            allocations: 3,
            time_ns: 1_500,
        };
        Profile {
            functions: vec![Function {
                name: "T::f".to_owned(),
                place: Place::Cell { number: 3 },
                first: 1,
                calls: 2,
                lines: vec![
                    line(1, "\tlet s = \"\\n{}é\u{301}\0\";", Some(figures)),
                    line(2, "}", None),
                ],
                stopped_at: Some(1),
            }],
            kind,
            wall_ns: 2_000,
            isolated: true,
            threads: 1,
            threaded: false,
            outlasting: 0,
            stopped: Some(Stopped {
                why: "interrupted".to_owned(),
            }),
        }
    }

    const MEMORY: Kind = Kind::Memory {
        backend: Backend::Rss,
        children: true,
        baseline: 5_000,
    };

    const EXACT: Clock = Clock::Exact {
        probe_ns: 7.5,
        too_short: false,
    };

    fn mprun() -> MprunResult {
        MprunResult {
            profile: profile(MEMORY),
        }
    }

    fn lprun(clock: Clock) -> LprunResult {
        LprunResult {
            profile: profile(Kind::Time {
                clock,
                total: Total::Bounded { probes_ns: 3 },
            }),
        }
    }

    #[test]
    fn json_has_the_magic_first_and_every_line() {
        let mut result = mprun();
        result.profile.functions[0].lines.remove(0);
        let json = serde_json::to_string(&result).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"magic":"mprun","functions":[{"name":"T::f","place":{"cell":{"number":3}},"#,
                r#""first":1,"calls":2,"lines":[{"number":2,"source":"}","figures":null}],"#,
                r#""stopped_at":1}],"kind":{"measured":"memory","backend":"rss","children":true,"#,
                r#""baseline":5000},"wall_ns":2000,"isolated":true,"threads":1,"threaded":false,"outlasting":0,"#,
                r#""stopped":{"why":"interrupted"}}"#
            )
        );
        let json = serde_json::to_value(lprun(EXACT)).unwrap();
        assert_eq!(json["magic"], "lprun");
        assert_eq!(json["kind"]["clock"]["probe_ns"], 7.5);
        assert_eq!(
            json["functions"][0]["lines"][0]["figures"]["time_ns"],
            1_500
        );
    }

    #[test]
    fn json_can_be_read_back() {
        let json = serde_json::to_string(&mprun()).unwrap();
        assert_eq!(
            serde_json::from_str::<Profile>(&json).unwrap(),
            mprun().profile
        );
    }

    #[test]
    fn a_program_can_read_memory_as_a_rust_value() {
        let printed = run_with(
            &mprun().rust_value(),
            "mprun",
            r#"let f = &r.functions[0];
            let figures = f.lines[0].figures.as_ref().unwrap();
            print!("{} {} {:?} {} ", f.name, f.place, f.stopped_at, f.lines[0].source);
            print!("{} {} {} ", figures.increment, figures.peak, f.lines[1].figures.is_none());
            print!("{} {} {:?}", r.backend, r.baseline, r.stopped)"#,
        );
        assert_eq!(
            printed,
            "T::f cell [3] Some(1) \tlet s = \"\\n{}é\u{301}\0\"; \
             -9223372036854775808 18446744073709551615 true rss 5000 Some(\"interrupted\")"
        );
    }

    #[test]
    fn a_program_can_read_time_as_a_rust_value() {
        let sampled = lprun(Clock::Sampled {
            interval_ns: 100_000,
            samples: 20,
            runs: 1,
            points: 1.9,
        });
        let printed = run_with(
            &sampled.rust_value(),
            "lprun",
            r#"let figures = r.functions[0].lines[0].figures.as_ref().unwrap();
            print!("{} {} {} {}", figures.time_ns, r.clock, r.interval_ns, r.samples)"#,
        );
        assert_eq!(printed, "1500 sampled 100000 20");
    }

    #[test]
    fn a_program_can_read_all_that_the_report_says() {
        let total = Total::Unknown {
            why: NoTotal::Threads,
        };
        let clock = Clock::Exact {
            probe_ns: 7.5,
            too_short: true,
        };
        let result = LprunResult {
            profile: profile(Kind::Time { clock, total }),
        };
        let remarks = ["a \"remark\"".to_owned(), "another".to_owned()];
        let printed = run_with(
            &result.rust_value().with_remarks(&remarks),
            "lprun-remarks",
            r#"print!("{} {:?} {} {:?}", r.total, r.why, r.too_short, r.remarks)"#,
        );
        assert_eq!(
            printed,
            r#"unknown Some("threads") true ["a \"remark\"", "another"]"#
        );
    }

    #[test]
    fn the_structs_are_the_same_for_every_result() {
        let mut empty = mprun();
        empty.profile.functions.clear();
        empty.profile.stopped = None;
        let empty = empty.rust_value();
        assert_eq!(mprun().rust_value().items, empty.items);
        assert_eq!(
            run_with(&empty, "mprun-empty", "print!(\"{}\", r.functions.len())"),
            "0"
        );
        let exact = lprun(EXACT).rust_value();
        let sampled = lprun(Clock::Sampled {
            interval_ns: 1,
            samples: 2,
            runs: 1,
            points: 1.9,
        });
        assert_eq!(sampled.rust_value().items, exact.items);
    }
}
