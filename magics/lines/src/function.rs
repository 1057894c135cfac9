//! Functions line by line, with the figures of each line.

use std::fmt;

/// A function and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Function {
    /// The name, with the type or module before it: `Julia::step`.
    pub name: String,
    /// Where the user wrote the function.
    pub place: Place,
    /// Number of the first line listed.
    pub first: u32,
    /// How often the function was called.
    pub calls: u64,
    /// Every line from the signature to the closing brace.
    pub lines: Vec<Line>,
    /// The line that was running when the run stopped early.
    pub stopped_at: Option<u32>,
}

/// Where the user wrote a function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Place {
    /// In a cell of a notebook.
    Cell {
        /// The execution count of the cell.
        number: usize,
    },
    /// In a file, by its path.
    File(String),
    /// The place is not known.
    Unknown,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cell { number } => write!(out, "cell [{number}]"),
            Self::File(path) => out.write_str(path),
            Self::Unknown => out.write_str("unknown place"),
        }
    }
}

/// A line of source, as written, without the line break.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Line {
    /// Number in the cell or file, from 1.
    pub number: u32,
    /// The text, tabs included.
    pub source: String,
    /// Absent for a line that runs nothing of its own: a comment, a blank line, the rest of a statement.
    pub figures: Option<Figures>,
}

/// The figures of a line, over all its executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Figures {
    /// Executions. A closing brace, where variables are dropped, has figures and 0 executions.
    pub hits: u64,
    /// Memory after the last execution: for the heap, above the start of the run; for the process, the
    /// whole.
    pub memory: i64,
    /// Growth of memory in the line, summed over its executions; negative if memory shrank.
    pub increment: i64,
    /// Highest memory above the start of the line, in any of its executions.
    pub peak: u64,
    /// Allocations.
    pub allocations: u64,
    /// Time, summed over all executions.
    pub time_ns: u64,
}

impl Line {
    /// The figures, if anything ran on this line.
    pub fn active(&self) -> Option<&Figures> {
        self.figures.as_ref().filter(|figures| figures.any())
    }
}

impl Figures {
    fn any(&self) -> bool {
        let Self {
            hits,
            // Meaningless for a line that never ran.
            memory: _,
            increment,
            peak,
            allocations,
            time_ns,
        } = *self;
        hits > 0 || increment != 0 || peak > 0 || allocations > 0 || time_ns > 0
    }

    /// Mean time of an execution in nanoseconds; `None` without executions.
    pub fn ns_per_hit(&self) -> Option<f64> {
        (self.hits > 0).then(|| self.time_ns as f64 / self.hits as f64)
    }

    /// Share of a `total` of nanoseconds, in percent; `None` if `total` is 0.
    pub fn percent_of(&self, total: u64) -> Option<f64> {
        (total > 0).then(|| 100.0 * self.time_ns as f64 / total as f64)
    }
}

impl Function {
    /// The figures of all lines that have figures.
    pub fn figures(&self) -> impl Iterator<Item = &Figures> {
        self.lines.iter().filter_map(|line| line.figures.as_ref())
    }

    /// Growth of memory in all lines together, in bytes.
    pub fn increment(&self) -> i64 {
        self.figures()
            .fold(0, |sum, figures| sum.saturating_add(figures.increment))
    }

    /// Highest peak of a line, in bytes above the start of that line.
    pub fn peak(&self) -> u64 {
        self.figures()
            .map(|figures| figures.peak)
            .max()
            .unwrap_or_default()
    }

    /// Allocations of all lines together.
    pub fn allocations(&self) -> u64 {
        self.figures()
            .fold(0, |sum, figures| sum.saturating_add(figures.allocations))
    }

    /// Time of all lines together, in nanoseconds.
    pub fn time_ns(&self) -> u64 {
        self.figures()
            .fold(0, |sum, figures| sum.saturating_add(figures.time_ns))
    }

