"""What the standards say that a consent bundle rests on: canonical JSON (RFC 8785), times (RFC 3339), keys and signatures
(RFC 7515, 7517, 7518, 7638, 8032) and trust chains (OpenID Federation 1.0). What docs/bundle.md says is in verify_bundle.py.
Python's own library is enough.
"""
import base64
import datetime
import decimal
import hashlib
import json
import re
from urllib.parse import urlsplit

OUR_ALGORITHMS = {"ES256", "EdDSA", "Ed25519"}
PROVIDER_ALGORITHMS = OUR_ALGORITHMS | {"RS256", "PS256"}


class Wrong(Exception):
    """A part does not hold; carries the stable word."""

    @property
    def reason(self):
        return self.args[0]


class CannotTell(Wrong):
    """The file alone does not say whether a part holds."""


def require(condition, reason):
    if not condition:
        raise Wrong(reason)


# ---- texts, numbers and digests ----------------------------------------------------------------------


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not base64url without padding")
    return data


def sha256(data):
    return hashlib.sha256(data).digest()


def digest(data):
    return encode(sha256(data.encode() if isinstance(data, str) else data))


def no_member_twice(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member twice")
    return value


def refuse(word):
    raise ValueError(f"{word} is no JSON")


def check_value(value, depth=16):
    """What Python's reader lets pass: nesting without end, numbers without end, halves of characters."""
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError("nested too deeply")
        for name in value if isinstance(value, dict) else ():
            name.encode()
        for item in value.values() if isinstance(value, dict) else value:
            check_value(item, depth - 1)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, (int, float)) and float(value) in (float("inf"), float("-inf")):
        raise ValueError("no number of RFC 8785")


def parse_json(text):
    try:
        value = json.loads(text, object_pairs_hook=no_member_twice, parse_constant=refuse)
        check_value(value)
    except (RecursionError, OverflowError) as error:
        raise ValueError("no JSON that is read here") from error
    return value


def canonical_number(value):
    """As ECMAScript writes it: the same digits as Python's, the exponent differently."""
    sign, digits, exponent = decimal.Decimal(repr(float(value))).normalize().as_tuple()
    digits, point = "".join(map(str, digits)), len(digits) + exponent  # point: places before the decimal point
    if digits == "0":
        return "0"
    if len(digits) <= point <= 21:
        digits += "0" * (point - len(digits))
    elif 0 < point <= 21:
        digits = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        digits = "0." + "0" * -point + digits
    else:
        digits = digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{point - 1:+d}"
    return "-" * sign + digits


def canonical(value):
    """RFC 8785."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(canonical(name) + ":" + canonical(v) for name, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return canonical_number(value)
    return json.dumps(value, ensure_ascii=False)


LAST_SECOND = 253_402_300_799  # of the year 9999


def seconds(number):
    """Of a claim; a fraction is cut off."""
    if type(number) not in (int, float) or not 0 <= number < LAST_SECOND + 1:
        raise ValueError("not a time")
    return int(number)


def moment(text):
    """Seconds since 1970 of an RFC 3339 time in UTC, written in whole seconds."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.ASCII):
        raise ValueError("not RFC 3339 in UTC")
    return int(datetime.datetime.fromisoformat(text[:19] + "+00:00").timestamp())


def end_of_day(day):
    return moment(day + "T21:00:00Z")


# ---- the mathematics of signatures -------------------------------------------------------------------

# ECDSA with P-256 (FIPS 186-5): y² = x³ - 3x + B modulo P, with the base point G of order N.
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


def p256_holds(key, message, r, s):
    if not (0 < r < N and 0 < s < N):
        return False
    hashed, inverse = int.from_bytes(sha256(message), "big"), pow(s, -1, N)
    point = add(times(hashed * inverse % N, G), times(r * inverse % N, key))
    return point is not None and point[0] % N == r


def der_pair(signature):
    """The two numbers of an ECDSA signature in DER."""
    def number(data):
        if len(data) < 3 or data[0] != 2 or not 0 < data[1] < 128 or len(data) < 2 + data[1]:
            raise ValueError("not DER")
        return int.from_bytes(data[2:2 + data[1]], "big"), data[2 + data[1]:]
    if len(signature) < 2 or signature[0] != 0x30 or signature[1] != len(signature) - 2:
        raise ValueError("not DER")
    r, rest = number(signature[2:])
    s, rest = number(rest)
    if rest:
        raise ValueError("not DER")
    return r, s


