//! Residents' profiles by City of Helsinki's GDPR API 1.1: one tree of keys about one person.

use std::collections::HashMap;

use actix_web::http::header::{CACHE_CONTROL, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::CitySystems;
use super::access::{Refusal, bearer};
use crate::demo::world::Row;
use crate::domain::ids::{IdError, NationalIdentifier};

/// `GET /profile/gdpr-api/v1/profiles/{id}`: 200 with a tree, or 204 about whom nothing is held.
pub(super) async fn show(
    systems: web::Data<CitySystems>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    match find(&systems, request.headers(), &id) {
        Ok(Some(tree)) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(tree),
        Ok(None) => HttpResponse::NoContent().insert_header((CACHE_CONTROL, "no-store")).finish(),
        // The API's form of an error.
        Err(refusal) => {
            refusal.with(json!({"errors": [{"code": refusal.code(), "message": {"en": refusal.message()}}]}))
        }
    }
}

fn find<'a>(systems: &'a CitySystems, headers: &HeaderMap, id: &str) -> Result<Option<&'a Value>, Refusal> {
    let token = bearer(headers).ok_or(Refusal::InvalidToken)?;
    let found = systems.tokens().get(systems.now(), token).cloned();
    if !found.ok_or(Refusal::InvalidToken)?.may_query {
        return Err(Refusal::InsufficientScope);
    }
    let id = NationalIdentifier::new(id)
        .map_err(|_| Refusal::BadRequest("the last part of the path is not an identifier"))?;
    Ok(systems.0.profiles.get(&id))
}

/// The profiles as trees, by resident.
pub(super) fn by_resident(rows: &[Row]) -> Result<HashMap<NationalIdentifier, Value>, IdError> {
    let trees = rows.iter().map(|row| {
        let resident = row.get("resident").and_then(Value::as_str).unwrap_or_default();
        Ok((NationalIdentifier::new(resident)?, tree(row, resident)))
    });
    trees.collect()
}

fn tree(row: &Row, resident: &str) -> Value {
    let value = |name: &str| row.get(name).cloned().unwrap_or_default();
    let leaf = |key: &str, name: &str| json!({"key": key, "value": value(name)});
    // A label and a format are for whoever shows the tree to a person.
    let labelled = |key: &str, name: &str, fi: &str, sv: &str, en: &str| json!({"key": key, "label": {"fi": fi, "sv": sv, "en": en}, "formatting": {"datatype": "string"}, "value": value(name)});
    let items = |name: &str| value(name).as_array().cloned().unwrap_or_default();
    let list = |key: &str, name: &str| -> Vec<Value> {
        items(name).into_iter().map(|item| json!({"key": key, "value": item})).collect()
    };
    let addresses: Vec<Value> = items("addresses")
        .into_iter()
        .map(|address| {
            let part =
                |key: &str| json!({"key": key, "value": address.get(key).cloned().unwrap_or_default()});
            json!({"key": "ADDRESS", "children": [part("street"), part("postalCode"), part("city")]})
        })
        .collect();
    json!({"key": "PROFILE", "children": [
        labelled("FIRST_NAME", "firstName", "Etunimi", "Förnamn", "First name"),
        labelled("LAST_NAME", "lastName", "Sukunimi", "Efternamn", "Last name"),
        leaf("NICKNAME", "nickname"),
        leaf("LANGUAGE", "language"),
        leaf("CONTACT_METHOD", "contactMethod"),
        {"key": "EMAILS", "children": list("EMAIL", "emails")},
        {"key": "PHONES", "children": list("PHONE", "phones")},
        {"key": "ADDRESSES", "children": addresses},
        {"key": "SENSITIVEDATA", "children": [
            {"key": "SSN", "value": resident},
            leaf("NON_DISCLOSURE", "nonDisclosure"),
        ]},
    ]})
}
