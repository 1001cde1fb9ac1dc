//! `[limits]`: every limit that an operator can set, with its default.

use super::reader::Section;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ty = $default:literal, $least:literal to $most:literal;)+) => {
        /// `[limits]`. Every value has a default; the section may be absent.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ #[doc = concat!(" Default ", $default, ", from ", $least, " to ", $most, ".")]
            pub $name: $kind,)+
            /// Whether token endpoint and exchange require a DPoP nonce of the server (RFC 9449 §8). Default true.
            pub(crate) dpop_nonce: bool,
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ dpop_nonce: true }
            }
        }

        /// Reads `[limits]`; absent values have their defaults.
        pub(super) fn read(section: Option<Section<'_, '_>>) -> Limits {
            let mut limits = Limits::default();
            let Some(mut section) = section else { return limits };
            $({
                const REMEDY: &str = concat!(
                    "write a whole number from ", $least, " to ", $most, ", or take the line out for ", $default
                );
                if let Some(found) = section.optional::<$kind>(stringify!($name), REMEDY) {
                    if !($least..=$most).contains(&found.value) {
                        section.document().problem(&found.at, "out of range", REMEDY);
                    }
                    limits.$name = found.value;
                }
            })+
            if let Some(found) = section.optional::<bool>("dpop_nonce", "write true or false") {
                limits.dpop_nonce = found.value;
            }
            section.close();
            limits
        }
    };
}

limits! {
    /// Longest permission that this holder accepts, in days.
    consent_max_days: u16 = 365, 1 to 365;
    /// Longest life of a consent token, in seconds; a longer permission is renewed through its refresh token.
    token_max_seconds: u32 = 604_800, 300 to 31_622_400;
    /// Life of a pushed authorization request, in seconds (FAPI 2.0: under 600).
    request_max_seconds: u32 = 590, 60 to 599;
    /// Time that a resident has for a decision once the page is open, in seconds.
    decision_max_seconds: u32 = 3_600, 300 to 86_400;
    /// Life of an authorization code, in seconds (FAPI 2.0: 60 at most).
    code_max_seconds: u32 = 60, 10 to 60;
    /// Life of a pre-authorised code that is delivered to a recipient, in seconds.
    pre_authorized_code_max_seconds: u32 = 604_800, 300 to 2_592_000;
    /// Life of a service's access token for the service API, in seconds.
    service_token_seconds: u32 = 900, 60 to 86_400;
    /// Life of the node's entity configuration, in seconds.
    entity_configuration_seconds: u32 = 86_400, 300 to 604_800;
    /// Life of a signed status list, in seconds.
    status_list_seconds: u32 = 300, 30 to 86_400;
    /// Age at which a DPoP proof is refused, in seconds.
    dpop_proof_max_seconds: u32 = 60, 10 to 300;
    /// Time that one DPoP nonce is accepted, in seconds.
    dpop_nonce_seconds: u32 = 300, 60 to 3_600;
    /// Most records in one answer of a register.
    max_records: usize = 1_000, 1 to 100_000;
    /// Most bytes in one answer of a register, as JSON.
    max_bytes: usize = 1_048_576, 1_024 to 67_108_864;
    /// Permissions given in another city's portal that are taken from that city within an hour.
    given_per_hour: u32 = 600, 1 to 1_000_000;
    /// Undecided requests that one recipient may have pushed.
    pushed_open: u32 = 5_000, 1 to 1_000_000;
    /// Undecided requests that one recipient may have pushed for one expected person.
    pushed_open_per_person: u32 = 20, 1 to 1_000;
    /// Undecided requests that one service of the city may have made.
    service_open: u32 = 20_000, 1 to 1_000_000;
    /// Undecided requests that one resident may have begun in the portal.
    resident_open: u32 = 50, 1 to 1_000;
    /// Time for the head of a request to arrive, in milliseconds.
    request_head_ms: u32 = 5_000, 500 to 60_000;
    /// Time for the body of a request to arrive, in milliseconds.
    request_body_ms: u32 = 10_000, 500 to 120_000;
    /// Most bytes in the body of a request.
    request_max_bytes: usize = 65_536, 8_192 to 1_048_576;
    /// Time without a click after which a session ends, in seconds.
    session_idle_seconds: u32 = 1_800, 60 to 86_400;
    /// Time after which a session ends in any case, in seconds.
    session_max_seconds: u32 = 28_800, 300 to 86_400;
}
