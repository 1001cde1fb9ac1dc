//! A service's request, and the checks against the city's own declared use and configuration.

use serde::Deserialize;

use crate::domain::catalogue::DeclaredUse;
use crate::domain::clock::{Day, RetentionPeriod, Timestamp, Window, last_day};
use crate::domain::consent::terms::{DETAIL_TYPE, fits_until};
use crate::domain::consent::{AuthorizationDetail, Frequency, Period, Persons};
use crate::domain::ids::{DatasetId, EntityId, FieldPath, HeldConsentId, NationalIdentifier};
use crate::node::{Problem, ProblemKind, Service};

/// The body of `POST /api/v1/consent-requests`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ServiceRequest {
    /// The city that holds the data.
    pub(crate) holder: EntityId,
    pub(crate) dataset: DatasetId,
    /// The declared use; the URL or its last segment.
    #[serde(rename = "use")]
    pub(crate) declared_use: String,
    /// The fields; all of the use when absent.
    #[serde(default)]
    pub(crate) fields: Option<Vec<FieldPath>>,
    /// The persons, or some records of theirs; everybody's when absent.
    #[serde(default)]
    pub(crate) persons: Option<Persons>,
    /// The period of the data; the whole history when absent.
    #[serde(default)]
    pub(crate) period: Option<Period>,
    /// The number of fetches; one when absent.
    #[serde(default)]
    pub(crate) times: Option<u32>,
    /// The period of the number of fetches (ISO 8601 duration); the permission's whole life when absent.
    #[serde(default)]
    pub(crate) per: Option<Window>,
    /// Retention by the service (ISO 8601 duration); as long as the use allows when absent.
    #[serde(default)]
    pub(crate) retention: Option<String>,
    /// The last day; as far ahead as the use allows when absent.
    #[serde(default)]
    pub(crate) until: Option<Day>,
    /// Levels of assurance of the holder's login, any of which the service accepts (`acr_values`); the holder's
    /// requirement when absent.
    #[serde(default)]
    pub(crate) acr_values: Option<String>,
    /// Maximum age of the login, in seconds; the holder's requirement when absent.
    #[serde(default)]
    pub(crate) max_age_seconds: Option<u32>,
    /// The national identifier of the expected person.
    #[serde(default)]
    pub(crate) person: Option<String>,
    /// The service's reference for its case.
    #[serde(default)]
    pub(crate) case_reference: Option<String>,
    /// The service's consent to replace.
    #[serde(default)]
    pub(crate) replaces: Option<HeldConsentId>,
    /// The service's consent to extend.
    #[serde(default)]
    pub(crate) extends: Option<HeldConsentId>,
    /// The address that the resident's browser returns to.
    pub(crate) return_url: String,
}

pub(super) fn bad(detail: &str) -> Problem {
    Problem::with_detail(ProblemKind::BadRequest, detail)
}

pub(super) fn beyond(detail: impl Into<String>) -> Problem {
    Problem::with_detail(ProblemKind::BeyondDeclaredUse, detail)
}

