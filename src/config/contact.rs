//! `[contact]` and `[data_protection_officer]`.

use super::checks;
use super::reader::Section;
use crate::domain::catalogue::{Contact, Text};

pub(super) fn read(mut section: Section<'_, '_>) -> Option<Contact> {
    const EMAIL: &str = "write an e-mail address that someone reads";
    let document = section.document();
    let name = section.required::<Text>("name", checks::TEXT);
    let email = section.required::<String>("email", EMAIL);
    section.close();
    if let Some(name) = &name
        && let Some(complaint) = checks::text(&name.value)
    {
        document.problem(&name.at, complaint, checks::TEXT);
    }
    if let Some(email) = &email
        && !is_email(&email.value)
    {
        document.problem(&email.at, "not an e-mail address", EMAIL);
    }
    Some(Contact { name: name?.value, email: email?.value })
}

/// One `@` with plain text on both sides. It is written into a `mailto:` address.
pub(super) fn is_email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
    };
    text.split_once('@').is_some_and(|(user, host)| plain(user) && plain(host) && host.contains('.'))
}
