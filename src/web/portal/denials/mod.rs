//! `/me/denials`: the resident's standing denials. Its forms post to `/me/denials` and `/me/denials/{id}/remove`.

#[cfg(test)]
pub(crate) mod samples;

use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{DenialKind, StandingDenial};
use crate::domain::federation::with_host;
use crate::domain::ids::{DenialId, EntityId, UseId};
use crate::node::holder::decision::deny_requests;
use crate::node::{Problem, ProblemKind};
use crate::web::extract::{Id, Parameters, query};
use crate::web::html::chrome::Notice;
use crate::web::html::page;
use crate::web::portal::page::{Confirmation, PageResult, ResidentPage, SignedForm};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeniedWhat {
    /// All requests of one city.
    City,
    Use,
    /// One dataset, for every recipient.
    Data,
}

#[derive(Debug, Clone)]
pub(crate) struct DenialEntry {
    pub(crate) id: DenialId,
    pub(crate) what: DeniedWhat,
    /// What people call it; a city or its use with the host.
    pub(crate) name: Text,
    pub(crate) since: Timestamp,
    /// Expiry; permanent when absent.
    pub(crate) until: Option<Timestamp>,
}

/// A dataset of this city that can be denied to every recipient.
#[derive(Debug, Clone)]
pub(crate) struct DeniableDataset {
    pub(crate) id: String,
    pub(crate) title: Text,
}

#[derive(Debug, Clone)]
pub(crate) struct DenialsView {
    /// The denials, latest first.
    pub(crate) denials: Vec<DenialEntry>,
    /// This city's datasets without a denial.
    pub(crate) datasets: Vec<DeniableDataset>,
}

/// `GET /me/denials`.
pub(crate) async fn show(page: ResidentPage) -> PageResult {
    let notice = match query(&page.request)?.take("notice").as_deref() {
        Some("added") => Some(Notice::DenialAdded),
        Some("removed") => Some(Notice::DenialRemoved),
        _ => None,
    };
    let denials = deny_requests::list(&page.app.node, &page.resident).await?;
    let refused =
        |id: &str| denials.iter().any(|denial| denial.kind == DenialKind::Dataset && denial.target == id);
    let datasets = page.app.node.settings.datasets.iter();
    let view = DenialsView {
        datasets: datasets
            .filter(|dataset| !refused(dataset.id.as_str()))
            .map(|dataset| DeniableDataset { id: dataset.id.to_string(), title: dataset.title.clone() })
            .collect(),
        denials: denials.iter().map(entry).collect(),
    };
    page.show_with_notice(&view, notice)
}

fn entry(denial: &StandingDenial) -> DenialEntry {
    let host = match denial.kind {
        DenialKind::Partner => denial.target.parse::<EntityId>().ok().map(|id| id.host().to_owned()),
        DenialKind::Use => denial.target.parse::<UseId>().ok().map(|id| id.host().to_owned()),
        DenialKind::Dataset => None,
    };
    DenialEntry {
        id: denial.id,
        what: match denial.kind {
            DenialKind::Partner => DeniedWhat::City,
            DenialKind::Use => DeniedWhat::Use,
            DenialKind::Dataset => DeniedWhat::Data,
        },
        name: host.map_or_else(|| denial.name.clone(), |host| with_host(&denial.name, &host)),
        since: denial.created_at,
        until: denial.until,
    }
}

/// `POST /me/denials`: adds a permanent denial.
pub(crate) async fn add(signed: SignedForm<Parameters>) -> PageResult {
    let SignedForm { page, mut form } = signed;
    let bad = || Problem::new(ProblemKind::BadRequest);
    let kind = form.take("kind").and_then(|word| word.parse::<DenialKind>().ok()).ok_or_else(bad)?;
    let target = form.take("target").ok_or_else(bad)?;
    deny_requests::add(&page.app.node, &page.resident, kind, &target).await?;
    Ok(page.redirect("/me/denials?notice=added"))
}

/// `POST /me/denials/{id}/remove`: removes a denial.
pub(crate) async fn remove(signed: SignedForm<Confirmation>, Id(id): Id<DenialId>) -> PageResult {
    let SignedForm { page, .. } = signed;
    deny_requests::remove(&page.app.node, &page.resident, id).await?;
    Ok(page.redirect("/me/denials?notice=removed"))
}

page!(DenialsView, "denials.html", Sharing);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_city_or_use_is_named_with_its_host() {
        let named = |kind, target: &str| {
            let denial = StandingDenial {
                id: DenialId::from_bytes([1; 16]),
                kind,
                target: target.to_owned(),
                name: Text::same("Helsinki"),
                created_at: Timestamp::from_secs(0),
                until: None,
            };
            entry(&denial).name.fi
        };
        assert_eq!(named(DenialKind::Partner, "https://mydata.hel.example"), "Helsinki (mydata.hel.example)");
        let used = "https://mydata.hel.example/catalogue/uses/daycare";
        assert_eq!(named(DenialKind::Use, used), "Helsinki (mydata.hel.example)");
        assert_eq!(named(DenialKind::Dataset, "placements"), "Helsinki");
    }
}
