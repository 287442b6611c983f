//! Compares the time to parse a query, with all limits, with that of async-graphql's parser for the same text. Both are
//! measured in one run. Prints a Markdown table of medians.
//!
//! `VEXT_BENCH_ROUNDS` sets the number of rounds (default 100). A round parses each text a hundred times with each
//! parser.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark measures time and stops at the first surprise"
)]

mod common;

use std::hint::black_box;
use std::time::Instant;

use async_graphql::parser::parse_query;
use vext::graphql::{Limits, parse};

/// How often each parser reads a text in a round.
const TIMES: u32 = 100;

const FIVE_FIELDS: &str =
    "{ tenant { virtualExtension(by: {number: \"108\"}) { id version number name description } } }";
const FORM: &str = "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { id version number name description
  information { emails dnd inboundTimeoutSeconds members { id number name } callGroups { id name } pickupGroups { id name } }
  callSettings { txVolume rxVolume callWaitingServerSide } outboundRecording { recordingEmails } security { outboundMode locked }
  outboundCalls { externalCallerIdNumber routingProfile { id name } } followMe { enabled number delaySeconds timeoutSeconds }
  note { branch department referenceId additionalInfo } } } }";
const SAVE: &str = "mutation Save($id: ID!, $text: String!) {
  virtualExtensionNoteUpdate(input: {id: $id, note: {additionalInfo: $text, branch: \"Rome\"}}) {
    object { ...Head } userErrors { code path message } } }
  fragment Head on VirtualExtension { id version number name }";
/// A document near the limits, as a client sends it that has a fragment for every section.
fn many_fragments() -> String {
    let sections = ["callSettings { txVolume rxVolume }", "followMe { enabled number }", "note { branch department }"];
    let spreads: String = (0..45).map(|i| format!("...F{i} ")).collect();
    let fragment = |i: usize| format!("fragment F{i} on VirtualExtension {{ id name {} }} ", sections[i % 3]);
    let fragments: String = (0..45).map(fragment).collect();
    format!("{{ tenant {{ virtualExtension(by: {{number: \"108\"}}) {{ {spreads} }} }} }} {fragments}")
}

fn main() {
    let rounds = common::rounds(100);
    let (limits, many) = (Limits::default(), many_fragments());
    println!("\n| text | bytes | here, µs | async-graphql, µs | here / async-graphql |\n|---|---|---|---|---|");
    for (name, text) in [("five fields", FIVE_FIELDS), ("a form", FORM), ("a save", SAVE), ("45 fragments", &many)] {
        let mut times: Vec<_> = (0..rounds)
            .map(|_| {
                let here = timed(|| drop(black_box(parse(black_box(text), &limits).unwrap())));
                (here, timed(|| drop(black_box(parse_query(black_box(text)).unwrap()))))
            })
            .collect();
        times.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (here, parser) = times[rounds / 2];
        println!("| {name} | {} | {here:.1} | {parser:.1} | **{:.3}** |", text.len(), here / parser);
    }
}

/// The mean time of some work, in microseconds.
fn timed(mut work: impl FnMut()) -> f64 {
    let begun = Instant::now();
    (0..TIMES).for_each(|_| work());
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}
