#!/usr/bin/env python3
"""Judges a consent bundle. Written from docs/bundle.md and the standards that it names, and from nothing else.

    verify_bundle.py BUNDLE [--anchor-keys FILE] [--provider-keys FILE] [--as-of TIME]

Prints one finding a line, "verdict subject [reason]", and at the end "state STATE" when nothing failed. Exit code 0: all
holds, 1: something does not, 3: something cannot be told. Python's own library is enough.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import zlib
from datetime import datetime, timezone
from urllib.parse import urlsplit


class Unfit(Exception):
    """A part does not hold; carries the stable word."""


# ---- encodings ----------------------------------------------------------------------------------------------------------


def unb64(text):
    """Base64url without padding, in its one canonical spelling."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise Unfit("base64")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Unfit("base64") from error
    if b64(raw) != text:
        raise Unfit("base64")
    return raw


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def digest(text):
    return b64(hashlib.sha256(text if isinstance(text, bytes) else text.encode()).digest())


def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unfit("not_json")
    return members


def parse(text):
    try:
        return json.loads(text, object_pairs_hook=no_duplicates)
    except (ValueError, RecursionError) as error:
        raise Unfit("not_json") from error


def canonical(value):
    """RFC 8785, for the values that occur: no number has a fraction."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        raise Unfit("form")
    return json.dumps(value, ensure_ascii=False)


def seconds(text):
    """RFC 3339 in UTC to seconds since 1970."""
    found = isinstance(text, str) and re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)", text)
    if not found:
        raise Unfit("form")
    return int(datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc).timestamp())


def end_of_day(day):
    return seconds(day + "T21:00:00Z")


# ---- signatures ---------------------------------------------------------------------------------------------------------

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(one, other):
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(factor, point):
    total = None
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def p256(jwk, message, r, s):
    raw = [unb64(jwk.get(name)) for name in ("x", "y")]
    x, y = (int.from_bytes(part, "big") for part in raw)
    on_curve = x < P and y < P and (y * y - (x**3 - 3 * x + B)) % P == 0
    if [len(part) for part in raw] != [32, 32] or not on_curve or not (0 < r < N and 0 < s < N):
        return False
    hashed = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, N)
    point = add(times(hashed * inverse % N, G), times(r * inverse % N, (x, y)))
    return point is not None and point[0] % N == r


def der_pair(signature):
    """The two numbers of an ECDSA signature in DER."""
    def number(data):
        if len(data) < 3 or data[0] != 2 or data[1] > 127 or len(data) < 2 + data[1]:
            raise Unfit("der")
        return int.from_bytes(data[2:2 + data[1]], "big"), data[2 + data[1]:]
    if len(signature) < 2 or signature[0] != 0x30 or signature[1] != len(signature) - 2:
        raise Unfit("der")
    r, rest = number(signature[2:])
    s, rest = number(rest)
    if rest:
        raise Unfit("der")
    return r, s


Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q


def edwards_add(one, other):
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + product, -1, Q) % Q, (y1 * y2 + x1 * x2) * pow(1 - product, -1, Q) % Q)


def edwards_times(factor, point):
    total = (0, 1)
    while factor:
        if factor & 1:
            total = edwards_add(total, point)
        point, factor = edwards_add(point, point), factor >> 1
    return total


def edwards_point(raw):
    if len(raw) != 32:
        raise Unfit("point")
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= Q:
        raise Unfit("point")
    squared = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(squared, (Q + 3) // 8, Q)
    if x * x % Q != squared:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    if x * x % Q != squared or (x == 0 and sign):
        raise Unfit("point")
    return (Q - x if x & 1 != sign else x), y


def ed25519(jwk, message, signature):
    raw = unb64(jwk.get("x"))
    if len(signature) != 64:
        return False
    key, r = edwards_point(raw), edwards_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + raw + message).digest(), "little") % L
    base = edwards_point((4 * pow(5, -1, Q) % Q).to_bytes(32, "little"))
    return edwards_times(s, base) == edwards_add(r, edwards_times(hashed, key))


def rsa(jwk, message, signature, pss):
    n, e = (int.from_bytes(unb64(jwk.get(name)), "big") for name in ("n", "e"))
    size = (n.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if n.bit_length() < 2041 or len(signature) != size or number >= n:
        return False
    hashed = hashlib.sha256(message).digest()
    block = pow(number, e, n).to_bytes(size, "big")
    if not pss:
        prefix = bytes.fromhex("3031300d060960864801650304020105000420")
        return block == b"\x00\x01" + b"\xff" * (size - 3 - len(prefix) - 32) + b"\x00" + prefix + hashed
    # RFC 8017 §9.1.2, SHA-256 and a salt as long as the hash (RFC 7518 §3.5).
    masked, inner, trailer = block[:-33], block[-33:-1], block[-1]
    mask = b"".join(hashlib.sha256(inner + count.to_bytes(4, "big")).digest() for count in range(len(masked) // 32 + 1))
    opened = bytearray(one ^ other for one, other in zip(masked, mask))
    opened[0] &= 0xFF >> (8 * size - (n.bit_length() - 1))
    salt, padding = bytes(opened[-32:]), bytes(opened[:-32])
    fits = trailer == 0xBC and padding == b"\x00" * (len(padding) - 1) + b"\x01"
    return fits and hashlib.sha256(b"\x00" * 8 + hashed + salt).digest() == inner


def kind(jwk):
    return jwk.get("kty"), jwk.get("crv")


def verify(jwk, algorithm, message, signature):
    """A JWS signature with a key of the kind that its algorithm needs."""
    if any(name in jwk for name in ("d", "k", "p", "q")):
        return False
    if algorithm == "ES256" and kind(jwk) == ("EC", "P-256"):
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        return len(signature) == 64 and p256(jwk, message, r, s)
    if algorithm in ("EdDSA", "Ed25519") and kind(jwk) == ("OKP", "Ed25519"):
        return ed25519(jwk, message, signature)
    if algorithm in ("RS256", "PS256") and jwk.get("kty") == "RSA":
        return rsa(jwk, message, signature, algorithm == "PS256")
    return False


def thumbprint(jwk):
    """RFC 7638."""
    names = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}.get(jwk.get("kty"))
    if names is None or not all(isinstance(jwk.get(name), str) for name in names):
        raise Unfit("key")
    return digest(canonical({name: jwk[name] for name in names}))


class Jws:
    """A compact JWS whose form was read."""

    def __init__(self, text, typ=None, refuse=("crit",)):
        if not isinstance(text, str) or text.count(".") != 2:
            raise Unfit("form")
        head, payload, signature = text.split(".")
        self.text, self.message, self.signature = text, f"{head}.{payload}".encode(), unb64(signature)
        self.header, self.claims = (parse(unb64(part).decode()) for part in (head, payload))
        if not isinstance(self.header, dict) or not isinstance(self.claims, dict):
            raise Unfit("form")
        if any(name in self.header for name in refuse) or (typ and self.header.get("typ") != typ):
            raise Unfit("form")

    def is_signed_with(self, jwk):
        return verify(jwk, self.header.get("alg"), self.message, self.signature)

    def key_among(self, jwks):
        named = self.header.get("kid")
        return next((jwk for jwk in jwks if named is not None and jwk.get("kid") == named), None)


# ---- trust chains (OpenID Federation 1.0) -----------------------------------------------------------------------------


def keys_of(jwks):
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    return [key for key in keys or [] if isinstance(key, dict)]


def as_set(name, value):
    return value.split() if name == "scope" and isinstance(value, str) else value


def apply_policy(metadata, policy):
    """§6.1: the operators in the standard's order, for the parameters of one statement."""
    for entity, rules in policy.items():
        if entity not in metadata:
            continue
        own = metadata[entity]
        for name, operators in rules.items():
            value = as_set(name, own.get(name))
            if "value" in operators:
                value = operators["value"]
            if "add" in operators:
                value = list(value or []) + [one for one in operators["add"] if one not in (value or [])]
            if value is None and "default" in operators:
                value = operators["default"]
            if value is not None:
                if "one_of" in operators and value not in operators["one_of"]:
                    raise Unfit("chain_broken")
                if "subset_of" in operators:
                    value = [one for one in value if one in operators["subset_of"]]
                if "superset_of" in operators and any(one not in value for one in operators["superset_of"]):
                    raise Unfit("chain_broken")
            elif operators.get("essential"):
                raise Unfit("chain_broken")
            if value is None:
                own.pop(name, None)
            else:
                own[name] = " ".join(value) if name == "scope" and isinstance(value, list) else value


