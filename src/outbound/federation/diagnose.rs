//! Looks at one entity step by step and afresh, for people who want to know what is wrong: from the anchors down to who
//! lists it, its own word, its chain, its marks and its roles. Every check is the one that trust itself rests on.

use std::sync::Arc;
use std::time::Duration;

use super::anchor::configuration;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    EntityStatement, FaultKind, Finding, HeldMark, PeerReport, ResponsibleParty, Role, Step, TrustError,
    TrustedPeer, VerifiedChain, WarningThreshold, endings_of, superior_is_sound, verify_self_signed,
    verify_statements, warnings,
};
use crate::domain::ids::EntityId;
use crate::outbound::federation::directory::Inner;
use crate::outbound::federation::superior::{Budget, Superior, SuperiorState, hints};

/// Longest time for one examination, every request of it together.
const DEADLINE: Duration = Duration::from_secs(25);

/// Most superiors that one examination looks at.
const MAX_VOUCHERS: usize = 64;

/// Most trust marks that one examination looks at.
const MAX_MARKS: usize = 8;

/// Examines an entity. `inner` knows nothing yet: what others found before is not believed.
pub(crate) async fn examine(inner: &Arc<Inner>, id: &EntityId) -> PeerReport {
    let mut examination = Diagnosis {
        inner,
        id,
        budget: Budget::new(DEADLINE),
        findings: Vec::new(),
        listed: false,
        classify_reply: false,
        peer: None,
        anchor: false,
    };
    if tokio::time::timeout(DEADLINE, examination.walk()).await.is_err() {
        let said = "the examination took too long";
        let fault = (ResponsibleParty::Network, FaultKind::Silent);
        examination.findings.push(Finding::fail(Step::Chain, id, said, fault, ASK_NETWORK));
    }
    examination.into_report()
}

const ASK_NETWORK: &str =
    "see this machine's network, name service, firewall and clock; nothing outside answers it in time";
const ASK_ANCHOR: &str = "ask the anchor's operator whether it runs; what is known holds until it expires, and is asked for again by itself";
const ASK_INTERMEDIATE: &str =
    "ask the intermediate's operator; members below it hold until their statements expire";
const ASK_PEER: &str = "ask the peer's operator; nothing is to be done here";
const ANCHOR_KEYS: &str =
    "compare [[trust_anchors]] jwks_file with the anchor's keys, over a way that you trust";
const CLOCKS: &str = "compare both clocks with the time; a minute's difference is allowed";

struct Diagnosis<'a> {
    inner: &'a Arc<Inner>,
    id: &'a EntityId,
    budget: Budget,
    findings: Vec<Finding>,
    /// Whether a superior lists the entity.
    listed: bool,
    /// Whether anyone answered at all.
    classify_reply: bool,
    peer: Option<Arc<TrustedPeer>>,
    /// Whether the entity is one of the configured anchors.
    anchor: bool,
}

