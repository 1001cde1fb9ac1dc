//! A plug-in as a child process: started at the first question, and again, with growing pauses, when it has ended.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::super::failure::Failure;
use super::messages;
use crate::domain::catalogue::service::PluginProcess;
use crate::domain::sync::lock;
use crate::ports::RegisterError;

/// The pause after the first end without an answer; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Files and sockets that a plug-in may have open.
const OPEN_FILES: u64 = 256;

type Line = Zeroizing<Vec<u8>>;

/// One plug-in of this node.
pub(crate) struct Process {
    program: PluginProcess,
    timeout: Duration,
    max_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Arc<Running>>,
    /// Starts since the last answer.
    starts: u32,
    not_before: Option<Instant>,
}

/// A started process. One thread writes to it and one reads from it, so that one that does neither stops nobody else.
struct Running {
    /// Lines for its standard input; as many as questions wait.
    questions: Sender<Line>,
    /// Absent once it has been waited for: only then its number may be another process's.
    child: Mutex<Option<Child>>,
    asked: AtomicU64,
    /// Who waits for an answer, by its id; absent once no answer can come.
    waiting: Mutex<Option<HashMap<String, SyncSender<Line>>>>,
    /// Why no answer can come.
    end: Mutex<&'static str>,
}

fn unavailable(cause: impl ToString) -> Failure {
    Failure::new(RegisterError::Unavailable, cause)
}

impl Process {
    /// A plug-in that is not started yet. A line of its output may have `max_bytes`.
    pub(crate) fn new(program: PluginProcess, timeout: Duration, max_bytes: usize) -> Self {
        // Ends before the limit of the whole answer, so that it is the plug-in that is stopped and named.
        Self { program, timeout: timeout.saturating_mul(9) / 10, max_bytes, state: Mutex::default() }
    }

    /// Sends one question and waits for the line with its answer; blocks meanwhile. A plug-in that does not answer in
    /// time is stopped: what it answers later could be taken for another's.
    pub(crate) fn ask(&self, question: impl FnOnce(&str) -> Vec<u8>) -> Result<(String, Line), Failure> {
        let running = self.running()?;
        let id = running.asked.fetch_add(1, Ordering::Relaxed).saturating_add(1).to_string();
        let (answered, answer) = sync_channel(1);
        match lock(&running.waiting).as_mut() {
            Some(waiting) => _ = waiting.insert(id.clone(), answered),
            None => return Err(running.ended()),
        }
        if running.questions.send(Zeroizing::new(question(&id))).is_err() {
            running.stop("it closed its standard input and was stopped");
        }
        match answer.recv_timeout(self.timeout) {
            Ok(line) => {
                lock(&self.state).starts = 0;
                Ok((id, line))
            }
            Err(RecvTimeoutError::Timeout) => {
                running.stop("it did not answer within timeout_ms and was stopped");
                Err(running.ended())
            }
            Err(RecvTimeoutError::Disconnected) => Err(running.ended()),
        }
    }

    /// The running process; starts one if there is none and the pause is over.
    fn running(&self) -> Result<Arc<Running>, Failure> {
        let mut state = lock(&self.state);
        if let Some(running) = state.running.as_ref().filter(|running| running.is_alive()) {
            return Ok(Arc::clone(running));
        }
        if state.not_before.is_some_and(|time| Instant::now() < time) {
            let last = state.running.as_ref();
            let last = last.map_or("it could not be started", |running| *lock(&running.end));
            return Err(unavailable(format!("the plug-in ended: {last}; it is started again after a pause")));
        }
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(state.starts.min(16)));
        state.starts = state.starts.saturating_add(1);
        state.not_before = Some(Instant::now() + doubled.min(LONGEST_PAUSE));
        state.running = None;
        let running = Running::start(&self.program, self.max_bytes)?;
        state.running = Some(Arc::clone(&running));
        Ok(running)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(running) = &lock(&self.state).running {
            running.stop("the node stops");
        }
    }
}

