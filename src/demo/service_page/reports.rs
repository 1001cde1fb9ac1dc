//! The made-up uses of residents' data that each city's service reports at the demo's start.

use serde_json::{Value, json};

use super::ServicePage;
use super::calls::Operation;
use crate::domain::clock::Timestamp;

const DAY: i64 = 86_400;

/// Residents whose data was used.
const RESIDENTS: [&str; 3] = ["aino", "elin", "otso"];

impl ServicePage {
    /// Reports the same uses to every city, once a day however often the demo is started.
    pub(crate) async fn report_uses(&self) {
        let midnight = self.now().secs().div_euclid(DAY).saturating_mul(DAY);
        for city in &self.0.config.cities {
            let people =
                self.0.config.residents.iter().filter(|one| RESIDENTS.contains(&one.username.as_str()));
            let uses: Vec<Value> = people
                .flat_map(|one| {
                    [("placements", "placement-officer", 2, 600), ("decisions", "unit-head", 9, 0)].map(
                        |(dataset, role, days, lasted)| {
                            let to = midnight.saturating_sub(DAY.saturating_mul(days)).saturating_add(30_000);
                            let moment = |secs| Timestamp::from_secs(secs).rfc3339();
                            json!({
                                "id": format!("demo-{midnight}-{}-{days}", one.username),
                                "person": one.identifier.reveal(),
                                "use": "early-education-places",
                                "dataset": dataset,
                                "role": role,
                                "usagePeriod": {"from": moment(to.saturating_sub(lasted)), "to": moment(to)},
                            })
                        },
                    )
                })
                .collect();
            let mut record = Vec::new();
            let report = Operation::Report(json!({"uses": uses}));
            if let Err(problem) = self.0.caller.call(city, &report, &mut record).await {
                tracing::warn!(
                    event = "demo_uses_not_reported",
                    city = city.id,
                    status = problem.status,
                    "the made-up uses of residents' data could not be reported"
                );
            }
        }
    }
}
