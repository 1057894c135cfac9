//! Functions of every form that can be profiled. Results are printed last: text takes memory.

struct Shelf(Vec<Vec<u8>>);

impl Shelf {
    #[memit::profile]
    pub fn fill(&mut self, boxes: usize) -> usize {
        self.0.reserve_exact(125); // 24 bytes each, and none for bookkeeping: 3000
        for number in 0..boxes {
            let é = vec![0; 1000]; self.0.push(é);
        }
        let spare = vec![0u8; 504];
        spare.len() + self.0.len()
    }
}

trait Area {
    fn area(&self) -> usize;

    #[memit::profile(precision = 4)]
    fn in_copies(&self) -> usize {
        let copies = vec![self.area(); 1 << 17];
        copies.len()
    }
}

impl Area for u8 {
    #[memit::profile]
    fn area(&self) -> usize {
        usize::from(*self)
    }
}

#[memit::profile]
fn depth(levels: usize) -> usize {
    let block = vec![0u8; 104];
    if levels == 0 {
        return block.len();
    }
    depth(levels - 1) + block.len()
}

#[memit::profile]
fn doubled<T: Clone>(value: &[T]) -> Vec<T> {
    let twice = [value, value].concat();
    #[memit::profile]
    fn inner(count: usize) -> Vec<u8> {
        vec![1; count]
    }
    let _ = inner(504);
    twice.iter().map(|one| {
        one.clone()
    }).collect()
}

#[memit::profile]
async fn waits(count: usize) -> usize {
    let held = vec![0u8; count];
    Turns(3).await;
    held.len()
}

/// A future that is ready at the fourth poll.
struct Turns(usize);

impl Future for Turns {
    type Output = ();

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                std::task::Poll::Pending
            }
            None => std::task::Poll::Ready(()),
        }
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

macro_rules! make {
    ($name:ident) => {
        #[memit::profile]
        fn $name() -> usize {
            let made = vec![0u8; 504];
            made.len()
        }
    };
}

make!(made);

#[memit::profile]
fn never(_: &str) {}

fn main() {
    let filled = Shelf(Vec::new()).fill(2);
    let copies = 9u8.in_copies();
    let depth = depth(2);
    let doubled = (doubled(&[1u64; 50]).len(), doubled(&["a"; 50]).len());
    let waited = block_on(waits(1000));
    let made = made();
    println!("{filled} {copies} {depth} {doubled:?} {waited} {made}");
    if filled == 0 {
        never("called");
    }
}
