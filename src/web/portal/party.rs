//! The recipient, as most pages show it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::catalogue::{Dataset, Text};
use crate::domain::consent::ConsentRequest;
use crate::domain::federation::with_host;
use crate::domain::ids::{DatasetId, FieldName, FieldPath, UseId};
use crate::web::App;

/// A city and its requesting service.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    /// Display name of the city.
    pub(crate) city: Text,
    /// The same with its host, for where somebody decides or judges: a name alone does not tell who that is.
    pub(crate) city_and_host: Text,
    /// What people call the service.
    pub(crate) service: Text,
}

impl Party {
    /// The city behind a declared use and its service.
    pub(crate) fn new(city: &Text, service: &Text, declared_use: &UseId) -> Self {
        Self {
            city: city.clone(),
            city_and_host: with_host(city, declared_use.host()),
            service: service.clone(),
        }
    }
}

impl Party {
    /// A service of this city.
    pub(crate) fn own(city: &Text, host: &str, service: &Text) -> Self {
        Self { city: city.clone(), city_and_host: with_host(city, host), service: service.clone() }
    }
}

/// The city and the service behind a request.
pub(crate) fn asker(request: &ConsentRequest) -> Party {
    let declared = &request.declared_use;
    Party::new(&request.recipient_name, &declared.service_name, &declared.id)
}

/// The field with the child's name, in registers about children that do not name whom a record is about otherwise.
const CHILD_NAME: &str = "childName";

/// The name of the person whom a record is about, if it is not about the resident.
pub(crate) fn record_title(person_name: Option<&str>, values: &BTreeMap<FieldName, Value>) -> Option<String> {
    let named = || values.get(&CHILD_NAME.parse::<FieldName>().ok()?)?.as_str();
    person_name.or_else(named).map(str::to_owned)
}

/// Display name of a dataset; its identifier if the city has removed it since.
pub(crate) fn dataset_title(app: &App, id: &DatasetId) -> Text {
    app.node.settings.dataset(id).map_or_else(|| Text::same(id.as_str()), |dataset| dataset.title.clone())
}

/// Display name of a field; its name if the dataset has lost it since.
pub(crate) fn field_label(dataset: Option<&Dataset>, name: &FieldPath) -> Text {
    dataset
        .and_then(|dataset| dataset.leaf(name))
        .map_or_else(|| Text::same(name.as_str()), |leaf| leaf.label())
}
