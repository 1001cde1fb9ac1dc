//! One file per page: what the page shows, as plain values that a handler fills.
//!
//! Texts are [`Text`](crate::domain::catalogue::Text) (all languages), so that a view does not depend on the language it
//! is rendered in. A name known in one language only becomes a text with [`Text::same`](crate::domain::catalogue::Text::same).

/// Ties a view to its template and to its part of the portal.
macro_rules! page {
    ($view:ty, $path:tt, $section:expr) => {
        impl crate::web::portal::View for $view {
            fn section(&self) -> Option<crate::web::portal::Section> {
                #[allow(unused_imports, reason = "a page without a section names none")]
                use crate::web::portal::Section;
                $section
            }

            fn write(&self, frame: &crate::web::portal::Frame<'_>) -> Result<String, askama::Error> {
                use crate::web::portal::Frame;
                // The variants that a template tells apart.
                #[allow(unused_imports, reason = "only some templates tell variants apart")]
                use crate::web::portal::views::*;

                #[derive(askama::Template)]
                #[template(path = $path)]
                struct Page<'a> {
                    v: &'a $view,
                    f: &'a Frame<'a>,
                }
                askama::Template::render(&Page { v: self, f: frame })
            }
        }
    };
}

mod catalogue;
mod consent;
mod dataset;
mod decided;
mod denials;
mod home;
mod log;
mod login;
mod me;
mod page_error;
mod partners;
mod parts;
mod passkeys;
mod permission;
mod problem;
mod receipt;
mod sharing;
mod stop;
mod use_page;
mod verify;
mod wrong_person;

pub use crate::node::resident::check_receipt::{Paper, SignerKey, Verified};
pub use crate::web::portal::views::page_error::{ErrorView, PageError};
pub use catalogue::{CatalogueEntry, CatalogueView, DatasetUse};
pub use consent::{
    ConsentField, ConsentLimits, ConsentRecord, ConsentView, HistoryReach, Instead, PasskeyNeed,
};
pub use dataset::{DatasetView, FormatLink};
pub use decided::{DecidedView, Decision};
pub use denials::{DeniableDataset, DenialEntry, DenialsView, DeniedWhat};
pub use home::{CityLink, HomeView};
pub use log::LogView;
pub use login::{LoggedOutView, LoginNeededView, LoginReason};
pub use me::{MeView, WaitingRequest};
pub use partners::{PartnerCity, PartnerMark, PartnerStatement, PartnerUse, PartnersView, Standing, Vouched};
pub use parts::{LogEntry, LogOutcome, Party, PermissionCard, PermissionStatus, RefusalReason, Reporting};
pub use passkeys::{ConfirmPasskeyView, NewPasskeyView, PasskeyItem, PasskeysView};
pub use permission::{Change, ChangeEntry, Origin, PermissionView, StopConfirmation};
pub use problem::{FailingSide, ProblemTopic, ProblemView};
pub use receipt::{ReceiptLine, ReceiptView, ReceiptsView};
pub use sharing::SharingView;
pub use stop::StopView;
pub use use_page::{UseDataset, UseView};
pub use verify::VerifyView;
pub use wrong_person::WrongPersonView;