    /// The line that took most memory, by increment or peak, whichever is more. Of equal lines, the one
    /// with the greater increment, then the first. `None` if no line took memory.
    pub fn hottest_by_memory(&self) -> Option<&Line> {
        self.hottest(|figures| {
            let left_behind = u64::try_from(figures.increment).unwrap_or_default();
            (left_behind.max(figures.peak), left_behind)
        })
    }

    /// The line that took most time; of equal lines, the first. `None` if no line took time.
    pub fn hottest_by_time(&self) -> Option<&Line> {
        self.hottest(|figures| (figures.time_ns, 0))
    }

    fn hottest(&self, heat: impl Fn(&Figures) -> (u64, u64)) -> Option<&Line> {
        self.lines
            .iter()
            .rev()
            .filter_map(|line| Some((line, heat(line.figures.as_ref()?))))
            .filter(|&(_, (heat, _))| heat > 0)
            .max_by_key(|&(_, heat)| heat)
            .map(|(line, _)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(figures: &[Figures]) -> Function {
        let lines = (1..).zip(figures).map(|(number, figures)| Line {
            number,
            source: String::new(),
            figures: Some(*figures),
        });
        Function {
            name: "f".to_owned(),
            place: Place::Unknown,
            first: 1,
            calls: 1,
            lines: lines.collect(),
            stopped_at: None,
        }
    }

    fn memory(increment: i64, peak: u64) -> Figures {
        Figures {
            hits: 1,
            increment,
            peak,
            ..Figures::default()
        }
    }

    fn number_of_hottest(figures: &[Figures]) -> Option<u32> {
        function(figures)
            .hottest_by_memory()
            .map(|line| line.number)
    }

    #[test]
    fn a_function_is_the_sum_of_its_lines() {
        let f = function(&[memory(100, 150), memory(-30, 0), memory(0, 200)]);
        assert_eq!(f.increment(), 70);
        assert_eq!(f.peak(), 200);
        let none = function(&[]);
        assert_eq!((none.increment(), none.peak(), none.time_ns()), (0, 0, 0));
    }

    #[test]
    fn sums_stop_at_what_a_number_holds() {
        let huge = Figures {
            increment: i64::MAX,
            time_ns: u64::MAX,
            allocations: u64::MAX,
            ..Figures::default()
        };
        let f = function(&[huge, huge]);
        assert_eq!(f.increment(), i64::MAX);
        assert_eq!((f.time_ns(), f.allocations()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn the_hottest_line_grew_most_or_peaked_highest() {
        assert_eq!(
            number_of_hottest(&[memory(100, 100), memory(0, 200)]),
            Some(2)
        );
        assert_eq!(
            number_of_hottest(&[memory(0, 100), memory(100, 100)]),
            Some(2)
        );
        assert_eq!(number_of_hottest(&[memory(9, 9), memory(9, 9)]), Some(1));
        assert_eq!(number_of_hottest(&[memory(-100, 0), memory(0, 0)]), None);
        assert_eq!(number_of_hottest(&[]), None);
    }

    #[test]
    fn the_hottest_line_took_most_time() {
        let time = |time_ns| Figures {
            time_ns,
            ..Figures::default()
        };
        let f = function(&[time(1), time(7), time(7)]);
        assert_eq!(f.hottest_by_time().map(|line| line.number), Some(2));
        assert!(function(&[time(0)]).hottest_by_time().is_none());
    }

    #[test]
    fn a_line_that_never_ran_is_not_active() {
        let active = |figures: Option<Figures>| {
            let line = Line {
                number: 1,
                source: String::new(),
                figures,
            };
            line.active().is_some()
        };
        assert!(!active(None));
        assert!(!active(Some(Figures::default())));
        assert!(active(Some(memory(0, 0))));
        let brace = Figures {
            hits: 0,
            ..memory(-100, 0)
        };
        assert!(active(Some(brace)));
        assert_eq!(brace.ns_per_hit(), None);
        assert_eq!(brace.percent_of(0), None);
    }
}
