//! Checks one entity step by step and without caches, to report what is wrong: from the anchors down to its superior,
//! then its own configuration, its chain, its marks and its roles. Every check is the one of the resolver.

mod findings;

use std::sync::Arc;
use std::time::Duration;

use super::fetch::fetch_configuration;
use crate::domain::federation::{
    EntityIds, EntityStatement, Finding, HeldMark, PeerReport, Role, Step, TrustError, TrustFault,
    TrustedPeer, VerifiedChain, expiries_of, superior_is_sound, verify_self_signed, verify_statements,
    warnings,
};
use crate::domain::ids::EntityId;
use crate::outbound::federation::budget::Budget;
use crate::outbound::federation::resolver::Resolver;
use crate::outbound::federation::superior::{Superior, SuperiorState, superiors_named_in};
use crate::outbound::federation::trust_marks::{MAX_MARKS, TrustMarkChecker};

/// Time limit of one diagnosis with all its requests.
const DEADLINE: Duration = Duration::from_secs(25);

/// Maximum number of superiors that one diagnosis asks.
const MAX_SUPERIORS: usize = 64;

/// Diagnoses an entity. The resolver must be unused: cached results are not considered.
pub(crate) async fn diagnose(resolver: Resolver, id: &EntityId) -> PeerReport {
    let resolver = Arc::new(resolver);
    let marks = TrustMarkChecker::new(Arc::clone(&resolver));
    let mut diagnosis = Diagnosis::new(&resolver, &marks, id);
    if tokio::time::timeout(DEADLINE, diagnosis.run()).await.is_err() {
        diagnosis.findings.push(findings::took_too_long(id));
    }
    diagnosis.into_report()
}

struct Diagnosis<'a> {
    resolver: &'a Resolver,
    marks: &'a TrustMarkChecker,
    id: &'a EntityId,
    budget: Budget,
    findings: Vec<Finding>,
    /// Whether a superior lists the entity.
    listed: bool,
    /// Whether anyone answered at all.
    answered: bool,
    peer: Option<Arc<TrustedPeer>>,
    /// Whether the entity is one of the configured anchors.
    anchor: bool,
}

impl<'a> Diagnosis<'a> {
    fn new(resolver: &'a Resolver, marks: &'a TrustMarkChecker, id: &'a EntityId) -> Self {
        Self {
            resolver,
            marks,
            id,
            budget: Budget::new(DEADLINE),
            findings: Vec::new(),
            listed: false,
            answered: false,
            peer: None,
            anchor: resolver.anchors.iter().any(|anchor| anchor.id == *id),
        }
    }

    fn into_report(mut self) -> PeerReport {
        if !self.answered {
            self.findings.iter_mut().for_each(findings::blame_network);
        }
        PeerReport {
            subject: self.id.clone(),
            at: self.resolver.now(),
            findings: self.findings,
            listed: self.listed,
            anchor: self.anchor,
            peer: self.peer,
        }
    }

    async fn run(&mut self) {
        let listing = self.find_listing_superiors().await;
        if self.anchor {
            return;
        }
        let leaf = self.read_configuration().await;
        self.listed = !listing.is_empty();
        if !self.listed {
            let hints =
                leaf.as_ref().map(|(_, statement)| statement.authority_hints.clone().unwrap_or_default());
            let anchors = self.resolver.anchors.iter().map(|anchor| &anchor.id);
            let names_anchor = hints.map(|hints| anchors.into_iter().any(|anchor| hints.contains(anchor)));
            self.findings.push(findings::not_listed(self.id, names_anchor, &self.findings));
            return;
        }
        let Some((text, statement)) = leaf else { return };
        let hints = statement.authority_hints.unwrap_or_default();
        for superior in listing {
            let Some(chain) = self.check_chain(&superior, &text, &hints).await else { continue };
            let marks = self.check_marks(&chain).await;
            self.check_roles(&chain, marks);
            if self.peer.is_some() {
                return;
            }
        }
    }

    /// Asks every superior, from the anchors down; returns those that list the entity, the nearest to an anchor first.
    async fn find_listing_superiors(&mut self) -> Vec<Arc<Superior>> {
        let mut listing = Vec::new();
        let mut level = self.resolver.anchors.clone();
        let mut left = MAX_SUPERIORS;
        while !level.is_empty() {
            let mut below = Vec::new();
            for superior in level.into_iter().take(left) {
                left = left.saturating_sub(1);
                let Some(lists_it) = self.ask_superior(&superior, &mut below).await else { continue };
                if lists_it {
                    let message = format!("lists {}", self.id);
                    self.findings.push(Finding::pass(Step::Listing, &superior.id, message));
                    listing.push(superior);
                }
            }
            let (next, incomplete) = self.resolver.next_level(below, self.id, &self.budget).await;
            if let Some(error) = incomplete {
                self.findings.push(findings::superiors_left_out(self.id, &error));
            }
            level = next;
        }
        listing
    }

