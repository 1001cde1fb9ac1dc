//! The walk down from the anchors, level by level: the superiors of one level are asked concurrently, those in a hint
//! first.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::ancestors::Ancestors;
use super::budget::{Budget, ResolverContext};
use crate::domain::federation::{ChainHint, Outage, TrustError};
use crate::domain::ids::EntityId;
use crate::outbound::federation::superior::{Listing, Superior};

/// Maximum number of superiors that one walk asks.
const MAX_SUPERIORS: usize = 128;

/// Maximum number of superiors of one level that are asked in turn. In a larger level only those above the entity by
/// its own claim are asked, which limits the work and not the size of the federation (OpenID Federation 1.0 §10.1).
const MAX_UNGUIDED: usize = 32;

/// Maximum number of superiors asked at a time.
const AT_ONCE: usize = 8;

/// A superior with its list.
pub(crate) type Answer = (Arc<Superior>, Result<Arc<Listing>, TrustError>);

/// An intermediate below a superior.
pub(crate) type Below = (Arc<Superior>, EntityId);

/// The target and the limits of one walk.
#[derive(Clone, Copy)]
pub(crate) struct WalkQuery<'a> {
    /// The entity searched; `None` for all.
    pub(crate) wanted: Option<&'a EntityId>,
    /// The superiors to ask first.
    pub(crate) hint: &'a ChainHint,
    /// Maximum age of a list, in seconds.
    pub(crate) list_age: i64,
    pub(crate) budget: &'a Budget,
}

pub(crate) struct LevelWalk<'a> {
    ctx: &'a ResolverContext,
    ancestors: &'a Ancestors,
    query: WalkQuery<'a>,
    /// The superiors of this level that were not asked yet.
    groups: VecDeque<Vec<Arc<Superior>>>,
    /// The level below, as far as it is known.
    next: Vec<Below>,
    left: usize,
    /// Why superiors were skipped, if any were.
    incomplete: Option<TrustError>,
}

impl<'a> LevelWalk<'a> {
    pub(crate) fn new(
        ctx: &'a ResolverContext,
        anchors: &[Arc<Superior>],
        ancestors: &'a Ancestors,
        query: WalkQuery<'a>,
    ) -> Self {
        let mut walk = Self {
            ctx,
            ancestors,
            query,
            groups: VecDeque::new(),
            next: Vec::new(),
            left: MAX_SUPERIORS,
            incomplete: None,
        };
        walk.begin_level(anchors.to_vec());
        walk
    }

    /// Why superiors were skipped, if any were: their lists are unknown.
    pub(crate) fn into_incomplete(self) -> Option<TrustError> {
        self.incomplete
    }

    /// The same level in two groups, those in the hint first.
    fn begin_level(&mut self, level: Vec<Arc<Superior>>) {
        let (named, others): (Vec<_>, Vec<_>) =
            level.into_iter().partition(|one| self.query.hint.names(&one.id));
        self.groups = [named, others].into_iter().filter(|group| !group.is_empty()).collect();
    }

    /// Asks the next superiors for their lists; `None` when all were asked. Waits for slow ones within the resolution's
    /// deadline, but not when another superior was found that lists the entity.
    pub(crate) async fn step(&mut self) -> Option<Vec<Answer>> {
        if self.groups.is_empty() {
            let (wanted, budget) = (self.query.wanted, self.query.budget);
            let (level, incomplete) =
                next_level(std::mem::take(&mut self.next), wanted, self.ancestors, self.ctx, budget).await;
            self.incomplete = self.incomplete.take().or(incomplete);
            self.begin_level(level);
        }
        let mut group = self.groups.pop_front()?;
        if group.len() > self.left {
            self.incomplete = Some(TrustError::Unavailable(Outage::TooManySuperiors));
            group.truncate(self.left);
        }
        self.left = self.left.saturating_sub(group.len());
        let answers = self.ask_group(group).await;
        for (superior, listing) in &answers {
            if let Ok(listing) = listing {
                let below = superior.intermediates_of(listing);
                self.next.extend(below.map(|id| (Arc::clone(superior), id.clone())));
            }
        }
        Some(answers)
    }

    async fn ask_group(&self, group: Vec<Arc<Superior>>) -> Vec<Answer> {
        let WalkQuery { wanted, list_age, budget, .. } = self.query;
        let mut answers: Vec<Option<_>> = group.iter().map(|_| None).collect();
        let mut asking = stream::iter(group.iter().cloned().enumerate())
            .map(|(place, superior)| async move { (place, ask(self.ctx, superior, list_age, budget).await) })
            .buffer_unordered(AT_ONCE);
        let mut found = false;
        while let Ok(Some((place, listing))) =
            tokio::time::timeout_at(budget.until(found), asking.next()).await
        {
            let lists =
                |id| listing.as_ref().is_ok_and(|listing: &Arc<Listing>| listing.members.contains(id));
            found |= wanted.is_some_and(lists);
            if let Some(answer) = answers.get_mut(place) {
                *answer = Some(listing);
            }
        }
        drop(asking);
        let unanswered = Err(TrustError::Unavailable(Outage::Timeout));
        group
            .into_iter()
            .zip(answers)
            .map(|(superior, answer)| (superior, answer.unwrap_or_else(|| unanswered.clone())))
            .collect()
    }
}

/// The list of a superior. Fetched by a task of its own: if nobody waits for it any more, it is cached for the next
/// request.
async fn ask(
    ctx: &ResolverContext,
    superior: Arc<Superior>,
    list_age: i64,
    budget: &Budget,
) -> Result<Arc<Listing>, TrustError> {
    if let Some(listing) = superior.cached_listing(ctx, list_age) {
        return Ok(listing);
    }
    let (ctx, budget) = (ctx.clone(), budget.clone());
    let asked = tokio::spawn(async move { superior.listing(&ctx, list_age, &budget).await });
    asked.await.unwrap_or(Err(TrustError::Unavailable(Outage::NotAsked)))
}

/// The superiors of the next level, and why some were skipped, if any were.
pub(crate) async fn next_level(
    below: Vec<Below>,
    wanted: Option<&EntityId>,
    ancestors: &Ancestors,
    ctx: &ResolverContext,
    budget: &Budget,
) -> (Vec<Arc<Superior>>, Option<TrustError>) {
    let enter = |(superior, id): &Below| superior.intermediate(id);
    let Some(wanted) = wanted.filter(|_| below.len() > MAX_UNGUIDED) else {
        return (below.iter().map(enter).collect(), None);
    };
    match ancestors.of(wanted, ctx, budget).await {
        Ok(above) => {
            let above: &BTreeSet<EntityId> = &above;
            (below.iter().filter(|(_, id)| above.contains(id)).map(enter).collect(), None)
        }
        Err(error) => (below.iter().take(MAX_UNGUIDED).map(enter).collect(), Some(error)),
    }
}
