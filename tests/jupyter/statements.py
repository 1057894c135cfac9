"""Statements that compile as cells. Each must compile in every magic, too."""

# What the statements use.
SETUP = """
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::rc::Rc;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, RwLock};

#[derive(Debug, Clone, PartialEq, Default)]
struct Point { x: f64, y: f64 }

#[derive(Debug)]
enum Shape { Circle(f64), Square { side: f64 }, Nothing }

#[derive(Debug)]
struct Connection { rows: Vec<String> }

impl Connection {
    fn open() -> Self { Self { rows: vec!["a".to_owned(), "b".to_owned()] } }
    fn rows(&self) -> std::slice::Iter<'_, String> { self.rows.iter() }
    fn first(&mut self) -> &mut String { &mut self.rows[0] }
}

struct Loud(u8);
impl Drop for Loud { fn drop(&mut self) { std::hint::black_box(self.0); } }
impl Loud { fn get(&self) -> &u8 { &self.0 } }

trait Area { fn area(&self) -> f64; }
impl Area for Point { fn area(&self) -> f64 { self.x * self.y } }

fn profiled(n: u64) -> u64 {
    let sum = (0..n).sum();
    sum
}
fn parse(text: &str) -> Result<i32, std::num::ParseIntError> { text.parse() }
fn pick(text: &str) -> &str { text.split(' ').next().unwrap_or_default() }
fn longest<'a>(a: &'a str, b: &'a str) -> &'a str { if a.len() > b.len() { a } else { b } }

macro_rules! square { ($x:expr) => { $x * $x }; }
macro_rules! pairs { ($($k:expr => $v:expr),*) => {{ let mut m = HashMap::new(); $(m.insert($k, $v);)* m }}; }

let text = "One two THREE ".repeat(10);
let mut numbers: Vec<u64> = (0..100).collect();
let names = vec!["ada".to_owned(), "grace".to_owned()];
let point = Point { x: 1.5, y: 2.0 };
let shape = Shape::Square { side: 2.0 };
let mut table: BTreeMap<String, Vec<u32>> = BTreeMap::new();
let shared = Arc::new(Mutex::new(vec![1, 2, 3]));
let counted = Rc::new(RefCell::new(vec![1u8]));
let some = Some("text".to_owned());
let nested = vec![vec![1, 2], vec![3]];
let boxed: Box<dyn Fn(u32) -> u32> = Box::new(|n| n + 1);
let object: Box<dyn Area> = Box::new(Point { x: 2.0, y: 3.0 });
let tuple = (1u8, "two".to_owned());
let array = [3u32, 1, 2];
let bytes: &'static [u8] = b"bytes";
"""

