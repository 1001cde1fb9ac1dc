//! What the use cases need from outside, as traits by topic. `app/` chooses the implementations.

mod federation;
mod login;
mod messaging;
mod registers;
mod system;
mod trackers;

pub use federation::{
    AnchorKeyStore, HasKey, MemberConfigurations, MemberDirectory, MemberDocuments, Superiors, Survey,
    TrustResolver,
};
pub use login::{Ceremony, IdentityProvider, PasskeyFault, PasskeySignature, Passkeys};
pub use messaging::{Outbound, OutboundAnswer, OutboundBody, OutboundError, OutboundRequest};
pub use registers::{Question, RegisterError, Registers};
pub use system::{Clock, Entropy, StopSignal, random};
pub use trackers::DataTrackers;
