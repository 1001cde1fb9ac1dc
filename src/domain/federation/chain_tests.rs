//! Chains built claim by claim, so that each refused chain differs from a valid one in one thing.

use serde_json::{Value, json};

use super::*;
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::TrustFault;
use crate::domain::ids::EntityId;
use crate::domain::jose::{JoseError, PublicKeys, SigningKey};

const NOW: i64 = 1_800_000_000;
const ANCHOR: &str = "https://anchor.example";
const MIDDLE: &str = "https://middle.example";
const LEAF: &str = "https://espoo.example";

struct World {
    anchor: SigningKey,
    middle: SigningKey,
    leaf: SigningKey,
    other: SigningKey,
}

fn world() -> World {
    let key = || SigningKey::generate().unwrap();
    World { anchor: key(), middle: key(), leaf: key(), other: key() }
}

fn id(text: &str) -> EntityId {
    EntityId::new(text).unwrap()
}

fn text(word: &str) -> Text {
    Text { fi: word.into(), sv: word.into(), en: word.into() }
}

fn jwks(key: &SigningKey) -> Value {
    PublicKeys::single(key.public().clone()).to_jwks()
}

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

/// A statement before it is signed, for changes.
#[derive(Clone)]
struct Draft {
    claims: Value,
    key: SigningKey,
    typ: &'static str,
}

impl Draft {
    fn sign(&self) -> String {
        self.key.sign(self.typ, &self.claims).unwrap()
    }
}

fn draft(key: &SigningKey, iss: &str, sub: &str, subject_key: &SigningKey) -> Draft {
    let claims =
        json!({"iss": iss, "sub": sub, "iat": NOW - 10, "exp": NOW + 3600, "jwks": jwks(subject_key)});
    Draft { claims, key: key.clone(), typ: ENTITY_STATEMENT_TYP }
}

fn description(world: &World, superior: &str) -> NodeDescription {
    let keys = PublicKeys::single(world.leaf.public().clone());
    NodeDescription {
        id: id(LEAF),
        name: text("Espoo"),
        organization_uri: None,
        contacts: vec![],
        trust_anchors: vec![],
        authority_hints: vec![id(superior)],
        grant_types: vec!["authorization_code".into()],
        acr_values: vec![],
        federation_keys: keys.clone(),
        token_keys: keys.clone(),
        receipt_keys: keys.clone(),
        client_keys: keys,
    }
}

fn leaf(world: &World, superior: &str) -> Draft {
    let claims = description(world, superior).entity_configuration(now(), 3600);
    Draft {
        claims: serde_json::to_value(claims).unwrap(),
        key: world.leaf.clone(),
        typ: ENTITY_STATEMENT_TYP,
    }
}

/// Leaf, the anchor's statement about it, the anchor's configuration.
fn short(world: &World) -> Vec<Draft> {
    vec![
        leaf(world, ANCHOR),
        draft(&world.anchor, ANCHOR, LEAF, &world.leaf),
        draft(&world.anchor, ANCHOR, ANCHOR, &world.anchor),
    ]
}

/// With an intermediate, without the anchor's configuration.
fn long(world: &World) -> Vec<Draft> {
    vec![
        leaf(world, MIDDLE),
        draft(&world.middle, MIDDLE, LEAF, &world.leaf),
        draft(&world.anchor, ANCHOR, MIDDLE, &world.middle),
    ]
}

fn decide(world: &World, chain: &[Draft]) -> Result<VerifiedChain, TrustError> {
    let texts: Vec<String> = chain.iter().map(Draft::sign).collect();
    verify_statements(&texts, &[anchor(world)], now())
}

fn anchor(world: &World) -> TrustAnchor {
    TrustAnchor { id: id(ANCHOR), keys: PublicKeys::single(world.anchor.public().clone()) }
}

