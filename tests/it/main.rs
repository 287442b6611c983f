//! The tests that go through the real thing: router, schema, file, process, browser.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests fail by panicking and tell what they saw"
)]
#![allow(clippy::disallowed_methods, reason = "tests look at the clock, and into the file behind the program's back")]

mod access;
mod admission;
mod attacks;
mod backups;
mod changes;
mod circles;
mod client;
mod clients;
mod connections;
mod cost;
mod deadlines;
mod demo;
mod deploy;
mod differential;
mod docs;
mod doctor;
mod documents;
mod drills;
mod encodings;
mod engines;
mod errors;
mod events;
mod execution;
mod fair;
mod files;
mod finding;
mod forwarder;
mod harness;
mod health;
mod kept;
mod layers;
mod lint;
mod lint_time;
mod loops;
mod migrations;
mod model;
mod nodes;
mod options;
mod places;
mod plans;
mod playground;
mod probes;
mod process;
mod production;
mod reading;
mod referring;
mod rules;
mod scalars;
mod schema;
mod script;
mod secrets;
mod selftest;
mod sign_in;
mod snapshots;
mod store;
mod subscriptions;
mod sweep;
mod tables;
mod transfer;
mod transport;
mod trips;
mod types;
mod watching;
mod wire;
mod writing;
