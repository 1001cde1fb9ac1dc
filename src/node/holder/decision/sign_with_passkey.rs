//! The second signature on a decision: one of the resident's passkeys signs the commitment before the login provider
//! does.

use super::begin_allow::{commitment, signing_login};
use super::request::{DecisionError, OwnedRequest};
use crate::domain::catalogue::Language;
use crate::domain::consent::{Commitment, ConsentDocument, ConsentRequest, PendingDecision};
use crate::domain::ids::RequestId;
use crate::domain::login::Resident;
use crate::domain::login::{Passkey, PendingLogin};
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::holder::consent_requests;
use crate::store::resident::passkeys;

/// The content of the passkey page.
pub(crate) struct ToSign {
    /// The request that was decided.
    pub(crate) request: ConsentRequest,
    /// The options for the browser.
    pub(crate) options: String,
}

/// A pending decision, and the passkeys that may sign it.
struct Waiting {
    request: ConsentRequest,
    decision: PendingDecision,
    commitment: Commitment,
    passkeys: Vec<Passkey>,
}

/// The decision that waits for this resident's passkey.
async fn waiting(node: &Node, resident: &Resident, id: RequestId) -> Result<Waiting, Problem> {
    let (acting, now) = (Acting::for_self(resident), node.now());
    let (own, decision, kept) = node
        .store
        .read("find_waiting_approval", move |store| {
            let own = OwnedRequest::find(store, acting, id)?;
            let decision = consent_requests::pending(store, id)?;
            let kept = passkeys::of_person(store, own.person())?;
            Ok::<_, DecisionError>((own, decision, kept))
        })
        .await?;
    let request = own.demand_open(now)?.into_request();
    let document: ConsentDocument = serde_json::from_str(&decision.document)?;
    let named = |passkey: &Passkey| document.passkeys.contains(&passkey.thumbprint);
    let passkeys: Vec<_> = kept.into_iter().map(|kept| kept.passkey).filter(named).collect();
    if passkeys.is_empty() {
        return Err(Problem::new(ProblemKind::PasskeyNeeded));
    }
    let commitment = commitment(&decision)?;
    Ok(Waiting { request, decision, commitment, passkeys })
}

/// The options for the browser.
///
/// # Errors
/// [`Problem`]: no decision waits for this resident's passkey.
pub(crate) async fn begin(node: &Node, resident: &Resident, id: RequestId) -> Result<ToSign, Problem> {
    let waiting = waiting(node, resident, id).await?;
    let options = node.passkeys.begin_signing(&waiting.passkeys, waiting.commitment.as_str())?;
    Ok(ToSign { request: waiting.request, options })
}

/// Verifies the passkey's signature, stores it with the decision and begins the login that signs it too.
///
/// # Errors
/// [`Problem`] `passkey-refused` when the signature does not verify; nothing is decided then.
pub(crate) async fn finish(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    answer: &str,
    language: Language,
) -> Result<(url::Url, PendingLogin), Problem> {
    let Waiting { request, mut decision, commitment, passkeys } = waiting(node, resident, id).await?;
    let signed = node.passkeys.finish_signing(&passkeys, commitment.as_str(), answer)?;
    // Verified again from the evidence alone, as later readers will: evidence that would not verify later is refused
    // now.
    signed
        .evidence
        .verify(&commitment, node.settings.id.as_str())
        .map_err(|error| Problem::because(ProblemKind::PasskeyRefused, error))?;
    decision.passkey = Some(signed.evidence);
    let (person, now) = (resident.person, node.now());
    node.store
        .write("decide_consent_with_passkey", move |tx| {
            passkeys::used(tx, person, &signed.passkey, now)?;
            consent_requests::keep_pending(tx, id, &decision)
        })
        .await?;
    signing_login(node, &request, &commitment, language).await
}
