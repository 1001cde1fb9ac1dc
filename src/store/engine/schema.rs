//! The tables, equal on both databases. `migrations/` creates them; a test compares the two.

diesel::table! {
    node_identity (id) {
        id -> BigInt,
        entity_id -> Nullable<Text>,
        location -> Nullable<Text>,
        epoch -> BigInt,
        restored_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    key_checks (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    counters (name) {
        name -> Text,
        next_value -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        purpose -> Text,
        state -> Text,
        private_jwk -> Nullable<Binary>,
        public_jwk -> Text,
        created_at -> BigInt,
        activates_at -> Nullable<BigInt>,
        activated_at -> Nullable<BigInt>,
        retired_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        revoke_reason -> Nullable<Text>,
        compromised_since -> Nullable<BigInt>,
    }
}

diesel::table! {
    persons (id) {
        id -> Binary,
        issuer -> Text,
        subject_hash -> Binary,
        identifier_hash -> Binary,
        identifier -> Binary,
        first_login_at -> BigInt,
        last_login_at -> BigInt,
        idle_since -> BigInt,
    }
}

diesel::table! {
    passkeys (id) {
        id -> Binary,
        person -> Binary,
        credential_hash -> Binary,
        credential -> Binary,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (key_hash) {
        key_hash -> Binary,
        state -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
        ends_at -> BigInt,
    }
}

diesel::table! {
    used_once (kind, scope, jti) {
        kind -> Text,
        scope -> Text,
        jti -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    used_once_horizon (id) {
        id -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    outbox (seq) {
        seq -> BigInt,
        id -> Binary,
        kind -> Text,
        destination -> Text,
        subject -> Text,
        order_key -> Text,
        dedup_key -> Text,
        payload -> Binary,
        attempts -> BigInt,
        next_at -> BigInt,
        place -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> BigInt,
        created_at -> BigInt,
        delivered_at -> Nullable<BigInt>,
        given_up_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    outbox_peers (destination) {
        destination -> Text,
        failures -> BigInt,
        not_before -> BigInt,
    }
}

diesel::table! {
    received_events (issuer, jti) {
        issuer -> Text,
        jti -> Text,
        received_at -> BigInt,
    }
}

diesel::table! {
    log_head (id) {
        id -> BigInt,
        next_idx -> BigInt,
    }
}

diesel::table! {
    log_entries (idx) {
        idx -> BigInt,
        leaf_hash -> Text,
        entry -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    refusals (seq) {
        seq -> BigInt,
        at -> BigInt,
        code -> Text,
        reason -> Text,
        client -> Nullable<Text>,
        consent -> Binary,
        dataset -> Nullable<Text>,
    }
}

diesel::table! {
    deferrals (seq) {
        seq -> BigInt,
        at -> BigInt,
        consent -> Binary,
        available_from -> BigInt,
    }
}

diesel::table! {
    refusal_counts (hour, code, reason, client, dataset) {
        hour -> BigInt,
        code -> Text,
        reason -> Text,
        client -> Text,
        dataset -> Text,
        refused -> BigInt,
        first_at -> BigInt,
        last_at -> BigInt,
    }
}

diesel::table! {
    jobs (name) {
        name -> Text,
        due_at -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> BigInt,
        run -> BigInt,
        last_done_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    consent_requests (id) {
        id -> Binary,
        origin -> Text,
        recipient -> Text,
        recipient_name -> Text,
        terms -> Text,
        declared_use -> Text,
        asked_acr -> Nullable<Text>,
        asked_max_age -> Nullable<BigInt>,
        return_path -> Nullable<Text>,
        action -> Nullable<Text>,
        replaces -> Nullable<Binary>,
        expected_person -> Nullable<Binary>,
        person -> Nullable<Binary>,
        request_uri_hash -> Nullable<Binary>,
        request_uri_expires_at -> Nullable<BigInt>,
        request_uri_used_at -> Nullable<BigInt>,
        state -> Text,
        denied_by -> Nullable<Text>,
        consent -> Nullable<Binary>,
        pending_decision -> Nullable<Binary>,
        created_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    consents (id) {
        id -> Binary,
        grant_id -> Text,
        superseded_at -> Nullable<BigInt>,
        request -> Binary,
        origin -> Text,
        person -> Binary,
        subject -> Text,
        recipient -> Text,
        dataset -> Text,
        declared_use -> Text,
        followed -> Text,
        terms -> Text,
        commitment -> Text,
        acr -> Nullable<Text>,
        auth_time -> Nullable<BigInt>,
        identifier_hash -> Nullable<Binary>,
        passkey -> Nullable<Text>,
        state -> Text,
        reason -> Text,
        status_index -> BigInt,
        exchanges -> BigInt,
        last_exchange_at -> Nullable<BigInt>,
        decided_at -> BigInt,
        until_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        replaces -> Nullable<Binary>,
        replaced_by -> Nullable<Binary>,
        epoch -> BigInt,
        remind_at -> Nullable<BigInt>,
        reminded_at -> Nullable<BigInt>,
        erased_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    consent_evidence (consent) {
        consent -> Binary,
        evidence -> Binary,
    }
}

diesel::table! {
    consent_events (seq) {
        seq -> BigInt,
        consent -> Binary,
        at -> BigInt,
        actor -> Text,
        from_state -> Nullable<Text>,
        to_state -> Text,
        reason -> Text,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    standing_denials (id) {
        id -> Binary,
        person -> Binary,
        kind -> Text,
        target -> Text,
        name -> Text,
        created_at -> BigInt,
        until_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    authorization_codes (code_hash) {
        code_hash -> Binary,
        kind -> Text,
        consent -> Binary,
        client -> Text,
        redirect_uri -> Nullable<Text>,
        code_challenge -> Nullable<Text>,
        dpop_jkt -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    issued_tokens (jti) {
        jti -> Text,
        consent -> Binary,
        jkt -> Text,
        iat -> BigInt,
        exp -> BigInt,
    }
}

diesel::table! {
    refresh_tokens (token_hash) {
        token_hash -> Binary,
        consent -> Binary,
        client -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    exchanges (id) {
        id -> Binary,
        consent -> Binary,
        recipient -> Text,
        dataset -> Text,
        fields -> Text,
        at -> BigInt,
        log_idx -> BigInt,
        proof_digest -> Text,
        body_digest -> Text,
        receipt -> Text,
        acknowledged_at -> Nullable<BigInt>,
        acknowledgement -> Nullable<Text>,
    }
}

diesel::table! {
    consent_receipts (id) {
        id -> Binary,
        consent -> Binary,
        person -> Binary,
        version -> BigInt,
        change -> Text,
        at -> BigInt,
        log_idx -> BigInt,
        receipt -> Binary,
    }
}

diesel::table! {
    status_list_changes (number, change) {
        number -> BigInt,
        change -> BigInt,
        status_index -> BigInt,
    }
}

diesel::table! {
    status_lists (number) {
        number -> BigInt,
        changes -> BigInt,
        token -> Nullable<Text>,
        of_changes -> Nullable<BigInt>,
        kid -> Nullable<Text>,
        signed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    deletion_confirmations (consent, jti) {
        consent -> Binary,
        jti -> Text,
        deleted_at -> BigInt,
        received_at -> BigInt,
        event -> Text,
    }
}

diesel::table! {
    held_consents (id) {
        id -> Binary,
        origin -> Text,
        service -> Text,
        holder -> Text,
        detail -> Text,
        case_reference -> Nullable<Binary>,
        expected_person -> Nullable<Binary>,
        asked_acr -> Nullable<Text>,
        asked_max_age -> Nullable<BigInt>,
        return_url -> Nullable<Text>,
        action -> Nullable<Text>,
        replaces -> Nullable<Binary>,
        state -> Text,
        reason -> Nullable<Text>,
        grant_id -> Nullable<Text>,
        superseded_at -> Nullable<BigInt>,
        commitment -> Nullable<Text>,
        sequence -> BigInt,
        access_token -> Nullable<Binary>,
        access_expires_at -> Nullable<BigInt>,
        refresh_token -> Nullable<Binary>,
        dpop_kid -> Nullable<Text>,
        oauth_state_hash -> Nullable<Binary>,
        code_verifier -> Nullable<Binary>,
        browser_binding_hash -> Nullable<Binary>,
        authorization_dpop_kid -> Nullable<Text>,
        authorization_expires_at -> Nullable<BigInt>,
        received -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        erased_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    fetches (seq) {
        seq -> BigInt,
        held -> Binary,
        at -> BigInt,
        outcome -> Text,
        receipt -> Nullable<Text>,
        receipt_hash -> Nullable<Binary>,
        body_digest -> Nullable<Text>,
        available_from -> Nullable<BigInt>,
    }
}

diesel::table! {
    deletions (held) {
        held -> Binary,
        fetched_at -> BigInt,
        due_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
        deleted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    pending_events (holder, grant_id, commitment, sequence) {
        holder -> Text,
        grant_id -> Text,
        commitment -> Text,
        sequence -> BigInt,
        event -> Text,
        received_at -> BigInt,
    }
}

diesel::table! {
    anchor_pins (entity_id) {
        entity_id -> Text,
        jwks -> Text,
        followed_from -> Text,
        changed_at -> BigInt,
    }
}

diesel::table! {
    federation_members (entity_id) {
        entity_id -> Text,
        state -> Text,
        state_by -> Text,
        jwks -> Nullable<Text>,
        roles -> Text,
        rules -> Text,
        declared -> Nullable<Text>,
        entity_types -> Text,
        intermediate -> BigInt,
        reason -> Nullable<Text>,
        added_at -> BigInt,
        changed_at -> BigInt,
        seen_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    federation_member_changes (entity_id, number) {
        entity_id -> Text,
        number -> BigInt,
        at -> BigInt,
        change -> Text,
        actor -> Text,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    issued_trust_marks (digest) {
        digest -> Binary,
        entity_id -> Text,
        mark_type -> Text,
        mark -> Text,
        kid -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    own_trust_marks (mark_type) {
        mark_type -> Text,
        mark -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    use_reports (source) {
        source -> Text,
        last_at -> BigInt,
    }
}

diesel::table! {
    reported_uses (seq) {
        seq -> BigInt,
        id -> Binary,
        person_hash -> Binary,
        event_hash -> Binary,
        content_hash -> Binary,
        source -> Text,
        activity -> Text,
        description -> Binary,
        used_from -> BigInt,
        used_to -> BigInt,
        reported_at -> BigInt,
        hidden_until -> Nullable<BigInt>,
        hidden_reason -> Nullable<Text>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    use_hidings (id) {
        id -> Binary,
        reported_use -> Binary,
        reason -> Text,
        until_at -> BigInt,
        proposed_by -> Text,
        proposed_at -> BigInt,
        confirmed_by -> Nullable<Text>,
        confirmed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use_objections (id) {
        id -> Binary,
        person -> Binary,
        activity -> Text,
        statement -> Nullable<Binary>,
        made_at -> BigInt,
        answer -> Nullable<Text>,
        answered_at -> Nullable<BigInt>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    node_identity,
    key_checks,
    counters,
    signing_keys,
    persons,
    passkeys,
    sessions,
    used_once,
    used_once_horizon,
    outbox,
    outbox_peers,
    received_events,
    log_head,
    log_entries,
    refusals,
    deferrals,
    refusal_counts,
    jobs,
    consent_requests,
    consents,
    consent_evidence,
    consent_events,
    standing_denials,
    authorization_codes,
    issued_tokens,
    refresh_tokens,
    exchanges,
    consent_receipts,
    status_list_changes,
    status_lists,
    deletion_confirmations,
    held_consents,
    fetches,
    deletions,
    pending_events,
    anchor_pins,
    federation_members,
    federation_member_changes,
    issued_trust_marks,
    own_trust_marks,
    use_reports,
    reported_uses,
    use_hidings,
    use_objections,
);