#[test]
fn a_good_chain_says_who_the_leaf_is() {
    let world = world();
    let mut chain = marked(&world, &Role::ALL, NOW + 7200);
    chain[1].claims["exp"] = json!(NOW + 60);
    chain[1].claims["metadata"] = json!({"federation_entity": {"organization_name": "Espoo"}});
    let verified = decide(&world, &chain).unwrap();
    let issued_at = verified.issued_at();
    assert_eq!((verified.superiors(), verified.statements().len()), (&[id(ANCHOR)][..], 3));
    assert_eq!(verified.keys_of(&id(LEAF)), Some(&PublicKeys::single(world.leaf.public().clone())));
    let peer = shown(&world, &chain);
    assert_eq!((peer.id.as_str(), &peer.name, peer.anchor.as_str()), (LEAF, &text("Espoo"), ANCHOR));
    assert_eq!(peer.expires_at, Timestamp::from_secs(NOW + 60));
    assert_eq!(issued_at, Timestamp::from_secs(NOW - 10));
    let server = peer.consent_issuer().unwrap().authorization_server();
    assert_eq!(server.token_endpoint.as_str(), "https://espoo.example/oauth/token");
    assert!(server.token_keys.find(world.leaf.kid()).is_some());
    assert_eq!(peer.resource_events_endpoint().unwrap().as_str(), "https://espoo.example/events");
    assert_eq!(peer.recipient().unwrap().client().redirect_uris, ["https://espoo.example/oauth/callback"]);
}

#[test]
fn chains_may_have_intermediates_and_may_lack_the_anchors_configuration() {
    let world = world();
    assert!(decide(&world, &long(&world)).is_ok());
    assert!(decide(&world, &short(&world)[..2]).is_ok());
}

#[test]
fn a_superior_overrides_and_limits_what_the_leaf_says() {
    let world = world();
    let mut chain = marked(&world, &Role::ALL, NOW + 7200);
    chain[1].claims["metadata"] = json!({
        "federation_entity": {"organization_name": "Esbo", "organization_name#en": "City of Espoo"},
        "openid_provider": {"issuer": LEAF},
    });
    chain[1].claims["constraints"] = json!({"allowed_entity_types": ["oauth_client"], "unknown": 1});
    let peer = shown(&world, &chain);
    assert_eq!(peer.name, Text { en: "City of Espoo".into(), ..text("Esbo") });
    assert_eq!(peer.roles(), [Role::DataRecipient]);
}

#[test]
fn a_member_bears_the_name_that_its_superior_gives_it_and_no_other() {
    let world = world();
    let mut chain = short(&world);
    chain[0].claims["metadata"]["federation_entity"]["organization_name"] = json!("Helsinki");
    let name = |chain: &[Draft]| {
        let chain = decide(&world, chain).unwrap();
        TrustedPeer::from_chain(&chain, vec![]).unwrap().name
    };
    assert_eq!(name(&chain), text("espoo.example"), "its own claim is not a name");
    let mut set = chain.clone();
    set[1].claims["metadata"] = json!({"federation_entity": {"organization_name": "Espoo"}});
    assert_eq!(name(&set), text("Espoo"));
    let mut policy = chain.clone();
    policy[1].claims["metadata_policy"] =
        json!({"federation_entity": {"organization_name": {"value": "Esbo"}}});
    assert_eq!(name(&policy), text("Esbo"));
}

#[test]
fn what_cannot_be_used_beside_what_can_is_left_out_and_told() {
    let world = world();
    let mut chain = marked(&world, &Role::ALL, NOW + 7200);
    let claims = &mut chain[0].claims;
    claims["authority_hints"] = json!(["https://ANCHOR.example:443/", "urn:x"]);
    let marks = claims["trust_marks"].as_array_mut().unwrap();
    marks.insert(0, json!({"id": "https://other.example/mark", "trust_mark": "a.b.c"}));
    marks.push(json!("a mark"));
    let mut unknown = jwks(&world.other)["keys"][0].clone();
    unknown["use"] = json!("tls");
    claims["jwks"]["keys"].as_array_mut().unwrap().push(unknown);
    let peer = shown(&world, &chain);
    assert_eq!(peer.roles().len(), 3);
    let told = claimed_statement(&chain[0].sign()).unwrap().unusable_parts();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains(world.other.kid().as_str()), "{told:?}");
    assert_eq!(told[1], "authority_hints: \"urn:x\" is no entity identifier");
}

