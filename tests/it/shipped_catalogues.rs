//! Writes the catalogues of the shipped federation in all forms below the target folder (`tmp/catalogues`), where
//! `tests/run` lets a validator check them against the DCAT-AP shapes.

use std::path::Path;

use omadata::config::shipped::{self, City, Overrides};
use omadata::domain::catalogue::Dataset;
use omadata::domain::catalogue::rdf::{self, Format, Publisher};

#[test]
fn shipped_catalogues_have_every_form() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalogues");
    std::fs::create_dir_all(&folder).unwrap();
    for city in City::ALL {
        let config = shipped::node(city, &Overrides::in_folder("/srv/demo")).unwrap();
        let datasets: Vec<&Dataset> = config.datasets.iter().map(|held| &held.dataset).collect();
        let publisher =
            Publisher { node: config.node.base_url, name: config.node.city, contact: config.contact };
        for format in Format::ALL {
            let ending = match format {
                Format::JsonLd => "jsonld",
                Format::Turtle => "ttl",
                Format::RdfXml => "rdf",
            };
            let bytes = rdf::catalogue(&publisher, &datasets, &config.processing, format).unwrap();
            assert!(bytes.len() > 10_000, "{} {ending}", city.slug());
            std::fs::write(folder.join(format!("{}.{ending}", city.slug())), bytes).unwrap();
            for dataset in &datasets {
                let bytes = rdf::dataset(&publisher, dataset, &config.processing, format).unwrap();
                let name = format!("{}-{}.{ending}", city.slug(), dataset.id);
                std::fs::write(folder.join(name), bytes).unwrap();
            }
        }
    }
}
