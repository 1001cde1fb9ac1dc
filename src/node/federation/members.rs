//! Memberships of a trust anchor or intermediate: changed by command or by file, with history.

use super::member_names::check_name;
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{DecidedBy, Member, MemberState, Role, StatementRules};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::store::federation::members::MadeChange;
use crate::store::federation::{members, trust_marks};
use crate::store::{Store, StoreError, Tx};

pub(crate) use super::member_names::NameRefused;
pub(crate) use crate::store::federation::members::Change;

/// Who changes a membership, why and when.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Who, for the history.
    pub actor: String,
    /// Why, for the history.
    pub reason: Option<String>,
    /// When.
    pub now: Timestamp,
}

impl Decision {
    fn made<'a>(&'a self, change: &'a str) -> MadeChange<'a> {
        MadeChange { change, actor: &self.actor, reason: self.reason.as_deref() }
    }
}

/// A member as described by the operator or a file.
#[derive(Debug, Clone)]
pub struct Described {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its federation keys; without them they are accepted at first contact (demo profile only).
    pub keys: Option<PublicKeys>,
    /// Its roles, each with a trust mark.
    pub roles: Vec<Role>,
    /// The content of statements about it.
    pub rules: StatementRules,
}

impl Described {
    /// The description as text, to detect whether a file changed it.
    fn text(&self) -> Result<String, StoreError> {
        let roles: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        let keys = self.keys.as_ref().map(PublicKeys::to_jwks);
        let said = serde_json::json!({ "keys": keys, "roles": roles, "rules": self.rules });
        Ok(serde_json::to_string(&said)?)
    }
}

/// A change of a member; `None` keeps a value.
#[derive(Debug, Clone, Default)]
pub struct Amendment {
    /// New federation keys, replacing all.
    pub keys: Option<PublicKeys>,
    /// New roles.
    pub roles: Option<Vec<Role>>,
    /// New rules; without a name in them the name stays.
    pub rules: Option<StatementRules>,
    /// New name.
    pub name: Option<Text>,
}

