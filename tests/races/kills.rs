//! A node on SQLite is killed (SIGKILL) at any moment, under decisions, revocations and exchanges, while another program
//! opens and closes its file: after each restart, what was acknowledged is there. No permission that was stopped is in
//! force, no exchange is missing. `OMADATA_KILLS` says how many rounds.
//!
//! POSIX drops all of a process's locks on a file when any descriptor of it is closed, and SQLite's locks are such locks
//! (<https://www.sqlite.org/howtocorrupt.html>, section 2.2): a node that loses them loses its journal to the next reader.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use omadata::app;
use omadata::config::Config;
use omadata::demo::run::Adjust;
use omadata::ports::random;
use omadata::store::StoreError;
use omadata::store::recipient::held_consents;
use serde_json::json;

use super::ONE_AT_A_TIME;
use super::harness::browser::Browser;
use super::harness::{self, Service, Setup, World};
use super::node::{self, Race, Stand};

/// Rounds of which the consents are made in one transaction.
const SEEDED_ROUNDS: usize = 20;

/// Permissions that each round stops.
const STOPPED: usize = 4;

/// Services that fetch in each round, and the permissions that each of them has.
const SERVICES: usize = 2;
const FETCHED: usize = 3;

/// Exchanges of each permission: as many as the recipient's declared use allows.
const EXCHANGES: u32 = 10;

/// The longest life of a process under load, in milliseconds.
const LIFE: u64 = 700;

