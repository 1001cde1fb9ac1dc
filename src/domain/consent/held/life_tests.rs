use super::*;

fn detail() -> AuthorizationDetail {
    serde_json::from_value(serde_json::json!({
        "type": "omadata_dataset", "locations": ["https://espoo.example"], "identifier": "placements",
        "actions": ["read"], "datatypes": ["unit"], "use": "https://helsinki.example/catalogue/uses/daycare",
        "purpose": "https://w3id.org/dpv#ServiceProvision", "frequency": {"max": 1}, "retention": "P1Y",
        "until": "2026-12-31"
    }))
    .unwrap()
}

const fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn grant(id: &str) -> HeldGrant {
    HeldGrant {
        grant_id: GrantId::new(id).unwrap(),
        tokens: HeldTokens {
            access_token: "access".to_owned(),
            expires_at: at(600),
            refresh_token: Some("refresh".to_owned()),
            dpop_kid: KeyId::new("key").unwrap(),
        },
        commitment: Commitment::from_text("commitment".to_owned()),
    }
}

/// A life cycle in each state.
fn all() -> Vec<HeldLife> {
    let cause = || HeldReason::from(HeldCause::UsedUp);
    let former = FormerGrant { grant_id: GrantId::new("g").unwrap(), commitment: None };
    [
        HeldState::Requested { reason: None },
        HeldState::Given { grant_id: GrantId::new("g").unwrap(), reason: None },
        HeldState::Active { grant: grant("g"), reason: None },
        HeldState::Suspended { grant: grant("g"), reason: None },
        HeldState::Declined,
        HeldState::Lapsed { reason: None },
        HeldState::Failed { reason: cause() },
        HeldState::Ended { grant: Some(former), reason: cause() },
    ]
    .into_iter()
    .map(|state| HeldLife::restored(state, detail(), 7, at(10)))
    .collect()
}

type Transition = fn(&mut HeldLife) -> Result<(), IllegalTransition>;

#[test]
fn every_transition_is_allowed_exactly_where_the_table_says() {
    use HeldStatus::{Active, Declined, Ended, Failed, Given, Lapsed, Requested, Suspended};
    let word = |text: &str| ReasonWord::try_from(text.to_owned()).unwrap();
    assert_eq!(all().iter().map(|life| life.state().status()).collect::<Vec<_>>(), HeldStatus::ALL);
    type Row = (&'static str, Transition, &'static [(HeldStatus, HeldStatus)]);
    let table: [Row; 8] = [
        (
            "grant",
            |life| life.grant(grant("g"), detail(), at(20)),
            &[(Requested, Active), (Given, Active), (Active, Active), (Suspended, Suspended)],
        ),
        ("suspend", |life| life.suspend(at(20)), &[(Active, Suspended)]),
        ("resume", |life| life.resume(at(20)), &[(Suspended, Active)]),
        ("note attempt", |life| life.note_attempt(None, at(20)), &[(Requested, Requested), (Given, Given)]),
        ("decline", |life| life.decline(at(20)), &[(Requested, Declined)]),
        ("lapse", |life| life.lapse(at(20)), &[(Requested, Lapsed)]),
        ("fail", |life| life.fail(HeldCause::InvalidAuthorizationDetails, at(20)), &[(Requested, Failed)]),
        (
            "end",
            |life| life.end(HeldCause::GivenBack, at(20)),
            &[(Requested, Ended), (Given, Ended), (Active, Ended), (Suspended, Ended)],
        ),
    ];
    for (name, transition, allowed) in table {
        for before in all() {
            let (mut life, from) = (before.clone(), before.state().status());
            let result = transition(&mut life);
            match allowed.iter().find(|(start, _)| *start == from) {
                Some((_, to)) => {
                    assert_eq!((result, life.state().status()), (Ok(()), *to), "{name} from {from}");
                    assert_eq!(life.updated_at(), at(20), "{name} from {from}");
                }
                None => {
                    assert!(result.is_err_and(|error| error.from == from), "{name} from {from}");
                    assert_eq!(life, before, "{name} from {from} changed something");
                }
            }
            assert_eq!(
                life.grant_held().is_some(),
                matches!(life.state().status(), Active | Suspended),
                "tokens exist only while data may be fetched: {name} from {from}"
            );
        }
    }
    for (change, moved) in [
        (HolderChange::Suspended, [Requested, Given, Suspended, Suspended]),
        (HolderChange::Resumed, [Requested, Given, Active, Active]),
        (HolderChange::Over, [Ended; 4]),
    ] {
        for (before, to) in all().into_iter().zip(moved) {
            let mut life = before.clone();
            assert!(life.apply_event(change, &word("paused"), 8, at(20)), "{change:?}");
            assert_eq!((life.state().status(), life.sequence()), (to, 8), "{change:?}");
            let mut stale = before.clone();
            assert!(!stale.apply_event(change, &word("paused"), 7, at(20)), "{change:?}");
            assert_eq!(stale, before, "{change:?}");
        }
        for before in all().into_iter().skip(4) {
            let mut life = before.clone();
            assert!(!life.apply_event(change, &word("paused"), 8, at(20)), "{change:?}");
            assert_eq!(life, before, "{change:?}");
        }
    }
}

#[test]
fn tokens_of_another_grant_are_not_kept() {
    let mut life = HeldLife::given(GrantId::new("g").unwrap(), detail(), at(0));
    assert!(life.grant(grant("other"), detail(), at(1)).is_err());
    assert_eq!(life.grant_held(), None);
}

#[test]
fn the_end_of_a_consent_still_tells_its_grant_and_no_tokens() {
    let mut life = HeldLife::requested(detail(), at(0));
    life.grant(grant("g"), detail(), at(1)).unwrap();
    life.end(HeldCause::LastDay, at(2)).unwrap();
    assert_eq!(life.grant_id(), Some(&GrantId::new("g").unwrap()));
    assert_eq!(life.commitment().map(Commitment::as_str), Some("commitment"));
    assert_eq!(life.grant_held(), None);
}

#[test]
fn a_word_of_the_holders_reads_back_as_it_was_written() {
    for word in ["taken_back", "last_day", "something_new"] {
        let reason = HeldReason::try_from(word.to_owned()).unwrap();
        assert_eq!(reason.as_str(), word);
    }
    assert_eq!(HeldReason::try_from("used_up".to_owned()), Ok(HeldCause::UsedUp.into()));
    assert!(HeldReason::try_from("Taken Back".to_owned()).is_err());
}