/// Why a membership was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// It is a member already.
    #[error("it is a member already: use change, or resume")]
    Known,
    /// No entity of that identifier was ever a member.
    #[error("nobody of that name is a member")]
    Unknown,
    /// The name is refused.
    #[error(transparent)]
    Name(#[from] NameRefused),
    /// The state of the membership does not allow the change.
    #[error("that cannot be done: it is {0}")]
    Standing(&'static str),
    /// The store.
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
}

/// The memberships of a trust anchor or intermediate.
#[derive(Clone)]
pub struct Membership {
    store: Store,
    /// The anchor whose types the trust marks have.
    marks_of: EntityId,
    /// The superior's own name, if known.
    own_name: Option<Text>,
}

impl Membership {
    /// The memberships in a store, with trust mark types of this anchor.
    #[must_use]
    pub const fn new(store: Store, marks_of: EntityId) -> Self {
        Self { store, marks_of, own_name: None }
    }

    /// The same, for a superior with this name: no member may have it.
    #[must_use]
    pub(crate) fn of_superior(self, own_name: Text) -> Self {
        Self { own_name: Some(own_name), ..self }
    }

    /// Makes an entity a member, including a former one.
    ///
    /// # Errors
    /// [`MembershipError::Known`] when it is one; [`MembershipError::Name`] for its name.
    pub async fn add(&self, described: Described, by: Decision) -> Result<(), MembershipError> {
        let own_name = self.own_name.clone();
        self.store
            .write("add_member", move |tx| match members::lock(tx, &described.id) {
                Err(StoreError::NotFound) => {
                    check_name(tx, &described.id, described.rules.name.as_ref(), own_name.as_ref())?;
                    insert(tx, &described, DecidedBy::Command, None, &by)?;
                    Ok(())
                }
                Err(error) => Err(error.into()),
                Ok(member) if member.state != MemberState::Removed => Err(MembershipError::Known),
                Ok(mut member) => {
                    check_name(tx, &described.id, described.rules.name.as_ref(), own_name.as_ref())?;
                    member.keys = described.keys.clone();
                    member.roles.clone_from(&described.roles);
                    member.rules = described.rules.clone();
                    member.seen_at = None;
                    // From now on the membership does not depend on a file that named it once.
                    member.declared = None;
                    set_state(tx, member, NewState::by_command(MemberState::Active, "added"), &by)?;
                    Ok(())
                }
            })
            .await
    }

    /// Changes a member's keys, roles, rules or name. Trust marks of roles that it loses are revoked.
    ///
    /// # Errors
    /// [`MembershipError::Unknown`] or [`MembershipError::Standing`] when it is no member; [`MembershipError::Name`] for its name.
    pub async fn change(
        &self,
        id: EntityId,
        amendment: Amendment,
        by: Decision,
    ) -> Result<(), MembershipError> {
        let (marks_of, own_name) = (self.marks_of.clone(), self.own_name.clone());
        self.store
            .write("change_member", move |tx| {
                let mut member = known(tx, &id)?;
                if let Some(keys) = &amendment.keys {
                    member.keys = Some(keys.clone());
                    member.seen_at = None;
                }
                if let Some(roles) = &amendment.roles {
                    set_roles(tx, &mut member, roles, &marks_of, by.now)?;
                }
                if let Some(rules) = &amendment.rules {
                    let name = rules.name.clone().or(member.rules.name);
                    member.rules = StatementRules { name, ..rules.clone() };
                }
                if let Some(name) = &amendment.name {
                    member.rules.name = Some(name.clone());
                }
                if amendment.name.is_some() || amendment.rules.is_some() {
                    check_name(tx, &id, member.rules.name.as_ref(), own_name.as_ref())?;
                }
                member.changed_at = by.now;
                members::save(tx, &member)?;
                members::record(tx, &id, &by.made("changed"), by.now)?;
                Ok(())
            })
            .await
    }

    /// Suspends a member, and revokes its trust marks.
    ///
    /// # Errors
    /// [`MembershipError::Unknown`] or [`MembershipError::Standing`] when it is no member, or suspended.
    pub async fn suspend(&self, id: EntityId, by: Decision) -> Result<(), MembershipError> {
        self.store
            .write("suspend_member", move |tx| {
                let member = known(tx, &id)?;
                if member.state == MemberState::Suspended {
                    return Err(MembershipError::Standing("suspended"));
                }
                trust_marks::revoke(tx, &id, None, by.now)?;
                Ok(set_state(tx, member, NewState::by_command(MemberState::Suspended, "suspended"), &by)?)
            })
            .await
    }

    /// Reinstates a suspended member; it gets trust marks again.
    ///
    /// # Errors
    /// [`MembershipError::Unknown`] or [`MembershipError::Standing`] when it is not suspended.
    pub async fn resume(&self, id: EntityId, by: Decision) -> Result<(), MembershipError> {
        self.store
            .write("resume_member", move |tx| {
                let member = known(tx, &id)?;
                if member.state == MemberState::Active {
                    return Err(MembershipError::Standing("active"));
                }
                Ok(set_state(tx, member, NewState::by_command(MemberState::Active, "resumed"), &by)?)
            })
            .await
    }

    /// Ends a membership, and revokes the member's trust marks.
    ///
    /// # Errors
    /// [`MembershipError::Unknown`] or [`MembershipError::Standing`] when it is no member.
    pub async fn remove(&self, id: EntityId, by: Decision) -> Result<(), MembershipError> {
        self.store
            .write("remove_member", move |tx| {
                let member = known(tx, &id)?;
                trust_marks::revoke(tx, &id, None, by.now)?;
                Ok(set_state(tx, member, NewState::by_command(MemberState::Removed, "removed"), &by)?)
            })
            .await
    }

    /// Applies the members of the files. Unchanged descriptions have no effect, so that a command or a member's own key
    /// rotation is not undone; members that are no longer named are removed, unless a command had added them. Returns
    /// descriptions of the changes.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is changed.
    pub async fn apply(&self, described: Vec<Described>, by: Decision) -> Result<Vec<String>, StoreError> {
        let (marks_of, own_name) = (self.marks_of.clone(), self.own_name.clone());
        self.store
            .write("apply_member_list", move |tx| {
                let mut changes = Vec::new();
                for one in &described {
                    let one = &with_free_name(tx, one, own_name.as_ref(), &mut changes)?;
                    if let Some(change) = apply_one(tx, one, &marks_of, &by)? {
                        changes.push(format!("{change} {}", one.id));
                    }
                }
                for member in members::list(tx)? {
                    let named = described.iter().any(|one| one.id == member.id);
                    if named || member.declared.is_none() || member.state == MemberState::Removed {
                        continue;
                    }
                    let id = member.id.clone();
                    trust_marks::revoke(tx, &id, None, by.now)?;
                    let member = members::lock(tx, &id)?;
                    // A file that was written half-way must not, when it is complete, lift a suspension by command.
                    let decided = match member.state {
                        MemberState::Suspended => member.state_by,
                        MemberState::Active | MemberState::Removed => DecidedBy::File,
                    };
                    set_state(
                        tx,
                        member,
                        NewState { state: MemberState::Removed, decided, change: "removed" },
                        &by,
                    )?;
                    changes.push(format!("removed {id}"));
                }
                Ok(changes)
            })
            .await
    }

    /// All members, in any state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self) -> Result<Vec<Member>, StoreError> {
        self.store.read("list_members", members::list).await
    }

    /// Every change, of one member or of all, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history(&self, member: Option<EntityId>) -> Result<Vec<Change>, StoreError> {
        self.store.read("list_member_changes", move |reader| members::history(reader, member.as_ref())).await
    }
}