fn rounds() -> usize {
    std::env::var("OMADATA_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// What the node acknowledged to somebody, over all rounds.
#[derive(Default)]
struct Acknowledged {
    /// Consents that were stopped or given back, in hexadecimal.
    stopped: BTreeSet<String>,
    /// Digests of the proofs with which data was released.
    exchanges: BTreeSet<String>,
    /// Grants that a recipient received.
    decided: BTreeSet<String>,
}

/// What another program finds in the node's file.
struct Found {
    in_force: BTreeSet<String>,
    exchanges: BTreeSet<String>,
    grants: BTreeSet<String>,
    miscounted: usize,
}

impl Acknowledged {
    /// Everything that is lost, in words.
    fn lost(&self, found: &Found) -> Vec<String> {
        let mut lost: Vec<String> = Vec::new();
        lost.extend(self.stopped.intersection(&found.in_force).map(|id| format!("{id} is in force again")));
        lost.extend(
            self.exchanges.difference(&found.exchanges).map(|id| format!("exchange {id} is missing")),
        );
        lost.extend(self.decided.difference(&found.grants).map(|id| format!("decision {id} is missing")));
        if found.miscounted > 0 {
            lost.push(format!("{} consents count other exchanges than are recorded", found.miscounted));
        }
        lost
    }
}

/// The node's database, as other programs open it.
#[derive(Clone)]
struct File(PathBuf);

impl File {
    fn of(world: &World) -> Self {
        let omadata::config::DatabaseUrl::Sqlite(path) = &world.cities["espoo"].store.url else {
            panic!("not on SQLite");
        };
        Self(path.clone())
    }

    /// Opens, asks and closes, as `sqlite3 FILE QUERY`; the lines of the answer. Another writer may be in the way.
    fn ask(&self, query: &str) -> Result<Vec<String>, String> {
        let output = Command::new("sqlite3")
            .args(["-batch", "-cmd", ".timeout 5000"])
            .arg(&self.0)
            .arg(query)
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
    }

    fn read(&self) -> Found {
        let set = |query: &str| self.ask(query).unwrap().into_iter().collect();
        let miscounted = "SELECT id FROM consents WHERE exchanges <> \
                          (SELECT count(*) FROM exchanges WHERE exchanges.consent = consents.id)";
        Found {
            in_force: set("SELECT lower(hex(id)) FROM consents WHERE ended_at IS NULL"),
            exchanges: set("SELECT proof_digest FROM exchanges"),
            grants: set("SELECT grant_id FROM consents"),
            miscounted: self.ask(miscounted).unwrap().len(),
        }
    }

    /// What SQLite says of the file as a whole.
    fn integrity(&self) -> Vec<String> {
        self.ask("PRAGMA integrity_check; PRAGMA foreign_key_check").unwrap()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(ending);
        name.into()
    }
}

/// Every kill before a decision leaves a request of the same resident's undecided.
fn many_undecided(config: &mut Config) {
    config.limits.pushed_open_per_person = 1_000;
}

/// What the rounds share.
struct Rounds {
    stand: Stand,
    service: Service,
    file: File,
    over: AtomicBool,
}

impl Rounds {
    async fn start() -> Arc<Self> {
        let world: &'static World = Box::leak(Box::new(World::start(Setup {
            base_port: harness::free_ports(11),
            adjust: Adjust { city: Some(many_undecided), ..Adjust::default() },
            ..Setup::default()
        })));
        let stand = Stand::alone(world).await;
        let service = world.service("helsinki").await;
        Arc::new(Self { stand, service, file: File::of(world), over: AtomicBool::new(false) })
    }

    /// Consents for so many rounds, while no process serves.
    async fn seed(&self, rounds: usize) -> Vec<Race> {
        let config = &self.service.world.cities["espoo"];
        let store = app::open_store(&config.store, &config.keys, None).unwrap().store;
        self.stand.seed_into(&store, rounds * (STOPPED + SERVICES * FETCHED), |_| EXCHANGES).await
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Stops one permission after the other: by the resident in the portal, or given back by the recipient.
    async fn stop_all(self: Arc<Self>, races: Vec<Race>) -> Vec<Race> {
        let mut stopped = Vec::new();
        for (number, race) in races.into_iter().enumerate() {
            let resident = number.is_multiple_of(2);
            let done =
                if resident { self.stand.stop(0, &race).await } else { self.stand.give_back(0, &race).await };
            if done {
                stopped.push(race);
            }
        }
        stopped
    }

    /// Fetches until the end, or until all permissions are used up; the digests of the proofs that were worth data.
    async fn fetch_on(self: Arc<Self>, races: Vec<Race>) -> Vec<String> {
        let mut released = Vec::new();
        for race in races.iter().flat_map(|race| (0..EXCHANGES).map(move |_| race)) {
            if self.is_over() {
                break;
            }
            let proof = self.stand.proof(race);
            if self.stand.fetch(0, race, &proof).await {
                released.push(node::digest_of(&proof));
            }
        }
        released
    }

    /// Another program opens the file, looks and closes it, again and again; how often it could.
    fn read_on(&self) -> usize {
        let mut read = 0;
        while !self.is_over() {
            read += usize::from(self.file.ask("SELECT count(*) FROM log_entries").is_ok());
        }
        read
    }

    /// A new request and the resident's decision; the grant, where it reached the recipient.
    async fn decide(self: Arc<Self>, browser: Arc<tokio::sync::Mutex<Browser>>) -> Option<String> {
        let mut browser = browser.lock().await;
        let (status, asked) =
            self.service.try_ask("espoo", "early-education-service-need", Some("otso"), json!({})).await;
        if status != 201 {
            return None;
        }
        let mut page = browser.open(asked["startUrl"].as_str().unwrap()).await;
        if page.has_form("/login/") {
            page = page.log_in(&mut browser, "otso").await;
        }
        if !page.has_form("/consent/") {
            return None;
        }
        let end = page.decide(&mut browser, "allow", &[]).await;
        if !end.url.as_str().starts_with(&self.service.world.service_page) {
            return None;
        }
        let held = asked["id"].as_str().unwrap().parse().unwrap();
        let store = self.service.world.store("helsinki");
        let held = store.read("test", move |store| held_consents::find(store, held)).await;
        let held: Result<_, StoreError> = held;
        held.unwrap().life.grant_id().map(|grant| grant.as_str().to_owned())
    }
}

/// A moment within a range of milliseconds.
fn moment(range: u64) -> Duration {
    let random: [u8; 8] = random(&app::SystemEntropy);
    Duration::from_micros(u64::from_be_bytes(random) % (range * 1000))
}

