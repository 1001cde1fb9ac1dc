//! Made-up pages of this section.

use serde_json::json;

use super::confirm::ConfirmPasskeyView;
use super::own::{NewPasskeyView, PasskeyItem, PasskeysView};
use crate::domain::ids::{PasskeyId, RequestId};
use crate::web::portal::samples::{Sample, asker, at, placement, sample};

fn passkeys() -> PasskeysView {
    let item = |number: u8, label: &str, last_used_at| PasskeyItem {
        id: PasskeyId::from_bytes([number; 16]),
        label: label.into(),
        created_at: at("2026-05-04T09:12:00Z"),
        last_used_at,
    };
    PasskeysView {
        passkeys: vec![item(1, "Puhelin <1>", Some(at("2026-11-20T12:30:00Z"))), item(2, "Työpöytä", None)],
    }
}

pub(crate) fn new_passkey() -> NewPasskeyView {
    let options = json!({"publicKey": {"challenge": "Y2hhbGxlbmdl", "user": {"name": "\"><b>"}}});
    NewPasskeyView { options: options.to_string(), return_to: "/consent/1".into() }
}

pub(crate) fn confirm_passkey() -> ConfirmPasskeyView {
    ConfirmPasskeyView {
        request: RequestId::from_bytes([7; 16]),
        asker: asker(),
        dataset: placement(),
        options: json!({"publicKey": {"challenge": "Y2hhbGxlbmdl"}}).to_string(),
    }
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    vec![
        sample("passkeys", "/me/passkeys", true, passkeys()),
        sample("passkeys-none", "/me/passkeys", true, PasskeysView { passkeys: Vec::new() }),
        sample("passkey-new", "/me/passkeys/new", true, new_passkey()),
        sample("passkey-confirm", "/consent/1/passkey", true, confirm_passkey()),
    ]
}