impl Diagnosis<'_> {
    fn now(&self) -> Timestamp {
        self.inner.around.clock.now()
    }

    fn into_report(mut self) -> PeerReport {
        if !self.classify_reply {
            for finding in self.findings.iter_mut().filter(|found| found.fault == Some(FaultKind::Silent)) {
                (finding.side, finding.remedy) = (Some(ResponsibleParty::Network), Some(ASK_NETWORK));
            }
        }
        PeerReport {
            subject: self.id.clone(),
            at: self.now(),
            findings: self.findings,
            listed: self.listed,
            anchor: self.anchor,
            peer: self.peer,
        }
    }

    async fn walk(&mut self) {
        self.anchor = self.inner.anchors.iter().any(|anchor| anchor.id == *self.id);
        let listing = self.who_lists_it().await;
        if self.anchor {
            return;
        }
        let leaf = self.fetch_configuration().await;
        self.listed = !listing.is_empty();
        if !self.listed {
            self.not_listed(leaf.as_ref());
            return;
        }
        let Some((text, statement)) = leaf else { return };
        let hints = statement.authority_hints.unwrap_or_default();
        for voucher in listing {
            let Some(chain) = self.chain(&voucher, &text, &hints).await else { continue };
            let marks = self.marks(&chain).await;
            self.roles(chain, marks);
            if self.peer.is_some() {
                return;
            }
        }
    }

    /// Asks everyone who vouches, from the anchors down; those who list the entity, the nearest to an anchor first.
    async fn who_lists_it(&mut self) -> Vec<Arc<Superior>> {
        let mut listing = Vec::new();
        let mut level = self.inner.anchors.clone();
        let mut left = MAX_VOUCHERS;
        while !level.is_empty() {
            let mut next = Vec::new();
            for voucher in level.into_iter().take(left) {
                left = left.saturating_sub(1);
                let standing = match voucher.standing(&self.inner.around, &self.budget).await {
                    Ok(standing) => standing,
                    Err(error) => {
                        self.vouching_failed(&voucher, &error);
                        continue;
                    }
                };
                self.classify_reply = true;
                let members = voucher.listing(&self.inner.around, 0, &self.budget).await;
                let lists_it = members.as_ref().is_ok_and(|members| members.members.contains(self.id));
                if voucher.is_anchor() || lists_it {
                    self.vouching(&voucher, &standing);
                }
                match members {
                    Ok(members) => next.extend(voucher.below(&members)),
                    Err(error) => self.list_failed(&voucher, &error),
                }
                if lists_it {
                    self.findings.push(Finding::pass(
                        Step::Listing,
                        &voucher.id,
                        format!("lists {}", self.id),
                    ));
                    listing.push(voucher);
                }
            }
            level = next;
        }
        listing
    }

    fn vouching(&mut self, voucher: &Superior, standing: &SuperiorState) {
        let until = standing.expires_at().rfc3339();
        let keys = standing.keys.len();
        let (step, known) = if voucher.is_anchor() {
            (Step::Anchor, "answers and signs with a key that is known here")
        } else {
            (Step::Intermediate, "answers and is vouched for itself")
        };
        self.findings.push(Finding::pass(
            step,
            &voucher.id,
            format!("{known}; {keys} key(s), holds until {until}"),
        ));
    }

    fn vouching_failed(&mut self, voucher: &Superior, error: &TrustError) {
        let (step, side) = place(voucher);
        let (about, said) = (&voucher.id, in_words(error));
        let found = match error {
            TrustError::Unavailable("the store") => {
                let fault = (ResponsibleParty::Ours, FaultKind::Silent);
                Finding::fail(
                    step,
                    about,
                    "this node's own store is away",
                    fault,
                    "see the database of this node",
                )
            }
            TrustError::Unavailable(_) => {
                Finding::fail(step, about, said, (side, FaultKind::Silent), ask(side))
            }
            TrustError::NotTrusted("not_yet_valid" | "expired") => {
                self.classify_reply = true;
                Finding::fail(step, about, said, (side, FaultKind::Unfit), CLOCKS)
            }
            // Its keys are ours to configure: whoever answers with others is not whom was configured.
            TrustError::NotTrusted("unknown_key") if voucher.is_anchor() => {
                self.classify_reply = true;
                Finding::fail(step, about, said, (ResponsibleParty::Ours, FaultKind::Unfit), ANCHOR_KEYS)
            }
            TrustError::NotTrusted(_) => {
                self.classify_reply = true;
                Finding::fail(step, about, said, (side, FaultKind::Unfit), ask(side))
            }
        };
        self.findings.push(found);
    }

    fn list_failed(&mut self, voucher: &Superior, error: &TrustError) {
        let (_, side) = place(voucher);
        let said = format!("cannot be asked whom it lists: {}", in_words(error));
        self.findings.push(Finding::fail(Step::Listing, &voucher.id, said, (side, fault(error)), ask(side)));
    }

    /// What the entity says about itself.
    async fn fetch_configuration(&mut self) -> Option<(String, EntityStatement)> {
        let fetched = configuration(&self.inner.around.guard, self.id).await;
        let read = fetched.and_then(|text| {
            self.classify_reply = true;
            hints(&text)?;
            let statement = verify_self_signed(&text, self.now())?;
            if statement.sub != *self.id {
                return Err(TrustError::NotTrusted("it presents itself under another name"));
            }
            Ok((text, statement))
        });
        match read {
            Ok((text, statement)) => {
                let superiors: Vec<&str> =
                    statement.authority_hints.iter().flatten().map(EntityId::as_str).collect();
                let said = format!(
                    "signed by itself, holds until {}; superiors: {}",
                    Timestamp::from_secs(statement.exp).rfc3339(),
                    if superiors.is_empty() { "none".to_owned() } else { superiors.join(", ") },
                );
                self.findings.push(Finding::pass(Step::Configuration, self.id, said));
                Some((text, statement))
            }
            Err(error) => {
                let remedy = match error {
                    TrustError::NotTrusted("not_yet_valid" | "expired") => CLOCKS,
                    TrustError::NotTrusted("not found") => {
                        "it serves no entity configuration below /.well-known/openid-federation: see the address"
                    }
                    _ => ASK_PEER,
                };
                let faulty = (ResponsibleParty::Peer, fault(&error));
                let said = in_words(&error);
                self.findings.push(Finding::fail(Step::Configuration, self.id, said, faulty, remedy));
                None
            }
        }
    }

    fn not_listed(&mut self, leaf: Option<&(String, EntityStatement)>) {
        let unasked = self.findings.iter().find(|found| {
            found.fault.is_some() && matches!(found.step, Step::Anchor | Step::Intermediate | Step::Listing)
        });
        if let Some((side, fault)) = unasked.and_then(|found| found.side.zip(found.fault)) {
            let said = "whether it is a member cannot be told: not all who could list it answer properly";
            self.findings.push(Finding::fail(Step::Listing, self.id, said, (side, fault), ask(side)));
            return;
        }
        let ours = |(_, statement): &(String, EntityStatement)| {
            let hints = statement.authority_hints.iter().flatten();
            hints.into_iter().any(|hint| self.inner.anchors.iter().any(|anchor| anchor.id == *hint))
        };
        let remedy = match leaf {
            Some(leaf) if ours(leaf) => "the anchor's operator adds it as a member, when it is to be one",
            Some(_) => {
                "it names no anchor of this node as its superior: it belongs to another federation, or to none yet"
            }
            None => ASK_PEER,
        };
        let said =
            "no anchor that this node trusts, and no intermediate below one, lists it: it is not a member";
        let faulty = (ResponsibleParty::Peer, FaultKind::NotMember);
        self.findings.push(Finding::fail(Step::Listing, self.id, said, faulty, remedy));
    }

    /// The chain through one superior.
    async fn chain(&mut self, voucher: &Superior, leaf: &str, hints: &[EntityId]) -> Option<VerifiedChain> {
        let (_, side) = place(voucher);
        if !hints.contains(&voucher.id) {
            let said = format!("it does not name {} as its superior, which lists it", voucher.id);
            let remedy = "the peer names it in authority_hints";
            self.findings.push(Finding::fail(
                Step::Chain,
                self.id,
                said,
                (ResponsibleParty::Peer, FaultKind::Unfit),
                remedy,
            ));
            return None;
        }
        let around = &self.inner.around;
        let said = match voucher.standing(around, &self.budget).await {
            Ok(standing) => {
                voucher.about(&standing, self.id, around, &self.budget).await.map(|about| (standing, about))
            }
            Err(error) => Err(error),
        };
        let (standing, about) = match said {
            Ok(said) => said,
            Err(error) => {
                let said = format!("{} says nothing about it: {}", voucher.id, in_words(&error));
                let kind = match error {
                    TrustError::NotTrusted("not found") => FaultKind::NotMember,
                    ref error => fault(error),
                };
                self.findings.push(Finding::fail(Step::Chain, &voucher.id, said, (side, kind), ask(side)));
                return None;
            }
        };
        let statements = standing.chain(leaf, about.clone());
        match verify_statements(&statements, std::slice::from_ref(&standing.anchor), self.now()) {
            Ok(chain) => {
                let superiors: Vec<&str> = chain.superiors().iter().map(EntityId::as_str).collect();
                let until = chain.expires_at().rfc3339();
                let said = format!("vouched for by {}; holds until {until}", superiors.join(", by "));
                self.findings.push(Finding::pass(Step::Chain, self.id, said));
                Some(chain)
            }
            Err(error) => {
                let words = in_words(&error);
                let found = if superior_is_sound(&about, &voucher.id, &standing.keys, self.now()) {
                    let remedy = match error {
                        TrustError::NotTrusted("unknown_key") => {
                            "the peer signs with a key that its superior does not know: the superior has to follow it"
                        }
                        _ => {
                            "the peer and its superior have to agree: one says what the other does not allow"
                        }
                    };
                    Finding::fail(
                        Step::Chain,
                        self.id,
                        words,
                        (ResponsibleParty::Peer, FaultKind::Unfit),
                        remedy,
                    )
                } else {
                    let said = format!("its statement about {} is faulty: {words}", self.id);
                    Finding::fail(Step::Chain, &voucher.id, said, (side, FaultKind::Unfit), ask(side))
                };
                self.findings.push(found);
                None
            }
        }
    }

    /// The trust marks that it shows.
    async fn marks(&mut self, chain: &VerifiedChain) -> Vec<HeldMark> {
        let Some(rules) = chain.mark_rules() else { return Vec::new() };
        let mut held = Vec::new();
        for entry in chain.shown_marks().iter().take(MAX_MARKS) {
            let Some(role) = Role::of_mark(&entry.trust_mark_type, rules.anchor()) else { continue };
            match self.inner.mark(entry, chain, rules, &self.budget).await {
                Ok(mark) => {
                    let until = mark.mark().exp.map(|exp| Timestamp::from_secs(exp).rfc3339());
                    let until = until.map_or_else(String::new, |until| format!(", until {until}"));
                    let said = format!("{role}: given by {} and not taken back{until}", mark.mark().iss);
                    self.findings.push(Finding::pass(Step::Mark, self.id, said));
                    held.push(mark);
                }
                Err(error) => {
                    let (side, remedy) = match error {
                        TrustError::Unavailable(_) => (
                            ResponsibleParty::Anchor,
                            "the mark's issuer does not tell its status: ask its operator",
                        ),
                        TrustError::NotTrusted("a trust mark was revoked") => (
                            ResponsibleParty::Anchor,
                            "the mark's issuer took it back: its operator says why",
                        ),
                        TrustError::NotTrusted(_) => (ResponsibleParty::Peer, ASK_PEER),
                    };
                    let said = format!("{role}: {}", in_words(&error));
                    let kind = if matches!(error, TrustError::Unavailable(_)) {
                        FaultKind::Silent
                    } else {
                        FaultKind::NoRole
                    };
                    self.findings.push(Finding::fail(Step::Mark, self.id, said, (side, kind), remedy));
                }
            }
        }
        held
    }

    fn roles(&mut self, chain: VerifiedChain, marks: Vec<HeldMark>) {
        let superior = chain
            .metadata()
            .get("federation_entity")
            .and_then(|entity| entity.get("federation_fetch_endpoint"));
        let is_superior = superior.is_some();
        let peer = match chain.into_peer(marks) {
            Ok(peer) => peer,
            Err(error) => {
                let said = format!("its metadata is not what a node needs: {}", in_words(&error));
                let faulty = (ResponsibleParty::Peer, FaultKind::Unfit);
                self.findings.push(Finding::fail(Step::Roles, self.id, said, faulty, ASK_PEER));
                return;
            }
        };
        let roles: Vec<&str> = peer.roles().into_iter().map(Role::name).collect();
        self.findings.push(if !roles.is_empty() {
            Finding::pass(Step::Roles, self.id, format!("may act as {}", roles.join(", ")))
        } else if is_superior {
            Finding::pass(Step::Roles, self.id, "vouches for others, and plays no role itself")
        } else {
            let said = "it is a member, and holds no trust mark for any role that it has the metadata for";
            let remedy = "the anchor's operator gives it its roles, and it publishes the marks";
            Finding::fail(Step::Roles, self.id, said, (ResponsibleParty::Peer, FaultKind::NoRole), remedy)
        });
        let now = self.now();
        let near = warnings(&endings_of(&peer), now);
        if near.is_empty() {
            let said = format!("all of it holds until {}", peer.expires_at.rfc3339());
            self.findings.push(Finding::pass(Step::Time, self.id, said));
        }
        for warning in near {
            let left = match warning.nearness {
                WarningThreshold::Days(days) => format!("ends within {days} day(s)"),
                WarningThreshold::LastQuarter => {
                    "is in the last quarter of its life and was not renewed".to_owned()
                }
                WarningThreshold::Over => "is over".to_owned(),
            };
            let said = format!("{} {left}: {}", warning.ending.name, warning.ending.ends_at.rfc3339());
            let (side, remedy) = (ResponsibleParty::Peer, warning.ending.kind.remedy());
            self.findings.push(Finding::warn(Step::Time, self.id, said, side, remedy));
        }
        self.peer = Some(Arc::new(peer));
    }
}

