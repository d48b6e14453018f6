//! The side that is called: an index of words, behind a resource.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use exports::wharf::composition::documents::{Failure, Guest, GuestIndex, Index, IndexBorrow, Query, Word};

wit_bindgen::generate!({ path: "../wit", world: "provider" });

struct Provider;
export!(Provider);

static ALIVE: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Default)]
struct Entry {
    count: u32,
    documents: BTreeSet<u32>,
}

#[derive(Default)]
struct Contents {
    titles: Vec<String>,
    words: BTreeMap<String, Entry>,
}

struct State(RefCell<Contents>);

impl State {
    fn wrap(contents: Contents) -> Self {
        ALIVE.fetch_add(1, Relaxed);
        Self(RefCell::new(contents))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Relaxed);
    }
}

impl GuestIndex for State {
    fn new() -> Self {
        State::wrap(Contents::default())
    }

    fn add(&self, title: String, text: String) -> Result<u32, Failure> {
        let mut contents = self.0.borrow_mut();
        if contents.titles.contains(&title) {
            return Err(Failure::Duplicate);
        }
        let words: Vec<String> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        if words.is_empty() {
            return Err(Failure::NoWords);
        }
        let number = contents.titles.len() as u32;
        contents.titles.push(title);
        for word in words {
            let entry = contents.words.entry(word).or_default();
            entry.count += 1;
            entry.documents.insert(number);
        }
        Ok(number)
    }

    fn find(&self, query: Query) -> Vec<Word> {
        let wanted = |text: &str, count: u32| match &query {
            Query::All => true,
            Query::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Query::AtLeast(least) => count >= *least,
        };
        let contents = self.0.borrow();
        contents
            .words
            .iter()
            .filter(|(text, entry)| wanted(text, entry.count))
            .map(|(text, entry)| Word { text: text.clone(), count: entry.count, documents: entry.documents.iter().copied().collect() })
            .collect()
    }

    fn titles(&self) -> Vec<String> {
        self.0.borrow().titles.clone()
    }

    fn longest(&self) -> Option<String> {
        self.0.borrow().words.keys().max_by_key(|word| word.chars().count()).cloned()
    }

    fn merge(into: Index, other: IndexBorrow<'_>) -> Result<Index, Failure> {
        let other = other.get::<State>().0.borrow();
        let contents = into.into_inner::<State>().0.take();
        if contents.titles.iter().any(|title| other.titles.contains(title)) {
            return Err(Failure::Duplicate);
        }
        let mut merged = contents;
        let first = merged.titles.len() as u32;
        merged.titles.extend(other.titles.iter().cloned());
        for (word, entry) in &other.words {
            let target = merged.words.entry(word.clone()).or_default();
            target.count += entry.count;
            target.documents.extend(entry.documents.iter().map(|number| number + first));
        }
        Ok(Index::new(State::wrap(merged)))
    }
}

impl Guest for Provider {
    type Index = State;

    fn checksum(bytes: Vec<u8>) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    fn alive() -> u32 {
        ALIVE.load(Relaxed)
    }
}