STATEMENTS = r"""
text.to_lowercase().split_whitespace().collect::<Vec<_>>()
String::from("abc  ").trim_end()
std::fs::read_to_string("/etc/passwd")?.lines().map(str::len).collect::<Vec<_>>()
Mutex::new(vec![1, 2, 3]).lock().unwrap().iter()
text.to_uppercase().split(' ').collect::<Vec<_>>()
&text.to_lowercase()
pick(&text.to_lowercase())
Connection::open().rows()
Connection::open().first()
let s = String::from("abc"); s.trim()
let c = Connection::open(); c.rows().map(String::len).sum::<usize>()
Loud(3).get()
longest(&text.to_lowercase(), "b")
shared.lock().unwrap()
shared.lock().unwrap().iter().max()
shared.lock().unwrap().push(4)
RwLock::new(5).read().unwrap()
counted.borrow().len()
counted.borrow()
counted.borrow_mut().push(2)
format!("{} {}", text.len(), 3).as_str()
format!("{text}").bytes().filter(|b| *b == b'T')
format_args!("{} {:?}", 1, names)
vec![1u8; 100].as_slice()
vec![String::new(); 3].iter().map(String::as_str).collect::<Vec<&str>>()
vec![1, 2, 3][1]
names[0]
names[1].as_str()
names[0][1..3]
names.first()
names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("-")
point
point.x
point.clone().x
&point
*bytes
bytes[0]
tuple.1
tuple.1.as_str()
(&tuple.0, &tuple.1)
(text.to_lowercase().as_str(), 3)
[text.as_str(), names[0].as_str()]
array
array.iter().rev()
array.map(|n| n * 2)
some
some.as_deref()
some.as_ref().map(|s| s.len())
nested[0][1]
nested.concat()
nested.iter().flatten().sum::<i32>()
boxed(3)
object.area()
Point { x: 3.0, ..Default::default() }
Point { x: 3.0, y: 1.0 }.area()
Shape::Circle(1.0)
match &shape { Shape::Circle(r) => *r, Shape::Square { side } => side * side, Shape::Nothing => 0.0 }
match names.first() { Some(name) => name.as_str(), None => "none" }
if let Some(s) = &some { s.len() } else { 0 }
if numbers.len() > 3 { "many" } else { "few" }
if numbers.is_empty() { println!("none"); }
let Some(s) = &some else { panic!() }; s.len()
let (a, b) = (1, 2); a + b
let Point { x, y } = point.clone(); x * y
let y; y = 3; y + 1
let mut n = 0; for i in 0..10 { n += i; } n
let mut n = 10; while n > 3 { n -= 1; } n
let mut n = 0; loop { n += 1; if n > 5 { break n; } }
'outer: loop { loop { break 'outer 3; } }
for n in &numbers { std::hint::black_box(n); }
numbers.iter().map(|x| x * 2).sum::<u64>()
numbers.iter().zip(names.iter()).map(|(n, s)| *n as usize + s.len()).max()
numbers.sort_unstable_by(|a, b| b.cmp(a))
numbers.push(1)
numbers.iter_mut().for_each(|n| *n += 1)
numbers.swap(0, 1)
numbers.windows(2).filter(|w| w[0] < w[1]).count()
numbers[3..10].to_vec()
table.entry("a".to_owned()).or_default()
table.entry("b".to_owned()).or_insert_with(Vec::new).push(3)
table.get("a")
HashMap::from([(1, "a"), (2, "b")])
HashSet::from(["a", "b"]).len()
let mut queue: VecDeque<_> = numbers.iter().copied().collect(); queue.pop_front()
let mut out = String::new(); write!(out, "{}", 3)?; out
parse("12")?
parse("12").map_err(|e| e.to_string())?
parse("12")
"12".parse::<i32>().unwrap() as f64
Some(3)?
square!(text.len())
pairs!("a" => 1, "b" => 2)
assert_eq!(1 + 1, 2)
println!("{}", names.len())
eprint!("")
(|a: u32, b: u32| a * b)(3, 4)
0..10
1 + 1
()
{ let a = 1; a + 1 }
unsafe { *(&raw const numbers[0]) }
fn local(n: u32) -> u32 { n * 2 } local(4)
use std::cmp::Reverse; let mut v = numbers.clone(); v.sort_by_key(|n| Reverse(*n)); v
struct Inner(u8); impl Inner { fn get(&self) -> u8 { self.0 } } Inner(3).get()
const N: usize = 3; [0u8; N]
std::thread::spawn(|| 3).join().unwrap()
std::thread::scope(|s| s.spawn(|| numbers.len()).join().unwrap())
Box::new(3)
Rc::clone(&counted)
std::iter::repeat("x").take(3).collect::<String>()
std::env::args()
"é, ü".chars().rev().collect::<String>()
'x'
b'x'
"line\nbreak"
r"raw \ %memit text"
text.as_str() /* a comment */
text.len() // a comment
-1
!true
&numbers[..2]
&mut numbers[0]
profiled(10)
profiled(10) + profiled(20)
"""


def statements():
    return [line for line in STATEMENTS.splitlines() if line]
