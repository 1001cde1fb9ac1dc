//! Looking for an entity from the anchors down, level by level: the superiors of one level are asked at the same time, and
//! the nearest to an anchor who lists the entity and vouches for it counts.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::anchor::configuration;
use crate::domain::federation::{ChainHint, TrustError, VerifiedChain, verify_statements};
use crate::domain::ids::EntityId;
use crate::outbound::federation::directory::Inner;
use crate::outbound::federation::superior::{Budget, Listing, Superior, hints};

/// Most superiors that one search looks at.
const MAX_VOUCHERS: usize = 128;

/// How many superiors are asked at a time.
const AT_ONCE: usize = 8;

/// What is looked for, and what is known of it.
pub(crate) struct ChainQuery<'a> {
    pub(crate) id: &'a EntityId,
    /// The superiors of the chain before, from its immediate one to the anchor. When one of them says no, another that
    /// cannot be reached does not leave the matter open.
    pub(crate) last: &'a [EntityId],
    /// Whom to ask first among equals.
    pub(crate) hint: &'a ChainHint,
    /// How old a list may be, in seconds.
    pub(crate) list_age: i64,
    pub(crate) budget: &'a Budget,
}

impl ChainQuery<'_> {
    /// Who stood immediately below a superior in the chain before.
    fn below_before(&self, voucher: &Superior) -> Option<&EntityId> {
        match self.last.iter().position(|id| *id == voucher.id)?.checked_sub(1) {
            None => Some(self.id),
            Some(below) => self.last.get(below),
        }
    }

    /// Why a superior's list ends what was known before, where it does: it names no longer whom it named in that chain.
    fn withdrawn(&self, voucher: &Superior, listing: &Listing) -> Option<TrustError> {
        let below = self.below_before(voucher)?;
        if below == self.id {
            return (!listing.members.contains(below))
                .then_some(TrustError::NotTrusted("no anchor lists it"));
        }
        (!listing.intermediates.contains(below))
            .then_some(TrustError::NotTrusted("its superior is no intermediate any more"))
    }
}

/// A superior, and whom it lists.
type Answer = (Arc<Superior>, Result<Arc<Listing>, TrustError>);

/// The way down. Each step asks superiors of one level, those first whom a hint names.
struct LevelWalk<'a> {
    inner: &'a Inner,
    /// Who is looked for; nobody when everyone is.
    wanted: Option<&'a EntityId>,
    hint: &'a ChainHint,
    list_age: i64,
    budget: &'a Budget,
    /// What is left of this level.
    groups: VecDeque<Vec<Arc<Superior>>>,
    /// The level below, as far as it is known.
    next: Vec<Arc<Superior>>,
    left: usize,
    /// Whether there are more superiors than one search looks at.
    crowded: bool,
}

impl<'a> LevelWalk<'a> {
    /// From the anchors.
    fn to(inner: &'a Inner, search: &'a ChainQuery<'a>) -> Self {
        let ChainQuery { id, hint, list_age, budget, .. } = *search;
        Self { wanted: Some(id), ..Self::everywhere(inner, hint, list_age, budget) }
    }

    fn everywhere(inner: &'a Inner, hint: &'a ChainHint, list_age: i64, budget: &'a Budget) -> Self {
        let (groups, next) = (VecDeque::new(), inner.anchors.clone());
        Self { inner, wanted: None, hint, list_age, budget, groups, next, left: MAX_VOUCHERS, crowded: false }
    }

    /// Asks the next superiors for their lists; nothing when all were asked. Who does not answer is waited for as long as
    /// the resolution may take, but not when another one was found who lists the entity.
    async fn step(&mut self) -> Option<Vec<Answer>> {
        if self.groups.is_empty() {
            let (named, others): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.next).into_iter().partition(|one| self.hint.names(&one.id));
            self.groups = [named, others].into_iter().filter(|group| !group.is_empty()).collect();
        }
        let mut group = self.groups.pop_front()?;
        if group.len() > self.left {
            self.crowded = true;
            group.truncate(self.left);
        }
        self.left = self.left.saturating_sub(group.len());
        let mut answers: Vec<Option<_>> = group.iter().map(|_| None).collect();
        let mut asking = stream::iter(group.iter().cloned().enumerate())
            .map(|(place, voucher)| self.inner.ask(place, voucher, self.list_age, self.budget))
            .buffer_unordered(AT_ONCE);
        let mut found = false;
        while let Ok(Some((place, listing))) =
            tokio::time::timeout_at(self.budget.until(found), asking.next()).await
        {
            let lists =
                |id| listing.as_ref().is_ok_and(|listing: &Arc<Listing>| listing.members.contains(id));
            found |= self.wanted.is_some_and(lists);
            if let Some(answer) = answers.get_mut(place) {
                *answer = Some(listing);
            }
        }
        drop(asking);
        let unanswered = Err(TrustError::Unavailable("no answer in time"));
        let answers: Vec<Answer> = group
            .into_iter()
            .zip(answers)
            .map(|(voucher, answer)| (voucher, answer.unwrap_or_else(|| unanswered.clone())))
            .collect();
        for (voucher, listing) in &answers {
            if let Ok(listing) = listing {
                self.next.extend(voucher.below(listing));
            }
        }
        Some(answers)
    }
}

/// What the superiors said that did not lead to a chain.
#[derive(Default)]
struct Refusals {
    /// The own no of a superior of the chain before: whoever else cannot be reached does not leave the matter open.
    final_no: Option<TrustError>,
    open: Option<TrustError>,
    no: Option<TrustError>,
}

