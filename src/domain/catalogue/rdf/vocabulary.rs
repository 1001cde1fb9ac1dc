//! The vocabularies of a catalogue.

/// Prefixes that the serialisations use.
pub(super) const PREFIXES: [(&str, &str); 12] = [
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dct", "http://purl.org/dc/terms/"),
    ("dcatap", "http://data.europa.eu/r5r/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("odrl", "http://www.w3.org/ns/odrl/2/"),
    ("dpv", "https://w3id.org/dpv#"),
    ("gdpr", "https://w3id.org/dpv/legal/eu/gdpr#"),
    ("omadata", "urn:omadata:ns:"),
];

/// Authority tables of the EU.
pub(super) const ACCESS_RIGHT: &str = "http://publications.europa.eu/resource/authority/access-right/";
pub(super) const DATA_THEME: &str = "http://publications.europa.eu/resource/authority/data-theme/";
pub(super) const FILE_TYPE: &str = "http://publications.europa.eu/resource/authority/file-type/";
pub(super) const LANGUAGE: &str = "http://publications.europa.eu/resource/authority/language/";
/// IANA media types as resources.
pub(super) const MEDIA_TYPE: &str = "http://www.iana.org/assignments/media-types/";

/// The labels of the EU's themes in Finnish, Swedish and English.
pub(super) fn theme_label(theme: &str) -> Option<[&'static str; 3]> {
    Some(match theme {
        "AGRI" => ["maatalous", "jordbruk", "agriculture"],
        "ECON" => ["talous", "ekonomi", "economy"],
        "EDUC" => ["koulutus", "utbildning", "education"],
        "ENER" => ["energia", "energi", "energy"],
        "ENVI" => ["ympäristö", "miljö", "environment"],
        "GOVE" => ["julkishallinto", "offentlig förvaltning", "public administration"],
        "HEAL" => ["terveys", "hälsa", "health"],
        "INTR" => ["kansainväliset asiat", "internationella frågor", "international issues"],
        "JUST" => ["oikeus", "rättsliga frågor", "justice"],
        "REGI" => ["alueet ja kaupungit", "regioner och städer", "regions and cities"],
        "SOCI" => ["väestö ja yhteiskunta", "befolkning och samhälle", "population and society"],
        "TECH" => ["tiede ja teknologia", "vetenskap och teknik", "science and technology"],
        "TRAN" => ["liikenne", "transport", "transport"],
        _ => return None,
    })
}