    /// Whether a superior lists the entity, and its intermediates; `None` when it does not answer.
    async fn ask_superior(
        &mut self,
        superior: &Arc<Superior>,
        below: &mut Vec<(Arc<Superior>, EntityId)>,
    ) -> Option<bool> {
        let ctx = &self.resolver.ctx;
        let state = match superior.state(ctx, &self.budget).await {
            Ok(state) => state,
            Err(error) => {
                self.answered |= matches!(error, TrustError::NotTrusted(_));
                self.findings.push(findings::superior_failed(superior, &error));
                return None;
            }
        };
        self.answered = true;
        let listing = superior.listing(ctx, 0, &self.budget).await;
        let lists_it = listing.as_ref().is_ok_and(|listing| listing.members.contains(self.id));
        if superior.is_anchor() || lists_it {
            self.findings.push(findings::superior_answers(superior, &state));
        }
        match listing {
            Ok(listing) => {
                let ids = superior.intermediates_of(&listing);
                below.extend(ids.map(|id| (Arc::clone(superior), id.clone())));
            }
            Err(error) => self.findings.push(findings::list_failed(superior, &error)),
        }
        Some(lists_it)
    }

    /// The entity's own configuration.
    async fn read_configuration(&mut self) -> Option<(String, EntityStatement)> {
        let fetched = fetch_configuration(&self.resolver.ctx.guard, self.id).await;
        let read = fetched.and_then(|text| {
            self.answered = true;
            superiors_named_in(&text)?;
            let statement = verify_self_signed(&text, self.resolver.now())?;
            if statement.sub != *self.id {
                return Err(TrustError::NotTrusted(TrustFault::EntityIdentifier));
            }
            Ok((text, statement))
        });
        match read {
            Ok((text, statement)) => {
                self.findings.push(findings::configuration_read(self.id, &statement));
                let parts = statement.unusable_parts();
                self.findings.extend(parts.into_iter().map(|part| findings::part_left_out(self.id, part)));
                Some((text, statement))
            }
            Err(error) => {
                self.findings.push(findings::configuration_failed(self.id, &error));
                None
            }
        }
    }

    /// The chain through one superior.
    async fn check_chain(
        &mut self,
        superior: &Superior,
        leaf: &str,
        hints: &EntityIds,
    ) -> Option<VerifiedChain> {
        if !hints.contains(&superior.id) {
            self.findings.push(findings::superior_not_named(self.id, superior));
            return None;
        }
        let (state, subordinate) = match self.fetch_subordinate(superior).await {
            Ok(fetched) => fetched,
            Err(error) => {
                self.findings.push(findings::no_statement(superior, &error));
                return None;
            }
        };
        let statements = state.chain(leaf, subordinate.clone());
        let now = self.resolver.now();
        match verify_statements(&statements, std::slice::from_ref(&state.anchor), now) {
            Ok(chain) => {
                self.findings.push(findings::chain_holds(self.id, &chain));
                Some(chain)
            }
            Err(error) => {
                let sound = superior_is_sound(&subordinate, &superior.id, &state.keys, now);
                self.findings.push(findings::chain_broken(self.id, superior, sound, &error));
                None
            }
        }
    }

    async fn fetch_subordinate(
        &self,
        superior: &Superior,
    ) -> Result<(Arc<SuperiorState>, String), TrustError> {
        let ctx = &self.resolver.ctx;
        let state = superior.state(ctx, &self.budget).await?;
        let subordinate = superior.fetch_statement(&state, self.id, ctx, &self.budget).await?;
        Ok((state, subordinate))
    }

    /// The trust marks in its configuration.
    async fn check_marks(&mut self, chain: &VerifiedChain) -> Vec<HeldMark> {
        let Some(rules) = chain.mark_rules() else { return Vec::new() };
        let mut held = Vec::new();
        for entry in chain.shown_marks().iter().take(MAX_MARKS) {
            let Some(role) = Role::of_mark(&entry.trust_mark_type, rules.anchor()) else { continue };
            match self.marks.mark(entry, chain, rules, &self.budget).await {
                Ok(mark) => {
                    self.findings.push(findings::mark_holds(self.id, role, &mark));
                    held.push(mark);
                }
                Err(error) => self.findings.push(findings::mark_refused(self.id, role, &error)),
            }
        }
        held
    }

    fn check_roles(&mut self, chain: &VerifiedChain, marks: Vec<HeldMark>) {
        let entity = chain.metadata().get("federation_entity");
        let is_superior = entity.and_then(|entity| entity.get("federation_fetch_endpoint")).is_some();
        let peer = match TrustedPeer::from_chain(chain, marks) {
            Ok(peer) => peer,
            Err(error) => {
                self.findings.push(findings::metadata_unusable(self.id, &error));
                return;
            }
        };
        self.findings.push(findings::roles(self.id, &peer, is_superior));
        let expiring = warnings(&expiries_of(&peer), self.resolver.now());
        if expiring.is_empty() {
            let message = format!("all of it holds until {}", peer.expires_at.rfc3339());
            self.findings.push(Finding::pass(Step::Time, self.id, message));
        }
        self.findings.extend(expiring.iter().map(|warning| findings::expires(self.id, warning)));
        self.peer = Some(Arc::new(peer));
    }
}
