//! Counts words. With `--features enabled` it shows at its end what each line did to memory.

use std::collections::HashMap;

/// Some text: each word is one of a thousand.
#[memit::profile]
fn text(words: usize) -> String {
    let words: Vec<String> = (0..words)
        .map(|number| format!("word{}", number * number % 1000))
        .collect();
    words.join(" ")
}

/// How often each word occurs, the most frequent first.
#[memit::profile(precision = 3)]
fn count(text: &str) -> Vec<(String, usize)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted
}

fn main() {
    let writing = memit::phase("write");
    let text = text(200_000);
    drop(writing);
    memit::timestamp!("written");
    let _counting = memit::phase("count");
    for (word, times) in count(&text).iter().take(3) {
        println!("{times:6} {word}");
    }
}
