//! The load program notices wrong answers: it is driven against a floor that makes them.

use std::process::{Command, Output};

fn against(fault: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_omadata-load"));
    command.args([
        "floor",
        "--exchanges",
        "400",
        "--warm-up",
        "10",
        "--consents",
        "10",
        "--connections",
        "4",
        "--json",
    ]);
    if let Some(fault) = fault {
        command.args(["--fault", fault]);
    }
    command.output().unwrap()
}

#[test]
fn right_answers_are_all_counted() {
    let output = against(None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(r#""exchanges":400"#) && told.contains(r#""wrong":0"#), "{told}");
    assert!(told.contains(r#""receipts_verified":400"#), "{told}");
}

#[test]
fn wrong_answers_end_the_run_with_a_failure() {
    let faults = [
        ("other-resident", "another one than before"),
        ("same-exchange", "for the second time"),
        ("forged-receipt", "does not hold"),
        ("wrong-digest", "Content-Digest"),
    ];
    for (fault, words) in faults {
        let output = against(Some(fault));
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success(), "{fault} goes unnoticed: {told}");
        assert!(told.contains(words), "{fault}: {told}");
    }
}