# Ed25519 (RFC 8032): -x² + y² = 1 + D x² y² modulo Q, with a base point of order L.
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
        raise ValueError("no point")
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= Q:
        raise ValueError("no point")
    squared = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(squared, (Q + 3) // 8, Q)
    if x * x % Q != squared:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    if x * x % Q != squared or (x == 0 and sign):
        raise ValueError("no point")
    return (Q - x if x & 1 != sign else x), y


def ed25519_holds(raw, message, signature):
    if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= L:
        return False
    key, r, s = edwards_point(raw), edwards_point(signature[:32]), int.from_bytes(signature[32:], "little")
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + raw + message).digest(), "little") % L
    base = edwards_point((4 * pow(5, -1, Q) % Q).to_bytes(32, "little"))
    return edwards_times(s, base) == edwards_add(r, edwards_times(hashed, key))


def rsa_holds(key, message, signature, pss):
    """RFC 8017 §8.2.2 and, for `pss`, §8.1.2 with SHA-256 and a salt as long as the hash."""
    n, e = key
    size = (n.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != size or number >= n:
        return False
    hashed, block = sha256(message), pow(number, e, n).to_bytes(size, "big")
    if not pss:
        prefix = bytes.fromhex("3031300d060960864801650304020105000420")
        return block == b"\x00\x01" + b"\xff" * (size - 3 - len(prefix) - 32) + b"\x00" + prefix + hashed
    masked, inner, trailer = block[:-33], block[-33:-1], block[-1]
    mask = b"".join(sha256(inner + count.to_bytes(4, "big")) for count in range(len(masked) // 32 + 1))
    opened = bytearray(one ^ other for one, other in zip(masked, mask))
    opened[0] &= 0xFF >> (8 * size - (n.bit_length() - 1))
    salt, padding = bytes(opened[-32:]), bytes(opened[:-32])
    fits = trailer == 0xBC and padding == b"\x00" * (len(padding) - 1) + b"\x01"
    return fits and sha256(b"\x00" * 8 + hashed + salt) == inner


# ---- keys and signatures -----------------------------------------------------------------------------


def thumbprint(jwk):
    """RFC 7638."""
    members = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    return digest(canonical({name: jwk[name] for name in members}))


class Key:
    """A public key that verifies: P-256, Ed25519, or RSA of 2048 to 8192 bits."""

    def __init__(self, jwk):
        if {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(jwk):
            raise ValueError("a private key")
        raw = lambda name: decode(jwk[name])
        self.kind, self.algorithms = {
            ("EC", "P-256"): ("EC", {"ES256"}),
            ("OKP", "Ed25519"): ("OKP", {"EdDSA", "Ed25519"}),
            ("RSA", None): ("RSA", {"RS256", "PS256"}),
        }[jwk["kty"], None if jwk["kty"] == "RSA" else jwk["crv"]]
        allowed = jwk.get("use", "sig") == "sig" and {"verify", "sign"} & set(jwk.get("key_ops", ["verify"]))
        if not allowed or jwk.get("alg", next(iter(self.algorithms))) not in self.algorithms:
            raise ValueError("a key for something else")
        if self.kind == "RSA" and "alg" in jwk:
            self.algorithms = {jwk["alg"]}
        if self.kind == "EC":
            x, y = self.key = tuple(int.from_bytes(raw(name), "big") for name in ("x", "y"))
            fits = [len(raw("x")), len(raw("y"))] == [32, 32] and max(x, y) < P
            fits = fits and (y * y - (x**3 - 3 * x + B)) % P == 0
        elif self.kind == "OKP":
            self.key = raw("x")
            fits = len(self.key) == 32
        else:
            self.key = tuple(int.from_bytes(raw(name), "big") for name in ("n", "e"))
            fits = 256 <= len(raw("n")) <= 1024 and len(raw("e")) <= 8
        if not fits:
            raise ValueError("no key")

    def signed(self, message, signature, algorithm):
        """Whether it made a signature of a JWS."""
        if algorithm not in self.algorithms:
            return False
        if self.kind == "EC":
            halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            return len(signature) == 64 and p256_holds(self.key, message, *halves)
        if self.kind == "OKP":
            return ed25519_holds(self.key, message, signature)
        return rsa_holds(self.key, message, signature, algorithm == "PS256")

    def asserted(self, message, signature):
        """Whether it made a signature of Web Authentication."""
        if self.kind == "EC":
            return p256_holds(self.key, message, *der_pair(signature))
        if self.kind == "OKP":
            return ed25519_holds(self.key, message, signature)
        return "RS256" in self.algorithms and rsa_holds(self.key, message, signature, False)


FAULTS = (ValueError, TypeError, KeyError, AttributeError)


class Jws:
    """A compact JWS. Reading it verifies nothing."""

    def __init__(self, compact, reason, typ=None, required=(), optional=None, most=64 * 1024):
        refused = {"crit", "b64", "zip", "enc"} | (set() if typ is None else {"jku", "x5u", "x5c", "jwk"})
        if typ == "entity-statement+jwt":
            refused |= {"trust_chain", "peer_trust_chain"}
        try:
            parts = compact.split(".")
            self.header, self.claims = (parse_json(decode(part).decode()) for part in parts[:2])
            self.signature = decode(parts[2])
            self.signed = f"{parts[0]}.{parts[1]}".encode()
            fits = len(parts) == 3 and isinstance(self.header, dict) and isinstance(self.claims, dict)
            fits = fits and len(compact.encode()) <= most and not refused & set(self.header)
            fits = fits and self.header.get("alg") in (PROVIDER_ALGORITHMS if typ is None else OUR_ALGORITHMS)
            if typ is not None:
                fits = fits and self.header["typ"].lower() in (typ, "application/" + typ)
                for name in {"iat", "exp", "nbf"} & set(self.claims):
                    seconds(self.claims[name])
            fits = fits and all(self.claims.get(name) is not None for name in required)
            fits = fits and (optional is None or set(self.claims) <= {*required, *optional})
        except (*FAULTS, IndexError):
            fits = False
        require(fits, reason)
        self.kid = self.header.get("kid")

    def signed_by(self, jwk):
        try:
            return Key(jwk).signed(self.signed, self.signature, self.header["alg"])
        except FAULTS:
            return False

    def key_among(self, keys):
        return next((key for key in keys if isinstance(key, dict) and key.get("kid") == self.kid is not None), None)


# ---- trust chains (OpenID Federation 1.0, sections 3, 4, 6 and 10.2) ---------------------------------


def as_set(value):
    return {canonical(item) for item in (value if isinstance(value, list) else [value])}


def both(one, other):
    if not isinstance(one, list):
        raise TypeError("subset_of of something that is no list")
    return [item for item in one if canonical(item) in as_set(other)]


def either(one, other):
    return one + [item for item in other if canonical(item) not in as_set(one)]


def merge_operator(name, upper, lower):
    merged = {"essential": lambda a, b: a or b, "add": either, "superset_of": either, "one_of": both, "subset_of": both,
              }.get(name, lambda a, b: a)(upper, lower)
    excluded = name in ("value", "default") and as_set(upper) != as_set(lower) or name == "one_of" and not merged
    require(not excluded, "chain_broken")
    return merged


def merge_policies(policies, more):
    for kind, names in more.items():
        for name, operators in names.items():
            merged = policies.setdefault(kind, {}).setdefault(name, {})
            for operator, value in operators.items():
                merged[operator] = merge_operator(operator, merged[operator], value) if operator in merged else value


def apply_policy(policy, metadata, name):
    within = [("value", "one_of"), ("value", "subset_of"), ("superset_of", "value"), ("add", "value"), ("add", "subset_of"),
              ("superset_of", "subset_of")]
    fits = all(as_set(policy[a]) <= as_set(policy[b]) for a, b in within if a in policy and b in policy)
    fits = fits and not ("one_of" in policy and {"add", "subset_of", "superset_of"} & set(policy))
    if "value" in policy and policy["value"] is None:
        fits = set(policy) <= {"value", "essential"} and not policy.get("essential")
    require(fits, "chain_broken")
    spaced = name == "scope"
    own = metadata.get(name)
    value = policy["value"] if "value" in policy else own.split() if spaced and isinstance(own, str) else own
    if "add" in policy:
        value = either(value or [], policy["add"])
    value = policy.get("default") if value is None else value
    if value is not None:
        require("one_of" not in policy or canonical(value) in as_set(policy["one_of"]), "chain_broken")
        value = both(value, policy["subset_of"]) if "subset_of" in policy else value
        require(as_set(policy.get("superset_of", [])) <= as_set(value), "chain_broken")
    require(value is not None or not policy.get("essential"), "chain_broken")
    metadata.pop(name, None)
    if value is not None:
        metadata[name] = " ".join(value) if spaced and isinstance(value, list) else value


def check_constraints(limits, below, metadata):
    """The limits that one superior's statement sets; `below` are the entities under it, the member first."""
    length = limits.get("max_path_length")
    require(length is None or len(below) - 1 <= length, "chain_broken")
    names = limits.get("naming_constraints", {})
    for entity in below:
        host = (urlsplit(entity).hostname or "").rstrip(".")
        fits = lambda name: host.endswith(name) and host != name if name.startswith(".") else host == name
        rules = {list_: [name.lower() for name in names[list_]] for list_ in ("permitted", "excluded") if list_ in names}
        require(not any(map(fits, rules.get("excluded", []))), "chain_broken")
        require("permitted" not in rules or any(map(fits, rules["permitted"])), "chain_broken")
    if "allowed_entity_types" in limits:
        for kind in set(metadata) - set(limits["allowed_entity_types"]) - {"federation_entity"}:
            del metadata[kind]


STATEMENT = ("iss", "sub", "iat", "exp", "jwks")
NOT_IN_A_CHAIN = {"crit", "aud", "trust_anchor", "metadata_policy_crit"}
NOT_ABOUT_ONESELF = {"constraints", "metadata_policy", "source_endpoint"}
NOT_ABOUT_OTHERS = {"authority_hints", "trust_anchor_hints", "trust_marks", "trust_mark_issuers", "trust_mark_owners"}


def judge_chain(compact, member, at, anchor_keys):
    """The member's metadata after all policies."""
    bad = "chain_broken"
    chain = [Jws(statement, bad, "entity-statement+jwt", STATEMENT) for statement in compact]
    claims = [statement.claims for statement in chain]
    require(2 <= len(chain) <= 8, bad)
    own_word = claims[-1]["iss"] == claims[-1]["sub"]  # the anchor's own configuration may be left out
    require(len(chain) >= 3 if own_word else anchor_keys is not None, bad)
    above = [one["jwks"]["keys"] for one in claims[1:]] + ([] if own_word else [anchor_keys])
    for place, (statement, said) in enumerate(zip(chain, claims)):
        about_oneself = place == 0 or own_word and place == len(chain) - 1
        about = member if place < 2 else claims[place - 1]["iss"]
        require(said["sub"] == about and (said["iss"] == about) == about_oneself, bad)
        require(said["iat"] <= at + 60 and at < said["exp"], bad)
        require(not (NOT_IN_A_CHAIN | (NOT_ABOUT_ONESELF if about_oneself else NOT_ABOUT_OTHERS)) & set(said), bad)
        require(not any(None in members.values() for members in said.get("metadata", {}).values()), bad)
        signers = [said["jwks"]["keys"]] if about_oneself else []
        signers += above[place:place + 1]
        signers += [anchor_keys] if own_word and place == len(chain) - 1 and anchor_keys is not None else []
        for keys in signers:
            key = statement.key_among(keys)
            require(key and statement.signed_by(key), bad)
    superiors = claims[1:-1] if own_word else claims[1:]
    require(superiors[0]["iss"] in claims[0].get("authority_hints", []), bad)
    require(len({one["sub"] for one in superiors} | {claims[-1]["iss"]}) == len(superiors) + 1, bad)
    metadata = json.loads(json.dumps(claims[0].get("metadata", {})))
    for place, said in reversed(list(enumerate(superiors))):
        check_constraints(said.get("constraints", {}), [one["sub"] for one in superiors[:place + 1]], metadata)
    for kind, members in superiors[0].get("metadata", {}).items():
        if kind in metadata:
            for translation in [name for name in metadata[kind] if "#" in name and name.split("#")[0] in members]:
                del metadata[kind][translation]
            metadata[kind].update(members)
    policies = {}
    for said in reversed(superiors):
        merge_policies(policies, said.get("metadata_policy", {}))
    for kind in set(policies) & set(metadata):
        for name, operators in policies[kind].items():
            apply_policy(operators, metadata[kind], name)
    return metadata


def keys_of(metadata, kind, member="jwks"):
    return ((metadata or {}).get(kind, {}).get(member) or {}).get("keys", [])
