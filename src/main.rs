//! The `omadata` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    omadata::cli::run()
}
