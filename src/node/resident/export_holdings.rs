//! A signed copy of what the city holds about a resident, for themselves or for the operator to send.

use futures_util::{StreamExt, stream};

use super::holdings::{self, Holding};
use super::list_log::{self, Line};
use super::list_mine::{self, LogLine, Outcome, Overview, Permission};
use super::own_records;
use super::tracked_uses;
use crate::domain::catalogue::{Dataset, Language, Text};
use crate::domain::clock::Timestamp;
use crate::domain::export::content::{
    ExportContent, ExportedDataset, ExportedObjection, ExportedPermission, ExportedRequest, ExportedUse,
    Recipients,
};
use crate::domain::export::{Coverage, Purpose, archive};
use crate::domain::ids::{DatasetId, NationalIdentifier};
use crate::domain::log::Entry;
use crate::domain::login::Resident;
use crate::domain::uses::objection::Objection;
use crate::domain::uses::{ShownUse, UseDescription};
use crate::node::{KeyPurpose, Node, Problem, ProblemKind};
use crate::store::log;
use crate::store::resident::reported_uses::{self, Before};
use crate::store::resident::{persons, use_objections};

/// Registers read at a time.
const AT_ONCE: usize = 4;

/// Reads everything that the resident's login may see.
///
/// # Errors
/// [`Problem`] when another page of theirs is being read, or the store is unavailable.
pub(crate) async fn own_copy(node: &Node, resident: &Resident) -> Result<ExportContent, Problem> {
    let _turn = node.own_reads.turn(resident.person).await?;
    let subject = own_records::identifier(node, resident).await?;
    let may_see = |dataset: &Dataset| own_records::may_see(node, resident, dataset);
    let datasets = read_all(node, &subject, may_see).await;
    Ok(content(node, Purpose::OwnCopy, datasets, None))
}

/// Reads everything about a person, with permissions, requests, uses and objections: the city's answer under GDPR article 15. The person
/// need not have logged in ever.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn article_15(node: &Node, subject: &NationalIdentifier) -> Result<ExportContent, Problem> {
    let datasets = read_all(node, subject, |_| true).await;
    let whose = subject.clone();
    let known = node.store.read("find_persons", move |store| persons::with_identifier(store, &whose)).await?;
    // By the identifier: systems report uses of people who have never logged in.
    let uses = reported(node, subject.clone()).await?.into_iter().map(used).collect();
    let data_trackers = tracked_uses::for_copy(node, subject).await;
    let mut recipients = Recipients { uses, data_trackers, ..Recipients::default() };
    for person in known {
        let Overview { in_force, ended, .. } = list_mine::of_anyone(node, person).await?;
        recipients
            .permissions
            .extend(in_force.iter().chain(&ended).map(|permission| exported(node, permission)));
        for line in list_log::whole(node, person).await? {
            if let Line::Request(line) = line {
                recipients.requests.push(request(node, &line));
            }
        }
        let made = node
            .store
            .read("list_own_objections", move |store| use_objections::of_person(store, person))
            .await?;
        recipients.objections.extend(made.into_iter().map(objection));
    }
    Ok(content(node, Purpose::Article15, datasets, Some(recipients)))
}

/// Packs and signs a copy with its page, and records in the log that the city made it if it is an answer under article 15.
///
/// # Errors
/// [`Problem`] when it cannot be signed or logged.
pub(crate) async fn seal(
    node: &Node,
    subject: &NationalIdentifier,
    content: &ExportContent,
    (language, page): (Language, String),
) -> Result<Vec<u8>, Problem> {
    let internal = |error| Problem::because(ProblemKind::Internal, error);
    let whose = subject.clone();
    let subject =
        node.store.read("name_export_subject", move |store| store.lookup().export_subject(&whose)).await?;
    let mut files = vec![("index.html".to_owned(), page.into_bytes())];
    files.extend(content.files(language).map_err(internal)?);
    let key = node.keys.active(KeyPurpose::Receipt)?;
    let packed = archive::pack(content, (subject.clone(), node.jti()?), files, &key).map_err(internal)?;
    if content.purpose == Purpose::Article15 {
        let entry = Entry::SubjectAccess { subject, at: content.at.secs() }.leaf()?;
        let at = content.at;
        node.store.write_log("log_subject_access", move |tx| log::append(tx, &entry, at).map(drop)).await?;
    }
    Ok(packed)
}

