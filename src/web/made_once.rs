//! Public documents that are made once and then served from memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::representation::Representation;
use crate::domain::sync::lock;
use crate::node::{Problem, ProblemKind};

/// The digest of what a document is made of besides the configuration, which a process reads once.
pub(crate) type MadeOf = [u8; 32];

/// Maximum memory of the documents in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The documents, by name. The one that was not asked for the longest makes room.
#[derive(Default)]
pub(crate) struct MadeOnce {
    kept: Arc<Mutex<Kept>>,
    /// Documents are made one by one: making a large one takes much memory for a moment, and who comes meanwhile for
    /// the same finds it made.
    making: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Kept {
    documents: HashMap<String, Document>,
    bytes: usize,
    /// Counts the requests, to order the documents by their last.
    requests: u64,
}

struct Document {
    made_of: MadeOf,
    asked_at: u64,
    bytes: usize,
    representation: Arc<Representation>,
}

impl MadeOnce {
    /// The document of a name, made if there is none yet or it was made of something else.
    ///
    /// # Errors
    /// Those of `make`, which runs on a thread for blocking work.
    pub(crate) async fn get(
        &self,
        name: &str,
        made_of: MadeOf,
        make: impl FnOnce() -> Result<Representation, Problem> + Send + 'static,
    ) -> Result<Arc<Representation>, Problem> {
        if let Some(found) = lock(&self.kept).find(name, made_of) {
            return Ok(found);
        }
        let one_by_one = Arc::clone(&self.making).lock_owned().await;
        if let Some(found) = lock(&self.kept).find(name, made_of) {
            return Ok(found);
        }
        let (kept, name) = (Arc::clone(&self.kept), name.to_owned());
        // Kept also when nobody waits for it any longer: who asks next would begin again.
        let making = tokio::task::spawn_blocking(move || {
            let _one_by_one = one_by_one;
            let made = Arc::new(make()?);
            lock(&kept).keep(&name, made_of, Arc::clone(&made), MAX_BYTES);
            Ok(made)
        });
        making.await.unwrap_or_else(|error| Err(Problem::because(ProblemKind::Internal, error)))
    }
}

impl Kept {
    fn find(&mut self, name: &str, made_of: MadeOf) -> Option<Arc<Representation>> {
        self.requests = self.requests.saturating_add(1);
        let document = self.documents.get_mut(name).filter(|document| document.made_of == made_of)?;
        document.asked_at = self.requests;
        Some(Arc::clone(&document.representation))
    }

    /// Keeps a document within `max_bytes`; not one that is larger than all of them may be.
    fn keep(&mut self, name: &str, made_of: MadeOf, representation: Arc<Representation>, max_bytes: usize) {
        self.forget(name);
        let bytes = representation.size().saturating_add(name.len());
        if bytes > max_bytes {
            return;
        }
        while self.bytes.saturating_add(bytes) > max_bytes {
            let oldest = self.documents.iter().min_by_key(|(_, document)| document.asked_at);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { break };
            self.forget(&oldest);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let document = Document { made_of, asked_at: self.requests, bytes, representation };
        self.documents.insert(name.to_owned(), document);
    }

    fn forget(&mut self, name: &str) {
        if let Some(document) = self.documents.remove(name) {
            self.bytes = self.bytes.saturating_sub(document.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn document(bytes: usize) -> Representation {
        Representation::new("image/png", vec![0_u8; bytes])
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_document_is_made_once_for_all_who_come_at_the_same_time_and_again_of_something_else() {
        let (all, made) = (Arc::new(MadeOnce::default()), Arc::new(AtomicUsize::new(0)));
        let ask = |made_of| {
            let (all, made) = (Arc::clone(&all), Arc::clone(&made));
            tokio::spawn(async move {
                let make = move || {
                    made.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    Ok(document(10))
                };
                all.get("a", made_of, make).await.unwrap().size()
            })
        };
        for (made_of, times) in [([1; 32], 1), ([2; 32], 2)] {
            let asked: Vec<_> = (0..16).map(|_| ask(made_of)).collect();
            for asked in asked {
                assert_eq!(asked.await.unwrap(), 10);
            }
            assert_eq!(made.load(Ordering::SeqCst), times);
        }
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_tried_again() {
        let all = MadeOnce::default();
        let failed = all.get("a", [0; 32], || Err(Problem::new(ProblemKind::Internal))).await;
        assert!(failed.is_err());
        let panicked = all.get("a", [0; 32], || panic!("made to fail")).await;
        assert_eq!(panicked.unwrap_err().kind, ProblemKind::Internal);
        assert_eq!(all.get("a", [0; 32], || Ok(document(3))).await.unwrap().size(), 3);
    }

    #[tokio::test]
    async fn a_document_is_kept_although_who_asked_has_gone() {
        let all = MadeOnce::default();
        let slow = || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            Ok(document(7))
        };
        let short = std::time::Duration::from_millis(10);
        assert!(tokio::time::timeout(short, all.get("a", [0; 32], slow)).await.is_err());
        let again = all.get("a", [0; 32], || Ok(document(8))).await.unwrap();
        assert_eq!(again.size(), 7);
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let mut kept = Kept::default();
        let keep =
            |kept: &mut Kept, name: &str, bytes| kept.keep(name, [0; 32], Arc::new(document(bytes)), 100);
        for name in ["a", "b", "c"] {
            keep(&mut kept, name, 29);
            assert!(kept.find(name, [0; 32]).is_some());
        }
        assert!(kept.find("a", [0; 32]).is_some());
        keep(&mut kept, "d", 29);
        let there = |kept: &mut Kept, name: &str| kept.find(name, [0; 32]).is_some();
        assert!(there(&mut kept, "a") && !there(&mut kept, "b") && there(&mut kept, "d"));
        keep(&mut kept, "e", 200);
        assert!(
            !there(&mut kept, "e") && there(&mut kept, "a"),
            "too large to be kept, and pushes nothing out"
        );
        keep(&mut kept, "a", 9);
        assert_eq!(kept.bytes, kept.documents.values().map(|document| document.bytes).sum::<usize>());
        assert_eq!(kept.bytes, 70);
        keep(&mut kept, "f", 99);
        assert_eq!((kept.documents.len(), kept.bytes), (1, 100));
    }
}
