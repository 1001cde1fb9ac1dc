//! The youth services: memberships of a guardian's children, on pages that lead to each other.

use std::collections::HashMap;

use actix_web::http::header::{CACHE_CONTROL, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::access::{Refusal, bearer};
use super::{CitySystems, YOUTH_SERVICES};
use crate::demo::world::Row;
use crate::domain::ids::{IdError, NationalIdentifier};

/// The header with the guardian's identifier. An address would end up in logs.
const GUARDIAN: &str = "X-Guardian";

/// Number of memberships on a page: few, so that the demo has pages.
const PAGE: usize = 2;

/// The query of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    page: Option<usize>,
}

/// `GET /youth-services/v1/memberships`.
pub(super) async fn list(
    systems: web::Data<CitySystems>,
    request: HttpRequest,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    match answer(&systems, request.headers(), query.ok().map(web::Query::into_inner)) {
        Ok(body) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body),
        Err(refusal) => refusal.response(),
    }
}

fn answer(systems: &CitySystems, headers: &HeaderMap, query: Option<Query>) -> Result<Value, Refusal> {
    let token = bearer(headers).ok_or(Refusal::InvalidToken)?;
    if !bool::from(systems.0.youth_token.expose_secret().as_bytes().ct_eq(token.as_bytes())) {
        return Err(Refusal::InvalidToken);
    }
    let guardian = guardian(headers)?;
    let query = query.ok_or(Refusal::BadRequest("the query is not ?page= with a number"))?;
    let number = query.page.unwrap_or(1);
    if number == 0 {
        return Err(Refusal::BadRequest("pages are counted from 1"));
    }
    let memberships = systems.0.memberships.get(&guardian).map(Vec::as_slice).unwrap_or_default();
    let mut pages = memberships.chunks(PAGE).skip(number.saturating_sub(1));
    let items = match pages.next() {
        Some(items) => items,
        // Nothing is held about the guardian.
        None if number == 1 => &[],
        None => return Err(Refusal::NoSuchPage),
    };
    let next =
        pages.next().map(|_| format!("{YOUTH_SERVICES}/memberships?page={}", number.saturating_add(1)));
    Ok(json!({"data": {"items": items, "total": memberships.len()}, "links": {"next": next}}))
}

fn guardian(headers: &HeaderMap) -> Result<NationalIdentifier, Refusal> {
    let bad = Refusal::BadRequest("the header X-Guardian is not one identifier");
    let mut found = headers.get_all(GUARDIAN);
    let (Some(header), None) = (found.next(), found.next()) else { return Err(bad) };
    header.to_str().ok().and_then(|text| NationalIdentifier::new(text).ok()).ok_or(bad)
}

/// The memberships as this system writes them, by guardian.
pub(super) fn by_guardian(rows: &[Row]) -> Result<HashMap<NationalIdentifier, Vec<Value>>, IdError> {
    let mut found: HashMap<NationalIdentifier, Vec<Value>> = HashMap::new();
    for row in rows {
        let value = |name: &str| row.get(name).cloned().unwrap_or_default();
        let guardian = row.get("guardian").and_then(Value::as_str).unwrap_or_default();
        let membership = json!({
            "number": value("membershipNumber"), "validUntil": value("expiration"),
            "guardian": {"identifier": guardian},
            "member": {
                "firstName": value("childName"), "birthDate": value("birthDate"),
                "languageAtHome": value("languageAtHome"),
            },
            "school": {"name": value("schoolName"), "class": value("schoolClass")},
            "photoUsageApproved": value("photoUsageApproved"),
        });
        found.entry(NationalIdentifier::new(guardian)?).or_default().push(membership);
    }
    Ok(found)
}
