//! Looks at one entity step by step and afresh, for people who want to know what is wrong: from the anchors down to who
//! lists it, its own word, its chain, its marks and its roles. Every check is the one that trust itself rests on.

use std::sync::Arc;
use std::time::Duration;

use super::anchor::configuration;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    EntityStatement, Fault, Finding, HeldMark, Nearness, PeerReport, Role, Side, Step, TrustError,
    TrustedPeer, VerifiedChain, endings_of, superior_is_sound, verify_self_signed, verify_statements,
    warnings,
};
use crate::domain::ids::EntityId;
use crate::outbound::federation::directory::Inner;
use crate::outbound::federation::superior::{Budget, Standing, Voucher, hints};

/// Longest time for one examination, every request of it together.
const DEADLINE: Duration = Duration::from_secs(25);

/// Most superiors that one examination looks at.
const MAX_VOUCHERS: usize = 64;

/// Most trust marks that one examination looks at.
const MAX_MARKS: usize = 8;

/// Examines an entity. `inner` knows nothing yet: what others found before is not believed.
pub(crate) async fn examine(inner: &Arc<Inner>, id: &EntityId) -> PeerReport {
    let mut examination = Examination {
        inner,
        id,
        budget: Budget::new(DEADLINE),
        findings: Vec::new(),
        listed: false,
        answered: false,
        peer: None,
        anchor: false,
    };
    if tokio::time::timeout(DEADLINE, examination.walk()).await.is_err() {
        let said = "the examination took too long";
        let fault = (Side::Network, Fault::Silent);
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

struct Examination<'a> {
    inner: &'a Arc<Inner>,
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

impl Examination<'_> {
    fn now(&self) -> Timestamp {
        self.inner.around.clock.now()
    }

    fn into_report(mut self) -> PeerReport {
        if !self.answered {
            for finding in self.findings.iter_mut().filter(|found| found.fault == Some(Fault::Silent)) {
                (finding.side, finding.mend) = (Some(Side::Network), Some(ASK_NETWORK));
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
        let leaf = self.own_word().await;
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
    async fn who_lists_it(&mut self) -> Vec<Arc<Voucher>> {
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
                self.answered = true;
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

    fn vouching(&mut self, voucher: &Voucher, standing: &Standing) {
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

    fn vouching_failed(&mut self, voucher: &Voucher, error: &TrustError) {
        let (step, side) = place(voucher);
        let (about, said) = (&voucher.id, in_words(error));
        let found = match error {
            TrustError::Unavailable("the store") => {
                let fault = (Side::Ours, Fault::Silent);
                Finding::fail(
                    step,
                    about,
                    "this node's own store is away",
                    fault,
                    "see the database of this node",
                )
            }
            TrustError::Unavailable(_) => Finding::fail(step, about, said, (side, Fault::Silent), ask(side)),
            TrustError::NotTrusted("not_yet_valid" | "expired") => {
                self.answered = true;
                Finding::fail(step, about, said, (side, Fault::Unfit), CLOCKS)
            }
            // Its keys are ours to configure: whoever answers with others is not whom was configured.
            TrustError::NotTrusted("unknown_key") if voucher.is_anchor() => {
                self.answered = true;
                Finding::fail(step, about, said, (Side::Ours, Fault::Unfit), ANCHOR_KEYS)
            }
            TrustError::NotTrusted(_) => {
                self.answered = true;
                Finding::fail(step, about, said, (side, Fault::Unfit), ask(side))
            }
        };
        self.findings.push(found);
    }

    fn list_failed(&mut self, voucher: &Voucher, error: &TrustError) {
        let (_, side) = place(voucher);
        let said = format!("cannot be asked whom it lists: {}", in_words(error));
        self.findings.push(Finding::fail(Step::Listing, &voucher.id, said, (side, fault(error)), ask(side)));
    }

    /// What the entity says about itself.
    async fn own_word(&mut self) -> Option<(String, EntityStatement)> {
        let fetched = configuration(&self.inner.around.guard, self.id).await;
        let read = fetched.and_then(|text| {
            self.answered = true;
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
                let mend = match error {
                    TrustError::NotTrusted("not_yet_valid" | "expired") => CLOCKS,
                    TrustError::NotTrusted("not found") => {
                        "it serves no entity configuration below /.well-known/openid-federation: see the address"
                    }
                    _ => ASK_PEER,
                };
                let faulty = (Side::Peer, fault(&error));
                let said = in_words(&error);
                self.findings.push(Finding::fail(Step::Configuration, self.id, said, faulty, mend));
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
        let mend = match leaf {
            Some(leaf) if ours(leaf) => "the anchor's operator adds it as a member, when it is to be one",
            Some(_) => {
                "it names no anchor of this node as its superior: it belongs to another federation, or to none yet"
            }
            None => ASK_PEER,
        };
        let said =
            "no anchor that this node trusts, and no intermediate below one, lists it: it is not a member";
        let faulty = (Side::Peer, Fault::NotMember);
        self.findings.push(Finding::fail(Step::Listing, self.id, said, faulty, mend));
    }

    /// The chain through one superior.
    async fn chain(&mut self, voucher: &Voucher, leaf: &str, hints: &[EntityId]) -> Option<VerifiedChain> {
        let (_, side) = place(voucher);
        if !hints.contains(&voucher.id) {
            let said = format!("it does not name {} as its superior, which lists it", voucher.id);
            let mend = "the peer names it in authority_hints";
            self.findings.push(Finding::fail(Step::Chain, self.id, said, (Side::Peer, Fault::Unfit), mend));
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
                    TrustError::NotTrusted("not found") => Fault::NotMember,
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
                    let mend = match error {
                        TrustError::NotTrusted("unknown_key") => {
                            "the peer signs with a key that its superior does not know: the superior has to follow it"
                        }
                        _ => {
                            "the peer and its superior have to agree: one says what the other does not allow"
                        }
                    };
                    Finding::fail(Step::Chain, self.id, words, (Side::Peer, Fault::Unfit), mend)
                } else {
                    let said = format!("its statement about {} is faulty: {words}", self.id);
                    Finding::fail(Step::Chain, &voucher.id, said, (side, Fault::Unfit), ask(side))
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
                    let (side, mend) = match error {
                        TrustError::Unavailable(_) => {
                            (Side::Anchor, "the mark's issuer does not tell its status: ask its operator")
                        }
                        TrustError::NotTrusted("a trust mark was revoked") => {
                            (Side::Anchor, "the mark's issuer took it back: its operator says why")
                        }
                        TrustError::NotTrusted(_) => (Side::Peer, ASK_PEER),
                    };
                    let said = format!("{role}: {}", in_words(&error));
                    let kind = if matches!(error, TrustError::Unavailable(_)) {
                        Fault::Silent
                    } else {
                        Fault::NoRole
                    };
                    self.findings.push(Finding::fail(Step::Mark, self.id, said, (side, kind), mend));
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
                let faulty = (Side::Peer, Fault::Unfit);
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
            let mend = "the anchor's operator gives it its roles, and it publishes the marks";
            Finding::fail(Step::Roles, self.id, said, (Side::Peer, Fault::NoRole), mend)
        });
        let now = self.now();
        let near = warnings(&endings_of(&peer), now);
        if near.is_empty() {
            let said = format!("all of it holds until {}", peer.expires_at.rfc3339());
            self.findings.push(Finding::pass(Step::Time, self.id, said));
        }
        for warning in near {
            let left = match warning.nearness {
                Nearness::Days(days) => format!("ends within {days} day(s)"),
                Nearness::LastQuarter => "is in the last quarter of its life and was not renewed".to_owned(),
                Nearness::Over => "is over".to_owned(),
            };
            let said = format!("{} {left}: {}", warning.ending.name, warning.ending.ends_at.rfc3339());
            let (side, mend) = (Side::Peer, warning.ending.kind.mend());
            self.findings.push(Finding::warn(Step::Time, self.id, said, side, mend));
        }
        self.peer = Some(Arc::new(peer));
    }
}

/// The step that looks at a superior, and whose side its faults are on.
fn place(voucher: &Voucher) -> (Step, Side) {
    if voucher.is_anchor() { (Step::Anchor, Side::Anchor) } else { (Step::Intermediate, Side::Intermediate) }
}

const fn ask(side: Side) -> &'static str {
    match side {
        Side::Anchor => ASK_ANCHOR,
        Side::Intermediate => ASK_INTERMEDIATE,
        Side::Peer => ASK_PEER,
        Side::Ours => ANCHOR_KEYS,
        Side::Network => ASK_NETWORK,
    }
}

const fn fault(error: &TrustError) -> Fault {
    match error {
        TrustError::Unavailable(_) => Fault::Silent,
        TrustError::NotTrusted(_) => Fault::Unfit,
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
