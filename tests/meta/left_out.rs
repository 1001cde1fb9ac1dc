//! `cargo test` alone needs nothing but Rust and a C compiler. This says, once, what it therefore leaves to `tests/run`.

use std::io::Write;

#[test]
fn says_what_is_left_to_tests_run() {
    let mut left = vec![
        "browser journeys",
        "foreign login provider and recipient",
        "load",
        "the soak",
        "the federation in production",
    ];
    if std::env::var_os("OMADATA_TEST_POSTGRES").is_none() {
        left.insert(0, "everything on PostgreSQL");
    }
    // Written to the stream itself: the test runner keeps what a passing test prints.
    let said = writeln!(std::io::stderr(), "left to tests/run: {}", left.join(", "));
    assert!(said.is_ok(), "standard error cannot be written to");
}