/// The step that looks at a superior, and whose side its faults are on.
fn place(voucher: &Superior) -> (Step, ResponsibleParty) {
    if voucher.is_anchor() {
        (Step::Anchor, ResponsibleParty::Anchor)
    } else {
        (Step::Intermediate, ResponsibleParty::Intermediate)
    }
}

const fn ask(side: ResponsibleParty) -> &'static str {
    match side {
        ResponsibleParty::Anchor => ASK_ANCHOR,
        ResponsibleParty::Intermediate => ASK_INTERMEDIATE,
        ResponsibleParty::Peer => ASK_PEER,
        ResponsibleParty::Ours => ANCHOR_KEYS,
        ResponsibleParty::Network => ASK_NETWORK,
    }
}

const fn fault(error: &TrustError) -> FaultKind {
    match error {
        TrustError::Unavailable(_) => FaultKind::Silent,
        TrustError::NotTrusted(_) => FaultKind::Unfit,
    }
}

/// The reason of a refusal as a sentence; the words of the parser stand for themselves.
fn in_words(error: &TrustError) -> String {
    let (TrustError::NotTrusted(reason) | TrustError::Unavailable(reason)) = error;
    match *reason {
        "unknown_key" => "signed with a key that nobody vouches for",
        "signature" => "the signature does not verify",
        "expired" => "its time is over",
        "not_yet_valid" => "issued in the future",
        "not found" => "there is nothing at that address (404)",
        "wrong_type" => "a signed message of another kind",
        other => other,
    }
    .to_owned()
}
