//! Counts fsync and fdatasync of the measured processes, in the timed run itself: a few lines of C that are loaded before libc.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

const SOURCE: &str = include_str!("count_syncs.c");

pub struct Syncs {
    library: PathBuf,
    counter: PathBuf,
}

impl Syncs {
    /// Compiles the counter into a folder; an error where there is no C compiler.
    pub fn new(folder: &Path) -> Result<Self> {
        let (source, library) = (folder.join("count_syncs.c"), folder.join("count_syncs.so"));
        let counter = folder.join("syncs");
        std::fs::write(&source, SOURCE)?;
        std::fs::write(&counter, [0; 8])?;
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .stdin(Stdio::null())
            .output()?;
        if !made.status.success() {
            bail!("cc: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
        Ok(Self { library, counter })
    }

    pub fn watch(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("LOAD_SYNCS", &self.counter);
    }

    pub fn count(&self) -> Option<f64> {
        let bytes: [u8; 8] = std::fs::read(&self.counter).ok()?.try_into().ok()?;
        Some(u64::from_ne_bytes(bytes) as f64)
    }
}
