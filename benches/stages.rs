//! The stages of the main job by themselves: parse, join, render.
#![expect(clippy::indexing_slicing, reason = "a bench may stop at a fault of its own")]

mod generate;

use divan::{Bencher, black_box};
use headwater::crdt::Join as _;
use headwater::event::Event;
use headwater::event::decode::decode;
use headwater::event::schema::Schema;
use headwater::ledger::{State, View, render::render};
use std::collections::BTreeSet;

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

fn main() {
    divan::main();
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| generate::event(number).1).collect()
}

fn events(count: usize) -> Vec<Event> {
    let schema = Schema::default();
    texts(count).iter().filter_map(|text| decode(text.as_bytes(), &schema).ok()).collect()
}

fn state(events: Vec<Event>) -> State {
    let schema = Schema::default();
    let mut state = State::default();
    for event in events {
        state.insert(event, &schema);
    }
    state
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn parse(bencher: Bencher<'_, '_>, count: usize) {
    let (texts, schema) = (texts(count), Schema::default());
    bencher.bench_local(|| texts.iter().filter(|text| decode(black_box(text.as_bytes()), &schema).is_ok()).count());
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn insert(bencher: Bencher<'_, '_>, count: usize) {
    bencher.with_inputs(|| events(count)).bench_local_values(state);
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn join_two_halves(bencher: Bencher<'_, '_>, count: usize) {
    let mut left = events(count);
    let right = state(left.split_off(count / 2));
    let left = state(left);
    bencher.with_inputs(|| (left.clone(), right.clone())).bench_local_values(|(mut left, right)| {
        left.join(right);
        left
    });
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn view_and_render(bencher: Bencher<'_, '_>, count: usize) {
    let (state, schema) = (state(events(count)), Schema::default());
    bencher.bench_local(|| render(&View::new(&state, BTreeSet::new(), &schema)));
}