impl ServiceRequest {
    /// The declared use of this service that it names.
    ///
    /// # Errors
    /// [`ProblemKind::BeyondDeclaredUse`] when the service has no such use.
    pub(super) fn find_use<'a>(
        &self,
        uses: &'a [DeclaredUse],
        service: &Service,
    ) -> Result<&'a DeclaredUse, Problem> {
        uses.iter()
            .filter(|declared| declared.service == service.id)
            .find(|declared| {
                declared.id.slug() == self.declared_use || declared.id.as_str() == self.declared_use
            })
            .ok_or_else(|| beyond("use is not a declared use of this service"))
    }

    /// Checks the return address and the form of what else it says.
    ///
    /// # Errors
    /// [`ProblemKind::BadRequest`] with the fault.
    pub(super) fn check_form(&self, service: &Service) -> Result<(), Problem> {
        if !return_url_allowed(service, &self.return_url) {
            return Err(bad("returnUrl does not begin with an address configured for this service"));
        }
        if self.case_reference.as_ref().is_some_and(|reference| reference.len() > 200) {
            return Err(bad("caseReference is longer than 200 bytes"));
        }
        if self.acr_values.as_ref().is_some_and(|values| !is_acr_values(values)) {
            return Err(bad("acrValues is no list of levels"));
        }
        if self.persons.as_ref().is_some_and(|persons| !persons.is_well_formed()) {
            return Err(bad("persons is empty, repeats itself or names more than 20 persons or 50 records"));
        }
        if self.period.is_some_and(|period| period.from > period.to) {
            return Err(bad("period ends before it begins"));
        }
        Ok(())
    }

    /// The expected person.
    ///
    /// # Errors
    /// [`ProblemKind::BadRequest`] when it is no national identifier.
    pub(super) fn expected_person(&self) -> Result<Option<NationalIdentifier>, Problem> {
        let person = self.person.as_deref().map(NationalIdentifier::new).transpose();
        person.map_err(|_| bad("person is not a national identifier"))
    }

    /// The requested data, within the declared use.
    ///
    /// # Errors
    /// [`ProblemKind::BeyondDeclaredUse`] with what goes beyond it.
    pub(super) fn detail(
        &self,
        declared: &DeclaredUse,
        now: Timestamp,
    ) -> Result<AuthorizationDetail, Problem> {
        let fields = self.fields.clone().unwrap_or_else(|| {
            declared.required_fields.iter().chain(&declared.optional_fields).cloned().collect()
        });
        let frequency = Frequency { max: self.times.unwrap_or(1), per: self.per.clone() };
        let outside = || beyond("retention is outside the declared use");
        let retention = match &self.retention {
            Some(text) => text.parse::<RetentionPeriod>().map_err(|_| outside())?,
            None => declared.retention.clone(),
        };
        let until = self.until.unwrap_or_else(|| last_day(now, declared.max_days));
        if !fields.iter().all(|field| declared.allows_field(field))
            || !declared.required_fields.iter().all(|field| fields.contains(field))
        {
            return Err(beyond("fields go beyond the declared use or lack a required one"));
        }
        if !frequency.is_within(&Frequency::declared(declared)) {
            return Err(beyond("times or per is outside the declared use"));
        }
        if !retention.is_within(&declared.retention) {
            return Err(outside());
        }
        if !fits_until(until, now, i64::from(declared.max_days)) {
            return Err(beyond("until is outside the declared use"));
        }
        Ok(AuthorizationDetail {
            kind: DETAIL_TYPE.to_owned(),
            locations: vec![self.holder.to_string()],
            identifier: self.dataset.clone(),
            actions: vec!["read".to_owned()],
            datatypes: fields,
            persons: self.persons.clone(),
            declared_use: declared.id.clone(),
            purpose: declared.purpose.clone(),
            period: self.period,
            frequency,
            retention,
            until,
        })
    }
}

/// Whether a text is a list of `acr` values: printable ASCII with single spaces between.
fn is_acr_values(text: &str) -> bool {
    text.len() <= 512
        && text.split(' ').all(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Whether a browser may be sent to an address: same scheme, host and port as a configured prefix, and below its path.
fn return_url_allowed(service: &Service, text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    // Compared after parsing, so that `..`, user info and confusable hosts are resolved.
    service.return_url_prefixes.iter().any(|prefix| {
        url.origin() == prefix.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && (url.path() == prefix.path()
                || url.path().starts_with(&format!("{}/", prefix.path().trim_end_matches('/'))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_back_to_the_services_own_addresses_only() {
        let prefixes = ["https://service.city.example/cases/", "http://service.localhost:8410/"];
        let service = Service {
            id: "daycare".parse().unwrap(),
            secret_hashes: vec![[0; 32]],
            return_url_prefixes: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
        };
        for allowed in [
            "https://service.city.example/cases/",
            "https://service.city.example/cases/7?done=1",
            "https://SERVICE.city.example:443/cases/7",
            "http://service.localhost:8410/done?case=7",
        ] {
            assert!(return_url_allowed(&service, allowed), "{allowed}");
        }
        for refused in [
            "",
            "/cases/7",
            "javascript:alert(1)",
            "http://service.city.example/cases/7",
            "https://service.city.example:8443/cases/7",
            "https://service.city.example.evil.example/cases/7",
            "https://service.city.example/casesevil",
            "https://service.city.example/cases/../admin",
            "https://service.city.example/cases/%2e%2e/admin",
            "https://service.city.example\\@evil.example/cases/7",
            "https://evil@service.city.example/cases/7",
            "https://:secret@service.city.example/cases/7",
            "https://service.city.example/cases/7#fragment",
            "http://service.localhost.evil.example:8410/",
            "http://service.localhost:8411/",
        ] {
            assert!(!return_url_allowed(&service, refused), "{refused}");
        }
    }
}