#[test]
fn a_statement_carries_no_chain_of_its_own() {
    let world = world();
    for name in ["trust_chain", "peer_trust_chain"] {
        let signed = short(&world)[0].sign();
        let rest = signed.split_once('.').unwrap().1;
        let header = json!({"alg": "ES256", "kid": world.leaf.kid(), "typ": ENTITY_STATEMENT_TYP, name: []});
        let text = format!("{}.{rest}", crate::domain::jose::b64url(header.to_string().as_bytes()));
        let refused = TrustError::NotTrusted(TrustFault::Jose(JoseError::ForbiddenHeader));
        assert_eq!(claimed_statement(&text).unwrap_err(), refused, "{name}");
    }
}

type Change = fn(&World, &mut Vec<Draft>);

#[test]
fn a_broken_chain_is_refused() {
    let world = world();
    let cases: &[(&str, &str, Change)] = &[
        ("the chain is empty", "no statement", |_, chain| chain.clear()),
        ("the chain has no superior", "leaf alone", |_, chain| chain.truncate(1)),
        ("the chain has no superior", "leaf and anchor without statement", |_, chain| {
            chain.remove(1);
        }),
        ("the chain is too long", "nine statements", |_, chain| {
            let link = chain[1].clone();
            chain.splice(1..1, vec![link; 6]);
        }),
        ("the chain does not end at a configured anchor", "unknown anchor", |world, chain| {
            chain[2] = draft(&world.other, "https://rogue.example", "https://rogue.example", &world.other);
        }),
        ("unknown_key", "anchor with a key of its own making", |world, chain| {
            chain[2] = draft(&world.other, ANCHOR, ANCHOR, &world.other);
        }),
        ("unknown_key", "statement not signed by the anchor", |world, chain| {
            chain[1].key = world.other.clone();
        }),
        ("unknown_key", "anchor vouches for another key of the leaf", |world, chain| {
            chain[1].claims["jwks"] = jwks(&world.other);
        }),
        ("unknown_key", "leaf signed by a key that the anchor does not vouch for", |world, chain| {
            chain[0].key = world.other.clone();
            chain[0].claims["jwks"] = jwks(&world.other);
        }),
        ("unknown_key", "leaf does not list the key that it signs with", |world, chain| {
            chain[0].claims["jwks"] = jwks(&world.other);
        }),
        ("a statement is not by the superior above it", "someone else's statement", |_, chain| {
            chain[1].claims["iss"] = json!(MIDDLE);
        }),
        ("the entity configuration is not the subject's own", "statement about another", |_, chain| {
            chain[1].claims["sub"] = json!("https://vantaa.example");
        }),
        ("an entity configuration is not about its issuer", "leaf speaks of another", |_, chain| {
            chain[0].claims["sub"] = json!("https://vantaa.example");
        }),
        ("the entity does not name its superior", "no authority hint", |_, chain| {
            chain[0].claims["authority_hints"] = json!(["https://rogue.example"]);
        }),
        ("the entity does not name its superior", "no authority hints at all", |_, chain| {
            chain[0].claims.as_object_mut().unwrap().remove("authority_hints");
        }),
        ("the chain has a loop", "anchor below itself", |world, chain| {
            chain.insert(2, draft(&world.anchor, ANCHOR, ANCHOR, &world.anchor));
        }),
        ("a subordinate statement has authority hints", "hints in a subordinate statement", |_, chain| {
            chain[1].claims["authority_hints"] = json!([ANCHOR]);
        }),
        ("expired", "expired leaf", |_, chain| chain[0].claims["exp"] = json!(NOW)),
        ("expired", "expired statement", |_, chain| chain[1].claims["exp"] = json!(NOW)),
        ("expired", "expired anchor", |_, chain| chain[2].claims["exp"] = json!(NOW - 1)),
        ("not_yet_valid", "statement of the future", |_, chain| chain[1].claims["iat"] = json!(NOW + 61)),
        ("malformed_time", "endless statement", |_, chain| chain[1].claims["exp"] = json!(1e300)),
        ("missing_claim", "statement without end", |_, chain| {
            chain[1].claims.as_object_mut().unwrap().remove("exp");
        }),
        ("missing_claim", "statement without keys", |_, chain| {
            chain[1].claims.as_object_mut().unwrap().remove("jwks");
        }),
        ("malformed_claims", "issuer with a slash", |_, chain| {
            chain[1].claims["iss"] = json!("https://anchor.example/");
        }),
        ("malformed_claims", "issuer in capitals", |_, chain| {
            chain[1].claims["iss"] = json!("https://ANCHOR.example");
        }),
        ("wrong_type", "another type", |_, chain| chain[1].typ = "at+jwt"),
        ("a statement has a critical claim that is not understood", "critical claim", |_, chain| {
            chain[1].claims["crit"] = json!(["jti"]);
        }),
        ("metadata lacks what a policy demands", "policy not fulfilled", |_, chain| {
            chain[1].claims["metadata_policy"] = json!({"oauth_client": {"logo_uri": {"essential": true}}});
        }),
        ("a metadata policy is malformed", "policy of another form", |_, chain| {
            chain[1].claims["metadata_policy"] = json!({"oauth_client": []});
        }),
        (
            "a statement has a critical policy operator that is not understood",
            "critical operator",
            |_, chain| {
                chain[1].claims["metadata_policy_crit"] = json!(["regexp"]);
            },
        ),
        ("an entity configuration has a metadata policy", "policy by the leaf", |_, chain| {
            chain[0].claims["metadata_policy"] = json!({});
        }),
        ("an entity configuration has a metadata policy", "policy by the anchor about itself", |_, chain| {
            chain[2].claims["metadata_policy"] = json!({});
        }),
        ("an entity configuration has a source endpoint", "source endpoint by the leaf", |_, chain| {
            chain[0].claims["source_endpoint"] = json!("https://anchor.example/federation/fetch");
        }),
        ("an entity configuration has empty authority hints", "no authority hint in the list", |_, chain| {
            chain[0].claims["authority_hints"] = json!([]);
        }),
        ("an entity configuration has empty trust anchor hints", "no trust anchor hint", |_, chain| {
            chain[0].claims["trust_anchor_hints"] = json!([]);
        }),
        (
            "an entity without superiors has trust anchor hints",
            "trust anchor hints of the anchor",
            |_, chain| {
                chain[2].claims["trust_anchor_hints"] = json!([ANCHOR]);
            },
        ),
        ("a subordinate statement has trust anchor hints", "trust anchor hints by a superior", |_, chain| {
            chain[1].claims["trust_anchor_hints"] = json!([ANCHOR]);
        }),
        (
            "a statement has aud or trust_anchor, which belong to explicit registration",
            "an audience",
            |_, chain| chain[0].claims["aud"] = json!(LEAF),
        ),
        (
            "a statement has aud or trust_anchor, which belong to explicit registration",
            "a trust anchor in a subordinate statement",
            |_, chain| chain[1].claims["trust_anchor"] = json!(ANCHOR),
        ),
        ("a subordinate statement has trust marks", "marks in a subordinate statement", |_, chain| {
            chain[1].claims["trust_marks"] = json!([]);
        }),
        ("a subordinate statement has trust marks", "issuers in a subordinate statement", |_, chain| {
            chain[1].claims["trust_mark_issuers"] = json!({});
        }),
        ("a statement has metadata without a value", "null as metadata", |_, chain| {
            chain[0].claims["metadata"]["oauth_client"]["logo_uri"] = Value::Null;
        }),
        ("the chain has a name that a superior does not allow", "naming constraint", |_, chain| {
            chain[1].claims["constraints"] = json!({"naming_constraints": {"excluded": [".example"]}});
        }),
        ("an entity configuration has constraints", "constraints by the leaf", |_, chain| {
            chain[0].claims["constraints"] = json!({"max_path_length": 0});
        }),
        ("federation_entity has no proper organization_name", "no name", |_, chain| {
            chain[0].claims["metadata"]["federation_entity"] = json!({});
        }),
        ("federation_entity has no proper organization_name", "name that reorders text", |_, chain| {
            chain[0].claims["metadata"]["federation_entity"]["organization_name"] = json!("a\u{202e}b");
        }),
        ("metadata of a type is not an object", "metadata a list", |_, chain| {
            chain[0].claims["metadata"]["oauth_client"] = json!([]);
        }),
        ("a superior's metadata is malformed", "overriding with a list", |_, chain| {
            chain[1].claims["metadata"] = json!({"oauth_client": []});
        }),
        ("an endpoint is not at the entity's own origin", "another's endpoint", |_, chain| {
            let server = &mut chain[0].claims["metadata"]["oauth_authorization_server"];
            server["token_endpoint"] = json!("https://rogue.example/oauth/token");
        }),
        ("metadata lacks an endpoint", "no endpoint", |_, chain| {
            let server = &mut chain[0].claims["metadata"]["oauth_authorization_server"];
            server.as_object_mut().unwrap().remove("token_endpoint");
        }),
        ("the authorization server's issuer is not the entity", "another's issuer", |_, chain| {
            chain[0].claims["metadata"]["oauth_authorization_server"]["issuer"] = json!(ANCHOR);
        }),
        ("the resource is not the entity", "another's resource", |_, chain| {
            chain[0].claims["metadata"]["oauth_resource"]["resource"] = json!(ANCHOR);
        }),
        ("metadata lacks keys", "no keys", |_, chain| {
            let client = &mut chain[0].claims["metadata"]["oauth_client"];
            client.as_object_mut().unwrap().remove("jwks");
        }),
        ("metadata has a malformed key set", "keys that are none", |_, chain| {
            chain[0].claims["metadata"]["oauth_client"]["jwks"] = json!({"keys": []});
        }),
        ("the client has no proper redirect_uris", "script as redirect", |_, chain| {
            chain[0].claims["metadata"]["oauth_client"]["redirect_uris"] = json!(["javascript:alert(1)"]);
        }),
        ("the client does not authenticate with private_key_jwt", "secret", |_, chain| {
            let client = &mut chain[0].claims["metadata"]["oauth_client"];
            client["token_endpoint_auth_method"] = json!("client_secret_basic");
        }),
    ];
    for (reason, name, change) in cases {
        let mut chain = short(&world);
        change(&world, &mut chain);
        match decide(&world, &chain).and_then(|chain| TrustedPeer::from_chain(&chain, vec![])) {
            Err(TrustError::NotTrusted(found)) => assert_eq!(found.as_str(), *reason, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn policies_of_all_superiors_change_and_bind_the_leafs_metadata() {
    let world = world();
    let policy = |operators: Value| json!({"oauth_client": {"grant_types": operators}});
    let mut chain = long(&world);
    chain[2].claims["metadata_policy"] =
        policy(json!({"subset_of": ["authorization_code", "refresh_token"]}));
    chain[1].claims["metadata_policy"] = policy(json!({"add": ["refresh_token"]}));
    chain[1].claims["metadata"] =
        json!({"oauth_client": {"grant_types": ["authorization_code", "password"]}});
    let verified = decide(&world, &chain).unwrap();
    assert_eq!(
        verified.metadata()["oauth_client"]["grant_types"],
        json!(["authorization_code", "refresh_token"])
    );
    assert_eq!(verified.superiors(), [id(MIDDLE), id(ANCHOR)]);
    chain[1].claims["metadata_policy"] = policy(json!({"add": ["password"]}));
    let conflict = TrustError::NotTrusted(TrustFault::PolicyOperators);
    assert_eq!(decide(&world, &chain).unwrap_err(), conflict);
    // An unknown operator is ignored, unless it is critical.
    chain[1].claims["metadata_policy"] = policy(json!({"regexp": "^a"}));
    assert!(decide(&world, &chain).is_ok());
}

/// A chain whose anchor uses trust marks, with these marks for these roles at the leaf.
fn marked(world: &World, roles: &[Role], expires: i64) -> Vec<Draft> {
    let mut chain = short(world);
    let kinds = Role::ALL.map(|role| (role.mark_type(&id(ANCHOR)), json!([ANCHOR])));
    chain[2].claims["trust_mark_issuers"] = kinds.into_iter().collect();
    let marks = roles.iter().map(|role| {
        let mark = TrustMark {
            iss: id(ANCHOR),
            sub: id(LEAF),
            trust_mark_type: role.mark_type(&id(ANCHOR)),
            iat: NOW - 10,
            exp: Some(expires),
            reference: None,
            delegation: None,
        };
        json!({"trust_mark_type": mark.trust_mark_type, "trust_mark": mark.sign(&world.anchor).unwrap()})
    });
    chain[0].claims["trust_marks"] = marks.collect();
    chain
}

fn shown(world: &World, chain: &[Draft]) -> TrustedPeer {
    let verified = decide(world, chain).unwrap();
    let rules = verified.mark_rules().unwrap();
    let keys = verified.keys_of(rules.anchor()).unwrap();
    let marks = verified.shown_marks().iter();
    let held = marks.map(|entry| rules.verify(&entry.trust_mark, &id(LEAF), keys, now()).unwrap()).collect();
    TrustedPeer::from_chain(&verified, held).unwrap()
}

#[test]
fn a_role_is_closed_without_its_trust_mark() {
    let world = world();
    let peer = shown(&world, &marked(&world, &[Role::DataHolder], NOW + 60));
    assert_eq!((peer.roles(), peer.marks().len()), (vec![Role::DataHolder], 1));
    assert_eq!(peer.holder().unwrap().resource().resource, LEAF);
    let lacks = TrustError::NotTrusted(TrustFault::NoMark(Role::DataRecipient));
    assert_eq!(peer.recipient().unwrap_err(), lacks);
    assert!(peer.consent_issuer().is_err());
    // It is still notified that it must stop.
    assert!(peer.client_events_endpoint().is_some());
    assert_eq!(peer.expires_at, Timestamp::from_secs(NOW + 60), "a role does not outlast its mark");
    assert_eq!(shown(&world, &marked(&world, &Role::ALL, NOW + 7200)).roles(), Role::ALL);
    assert_eq!(shown(&world, &marked(&world, &[], NOW + 60)).roles(), []);
    // Also if the anchor has no rules for marks, or its configuration is missing.
    for silent in [short(&world), long(&world)] {
        assert_eq!(TrustedPeer::from_chain(&decide(&world, &silent).unwrap(), vec![]).unwrap().roles(), []);
    }
}

#[test]
fn a_mark_of_another_member_opens_nothing() {
    let world = world();
    let chain = decide(&world, &marked(&world, &[], NOW + 60)).unwrap();
    let mark = TrustMark {
        iss: id(ANCHOR),
        sub: id(MIDDLE),
        trust_mark_type: Role::DataHolder.mark_type(&id(ANCHOR)),
        iat: NOW,
        exp: None,
        reference: None,
        delegation: None,
    };
    let keys = chain.keys_of(&id(ANCHOR)).unwrap();
    let text = mark.sign(&world.anchor).unwrap();
    let held = chain.mark_rules().unwrap().verify(&text, &id(MIDDLE), keys, now()).unwrap();
    assert_eq!(TrustedPeer::from_chain(&chain, vec![held]).unwrap().roles(), []);
}

#[test]
fn a_recipient_may_be_an_openid_relying_party() {
    let world = world();
    let mut chain = marked(&world, &Role::ALL, NOW + 7200);
    let metadata = chain[0].claims["metadata"].as_object_mut().unwrap();
    let client = metadata.remove("oauth_client").unwrap();
    metadata.insert("openid_relying_party".into(), client);
    let peer = shown(&world, &chain);
    assert_eq!(peer.recipient().unwrap().client().redirect_uris, ["https://espoo.example/oauth/callback"]);
}

#[test]
fn a_client_leaves_no_rule_behind_by_going_under_another_type() {
    let world = world();
    let mut chain = marked(&world, &Role::ALL, NOW + 7200);
    let metadata = chain[0].claims["metadata"].as_object_mut().unwrap();
    let client = metadata.remove("oauth_client").unwrap();
    metadata.insert("openid_relying_party".into(), client.clone());
    let of_client = |rules: Value| json!({"oauth_client": rules});
    let with = |name: &str, value: Value| {
        let mut chain = chain.clone();
        chain[1].claims[name] = value;
        chain
    };
    let demanding = with("metadata_policy", of_client(json!({"logo_uri": {"essential": true}})));
    let lacks = TrustError::NotTrusted(TrustFault::PolicyEssential);
    assert_eq!(decide(&world, &demanding).unwrap_err(), lacks);
    // Both sets of rules together, which may exclude each other.
    let rules = |one: &str, other: &str| json!({"oauth_client": {"contacts": {"value": [one]}}, "openid_relying_party": {"contacts": {"value": [other]}}});
    assert!(decide(&world, &with("metadata_policy", rules("a", "a"))).is_ok());
    let conflict = TrustError::NotTrusted(TrustFault::PolicyConflict);
    assert_eq!(decide(&world, &with("metadata_policy", rules("a", "b"))).unwrap_err(), conflict);
    let uris = json!({"redirect_uris": ["https://espoo.example/other"]});
    let peer = shown(&world, &with("metadata", of_client(uris)));
    assert_eq!(peer.recipient().unwrap().client().redirect_uris, ["https://espoo.example/other"]);
    // A type that is left out gives no role, neither its own nor through the other.
    let types = |allowed: &[&str]| json!({"allowed_entity_types": allowed});
    let peer = shown(&world, &with("constraints", types(&["oauth_client"])));
    assert_eq!(peer.recipient().unwrap_err(), TrustError::NotTrusted(TrustFault::NoClient));
    // With both types the rules of each apply, and those of both apply to the remaining one.
    let mut both = demanding.clone();
    both[0].claims["metadata"]["oauth_client"] = client;
    both[1].claims["constraints"] = types(&["openid_relying_party"]);
    assert_eq!(decide(&world, &both).unwrap_err(), lacks);
}

#[test]
fn a_superior_can_forbid_intermediates() {
    let world = world();
    let mut chain = long(&world);
    chain[2].claims["constraints"] = json!({"max_path_length": 1});
    assert!(decide(&world, &chain).is_ok());
    chain[2].claims["constraints"] = json!({"max_path_length": 0});
    assert_eq!(decide(&world, &chain).unwrap_err(), TrustError::NotTrusted(TrustFault::PathTooLong));
}

#[test]
fn a_self_signed_statement_proves_its_keys_only() {
    let world = world();
    let good = leaf(&world, ANCHOR);
    assert_eq!(verify_self_signed(&good.sign(), now()).unwrap().sub, id(LEAF));
    let forged = Draft { key: world.other.clone(), ..good.clone() };
    assert_eq!(
        verify_self_signed(&forged.sign(), now()),
        Err(TrustError::NotTrusted(TrustFault::Jose(JoseError::UnknownKey)))
    );
    let about_another = draft(&world.anchor, ANCHOR, LEAF, &world.anchor);
    assert!(verify_self_signed(&about_another.sign(), now()).is_err());
    assert!(verify_self_signed(&good.sign(), now().plus_secs(3600)).is_err());
}

#[test]
fn an_anchors_configuration_needs_its_pinned_keys() {
    let world = world();
    let description = AnchorDescription {
        id: id(ANCHOR),
        name: text("Federation"),
        contacts: vec!["ops@anchor.example".into()],
        federation_keys: PublicKeys::single(world.anchor.public().clone()),
    };
    let text = description.entity_configuration(now(), 60).sign(&world.anchor).unwrap();
    let statement = verify_anchor(&text, &anchor(&world), now()).unwrap();
    let federation = &statement.metadata.unwrap()["federation_entity"];
    assert_eq!(federation["federation_fetch_endpoint"], "https://anchor.example/federation/fetch");
    let forged = draft(&world.other, ANCHOR, ANCHOR, &world.other).sign();
    assert!(verify_anchor(&forged, &anchor(&world), now()).is_err());
    let other = TrustAnchor { id: id(MIDDLE), ..anchor(&world) };
    assert!(verify_anchor(&text, &other, now()).is_err());
}
