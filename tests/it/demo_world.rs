//! The demo's registers fit the shipped configuration: every dataset of every city answers for those with a part to play.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use omadata::app::{SystemClock, SystemEntropy};
use omadata::config::shipped::{self, City, Overrides, Ports};
use omadata::demo::city_systems::CitySystems;
use omadata::demo::world::write_world;
use omadata::ports::{Clock, Entropy, Question, RegisterError, Registers};
use omadata::registers::{Bounds, CityRegisters};

use crate::harness::free_ports;

#[actix_web::test]
async fn every_dataset_answers_as_the_residents_parts_say() {
    let folder = tempfile::tempdir().unwrap();
    let begun = tokio::time::Instant::now();
    write_world(folder.path(), 1).unwrap();
    // Writing again takes the place of what is there.
    let world = write_world(folder.path(), 1).unwrap();
    let residents = world.residents;
    println!("two worlds in {:?}", begun.elapsed());
    let ports = Ports { systems: free_ports(1), ..Ports::default() };
    let overrides = Overrides { folder: folder.path().to_owned(), ports };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let helsinki = shipped::node(City::Helsinki, &overrides).unwrap();
    let systems = CitySystems::new(&helsinki, &world.systems, Arc::clone(&clock), entropy).unwrap();
    let systems = systems.run(TcpListener::bind((Ipv4Addr::LOCALHOST, ports.systems)).unwrap()).unwrap();
    let handle = systems.handle();
    actix_web::rt::spawn(systems);
    for city in City::ALL {
        let config = shipped::node(city, &overrides).unwrap();
        let bounds = Bounds { max_records: config.limits.max_records, max_bytes: config.limits.max_bytes };
        let sources = CityRegisters::new(&config.registers, &config.datasets, bounds, &clock).unwrap();
        for held in &config.datasets {
            let dataset = &held.dataset.id;
            sources.probe(dataset).await.unwrap();
            for resident in &residents {
                let question =
                    Question::new(dataset.clone(), resident.identifier.clone(), held.dataset.paths());
                let answer = sources.read(question).await;
                let place = format!("{} {dataset} {}", city.slug(), resident.username);
                let educational = ["placements", "service-needs", "decisions"].contains(&dataset.as_str());
                match resident.username {
                    "tuovi" => assert_eq!(answer.unwrap(), [], "{place}"),
                    "rauno" if educational => match answer {
                        Err(RegisterError::Unavailable | RegisterError::Unfit(_)) => {}
                        other => panic!("{place}: {other:?}"),
                    },
                    name => {
                        let records = answer.unwrap_or_else(|error| panic!("{place}: {error}"));
                        assert!(
                            records.iter().all(|record| record.subject == resident.identifier),
                            "{place}"
                        );
                        if name == "aino" {
                            assert!(!records.is_empty(), "{place}");
                        }
                        let later = name == "ilmari" && educational && city != City::Oulu;
                        for record in &records {
                            assert_eq!(record.marks.available_from.is_some(), later, "{place}");
                        }
                        if resident.protected {
                            for record in &records {
                                let asked = !held.dataset.protected_fields.is_empty();
                                assert_eq!(record.marks.non_disclosure, asked.then_some(true), "{place}");
                                let text = serde_json::to_string(&record.values).unwrap();
                                assert!(!text.contains("Keksittykuja"), "{place} {text}");
                                assert!(!text.contains("\"unit\":\""), "{place} {text}");
                            }
                        }
                    }
                }
            }
        }
    }
    handle.stop(true).await;
}

#[test]
fn the_same_seed_makes_the_same_files() {
    let read = |seed| {
        let folder = tempfile::tempdir().unwrap();
        write_world(folder.path(), seed).unwrap();
        std::fs::read_to_string(folder.path().join("oulu/registers/early-education/decisions.json")).unwrap()
    };
    assert_eq!(read(5), read(5));
    assert_ne!(read(5), read(6));
}
