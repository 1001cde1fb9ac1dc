//! `[federation]`: how this node follows the other members.

use super::reader::Section;

/// `[federation]`. Every value has a default; the section may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Federation {
    /// How long what is known of a member is used at most before it is asked for again, in seconds: the time in which a
    /// membership that ended, a role that was lost or a key that was changed is noticed. Default 60, from 5 to 300.
    pub chain_age_seconds: u32,
}

impl Default for Federation {
    fn default() -> Self {
        Self { chain_age_seconds: 60 }
    }
}

/// Reads `[federation]`; what is left out has its default.
pub(super) fn read(section: Option<Section<'_, '_>>) -> Federation {
    const SECONDS: &str = "write a number of seconds from 5 to 300, or take the line out for 60";
    let mut federation = Federation::default();
    let Some(mut section) = section else { return federation };
    if let Some(found) = section.optional::<u32>("chain_age_seconds", SECONDS) {
        if !(5..=300).contains(&found.value) {
            section.document().problem(&found.at, "out of range", SECONDS);
        }
        federation.chain_age_seconds = found.value;
    }
    section.close();
    federation
}
