//! `[node]`: identity and runtime of this node.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::checks;
use super::profile::Profile;
use super::reader::Section;
use crate::domain::catalogue::Text;
use crate::domain::ids::EntityId;

/// `[node]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Public base URL: entity identifier, OAuth issuer, and base of every URL of the node.
    pub base_url: EntityId,
    /// The address that the process listens on; behind a reverse proxy in production.
    pub listen: SocketAddr,
    pub(crate) profile: Profile,
    /// The city's name.
    pub city: Text,
    /// The portal's name, colour and logo.
    pub(crate) brand: Brand,
    /// Directory for everything that the node writes to disk.
    pub data_dir: PathBuf,
    /// Threads that serve requests.
    pub workers: usize,
    /// Time between `/health/ready` answering 503 and the closing of the socket, in milliseconds, so that a load
    /// balancer notices; `None` for the profile's default.
    pub(crate) drain_ms: Option<u32>,
    /// Source address of requests to other members; chosen by the system when absent.
    pub outbound_address: Option<IpAddr>,
    /// The reverse proxies whose `Forwarded` or `X-Forwarded-For` says where a request comes from; none when it is absent.
    pub trusted_proxies: Vec<IpNet>,
}

/// `[node.brand]`: the portal's name, colour and logo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brand {
    pub(crate) name: Text,
    /// Main colour, `#rrggbb`, dark enough for white text (contrast of at least 4.5, WCAG 2.2).
    pub(crate) primary_colour: String,
    /// An SVG or PNG file; without it only the name is shown.
    pub(crate) logo: Option<PathBuf>,
}

pub(super) fn read(mut section: Section<'_, '_>, folder: &Path) -> Option<Node> {
    let document = section.document();
    let base_url = section.required::<EntityId>(
        "base_url",
        "write the node's public address without a slash at its end, such as \"https://mydata.city.example\"",
    );
    let listen = section.required::<SocketAddr>(
        "listen",
        "write an address and port to listen at, such as \"127.0.0.1:8400\"",
    );
    let profile = section.required::<Profile>("profile", "write \"demo\" or \"production\"");
    let city = section.required::<Text>("city", checks::TEXT);
    let data_dir = section.required::<String>(
        "data_dir",
        "write the folder for the node's own files; a relative one counts from this file's folder",
    );
    let workers = section.optional::<usize>("workers", "write a number of threads from 1 to 256");
    let drain_ms = checks::drain_ms(&mut section);
    let outbound_address = section.optional::<IpAddr>(
        "outbound_address",
        "write an address of this machine, such as \"192.0.2.10\", or take the line out",
    );
    let trusted_proxies = read_proxies(&mut section);
    let data_dir = data_dir.map(|found| folder.join(found.value));
    let brand = section
        .required_table("brand", "add [node.brand] with name and primary_colour")
        .and_then(|brand| read_brand(brand, data_dir.as_deref().unwrap_or(folder)));
    section.close();

    if let (Some(base_url), Some(profile)) = (&base_url, &profile)
        && let Some(complaint) = checks::address(profile.value, base_url.value.as_str())
    {
        document.problem(&base_url.at, complaint, checks::address_remedy(profile.value));
    }
    if let (Some(listen), Some(profile)) = (&listen, &profile)
        && profile.value == Profile::Demo
        && !listen.value.ip().is_loopback()
    {
        let complaint = "profile demo does not listen to other machines";
        document.problem(&listen.at, complaint, "write 127.0.0.1 and a port, or use profile production");
    }
    if let Some(city) = &city
        && let Some(complaint) = checks::text(&city.value)
    {
        document.problem(&city.at, complaint, checks::TEXT);
    }
    if let Some(workers) = &workers
        && !(1..=256).contains(&workers.value)
    {
        document.problem(&workers.at, "out of range", "write a number of threads from 1 to 256");
    }
    Some(Node {
        base_url: base_url?.value,
        listen: listen?.value,
        profile: profile?.value,
        city: city?.value,
        brand: brand?,
        data_dir: data_dir?,
        workers: workers.map_or(DEFAULT_WORKERS, |found| found.value),
        drain_ms,
        outbound_address: outbound_address.map(|found| found.value),
        trusted_proxies,
    })
}

const DEFAULT_WORKERS: usize = 2;

fn read_proxies(section: &mut Section<'_, '_>) -> Vec<IpNet> {
    const PROXIES: &str =
        "write a list of networks of your own proxies, such as [\"127.0.0.1/32\"], or take the line out";
    let Some(found) = section.optional::<Vec<String>>("trusted_proxies", PROXIES) else { return Vec::new() };
    let document = section.document();
    let mut networks = Vec::new();
    for written in &found.value {
        match checks::network(written) {
            Ok(network) if network.prefix_len() == 0 => {
                document.problem(&found.at, format!("{written} is everybody"), PROXIES);
            }
            Ok(network) => networks.push(network),
            Err(complaint) => document.problem(&found.at, complaint, PROXIES),
        }
    }
    networks
}

fn read_brand(mut section: Section<'_, '_>, data_dir: &Path) -> Option<Brand> {
    const COLOUR: &str = "write a dark colour as #rrggbb, such as \"#1d4f91\"";
    let document = section.document();
    let name = section.required::<Text>("name", checks::TEXT);
    let colour = section.required::<String>("primary_colour", COLOUR);
    let logo =
        section.optional::<String>("logo", "write the path of an SVG or PNG file, or take the line out");
    section.close();
    if let Some(name) = &name
        && let Some(complaint) = checks::text(&name.value)
    {
        document.problem(&name.at, complaint, checks::TEXT);
    }
    if let Some(colour) = &colour {
        match contrast_with_white(&colour.value) {
            None => document.problem(&colour.at, "not a colour", COLOUR),
            Some(contrast) if contrast < 4.5 => {
                document.problem(&colour.at, "too light for white text on it", COLOUR);
            }
            Some(_) => {}
        }
    }
    let logo = logo.map(|found| {
        let path = checks::path(data_dir, &found.value);
        let known = path.extension().is_some_and(|kind| kind == "svg" || kind == "png");
        if !known || !path.is_file() {
            let complaint = "no SVG or PNG file is there";
            document.problem(
                &found.at,
                complaint,
                "write the path of an SVG or PNG file, or take the line out",
            );
        }
        path
    });
    Some(Brand { name: name?.value, primary_colour: colour?.value.to_ascii_lowercase(), logo })
}

/// WCAG 2.2 contrast ratio of a colour and white.
fn contrast_with_white(colour: &str) -> Option<f64> {
    let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |range: std::ops::Range<usize>| {
        let value = f64::from(u8::from_str_radix(digits.get(range)?, 16).ok()?) / 255.0;
        Some(if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    let luminance = 0.2126 * channel(0..2)? + 0.7152 * channel(2..4)? + 0.0722 * channel(4..6)?;
    Some(1.05 / (luminance + 0.05))
}