fn sqlite3_is_here() -> bool {
    let here = Command::new("sqlite3").arg("-version").output().is_ok();
    if !here {
        eprintln!("left out: kills under a foreign reader need the program sqlite3, which is not here");
    }
    here
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_beside_a_foreign_reader() {
    let _turn = ONE_AT_A_TIME.lock().await;
    if !sqlite3_is_here() {
        return;
    }
    let (count, began) = (rounds(), Instant::now());
    let rounds = Rounds::start().await;
    let mut browser = Browser::new();
    browser.survives_breaks = true;
    let browser = Arc::new(tokio::sync::Mutex::new(browser));
    let mut acknowledged = Acknowledged::default();
    let (mut seeded, mut read, mut refused) = (Vec::new(), 0, 0);
    for number in 0..count {
        if seeded.is_empty() {
            seeded = rounds.seed(SEEDED_ROUNDS.min(count - number)).await;
        }
        let fetched = seeded.split_off(seeded.len() - SERVICES * FETCHED);
        let to_stop = seeded.split_off(seeded.len() - STOPPED);
        let process = rounds.stand.serve().await;
        rounds.over.store(false, Ordering::SeqCst);
        let stops = tokio::spawn(Arc::clone(&rounds).stop_all(to_stop));
        let fetches: Vec<_> = fetched
            .chunks(FETCHED)
            .map(|races| tokio::spawn(Arc::clone(&rounds).fetch_on(races.to_vec())))
            .collect();
        let decision = tokio::spawn(Arc::clone(&rounds).decide(Arc::clone(&browser)));
        let reader = Arc::clone(&rounds);
        let reader = tokio::task::spawn_blocking(move || reader.read_on());
        tokio::time::sleep(moment(LIFE)).await;
        process.kill();
        rounds.over.store(true, Ordering::SeqCst);
        let stopped = stops.await.unwrap();
        for fetch in fetches {
            acknowledged.exchanges.extend(fetch.await.unwrap());
        }
        acknowledged.decided.extend(decision.await.unwrap());
        acknowledged.stopped.extend(stopped.iter().map(|race| harness::hex(race.consent.as_bytes())));
        read += reader.await.unwrap();
        // In every other round another program is the first to see what the kill left.
        if number.is_multiple_of(2) {
            let lost = acknowledged.lost(&rounds.file.read());
            assert!(lost.is_empty(), "round {number}, before the restart: {lost:#?}");
        }
        let process = rounds.stand.serve().await;
        for race in &stopped {
            let answer = rounds.stand.answer_to_fetch(0, race, &rounds.stand.proof(race)).await;
            assert!(matches!(answer, Some(401 | 403)), "round {number}: {} {answer:?}", race.consent);
            refused += 1;
        }
        let lost = acknowledged.lost(&rounds.file.read());
        assert!(lost.is_empty(), "round {number}, after the restart: {lost:#?}");
        process.kill();
        if (number + 1).is_multiple_of(50) {
            println!("{} of {count} rounds, {:.0} s", number + 1, began.elapsed().as_secs_f64());
        }
    }
    assert_eq!(rounds.file.integrity(), ["ok"]);
    let rows = [
        ("rounds", count),
        ("stops acknowledged", acknowledged.stopped.len()),
        ("exchanges acknowledged", acknowledged.exchanges.len()),
        ("decisions acknowledged", acknowledged.decided.len()),
        ("readings by another program", read),
        ("fetches refused after the restart", refused),
    ];
    println!("kills on SQLite, {:.0} s, nothing acknowledged was lost", began.elapsed().as_secs_f64());
    for (what, figure) in rows {
        println!("  {what:<48} {figure:>10}");
    }
    // Rounds in which nothing happened prove nothing.
    assert!(acknowledged.stopped.len() >= count / 2, "hardly anything was stopped");
    assert!(acknowledged.exchanges.len() >= count && read >= count, "hardly anything went on");
    assert!(acknowledged.decided.len() >= count / 20, "hardly anything was decided");
}

/// A loss by hand: an older copy of the file takes its place, as the last reader's checkpoint does where a node's journal
/// was deleted under its feet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_loss_is_found() {
    let _turn = ONE_AT_A_TIME.lock().await;
    if !sqlite3_is_here() {
        return;
    }
    let rounds = Rounds::start().await;
    let races = rounds.seed(1).await;
    let older = rounds.file.beside(".older");
    rounds.file.ask(&format!("VACUUM INTO '{}'", older.display())).unwrap();
    let process = rounds.stand.serve().await;
    let stopped = Arc::clone(&rounds).stop_all(races[..1].to_vec()).await;
    let proof = rounds.stand.proof(&races[1]);
    let released = rounds.stand.fetch(0, &races[1], &proof).await;
    process.kill();
    assert!(stopped.len() == 1 && released, "nothing was acknowledged");
    let mut acknowledged = Acknowledged::default();
    acknowledged.stopped.insert(harness::hex(races[0].consent.as_bytes()));
    acknowledged.exchanges.insert(node::digest_of(&proof));
    let lost = acknowledged.lost(&rounds.file.read());
    assert!(lost.is_empty(), "{lost:#?}");
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(rounds.file.beside(ending));
    }
    std::fs::rename(older, &rounds.file.0).unwrap();
    let lost = acknowledged.lost(&rounds.file.read());
    assert_eq!(lost.len(), 2, "{lost:#?}");
}
