//! Receipts: the resident's own, and the check that anyone may make.

use actix_multipart::Multipart;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;

use super::page::{Page, PageProblem};
use crate::domain::consent::ConsentReceipt;
use crate::domain::ids::ConsentId;
use crate::node::holder::permissions::export_consent;
use crate::node::resident::list_receipts::OwnReceipt;
use crate::node::resident::{check_receipt, list_receipts};
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::portal::views::{ReceiptLine, ReceiptView, ReceiptsView, VerifyView};

/// `GET /me/receipts`.
pub(super) async fn all(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let own = list_receipts::all(&app.node, &resident).await.map_err(|problem| page.problem(problem))?;
    page.show(&ReceiptsView { receipts: own.iter().map(line).collect() })
}

/// `GET /me/sharing/{id}/receipt`: the newest.
pub(super) async fn newest(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let all = own(&page, &id).await?;
    show(&page, &all, all.last())
}

/// `GET /me/sharing/{id}/receipt/{version}`.
pub(super) async fn one(
    app: web::Data<App>,
    request: HttpRequest,
    place: web::Path<(String, u32)>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let (id, version) = place.into_inner();
    let all = own(&page, &id).await?;
    show(&page, &all, all.iter().find(|receipt| receipt.stored.version == version))
}

/// `GET /me/sharing/{id}/receipt/{version}/signed`: as signed, a compact JWS.
pub(super) async fn signed(
    app: web::Data<App>,
    request: HttpRequest,
    place: web::Path<(String, u32)>,
) -> Result<HttpResponse, PageProblem> {
    download(&app, &request, place.into_inner(), "jwt", "application/jwt", |receipt| {
        Ok(receipt.stored.text.clone())
    })
    .await
}

/// `GET /me/sharing/{id}/receipt/{version}/readable`: what it says, as canonical JSON.
pub(super) async fn readable(
    app: web::Data<App>,
    request: HttpRequest,
    place: web::Path<(String, u32)>,
) -> Result<HttpResponse, PageProblem> {
    download(&app, &request, place.into_inner(), "json", "application/json", |receipt| {
        Ok(receipt.receipt.canonical()?)
    })
    .await
}

async fn download(
    app: &web::Data<App>,
    request: &HttpRequest,
    (id, version): (String, u32),
    ending: &str,
    media_type: &'static str,
    content: impl Fn(&OwnReceipt) -> Result<String, Problem>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(app, request);
    let all = own(&page, &id).await?;
    let receipt = all
        .iter()
        .find(|receipt| receipt.stored.version == version)
        .ok_or_else(|| page.problem(Problem::new(ProblemKind::NotFound)))?;
    let body = content(receipt).map_err(|problem| page.problem(problem))?;
    let consent = receipt.stored.consent;
    Ok(attachment(&format!("omadata-{consent}-{version}.{ending}"), media_type, body))
}

/// `GET /me/sharing/{id}/bundle`: everything about the permission, in one file that proves itself.
pub(super) async fn bundle(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let id: ConsentId = id.parse().map_err(|_| page.problem(Problem::new(ProblemKind::NotFound)))?;
    let bundle = export_consent::own(&app.node, &resident, id).await;
    let bundle = bundle.map_err(|problem| page.problem(problem))?;
    Ok(attachment(&format!("omadata-{id}.json"), "application/json", bundle))
}

/// A personal file to keep.
fn attachment(name: &str, media_type: &'static str, body: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

/// The receipts of a permission of the resident who is logged in.
async fn own(page: &Page, id: &str) -> Result<Vec<OwnReceipt>, PageProblem> {
    let resident = page.resident()?;
    let id: ConsentId = id.parse().map_err(|_| page.problem(Problem::new(ProblemKind::NotFound)))?;
    let all = list_receipts::of_consent(&page.app.node, &resident, id).await;
    all.map_err(|problem| page.problem(problem))
}

fn show(page: &Page, all: &[OwnReceipt], one: Option<&OwnReceipt>) -> Result<HttpResponse, PageProblem> {
    let one = one.ok_or_else(|| page.problem(Problem::new(ProblemKind::NotFound)))?;
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

/// Data and asker, as they were shown then.
fn about(receipt: &ConsentReceipt) -> String {
    let dataset = receipt.purpose().map_or("", |purpose| purpose.dataset.as_str());
    let asker = receipt.party("recipient").map_or("", |party| party.party_name.as_str());
    format!("{dataset}, {asker}")
}

/// `GET /receipt/verify`.
pub(super) async fn verify_form(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, PageProblem> {
    Page::new(&app, &request).show(&VerifyView { verified: None })
}

/// `POST /receipt/verify`: for anyone, without login. Nothing is changed or kept, so the form carries no CSRF word.
pub(super) async fn verify(
    app: web::Data<App>,
    request: HttpRequest,
    form: Multipart,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let text = receipt_of(form).await.map_err(|kind| page.problem(Problem::new(kind)))?;
    let verified = check_receipt::check(&app.node, &text).await.map_err(|problem| page.problem(problem))?;
    page.show(&VerifyView { verified: Some(verified) })
}

/// Most fields of the form; it has two.
const MAX_FIELDS: u8 = 4;

/// The receipt of a form: the file where there is one, else the text. Reads so many bytes and no more.
async fn receipt_of(mut form: Multipart) -> Result<String, ProblemKind> {
    let mut left = check_receipt::MAX_BYTES;
    let mut found = String::new();
    let mut fields = 0_u8;
    while let Some(field) = form.next().await {
        // The form has two; an endless row of empty ones is no form.
        fields = fields.saturating_add(1);
        if fields > MAX_FIELDS {
            return Err(ProblemKind::BadRequest);
        }
        let mut field = field.map_err(|_| ProblemKind::BadRequest)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(|_| ProblemKind::BadRequest)?;
            left = left.checked_sub(chunk.len()).ok_or(ProblemKind::TooLarge)?;
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).map_err(|_| ProblemKind::BadRequest)?;
        let is_file = field.name() == Some("file");
        if !text.trim().is_empty() && (is_file || found.is_empty()) {
            found = text;
        }
    }
    Ok(found)
}
