//! `/me/receipts` and `/me/sharing/{id}/receipt…`: the holder's signed receipts of a decision and its changes.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use crate::domain::catalogue::Language;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{ConsentReceipt, ReceiptChange};
use crate::domain::ids::ConsentId;
use crate::node::holder::permissions::export_consent;
use crate::node::resident::list_receipts;
use crate::node::resident::list_receipts::OwnReceipt;
use crate::node::{Problem, ProblemKind};
use crate::web::extract::Id;
use crate::web::html::frame::Frame;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::permissions::change::Change;
use crate::web::problem::HttpProblem;

/// One receipt in a list.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptLine {
    /// The permission, or the request that was declined.
    pub(crate) consent: ConsentId,
    /// Its number within that permission.
    pub(crate) version: u32,
    pub(crate) change: ReceiptChange,
    pub(crate) at: Timestamp,
    /// The data and the recipient, as shown then.
    pub(crate) about: String,
}

/// All of a resident's receipts.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptsView {
    pub(crate) receipts: Vec<ReceiptLine>,
}

#[derive(Debug, Clone)]
pub(crate) struct ReceiptView {
    pub(crate) receipt: ConsentReceipt,
    pub(crate) at: Timestamp,
    /// Every receipt of this permission, oldest first.
    pub(crate) all: Vec<ReceiptLine>,
}

impl ReceiptView {
    /// Its address without an ending.
    pub(crate) fn href(&self) -> String {
        format!("/me/sharing/{}/receipt/{}", self.receipt.record_id, self.receipt.version)
    }

    /// Whether the request was declined.
    pub(crate) fn is_declined(&self) -> bool {
        self.receipt.event.event_type == ReceiptChange::Declined
    }
}

impl Frame<'_> {
    /// The event of a receipt, in words.
    pub(crate) fn receipt_change(&self, change: &ReceiptChange) -> String {
        let known = match change {
            ReceiptChange::Given => Change::Given,
            ReceiptChange::Declined => Change::Declined,
            ReceiptChange::Suspended => Change::Suspended,
            ReceiptChange::Resumed => Change::Resumed,
            ReceiptChange::Revoked => Change::Stopped,
            ReceiptChange::Returned => Change::GivenBack,
            ReceiptChange::Expired => Change::Expired,
            ReceiptChange::Exhausted => Change::UsedUp,
            ReceiptChange::Replaced => Change::Replaced,
            ReceiptChange::Withdrawn => return self.t.receipt_change_withdrawn().to_string(),
        };
        self.change(&known)
    }

    /// The method of a change, in words.
    pub(crate) fn receipt_method(&self, method: &str) -> String {
        let t = &self.t;
        match method {
            "portal_with_login_signature" => t.receipt_method_signed(),
            "portal" => t.receipt_method_portal(),
            "recipient" => t.receipt_method_asker(),
            _ => t.receipt_method_rule(),
        }
        .to_string()
    }

    /// A language's name in the page's language.
    pub(crate) fn in_language(&self, language: &Language) -> String {
        match language {
            Language::Fi => self.t.receipt_in_finnish(),
            Language::Sv => self.t.receipt_in_swedish(),
            Language::En => self.t.receipt_in_english(),
        }
        .to_string()
    }
}

/// `GET /me/receipts`.
pub(crate) async fn all(page: ResidentPage) -> PageResult {
    let own = list_receipts::all(&page.app.node, &page.resident).await?;
    page.show(&ReceiptsView { receipts: own.iter().map(line).collect() })
}

/// `GET /me/sharing/{id}/receipt`: the newest.
pub(crate) async fn newest(page: ResidentPage, Id(id): Id<ConsentId>) -> PageResult {
    let all = list_receipts::of_consent(&page.app.node, &page.resident, id).await?;
    show(&page, &all, all.last())
}

/// A receipt's number within its permission, from the path parameter `version`.
pub(crate) struct Version(u32);

impl FromRequest for Version {
    type Error = HttpProblem;
    type Future = Ready<Result<Self, HttpProblem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let number = request.match_info().get("version").and_then(|number| number.parse().ok());
        ready(number.map(Version).ok_or(HttpProblem::from(ProblemKind::NotFound)))
    }
}

/// `GET /me/sharing/{id}/receipt/{version}`.
pub(crate) async fn one(page: ResidentPage, Id(id): Id<ConsentId>, Version(version): Version) -> PageResult {
    let all = list_receipts::of_consent(&page.app.node, &page.resident, id).await?;
    show(&page, &all, all.iter().find(|receipt| receipt.stored.version == version))
}

/// `GET /me/sharing/{id}/receipt/{version}/signed`: the compact JWS.
pub(crate) async fn signed(
    page: ResidentPage,
    Id(id): Id<ConsentId>,
    Version(version): Version,
) -> PageResult {
    let receipt = find(&page, id, version).await?;
    Ok(download(&receipt, "jwt", "application/jwt", receipt.stored.text.clone()))
}

/// `GET /me/sharing/{id}/receipt/{version}/readable`: its claims, as canonical JSON.
pub(crate) async fn readable(
    page: ResidentPage,
    Id(id): Id<ConsentId>,
    Version(version): Version,
) -> PageResult {
    let receipt = find(&page, id, version).await?;
    let body = receipt.receipt.canonical().map_err(Problem::from)?;
    Ok(download(&receipt, "json", "application/json", body))
}

async fn find(page: &ResidentPage, id: ConsentId, version: u32) -> Result<OwnReceipt, Problem> {
    let all = list_receipts::of_consent(&page.app.node, &page.resident, id).await?;
    all.into_iter()
        .find(|receipt| receipt.stored.version == version)
        .ok_or(Problem::new(ProblemKind::NotFound))
}

fn download(receipt: &OwnReceipt, ending: &str, media_type: &'static str, body: String) -> HttpResponse {
    let (consent, version) = (receipt.stored.consent, receipt.stored.version);
    attachment(&format!("omadata-{consent}-{version}.{ending}"), media_type, body)
}

/// `GET /me/sharing/{id}/bundle`: everything about the permission, in one verifiable file.
pub(crate) async fn bundle(page: ResidentPage, Id(id): Id<ConsentId>) -> PageResult {
    let bundle = export_consent::own(&page.app.node, &page.resident, id).await?;
    Ok(attachment(&format!("omadata-{id}.json"), "application/json", bundle))
}

/// A download with personal data.
fn attachment(name: &str, media_type: &'static str, body: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(body)
}

fn show(page: &ResidentPage, all: &[OwnReceipt], one: Option<&OwnReceipt>) -> PageResult {
    let one = one.ok_or(Problem::new(ProblemKind::NotFound))?;
    page.show(&ReceiptView {
        receipt: one.receipt.clone(),
        at: one.stored.at,
        all: all.iter().map(line).collect(),
    })
}

fn line(own: &OwnReceipt) -> ReceiptLine {
    ReceiptLine {
        consent: own.stored.consent,
        version: own.stored.version,
        change: own.stored.change,
        at: own.stored.at,
        about: about(&own.receipt),
    }
}

/// The data and the recipient, as shown then.
fn about(receipt: &ConsentReceipt) -> String {
    let dataset = receipt.purpose().map_or("", |purpose| purpose.dataset.as_str());
    let asker = receipt.party("recipient").map_or("", |party| party.party_name.as_str());
    format!("{dataset}, {asker}")
}

page!(ReceiptsView, "receipts.html", Sharing);
page!(ReceiptView, "receipt.html", Sharing);
