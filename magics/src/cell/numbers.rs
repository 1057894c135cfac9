//! Which cells of a session a magic is about.

/// Cells by the numbers that front-ends show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbers {
    /// All cells.
    All,
    /// So many cells before the running one.
    Last(usize),
    /// From the first number to the last one, which may be open, in this order.
    Ranges(Vec<(u64, Option<u64>)>),
}

impl Numbers {
    /// Reads ranges: `3`, `4-6` (both ends belong to it), `7-`.
    ///
    /// # Errors
    ///
    /// If a word is no range; the error is the word.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let ranges = text.split_whitespace().map(|word| {
            let number = |text: &str| text.parse::<u64>().map_err(|_| word);
            Ok(match word.split_once('-') {
                Some((first, "")) => (number(first)?, None),
                Some((first, last)) => (number(first)?, Some(number(last)?)),
                None => (number(word)?, Some(number(word)?)),
            })
        });
        ranges.collect::<Result<_, _>>().map(Self::Ranges)
    }

    /// The positions in `known`, the numbers of the cells so far, oldest first.
    pub fn select(&self, known: &[u64]) -> Vec<usize> {
        let all = 0..known.len();
        match self {
            Self::All => all.collect(),
            Self::Last(count) => all.skip(known.len().saturating_sub(*count)).collect(),
            Self::Ranges(ranges) => ranges
                .iter()
                .flat_map(|(first, last)| {
                    let end = last.unwrap_or(u64::MAX);
                    all.clone()
                        .filter(move |at| (*first..=end).contains(&known[*at]))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let ranges = Numbers::parse("3 4-6  7-").unwrap();
        let expected = vec![(3, Some(3)), (4, Some(6)), (7, None)];
        assert_eq!(ranges, Numbers::Ranges(expected));
        for wrong in ["x", "-3", "3-x", "~1/2", "3--4"] {
            assert_eq!(Numbers::parse(&format!("1 {wrong}")), Err(wrong));
        }
    }

    #[test]
    fn cells_are_selected_in_the_order_of_the_ranges() {
        let known = [1, 2, 3, 5];
        let select = |numbers: Numbers| numbers.select(&known);
        assert_eq!(select(Numbers::All), [0, 1, 2, 3]);
        assert_eq!(select(Numbers::Last(2)), [2, 3]);
        assert_eq!(select(Numbers::Last(9)), [0, 1, 2, 3]);
        assert_eq!(select(Numbers::parse("3- 1").unwrap()), [2, 3, 0]);
        assert_eq!(select(Numbers::parse("4 0 6-9 5-1").unwrap()), [0usize; 0]);
    }
}