def check_constraints(rules, below, metadata):
    """§6.2, with everyone below the statement's issuer, the leaf last."""
    if rules.get("max_path_length") is not None and len(below) - 1 > rules["max_path_length"]:
        raise Unfit("chain_broken")
    names = rules.get("naming_constraints") or {}

    def fits(rule, host):
        rule = rule.lower()
        return host.endswith(rule) and len(host) > len(rule) if rule.startswith(".") else host == rule
    for entity in below:
        host = (urlsplit(entity).hostname or "").rstrip(".")
        permitted, excluded = names.get("permitted"), names.get("excluded") or []
        if permitted is not None and not any(fits(rule, host) for rule in permitted):
            raise Unfit("chain_broken")
        if any(fits(rule, host) for rule in excluded):
            raise Unfit("chain_broken")
    allowed = rules.get("allowed_entity_types")
    if allowed is not None:
        for entity in [one for one in metadata if one != "federation_entity" and one not in allowed]:
            del metadata[entity]


def chain(statements, member, at, anchor_keys):
    """The metadata of a member whose chain holds at a moment."""
    try:
        parsed = [Jws(text, "entity-statement+jwt") for text in statements]
    except Unfit as error:
        raise Unfit("chain_broken") from error
    if len(parsed) < 3:
        raise Unfit("chain_broken")
    for jws in parsed:
        claims = jws.claims
        if not claims.get("iat", at + 61) <= at + 60 or not claims.get("exp", 0) > at or "crit" in claims:
            raise Unfit("chain_broken")
    leaf, links, anchor = parsed[0], parsed[1:-1][::-1], parsed[-1]
    keys, superior = anchor_keys or keys_of(anchor.claims.get("jwks")), anchor.claims.get("iss")

    def signed(jws, by):
        key = jws.key_among(by)
        if key is None or not jws.is_signed_with(key):
            raise Unfit("chain_broken")
    signed(anchor, keys)
    if anchor.claims.get("sub") != superior:
        raise Unfit("chain_broken")
    path = [superior]
    for jws in links:
        signed(jws, keys)
        if jws.claims.get("iss") != superior or jws.claims.get("sub") in path:
            raise Unfit("chain_broken")
        superior, keys = jws.claims.get("sub"), keys_of(jws.claims.get("jwks"))
        path.append(superior)
    signed(leaf, keys)
    signed(leaf, keys_of(leaf.claims.get("jwks")))
    if not leaf.claims.get("iss") == leaf.claims.get("sub") == superior == member:
        raise Unfit("chain_broken")
    if path[-2] not in leaf.claims.get("authority_hints", []):
        raise Unfit("chain_broken")
    metadata = json.loads(json.dumps(leaf.claims.get("metadata", {})))
    for place, jws in enumerate(links):
        check_constraints(jws.claims.get("constraints") or {}, path[place + 1:], metadata)
    for entity, members in (links[-1].claims.get("metadata") or {}).items():
        if entity in metadata:
            own = metadata[entity]
            for name in [one for one in own if "#" in one and one.split("#")[0] in members]:
                del own[name]
            own.update(members)
    for jws in links:
        apply_policy(metadata, jws.claims.get("metadata_policy") or {})
    return metadata


