-- A store as it is after a long time: rows :first to :last of every table that grows. {id n} is an identifier of 16 bytes,
-- {at} the moment of the measurement in microseconds. One in three permissions has ended, and most of those are erased.
INSERT INTO persons (id, issuer, subject_hash, identifier_hash, identifier, first_login_at, last_login_at, idle_since)
  {series} SELECT {id n}, 'https://login.example', {hash n}, {hash n}, {id n}, {at}, {at}, {at} FROM s WHERE n % 10 = 0;
INSERT INTO consent_requests (id, origin, recipient, recipient_name, terms, declared_use, person, request_uri_hash, state, consent,
    created_at, expires_at, ended_at)
  {series} SELECT {id n}, 'pushed', 'https://helsinki.example', '{}', '{}', '{}', {id n - n % 10}, {hash n},
    CASE WHEN n % 5 = 0 THEN 'declined' ELSE 'allowed' END, CASE WHEN n % 5 <> 0 THEN {id n} END, {at} - n, {at}, {at} - n
  FROM s;
INSERT INTO consents (id, grant_id, request, origin, person, subject, recipient, dataset, declared_use, followed, terms, commitment,
    state, reason, status_index, exchanges, decided_at, until_at, remind_at, reminded_at, ended_at, erased_at, epoch)
  {series} SELECT {id n}, 'grant-' || n, {id n}, 'pushed', {id n - n % 10}, 'pairwise', 'https://helsinki.example', 'placements',
    'https://helsinki.example/catalogue/uses/daycare', '{published}', '{terms}', 'commitment-' || n,
    CASE WHEN n % 3 = 0 THEN 'revoked' ELSE 'active' END, CASE WHEN n % 3 = 0 THEN 'taken_back' ELSE 'decided' END, n, 1,
    {at} - n, {at} + 10000000000000, CASE WHEN n % 2 = 0 THEN {at} - n ELSE {at} + 1000000000 + n END, CASE WHEN n % 2 = 0 THEN {at} END,
    CASE WHEN n % 3 = 0 THEN {at} - n END, CASE WHEN n % 3 = 0 THEN {at} END, 0
  FROM s;
INSERT INTO consent_events (consent, at, actor, to_state, reason)
  {series} SELECT {id n}, {at} - n, 'resident', 'active', 'decided' FROM s;
INSERT INTO authorization_codes (code_hash, kind, consent, client, created_at, expires_at, used_at)
  {series} SELECT {hash n}, 'code', {id n}, 'https://helsinki.example', {at} - n, {at} - n, {at} - n FROM s;
INSERT INTO issued_tokens (jti, consent, jkt, iat, exp)
  {series} SELECT 'jti-' || n, {id n}, 'jkt', 0, 0 FROM s;
INSERT INTO log_entries (idx, leaf_hash, entry, at)
  {series} SELECT n, '0123456789012345678901234567890123456789012', '{}', {at} FROM s;
INSERT INTO exchanges (id, consent, recipient, dataset, fields, at, log_idx, proof_digest, body_digest, receipt)
  {series} SELECT {id n}, CASE WHEN n % 2 = 0 THEN {id 12} ELSE {id n} END, 'https://helsinki.example', 'placements', '["unit"]',
    {at} - n, n, 'proof', 'body', 'r.e.c' FROM s;
INSERT INTO refusals (at, code, reason, consent)
  {series} SELECT {at} - n, 'invalid_token', 'expired', CASE WHEN n % 2 = 0 THEN {id 12} ELSE {id n} END FROM s;
INSERT INTO held_consents (id, origin, service, holder, detail, state, created_at, updated_at, received)
  {series} SELECT {id n}, 'pushed', 'service-' || n % 20, 'https://espoo.example', '{}',
    CASE WHEN n % 3 = 0 THEN 'ended' ELSE 'given' END, {at} - n, {at}, 1 FROM s;
INSERT INTO fetches (held, at, outcome)
  {series} SELECT CASE WHEN n % 2 = 0 THEN {id 12} ELSE {id n} END, {at} - n, 'received' FROM s;
INSERT INTO used_once (kind, scope, jti, expires_at)
  {series} SELECT 'dpop', 'scope', 'used-' || n, {at} + 100000000 FROM s;
INSERT INTO received_events (issuer, jti, received_at)
  {series} SELECT 'https://espoo.example', 'event-' || n, {at} FROM s;
INSERT INTO outbox (id, kind, destination, subject, order_key, dedup_key, payload, next_at, place, created_at, delivered_at)
  {series} SELECT {id n}, 'event', CASE WHEN n % 2 = 0 THEN 'https://silent.example' ELSE 'https://done.example' END, 'subject-' || n,
    'key-' || n, 'pushed-' || n, {id n}, {at} - n, CASE WHEN n % 2 = 0 THEN 1 ELSE 3 END, {at},
    CASE WHEN n % 2 = 1 THEN {at} END FROM s;
