//! Child processes, what the kernel says of them, and free ports.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::http;

/// Linux counts the times of processes in hundredths of a second, on every machine that this runs on (`getconf CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A process that ends with this value.
pub struct Process {
    child: Child,
    pub port: u16,
}

impl Process {
    /// Starts a program.
    pub fn spawn(command: &mut Command, port: u16, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{} does not start", command.get_program().to_string_lossy()))?;
        Ok(Self { child, port })
    }

    /// Starts a program and waits until `ready_path` answers with a success.
    pub async fn start(command: &mut Command, port: u16, ready_path: &str, log: &Path) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let begin = Instant::now();
        let mut process = Self::spawn(command, port, log)?;
        let url = format!("http://127.0.0.1:{port}{ready_path}");
        while begin.elapsed() < READY_WITHIN {
            if let Some(status) = process.child.try_wait()? {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                bail!("{program} ended with {status}:\n{said}");
            }
            if http::get(&url).await.is_ok_and(|answer| (200..300).contains(&answer.status)) {
                return Ok(process);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("{program} is not ready after {} s: see {}", READY_WITHIN.as_secs(), log.display())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // Asked to end first, so that databases are closed and children of the program end with it.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let begin = Instant::now();
        while asked.as_ref().is_ok_and(std::process::ExitStatus::success)
            && begin.elapsed() < Duration::from_secs(10)
        {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process and all its descendants, such as the workers of a web server.
pub fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while next < all.len() {
        let path = format!("/proc/{0}/task/{0}/children", all[next]);
        let children = std::fs::read_to_string(path).unwrap_or_default();
        all.extend(children.split_ascii_whitespace().filter_map(|word| word.parse::<u32>().ok()));
        next += 1;
    }
    all
}

/// Processor time of processes, user and system.
pub fn cpu(pids: &[u32]) -> Duration {
    let ticks = pids.iter().filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the name, which may contain anything: state is field 3, utime 14 and stime 15 (proc(5)).
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
        Some(user + system)
    });
    Duration::from_secs_f64(ticks.sum::<u64>() as f64 / TICKS_PER_SECOND)
}

/// Resident memory of processes, in MB.
pub fn memory(pids: &[u32]) -> f64 {
    of_status(pids, "VmRSS:")
}

/// The most resident memory of processes since [`forget_peak`], in MB.
pub fn peak_memory(pids: &[u32]) -> f64 {
    of_status(pids, "VmHWM:")
}

pub fn forget_peak(pids: &[u32]) {
    for pid in pids {
        // proc(5): 5 sets the peak to what is resident now. Where that is not allowed, the peak is an older one, and higher.
        let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}

fn of_status(pids: &[u32], name: &str) -> f64 {
    let kib = pids.iter().filter_map(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    kib.sum::<u64>() as f64 * 1024.0 / 1e6
}

/// A listener on a free port of loopback below the range of outgoing connections.
pub fn listener() -> Result<TcpListener> {
    for _ in 0..1000 {
        let mut bytes = [0; 2];
        aws_lc_rs::rand::fill(&mut bytes).ok().context("no randomness")?;
        let port = 10_000 + u16::from_le_bytes(bytes) % 20_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener);
        }
    }
    bail!("no free port")
}

/// The first of so many free ports in a row.
pub fn free_ports(count: u16) -> Result<u16> {
    for _ in 0..1000 {
        let first = free_port()?;
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return Ok(first);
        }
    }
    bail!("no {count} free ports in a row")
}

/// Lets the users of other programs into a folder, whose files stay as they are.
pub fn open_to_others(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))?)
}

pub fn free_port() -> Result<u16> {
    Ok(listener()?.local_addr()?.port())
}