impl Refusals {
    /// `final_no` is whether a no of this superior ends what was known before.
    fn take(&mut self, error: TrustError, final_no: bool) {
        match error {
            TrustError::Unavailable(_) => self.open = self.open.take().or(Some(error)),
            TrustError::NotTrusted(_) => {
                if final_no {
                    self.final_no = Some(error.clone());
                }
                self.no = Some(error);
            }
        }
    }

    fn into_error(self, crowded: bool) -> TrustError {
        let crowded = crowded.then_some(TrustError::Unavailable("there are too many superiors"));
        self.final_no
            .or(crowded)
            .or(self.open)
            .or(self.no)
            .unwrap_or(TrustError::NotTrusted("no anchor lists it"))
    }
}

/// What the entity says about itself, and which superiors it names; fetched once, when a superior is found.
type Leaf = Option<(String, Vec<EntityId>)>;

/// Whom the superiors list, as far as they could be asked.
#[derive(Default)]
pub(crate) struct AllListed {
    pub(crate) members: BTreeSet<EntityId>,
    pub(crate) intermediates: BTreeSet<EntityId>,
    pub(crate) failed: Option<TrustError>,
}

impl Inner {
    /// Whom a superior lists. It is asked by itself: when nobody waits for the answer any more, it is there for the next.
    async fn ask(
        &self,
        place: usize,
        voucher: Arc<Superior>,
        list_age: i64,
        budget: &Budget,
    ) -> (usize, Result<Arc<Listing>, TrustError>) {
        let (around, budget) = (self.around.clone(), budget.clone());
        if let Some(listing) = voucher.listing_at_hand(&around, list_age) {
            return (place, Ok(listing));
        }
        let asked = tokio::spawn(async move { voucher.listing(&around, list_age, &budget).await });
        (place, asked.await.unwrap_or(Err(TrustError::Unavailable("a superior could not be asked"))))
    }

    /// The chain of an entity through the nearest superior that lists it and vouches for it.
    pub(crate) async fn chain(&self, search: &ChainQuery<'_>) -> Result<VerifiedChain, TrustError> {
        let (mut leaf, mut refusals) = (Leaf::None, Refusals::default());
        let mut descent = LevelWalk::to(self, search);
        while let Some(answers) = descent.step().await {
            for (voucher, listing) in answers {
                let before = search.below_before(&voucher);
                let listing = match listing {
                    Ok(listing) => listing,
                    Err(error) => {
                        refusals.take(error, before.is_some() && !voucher.is_anchor());
                        continue;
                    }
                };
                if let Some(error) = search.withdrawn(&voucher, &listing) {
                    refusals.take(error, true);
                }
                if !listing.members.contains(search.id) {
                    continue;
                }
                match self.through(&voucher, search, &mut leaf).await {
                    Ok(chain) => return Ok(chain),
                    Err(error) => refusals.take(error, before == Some(search.id)),
                }
            }
        }
        Err(refusals.into_error(descent.crowded))
    }

    /// The chain of an entity through one superior that lists it.
    async fn through(
        &self,
        voucher: &Superior,
        search: &ChainQuery<'_>,
        leaf: &mut Leaf,
    ) -> Result<VerifiedChain, TrustError> {
        const UNNAMED: TrustError = TrustError::NotTrusted("the entity names no anchor that lists it");
        let ChainQuery { id, budget, .. } = search;
        let standing = voucher.standing(&self.around, budget).await?;
        if leaf.as_ref().is_some_and(|(_, named)| !named.contains(&voucher.id)) {
            return Err(UNNAMED);
        }
        // The superior first: whom it gave up cannot put that off by not answering.
        let about = voucher.about(&standing, id, &self.around, budget).await?;
        let (text, named) = match leaf {
            Some(leaf) => leaf,
            None => {
                budget.spend()?;
                let text = configuration(&self.around.guard, id).await?;
                let named = hints(&text)?;
                leaf.insert((text, named))
            }
        };
        if !named.contains(&voucher.id) {
            return Err(UNNAMED);
        }
        let statements = standing.chain(text, about);
        let chain = verify_statements(&statements, std::slice::from_ref(&standing.anchor), self.now())?;
        if chain.subject() == *id {
            Ok(chain)
        } else {
            Err(TrustError::NotTrusted("the entity configuration is another's"))
        }
    }

    /// Whether any superior lists an entity now.
    pub(crate) async fn listed(&self, search: &ChainQuery<'_>) -> Result<(), TrustError> {
        let mut failed = None;
        let mut descent = LevelWalk::to(self, search);
        while let Some(answers) = descent.step().await {
            for (_, listing) in answers {
                match listing {
                    Ok(listing) if listing.members.contains(search.id) => return Ok(()),
                    Ok(_) => {}
                    Err(error) => failed = Some(error),
                }
            }
        }
        Err(failed.unwrap_or(TrustError::NotTrusted("no anchor lists it")))
    }

    /// Everyone whom any superior lists.
    pub(crate) async fn all_listed(&self, list_age: i64, budget: &Budget) -> AllListed {
        let (mut all, hint) = (AllListed::default(), ChainHint::default());
        let mut descent = LevelWalk::everywhere(self, &hint, list_age, budget);
        while let Some(answers) = descent.step().await {
            for (_, listing) in answers {
                match listing {
                    Ok(listing) => {
                        all.members.extend(listing.members.iter().cloned());
                        all.intermediates.extend(listing.intermediates.iter().cloned());
                    }
                    Err(error) => all.failed = Some(error),
                }
            }
        }
        all
    }
}