/// The member, locked; not a removed one.
fn known(tx: &mut Tx<'_>, id: &EntityId) -> Result<Member, MembershipError> {
    match members::lock(tx, id) {
        Ok(member) if member.state == MemberState::Removed => Err(MembershipError::Standing("removed")),
        Ok(member) => Ok(member),
        Err(StoreError::NotFound) => Err(MembershipError::Unknown),
        Err(error) => Err(error.into()),
    }
}

fn insert(
    tx: &mut Tx<'_>,
    described: &Described,
    decided: DecidedBy,
    declared: Option<String>,
    by: &Decision,
) -> Result<(), StoreError> {
    let member = Member {
        id: described.id.clone(),
        state: MemberState::Active,
        state_by: decided,
        keys: described.keys.clone(),
        roles: described.roles.clone(),
        rules: described.rules.clone(),
        declared,
        entity_types: Vec::new(),
        intermediate: false,
        reason: by.reason.clone(),
        added_at: by.now,
        changed_at: by.now,
        seen_at: None,
    };
    members::insert(tx, &member)?;
    members::record(tx, &member.id, &by.made("added"), by.now)
}

/// A member as a file describes it, without a name that is taken; that is reported among the changes.
fn with_free_name(
    tx: &mut Tx<'_>,
    described: &Described,
    own: Option<&Text>,
    changes: &mut Vec<String>,
) -> Result<Described, StoreError> {
    let mut described = described.clone();
    match check_name(tx, &described.id, described.rules.name.as_ref(), own) {
        Ok(()) => {}
        Err(NameRefused::Store(error)) => return Err(error),
        Err(refused) => {
            changes.push(format!("left out the name of {}: {refused}", described.id));
            described.rules.name = None;
        }
    }
    Ok(described)
}

/// The new state of a membership, and who decided it.
struct NewState {
    state: MemberState,
    decided: DecidedBy,
    /// Text of the change in the history.
    change: &'static str,
}

impl NewState {
    const fn by_command(state: MemberState, change: &'static str) -> Self {
        Self { state, decided: DecidedBy::Command, change }
    }
}

/// Moves a membership to another state and records that.
fn set_state(tx: &mut Tx<'_>, mut member: Member, to: NewState, by: &Decision) -> Result<(), StoreError> {
    member.state = to.state;
    member.state_by = to.decided;
    member.reason.clone_from(&by.reason);
    member.changed_at = by.now;
    members::save(tx, &member)?;
    members::record(tx, &member.id, &by.made(to.change), by.now)
}

fn set_roles(
    tx: &mut Tx<'_>,
    member: &mut Member,
    roles: &[Role],
    marks_of: &EntityId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lost: Vec<String> = member
        .roles
        .iter()
        .filter(|role| !roles.contains(role))
        .map(|role| role.mark_type(marks_of))
        .collect();
    if !lost.is_empty() {
        trust_marks::revoke(tx, &member.id, Some(&lost), now)?;
    }
    member.roles = roles.to_vec();
    Ok(())
}