def role_keys(metadata, *places):
    for entity, name in places:
        found = keys_of((metadata or {}).get(entity, {}).get(name))
        if found:
            return found
    return []


def receipt_keys(metadata):
    return role_keys(metadata, ("oauth_resource", "jwks"))


def acknowledging_keys(metadata):
    clients = ("openid_relying_party", "oauth_client")
    return role_keys(metadata, *[(one, "omadata_receipt_jwks") for one in clients], *[(one, "jwks") for one in clients])


# ---- the judgement ------------------------------------------------------------------------------------------------------

STATUSES = ("active", "suspended", "revoked", "returned", "withdrawn", "expired", "exhausted", "replaced")
ACTORS = ("resident", "recipient", "node")
REASONS = ("decided", "continued", "use_fits", "paused", "use_changed", "use_withdrawn", "taken_back", "given_back",
           "code_replayed", "unredeemed", "last_day", "used_up", "replaced")
STATES = {"given": "active", "resumed": "active"}


class Judge:
    def __init__(self, text, anchor_keys, provider_keys, as_of):
        self.findings = []
        self.anchor_keys, self.provider_keys = anchor_keys, provider_keys
        if len(text.encode()) > 16 * 1024 * 1024:
            raise Unfit("too_large")
        whole = parse(text)
        if canonical(whole) != text:
            raise Unfit("not_canonical")
        if not isinstance(whole, dict) or whole.get("format") != "omadata-consent-bundle/1" or "seal" not in whole:
            raise Unfit("form")
        self.seal = whole.pop("seal")
        self.bundle = whole
        self.consent, self.evidence = whole["consent"], whole["evidence"]
        self.terms = self.consent["terms"]
        self.recorded, self.exported = seconds(self.consent["recordedAt"]), seconds(whole["exportedAt"])
        self.as_of = self.exported if as_of is None else as_of
        for line in whole["history"]:
            known = line["state"] in STATUSES and line["actor"] in ACTORS and line.get("reason", "decided") in REASONS
            if not known or not set(line) <= {"state", "actor", "reason", "at"}:
                raise Unfit("form")
        self.history = [(seconds(line["at"]), line["state"]) for line in whole["history"]]
        self.log = {}
        for line in whole["log"]:
            if canonical(parse(line["entry"])) != line["entry"]:
                raise Unfit("log_entry_form")
            self.log[digest(b"\x00" + line["entry"].encode())] = parse(line["entry"])
        self.tell("pass", "file")

    def tell(self, verdict, subject, reason=None):
        self.findings.append((verdict, subject, reason))

    def part(self, subject, check):
        """Runs one part; an exception is what does not hold."""
        try:
            outcome = check()
        except Unfit as error:
            self.tell("fail", subject, str(error))
            return None
        if isinstance(outcome, str):
            self.tell("cannot_tell", subject, outcome)
            return None
        self.tell("pass", subject)
        return outcome

    def judge(self):
        then, now = self.evidence.get("chains") or {}, self.bundle["chains"]
        holder, recipient = self.bundle["holder"], self.terms["recipient"]
        self.members = {}
        for name, statements, member, at in (
            ("holder_then", then.get("holder"), holder, self.recorded),
            ("recipient_then", then.get("recipient"), recipient, self.recorded),
            ("holder", now.get("holder"), holder, self.exported),
            ("recipient", now.get("recipient"), recipient, self.exported),
        ):
            check = lambda: chain(statements, member, at, self.anchor_keys) if statements else "chain_not_kept"
            self.members[name] = self.part(name, check)
        known = any(self.members.values())
        self.part("anchor", lambda: "no_chain" if not known else True if self.anchor_keys else "anchor_keys_not_given")
        self.part("seal", self.check_seal)
        self.receipts = []
        self.part("receipts", self.check_receipts)
        if self.part("evidence", self.check_evidence):
            self.part("provider_key", self.check_provider_key)
        self.part("log", self.check_log)
        self.part("history", self.check_history)
        unconfirmed = self.part("exchanges", self.check_exchanges)
        if unconfirmed is not None:
            self.part("acknowledgements", lambda: "not_acknowledged" if unconfirmed[0] else True)
        self.part("status_list", self.check_status_list)

    def check_seal(self):
        try:
            jws = Jws(self.seal, "consent-bundle+jwt")
        except Unfit as error:
            raise Unfit("seal_form") from error
        vouched = receipt_keys(self.members["holder"]) + receipt_keys(self.members["holder_then"])
        own = [line["key"] for line in self.bundle["keys"] if line["purpose"] == "receipt"]
        key = jws.key_among(vouched) or jws.key_among(own)
        if key is None:
            raise Unfit("seal_key_unknown")
        if not jws.is_signed_with(key):
            raise Unfit("seal_signature")
        if jws.claims.get("digest") != digest(canonical(self.bundle)):
            raise Unfit("changed_after_sealing")
        if jws.claims.get("iss") != self.bundle["holder"] or jws.claims.get("iat") != self.exported:
            raise Unfit("seal_other")
        return True if jws.key_among(vouched) else "seal_key_not_vouched_for"

    def signed_by_holder(self, text, typ, prefix):
        """A receipt of either kind, by a receipt key that was not given up before."""
        try:
            jws = Jws(text, typ)
        except Unfit as error:
            raise Unfit(prefix + "_form") from error
        lines = [line for line in self.bundle["keys"] if line["purpose"] == "receipt"]
        key = jws.key_among([line["key"] for line in lines])
        if key is None:
            raise Unfit(prefix + "_key_unknown")
        if not jws.is_signed_with(key):
            raise Unfit(prefix + "_signature")
        revoked = next(line for line in lines if line["key"] is key).get("revoked")
        entry = self.log.get(jws.claims["log_entry"])
        if revoked and revoked["reason"] == "superseded":
            if jws.claims["iat"] > revoked["at"] and entry is None:
                raise Unfit("key_revoked")
        elif revoked and revoked["reason"] != "compromised":
            raise Unfit("form")
        elif revoked and not (entry and entry["at"] < revoked["at"]):
            raise Unfit("key_compromised")
        return jws, key

    def check_receipts(self):
        if not self.bundle["receipts"]:
            return "receipts_not_kept"
        receipts, before = [], None
        for number, text in enumerate(self.bundle["receipts"], 1):
            jws, key = self.signed_by_holder(text, "consent-receipt+jwt", "receipt")
            said = jws.claims
            told = (said["iss"], said["record_id"], said["sub"], said.get("grant_id"))
            if told != (self.bundle["holder"], self.consent["id"], self.consent["subject"], self.consent["grantId"]):
                raise Unfit("receipt_other")
            if said["version"] != number or said.get("previous") != before:
                raise Unfit("receipt_missing")
            of_then = self.members["holder_then"]
            if number == 1 and of_then and thumbprint(key) not in map(thumbprint, receipt_keys(of_then)):
                raise Unfit("receipt_key_not_of_then")
            before = digest(text)
            receipts.append(said)
        first = receipts[0]
        if first["event"]["event_type"] != "given" or "evidence" not in first or first["iat"] != self.recorded:
            raise Unfit("receipt_other")
        self.receipts = receipts
        return True

    def check_evidence(self):
        evidence, commitment = self.evidence, self.consent["commitment"]
        text = evidence["document"]
        document = parse(text)
        if canonical(document) != text or document.get("version") != "omadata-consent/1":
            raise Unfit("document_form")
        said = self.receipts[0]["evidence"] if self.receipts else None
        if said and digest(text) != said["document_digest"]:
            raise Unfit("document_changed" if self.texts_digest(document) == said["texts_digest"] else "text_changed")
        if said and said["commitment"] != commitment:
            raise Unfit("commitment_changed")
        try:
            salt = unb64(evidence["salt"])
        except Unfit as error:
            raise Unfit("salt_form") from error
        if len(salt) != 32:
            raise Unfit("salt_form")
        if digest(salt + text.encode()) != commitment:
            raise Unfit("salt_changed" if said else "document_or_salt_changed")
        key = evidence["providerKey"]
        if said and said["provider_key"] != thumbprint(key):
            raise Unfit("provider_key_swapped")
        if said and said["provider"] != evidence["provider"]:
            raise Unfit("other_provider")
        published = evidence.get("providerDocuments")
        if published and not self.has_key(published["jwks"], thumbprint(key)):
            raise Unfit("provider_key_unpublished")
        self.check_id_token(document, salt, said)
        self.check_passkey(document)
        same = [document["consent"], document["subject"], document["terms"]]
        if same != [self.consent["id"], self.consent["subject"], self.terms] or self.terms["holder"] != self.bundle["holder"]:
            raise Unfit("record_changed")
        return True

    @staticmethod
    def texts_digest(document):
        return digest(canonical([
            document["language"],
            [document["holder"]["name"], document["recipient"]["name"], document["service"], document["purposeText"],
             document["datasetTitle"]],
            [field["label"] for field in document["fields"]],
            [document["onwardSharing"], document["otherwise"], document["controller"]["name"],
             document["dataProtectionOfficer"]["name"]],
        ]))

    @staticmethod
    def has_key(jwks, wanted):
        for key in keys_of(jwks):
            try:
                if thumbprint(key) == wanted:
                    return True
            except Unfit:
                pass
        return False

    def check_id_token(self, document, salt, said):
        evidence = self.evidence
        try:
            jws = Jws(evidence["idToken"], refuse=("crit", "b64", "zip", "enc"))
            good = jws.is_signed_with(evidence["providerKey"])
        except Unfit as error:
            raise Unfit("provider_signature") from error
        if not good:
            raise Unfit("provider_signature")
        claims = jws.claims
        if claims.get("nonce") != self.consent["commitment"]:
            raise Unfit("other_decision")
        if claims.get("iss") != evidence["provider"]:
            raise Unfit("other_provider")
        client = evidence["clientId"]
        if claims.get("aud") not in (client, [client]) or (said and said["client_id"] != client):
            raise Unfit("other_client")
        signer = hashlib.sha256(salt + claims["iss"].encode() + b"\x00" + claims["sub"].encode()).digest()
        if document.get("signer") != b64(signer):
            raise Unfit("other_person")
        if abs(int(claims["iat"]) - seconds(document["decidedAt"])) > 20 * 60:
            raise Unfit("other_time")

    def check_passkey(self, document):
        passkey, allowed = self.evidence.get("passkey"), document.get("passkeys") or []
        if passkey is None:
            if allowed:
                raise Unfit("passkey_missing")
            return
        key = passkey["publicKey"]
        try:
            raw, data, signature = (unb64(passkey[name]) for name in ("clientData", "authenticatorData", "signature"))
            client = parse(raw.decode())
        except (Unfit, ValueError) as error:
            raise Unfit("passkey_malformed") from error
        if client.get("type") != "webauthn.get" or client.get("crossOrigin") is True:
            raise Unfit("passkey_purpose")
        if client.get("challenge") != self.consent["commitment"]:
            raise Unfit("passkey_other_decision")
        place = urlsplit(document["holder"]["id"])
        if client.get("origin") != f"{place.scheme}://{place.netloc}":
            raise Unfit("passkey_other_address")
        if len(data) < 37:
            raise Unfit("passkey_malformed")
        if data[:32] != hashlib.sha256(place.hostname.encode()).digest():
            raise Unfit("passkey_other_address")
        if data[32] & 0x05 != 0x05:
            raise Unfit("passkey_owner")
        message = data + hashlib.sha256(raw).digest()
        try:
            if kind(key) == ("EC", "P-256"):
                good = p256(key, message, *der_pair(signature))
            elif kind(key) == ("OKP", "Ed25519"):
                good = ed25519(key, message, signature)
            else:
                good = key.get("kty") == "RSA" and rsa(key, message, signature, False)
        except Unfit:
            good = False
        if not good:
            raise Unfit("passkey_signature")
        if thumbprint(key) not in allowed:
            raise Unfit("passkey_other")

    def check_provider_key(self):
        if self.provider_keys is None:
            return "provider_keys_not_given"
        if not self.has_key(self.provider_keys, thumbprint(self.evidence["providerKey"])):
            raise Unfit("provider_key_foreign")
        return True

    def check_log(self):
        for number, receipt in enumerate(self.receipts):
            entry = self.log.get(receipt["log_entry"])
            if entry is None or entry["kind"] != "consent":
                raise Unfit("log_entry_missing")
            changed = receipt["event"]["event_type"]
            fits = (entry["consent"], entry["state"], entry["at"]) == (
                receipt["record_id"], STATES.get(changed, changed), receipt["iat"])
            if number == 0:
                said = receipt["evidence"]
                fits = fits and entry.get("commitment") == said["commitment"]
                fits = fits and entry.get("provider_key") == said["provider_key"]
            if not fits:
                raise Unfit("log_entry_other")
        numbers = [line["index"] for line in self.bundle["log"]]
        if numbers != sorted(set(numbers)):
            raise Unfit("log_order")
        return True

    def check_history(self):
        told = [(one["iat"], STATES.get(one["event"]["event_type"], one["event"]["event_type"])) for one in self.receipts]
        in_order = [at for at, _ in self.history] == sorted(at for at, _ in self.history)
        if (told and told != self.history) or not in_order or not self.history:
            raise Unfit("history_other")
        if self.history[-1][1] != self.consent["state"]:
            raise Unfit("history_other")
        return True

    def states_between(self, first, last):
        """The state before the first second, and every one that came from then to the last."""
        before = [state for at, state in self.history if at < first][-1:]
        return before + [state for at, state in self.history if first <= at <= last]

    def check_exchanges(self):
        if self.consent["exchanges"] != len(self.bundle["exchanges"]):
            raise Unfit("exchange_missing")
        unconfirmed = 0
        for papers in self.bundle["exchanges"]:
            jws, _ = self.signed_by_holder(papers["receipt"], "exchange-receipt+jwt", "exchange_receipt")
            said = jws.claims
            told = (said["iss"], said["aud"], said["grant_id"], said["dataset"])
            if told != (self.bundle["holder"], self.terms["recipient"], self.consent["grantId"], self.terms["dataset"]):
                raise Unfit("exchange_other")
            if any(field not in self.terms["fields"] for field in said["fields"]):
                raise Unfit("exchange_beyond_fields")
            in_force = "active" in self.states_between(said["iat"], said["iat"])
            if not in_force or said["iat"] >= end_of_day(self.terms["until"]):
                raise Unfit("exchange_out_of_time")
            entry = self.log.get(said["log_entry"])
            if entry is None:
                raise Unfit("log_entry_missing")
            logged = (entry["kind"], entry["consent"], entry.get("proof_digest"), entry.get("body_digest"), entry["at"])
            if logged != ("exchange", self.consent["id"], said["proof_digest"], said["body_digest"], said["iat"]):
                raise Unfit("log_entry_other")
            unconfirmed += not self.is_acknowledged(papers, said)
        return [unconfirmed]

    def is_acknowledged(self, papers, receipt):
        if papers.get("acknowledgement") is None:
            return False
        try:
            jws = Jws(papers["acknowledgement"], "secevent+jwt")
        except Unfit as error:
            raise Unfit("acknowledgement_form") from error
        if jws.claims.get("iss") != receipt["aud"]:
            raise Unfit("acknowledgement_other")
        keys = acknowledging_keys(self.members["recipient"]) + acknowledging_keys(self.members["recipient_then"])
        key = jws.key_among(keys)
        if key is None:
            return False
        if not jws.is_signed_with(key) or jws.claims.get("aud") != self.bundle["holder"]:
            raise Unfit("acknowledgement_signature")
        expected = {
            "exchange": receipt["jti"], "grant_id": receipt["grant_id"], "body_digest": receipt["body_digest"],
            "receipt_digest": digest(papers["receipt"]),
        }
        if jws.claims.get("events") != {"urn:omadata:event:exchange-acknowledged": expected}:
            raise Unfit("acknowledgement_other")
        return True

    def check_status_list(self):
        if not self.members["holder"]:
            return "chain_not_kept"
        keys = role_keys(self.members["holder"], ("oauth_authorization_server", "jwks"))
        jws = Jws(self.bundle["statusList"], "statuslist+jwt")
        key = jws.key_among(keys)
        if key is None or not jws.is_signed_with(key):
            raise Unfit("signature")
        claims = jws.claims
        if claims["sub"] != self.consent["statusList"]:
            raise Unfit("status_list_other")
        if not claims["exp"] > self.exported or claims["iat"] > self.exported + 60:
            raise Unfit("status_list_stale")
        entries, place = zlib.decompress(unb64(claims["status_list"]["lst"])), self.consent["statusIndex"]
        if claims["status_list"]["bits"] != 2:
            raise Unfit("status_list_malformed")
        if place // 4 >= len(entries):
            raise Unfit("status_index_out_of_range")
        listed = entries[place // 4] >> (2 * (place % 4)) & 3
        values = [{"active": 0, "suspended": 2}.get(state, 1) for state in self.states_between(claims["iat"] - 5, claims["iat"])]
        if listed in values:
            return True
        if not [at for at, _ in self.history if at < claims["iat"] - 5]:
            return "status_list_older"
        raise Unfit("status_other")

    def state(self):
        last = [state for at, state in self.history if at <= self.as_of][-1:]
        if last and last[0] in ("active", "suspended") and end_of_day(self.terms["until"]) <= self.as_of:
            return "expired"
        return last[0] if last else "not_given"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("bundle")
    arguments.add_argument("--anchor-keys")
    arguments.add_argument("--provider-keys")
    arguments.add_argument("--as-of")
    given = arguments.parse_args()

    def read(path):
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    anchor = keys_of(parse(read(given.anchor_keys))) if given.anchor_keys else None
    provider = parse(read(given.provider_keys)) if given.provider_keys else None
    findings, state = [], None
    try:
        judge = Judge(read(given.bundle), anchor, provider, seconds(given.as_of) if given.as_of else None)
        findings = judge.findings
        judge.judge()
        if not any(verdict == "fail" for verdict, _, _ in findings):
            state = judge.state()
    except Unfit as error:
        findings.append(("fail", "file", str(error)))
    except (KeyError, TypeError, AttributeError, ValueError, zlib.error):
        findings.append(("fail", "file", "form"))
    for verdict, subject, reason in findings:
        print(verdict, subject, *([f"[{reason}]"] if reason else []))
    if state:
        print("state", state)
    verdicts = {verdict for verdict, _, _ in findings}
    sys.exit(1 if "fail" in verdicts else 3 if "cannot_tell" in verdicts else 0)


if __name__ == "__main__":
    main()
