//! A canvas of Braille characters: two by four dots in each.

/// Dots of a character by column and row, as Unicode numbers them.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BLANK: u32 = 0x2800;

pub(super) struct Canvas {
    columns: usize,
    /// Dots and colour of each character, line by line.
    cells: Vec<(u8, usize)>,
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            cells: vec![(0, 0); columns * rows],
        }
    }

    /// Dots in a row.
    pub(super) fn width(&self) -> usize {
        self.columns * 2
    }

    /// Dots in a column.
    pub(super) fn height(&self) -> usize {
        self.cells.len() / self.columns.max(1) * 4
    }

    /// Sets a dot, counted from the upper left corner. A character has one colour, that of its last
    /// dot. Dots outside the canvas are ignored.
    pub(super) fn set(&mut self, x: i64, y: i64, color: usize) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        if x >= self.width() {
            return;
        }
        if let Some(cell) = self.cells.get_mut(y / 4 * self.columns + x / 2) {
            *cell = (cell.0 | DOTS[x % 2][y % 4], color);
        }
    }

    /// Draws a line.
    pub(super) fn line(&mut self, from: (i64, i64), to: (i64, i64), color: usize) {
        walk(from, to, |x, y| self.set(x, y, color));
    }

    /// Draws a line with two dots on and two dots off. `walked` counts dots across lines, so that
    /// the dashes of consecutive lines continue.
    pub(super) fn dashes(
        &mut self,
        from: (i64, i64),
        to: (i64, i64),
        color: usize,
        walked: &mut usize,
    ) {
        walk(from, to, |x, y| {
            // The first dot is the last dot of the previous line.
            *walked += usize::from((x, y) != from);
            if *walked % 4 < 2 {
                self.set(x, y, color);
            }
        });
    }

    /// The characters of each row with their colours; a blank if none of its dots is set.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<(char, usize)>> + '_ {
        self.cells.chunks(self.columns.max(1)).map(|row| {
            row.iter()
                .map(|&(dots, color)| match dots {
                    0 => (' ', 0),
                    _ => (
                        char::from_u32(BLANK + u32::from(dots)).unwrap_or(' '),
                        color,
                    ),
                })
                .collect()
        })
    }
}

/// Visits the dots of a line (Bresenham's algorithm).
fn walk(from: (i64, i64), to: (i64, i64), mut visit: impl FnMut(i64, i64)) {
    let (mut x, mut y) = from;
    let (dx, dy) = ((to.0 - x).abs(), -(to.1 - y).abs());
    let (step_x, step_y) = ((to.0 - x).signum(), (to.1 - y).signum());
    let mut error = dx + dy;
    loop {
        visit(x, y);
        if (x, y) == to {
            break;
        }
        let doubled = 2 * error;
        if doubled >= dy {
            error += dy;
            x += step_x;
        }
        if doubled <= dx {
            error += dx;
            y += step_y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(canvas: &Canvas) -> Vec<String> {
        canvas
            .rows()
            .map(|row| row.into_iter().map(|(character, _)| character).collect())
            .collect()
    }

    #[test]
    fn lines_are_drawn_in_all_directions_and_cut_off_at_the_edges() {
        let mut canvas = Canvas::new(4, 2);
        canvas.line((0, 7), (7, 0), 1);
        canvas.line((7, 7), (0, 7), 2);
        canvas.line((3, 3), (3, -20), 3);
        canvas.set(100, 2, 1);
        assert_eq!(text(&canvas), [" ⢸⡠⠊", "⣠⣊⣀⣀"]);
    }

    #[test]
    fn dashes_continue_from_line_to_line() {
        let mut canvas = Canvas::new(6, 1);
        let mut walked = 0;
        canvas.dashes((0, 3), (5, 3), 1, &mut walked);
        canvas.dashes((5, 3), (11, 3), 1, &mut walked);
        assert_eq!(text(&canvas), ["⣀ ⣀ ⣀ "]);
    }
}