/// Applies a file's description of one member; returns the change.
fn apply_one(
    tx: &mut Tx<'_>,
    described: &Described,
    marks_of: &EntityId,
    by: &Decision,
) -> Result<Option<&'static str>, StoreError> {
    let text = described.text()?;
    let mut member = match members::lock(tx, &described.id) {
        Err(StoreError::NotFound) => {
            insert(tx, described, DecidedBy::File, Some(text), by)?;
            return Ok(Some("added"));
        }
        other => other?,
    };
    // Removed from the file once, and named again; a removal by command stays.
    let back = member.state == MemberState::Removed && member.state_by == DecidedBy::File;
    let said_before = member.declared.as_ref() == Some(&text);
    if said_before && !back {
        return Ok(None);
    }
    // Accepted or followed keys stay unless the file names keys, and others than before.
    let keys_before = member.declared.as_deref().and_then(declared_keys);
    let keys_now = described.keys.as_ref().map(PublicKeys::to_jwks);
    if keys_now.is_some() && keys_now != keys_before {
        member.keys.clone_from(&described.keys);
        member.seen_at = None;
    }
    set_roles(tx, &mut member, &described.roles, marks_of, by.now)?;
    let name = described.rules.name.clone().or(member.rules.name);
    member.rules = StatementRules { name, ..described.rules.clone() };
    member.declared = Some(text);
    if back {
        set_state(
            tx,
            member,
            NewState { state: MemberState::Active, decided: DecidedBy::File, change: "added" },
            by,
        )?;
        return Ok(Some("added"));
    }
    member.changed_at = by.now;
    members::save(tx, &member)?;
    members::record(tx, &described.id, &by.made("changed"), by.now)?;
    Ok(Some("changed"))
}

fn declared_keys(text: &str) -> Option<serde_json::Value> {
    let declared: serde_json::Value = serde_json::from_str(text).ok()?;
    declared.get("keys").filter(|keys| !keys.is_null()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};

    fn text(name: &str) -> Text {
        Text { fi: name.to_owned(), sv: name.to_owned(), en: name.to_owned() }
    }

    fn id(host: &str) -> EntityId {
        EntityId::new(format!("https://{host}.example")).unwrap()
    }

    fn described(host: &str, name: Option<&str>) -> Described {
        let rules = StatementRules { name: name.map(text), ..StatementRules::default() };
        Described { id: id(host), keys: None, roles: Vec::new(), rules }
    }

    fn by(secs: i64) -> Decision {
        Decision { actor: "test".to_owned(), reason: None, now: at(secs) }
    }

    on_both!(
        async fn no_two_members_have_names_that_could_be_taken_for_each_other(fixture) {
            let members = Membership::new(fixture.store.clone(), id("anchor")).of_superior(text("Federation"));
            members.add(described("helsinki", Some("Helsinki")), by(1)).await.unwrap();
            let taken = |by: &str| Err(MembershipError::Name(NameRefused::Taken(by.to_owned())));
            for name in ["Helsinki", "HELSINKI", "Неlsinki", "Hel sinki ✓"] {
                let refused = members.add(described("rogue", Some(name)), by(2)).await;
                assert_eq!(refused, taken("https://helsinki.example"), "{name}");
            }
            let refused = members.add(described("rogue", Some("federation")), by(2)).await;
            assert_eq!(refused, taken("the superior itself"));
            let refused = members.add(described("rogue", Some("a\u{202e}b")), by(2)).await;
            assert_eq!(refused, Err(MembershipError::Name(NameRefused::Unfit)));
            // Refused as a whole: the entity is no member.
            assert_eq!(members.list().await.unwrap().len(), 1);

            // A suspended member keeps its name, a removed one does not; a member may change the spelling of its own
            // name.
            members.add(described("espoo", Some("Espoo")), by(3)).await.unwrap();
            members.suspend(id("helsinki"), by(4)).await.unwrap();
            let named = |name: &str| Amendment { name: Some(text(name)), ..Amendment::default() };
            let refused = members.change(id("espoo"), named("Helsinki"), by(5)).await;
            assert_eq!(refused, taken("https://helsinki.example"));
            members.change(id("espoo"), named("ESPOO"), by(5)).await.unwrap();
            members.remove(id("helsinki"), by(6)).await.unwrap();
            members.change(id("espoo"), named("Helsinki"), by(7)).await.unwrap();

            // New rules without a name keep the name; a file's name that is taken is left out and reported.
            let rules = Some(StatementRules::default());
            members.change(id("espoo"), Amendment { rules, ..Amendment::default() }, by(8)).await.unwrap();
            let changes = members.apply(vec![described("turku", Some("helsinki"))], by(9)).await.unwrap();
            assert_eq!(changes.len(), 2, "{changes:?}");
            assert!(changes[0].starts_with("left out the name of https://turku.example"), "{changes:?}");
            let names: Vec<Option<Text>> =
                members.list().await.unwrap().into_iter().map(|member| member.rules.name).collect();
            assert!(names.contains(&Some(text("Helsinki"))) && names.contains(&None), "{names:?}");
        }
    );
}