fn content(
    node: &Node,
    purpose: Purpose,
    datasets: Vec<ExportedDataset>,
    recipients: Option<Recipients>,
) -> ExportContent {
    ExportContent {
        holder: node.settings.id.clone(),
        city: node.settings.name.clone(),
        at: node.now(),
        purpose,
        datasets,
        recipients,
    }
}

async fn read_all(
    node: &Node,
    subject: &NationalIdentifier,
    may_see: impl Fn(&Dataset) -> bool,
) -> Vec<ExportedDataset> {
    let reads: Vec<_> = node
        .settings
        .datasets
        .iter()
        .map(|dataset| {
            let allowed = may_see(dataset);
            async move {
                let own = dataset.clone();
                if !allowed {
                    return ExportedDataset::without_records(own, Coverage::LoginTooWeak);
                }
                match holdings::read(node, dataset, subject.clone()).await {
                    Holding::Records { records, withheld } => {
                        ExportedDataset::complete(own, records, withheld)
                    }
                    Holding::Later(from) => ExportedDataset::later(own, from),
                    Holding::Unavailable => ExportedDataset::without_records(own, Coverage::Unavailable),
                }
            }
        })
        .collect();
    stream::iter(reads).buffered(AT_ONCE).collect().await
}

fn title(node: &Node, id: &DatasetId) -> Text {
    node.settings.dataset(id).map_or_else(|| Text::same(id.as_str()), |dataset| dataset.title.clone())
}

fn exported(node: &Node, permission: &Permission) -> ExportedPermission {
    let Permission { consent, declared_use, recipient_name, .. } = permission;
    ExportedPermission {
        id: consent.id.to_string(),
        recipient: recipient_name.clone(),
        recipient_id: consent.terms.recipient.clone(),
        service: declared_use.service_name.clone(),
        purpose: declared_use.purpose_text.clone(),
        legal_basis: declared_use.legal_basis.clone(),
        dataset: consent.terms.dataset.to_string(),
        dataset_title: title(node, &consent.terms.dataset),
        fields: consent.terms.fields.clone(),
        given_at: consent.decided_at.rfc3339(),
        until: consent.terms.until.to_string(),
        retention: consent.terms.retention.as_str().to_owned(),
        state: consent.state.as_str().to_owned(),
    }
}

/// Every reported use that the person may read now, latest first.
async fn reported(node: &Node, subject: NationalIdentifier) -> Result<Vec<ShownUse>, Problem> {
    let (now, whose) = (node.now(), subject);
    Ok(node
        .store
        .read("list_reported_uses", move |store| {
            let hash = store.lookup().identifier(&whose);
            let beginning = Before { at: Timestamp::from_secs(i64::MAX), number: i64::MAX };
            reported_uses::of_person(store, hash, beginning, now, u32::MAX)
        })
        .await?)
}

fn used(shown: ShownUse) -> ExportedUse {
    let UseDescription { service, role, purpose, legal_basis, law, dataset, fields } = shown.description;
    ExportedUse {
        from: shown.period.from.rfc3339(),
        to: shown.period.to.rfc3339(),
        service,
        role,
        purpose,
        legal_basis,
        law,
        dataset_title: dataset,
        fields,
    }
}

fn objection(made: Objection) -> ExportedObjection {
    ExportedObjection {
        activity: made.activity.to_string(),
        statement: made.statement,
        made_at: made.made_at.rfc3339(),
        answer: made.answer.map(|(answer, _)| answer.as_str()),
        answered_at: made.answer.map(|(_, at)| at.rfc3339()),
    }
}

fn request(node: &Node, line: &LogLine) -> ExportedRequest {
    let (outcome, fields) = match &line.outcome {
        Outcome::Released { fields, .. } => ("released", fields.clone()),
        Outcome::Deferred { .. } => ("deferred", Vec::new()),
        Outcome::Refused(_) => ("refused", Vec::new()),
        Outcome::Denied => ("declined", Vec::new()),
    };
    ExportedRequest {
        at: Timestamp::rfc3339(line.at),
        recipient: line.recipient_name.clone(),
        service: line.declared_use.service_name.clone(),
        purpose: line.declared_use.purpose_text.clone(),
        dataset: line.dataset.to_string(),
        dataset_title: title(node, &line.dataset),
        outcome,
        fields,
    }
}