impl Running {
    fn start(program: &PluginProcess, max_bytes: usize) -> Result<Arc<Self>, Failure> {
        let name = program.command.first().map(String::as_str).unwrap_or_default();
        let failed = |cause: &dyn std::fmt::Display| {
            unavailable(format!("this side: the plug-in {name} does not start: {cause}"))
        };
        let mut child = Command::new(name)
            .args(program.command.iter().skip(1))
            .env_clear()
            .envs(&program.environment)
            .current_dir(&program.working_directory)
            // So that what it starts itself ends with it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // May quote a register: never the node's log.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let limited = limit(&child, program.memory_mib);
        let (Some(stdin), Some(stdout), Ok(())) = (stdin, stdout, limited) else {
            kill(&child);
            let _ = child.wait();
            return Err(failed(&"its limits cannot be set"));
        };
        let (questions, lines) = channel();
        let running = Arc::new(Self {
            questions,
            child: Mutex::new(Some(child)),
            asked: AtomicU64::new(0),
            waiting: Mutex::new(Some(HashMap::new())),
            end: Mutex::new("it ended by itself"),
        });
        // Not the thread's own: the lines end when nobody else has it.
        let asked = Arc::downgrade(&running);
        std::thread::spawn(move || {
            if write(stdin, &lines).is_err()
                && let Some(running) = asked.upgrade()
            {
                running.stop("it closed its standard input and was stopped");
            }
        });
        let listening = Arc::clone(&running);
        std::thread::spawn(move || {
            listening.listen(stdout, max_bytes);
            listening.reap();
        });
        Ok(running)
    }

    fn is_alive(&self) -> bool {
        lock(&self.waiting).is_some()
    }

    fn ended(&self) -> Failure {
        unavailable(format!("the plug-in ended: {}", lock(&self.end)))
    }

    /// Hands each line to whoever waits for it, until the process ends or breaks the contract.
    fn listen(&self, stdout: ChildStdout, max_bytes: usize) {
        let mut input = BufReader::new(stdout);
        let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
        loop {
            let mut line = Line::default();
            // One byte more than a line may have.
            let read = input.by_ref().take(limit.saturating_add(1)).read_until(b'\n', &mut line);
            match (read, line.last()) {
                (Ok(_), Some(b'\n')) => {}
                (Ok(_), Some(_)) if line.len() > max_bytes => {
                    return self.stop("a line was larger than the bound and it was stopped");
                }
                _ => return self.stop("it ended by itself"),
            }
            let Ok(id) = messages::id(&line) else {
                return self.stop("it wrote a line that is no answer and was stopped");
            };
            let waiting = lock(&self.waiting).as_mut().and_then(|waiting| waiting.remove(&id));
            let Some(waiting) = waiting else {
                return self.stop("it answered what was not asked and was stopped");
            };
            // Whoever asked may have given up.
            let _ = waiting.send(line);
        }
    }

    /// Stops the process; everybody who waits learns why. The first reason counts.
    fn stop(&self, why: &'static str) {
        let mut waiting = lock(&self.waiting);
        if waiting.is_some() {
            *lock(&self.end) = why;
        }
        if let Some(child) = lock(&self.child).as_ref() {
            kill(child);
        }
        *waiting = None;
    }

    /// Waits for the process, so that it does not stay in the system's table.
    fn reap(&self) {
        let mut child = lock(&self.child);
        if let Some(mut ended) = child.take() {
            kill(&ended);
            let _ = ended.wait();
        }
    }
}

/// Writes questions until nobody asks any more; an error when the process reads no more.
fn write(mut stdin: ChildStdin, lines: &Receiver<Line>) -> std::io::Result<()> {
    while let Ok(line) = lines.recv() {
        stdin.write_all(&line)?;
    }
    Ok(())
}

fn kill(child: &Child) {
    // It may have ended already.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// Limits what a process may use. It has read no question yet.
fn limit(child: &Child, memory_mib: u32) -> Result<(), rustix::io::Errno> {
    let memory = u64::from(memory_mib).saturating_mul(1024 * 1024);
    for (resource, most) in [(Resource::As, memory), (Resource::Nofile, OPEN_FILES), (Resource::Core, 0)] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        prlimit(Some(Pid::from_child(child)), resource, limit)?;
    }
    Ok(())
}
