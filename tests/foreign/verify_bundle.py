#!/usr/bin/env python3
"""Judges a consent bundle (omadata-consent-bundle/1) offline. Somebody wrote it from docs/bundle.md and the standards that it names
who had not seen the program; since then it follows that page.

    verify_bundle.py BUNDLE [--anchor-keys JWKS] [--provider-keys JWKS] [--as-of TIME]

Prints one finding a line, "verdict subject [reason]", and at the end "state STATE" when nothing failed. Exit code 0: all
holds, 1: something does not, 3: something cannot be told. Needs standards.py beside it, and Python's own library.
"""
import argparse
import re
import sys
import zlib
from urllib.parse import urlsplit

from standards import (FAULTS, CannotTell, Jws, Key, Wrong, canonical, decode, digest, end_of_day, judge_chain, keys_of,
                       moment, parse_json, require, seconds, sha256, thumbprint)

MOST_BYTES = 16 * 1024 * 1024
FINAL_STATES = {"revoked", "returned", "withdrawn", "expired", "exhausted", "replaced"}
STATES = {"active", "suspended"} | FINAL_STATES
REASONS = set("decided continued use_fits paused use_changed use_withdrawn recipient_not_trusted taken_back given_back "
              "code_replayed unredeemed last_day used_up replaced lost_by_holder".split())

# ---- the forms of objects ----------------------------------------------------------------------------


def of_type(*types):
    return lambda value: type(value) in types


def anything(value):
    return True


text, table, boolean = of_type(str), of_type(dict), of_type(bool)


def whole(value):
    return type(value) is int and -2**63 <= value < 2**63


def count(value):
    return type(value) is int and 0 <= value < 2**32


def number(value):
    return type(value) is int and 0 <= value < 2**64


def attempt(function):
    def fits(value):
        try:
            function(value)
            return True
        except FAULTS:
            return False
    return fits


time, day = attempt(moment), attempt(end_of_day)


def one_of(*words):
    return lambda value: text(value) and value in words


def list_of(form):
    return lambda value: isinstance(value, list) and all(map(form, value))


def record(may=None, **must):
    """An object with all members of `must`, some of `may`, and no others."""
    forms = {**must, **(may or {})}
    return lambda value: (isinstance(value, dict) and set(must) <= set(value) <= set(forms)
                          and all(forms[name](member) for name, member in value.items()))


def duration(value):
    return text(value) and re.fullmatch(r"P(\d+[YMWD])+", value, re.ASCII) is not None


def days_of(value):
    """At least as many days as any duration of that name has."""
    return sum(int(n) * {"Y": 366, "M": 31, "W": 7, "D": 1}[unit] for n, unit in re.findall(r"(\d+)([YMWD])", value))


def matches(pattern):
    return lambda value: text(value) and re.fullmatch(pattern, value, re.ASCII) is not None


def member(value):
    """An entity identifier: a base URL in its one spelling."""
    if not text(value) or not 0 < len(value) <= 512 or not value.isascii() or value.endswith("/") or re.search(r"[\s?#\\]", value):
        return False
    try:
        address = urlsplit(value)
        default = {"https": 443, "http": 80}.get(address.scheme)
        fits = address.hostname and default and address.port != default and "@" not in address.netloc
    except ValueError:
        return False
    return bool(fits) and address.netloc == address.netloc.lower() and value.startswith(address.scheme + "://")


def declared_use(value):
    base, found, name = value.rpartition("/catalogue/uses/") if text(value) else ("", "", "")
    return bool(found) and member(base) and slug(name)


slug, token, field = matches(r"(?=.{1,64}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?"), matches(r"[A-Za-z0-9_.:~-]{1,128}"), matches(r"(?=.{1,64}$)[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*){0,4}")
consent_id = lambda value: attempt(decode)(value) and len(decode(value)) == 16
stretch = lambda value: duration(value) and 1 <= days_of(value) <= 366
period = lambda value: value is None or record(**{"from": day, "to": day})(value)
pairwise = lambda value: attempt(decode)(value) and len(decode(value)) == 16
persons = list_of(record(id=pairwise, may={"records": list_of(pairwise)}))
shown_persons = list_of(record(id=pairwise, name=text, may={"records": list_of(record(id=pairwise, label=text))}))
released = lambda value: value != [] and list_of(record(id=pairwise, records=number, may={
    "record_ids": lambda ids: ids != [] and list_of(pairwise)(ids)}))(value)
terms = record(holder=member, recipient=member, declaredUse=declared_use, dataset=slug, fields=list_of(field), purpose=text,
               period=period, maxExchanges=count, retention=duration, until=day, may={"per": stretch, "persons": persons})
chains = record(holder=list_of(text), recipient=list_of(text))
named = record(id=text, name=text)
reachable = record(name=text, email=text)
key_id = matches(r"[!#-&(-;=?-\[\]-_a-~]{1,256}")
own_key = lambda jwk: attempt(Key)(jwk) and Key(jwk).kind != "RSA" and key_id(jwk.get("kid"))
FORM = record(
    format=one_of("omadata-consent-bundle/1"), exportedAt=time, holder=member,
    consent=record(id=consent_id, grantId=token, subject=token, terms=terms, commitment=text, state=one_of(*STATES),
                   recordedAt=time, exchanges=count, statusList=text, statusIndex=count),
    evidence=record(document=text, salt=text, idToken=text, providerKey=anything, provider=text, clientId=text,
                    may={"passkey": record(credentialHash=text, publicKey=anything, clientData=text,
                                           authenticatorData=text, signature=text),
                         "providerDocuments": record(metadata=anything, jwks=anything, fetchedAt=text),
                         "chains": chains}),
    history=list_of(record(state=one_of(*STATES), actor=one_of("resident", "recipient", "node"), at=time,
                           may={"reason": one_of(*REASONS)})),
    log=list_of(record(index=number, entry=text)),
    receipts=list_of(text),
    exchanges=list_of(record(receipt=text, may={"acknowledgement": text})),
    keys=list_of(record(purpose=one_of("receipt", "token"), key=own_key, createdAt=whole,
                        may={"retiredAt": whole, "revoked": record(
                            at=whole, reason=one_of("superseded", "compromised"))})),
    chains=chains, statusList=text, seal=text)
DOCUMENT = record(
    version=text, consent=consent_id, subject=token, terms=terms, language=one_of("fi", "sv", "en"),
    holder=named, recipient=named, service=text, purposeText=text, datasetTitle=text,
    fields=list_of(record(name=field, label=text, optional=boolean)), legalBasis=text, onwardSharing=text,
    otherwise=text, controller=reachable, dataProtectionOfficer=reachable, until=day, decidedAt=text,
    may={"signer": text, "persons": lambda value: shown_persons(value) and value != [], "passkeys": lambda value: list_of(matches(r"[\w-]{43}"))(value) and value != []})
ENTRIES = {
    "consent": record(kind=text, consent=consent_id, state=one_of(*STATES, "declined"), at=whole,
                      may=dict(commitment=text, provider_key=text, reason=one_of(*REASONS))),
    "exchange": record(kind=text, consent=consent_id, recipient=member, dataset=slug, fields=list_of(field),
                       proof_digest=text, body_digest=text, at=whole, may={"persons": released}),
    "reminder": record(kind=text, consent=consent_id, at=whole),
    "subject_access": record(kind=text, subject=text, at=whole)}
COMMITTED = record(commitment=text, document_digest=text, texts_digest=text, provider=text, provider_key=text, client_id=text)
RECEIPT_MUST = ("iss sub iat jti schema_version record_id version event pii_processing party_identification withdrawal "
                "complaint log_entry verification").split()
RECEIPT_MAY = ("grant_id", "previous", "evidence")
EXCHANGE_MUST = "iss aud iat jti grant_id dataset fields records proof_digest body_digest log_entry".split()
EXCHANGE_MAY = ("persons",)
EXCHANGE = record(iss=member, aud=member, iat=whole, jti=token, grant_id=token, dataset=slug, fields=list_of(field),
                  records=number, proof_digest=text, body_digest=text, log_entry=text, may={"persons": released})
EVENT = "urn:omadata:event:exchange-acknowledged"


def is_coherent(receipt):
    """Whether the members of a consent receipt that say the same thing do."""
    purposes = receipt["pii_processing"]["purposes"]
    parties = {party["party_role"]: party["party_id"] for party in reversed(receipt["party_identification"])}
    return (receipt["schema_version"] == "omadata-consent-receipt/1 ISO/IEC TS 27560:2023"
            and moment(receipt["event"]["event_time"]) == receipt["iat"]
            and (receipt["version"] == 1) == ("previous" not in receipt)
            and len(purposes) == 1 and digest(purposes[0]["purpose"]) == purposes[0]["purpose_digest"]
            and parties.get("holder") == receipt["iss"] and "recipient" in parties
            and COMMITTED(receipt.get("evidence", dict.fromkeys(
                ("commitment", "document_digest", "texts_digest", "provider", "provider_key", "client_id"), ""))))


def state_after(receipt):
    event = receipt["event"]["event_type"]
    return "active" if event in ("given", "resumed") else event


def texts_digest(document):
    return digest(canonical([
        document["language"],
        [document["holder"]["name"], document["recipient"]["name"], document["service"], document["purposeText"],
         document["datasetTitle"]],
        [field["label"] for field in document["fields"]] + [
            shown for person in document.get("persons", [])
            for shown in (person["name"], *(line["label"] for line in person.get("records", [])))],
        [document["onwardSharing"], document["otherwise"], document["controller"]["name"],
         document["dataProtectionOfficer"]["name"]]]))


def has_key(key_set, wanted):
    """Whether a key set has a key of that thumbprint."""
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    return isinstance(keys, list) and any(attempt(thumbprint)(key) and thumbprint(key) == wanted for key in keys)


# ---- the judge ---------------------------------------------------------------------------------------


class Judge:
    def __init__(self, anchor_keys=None, provider_keys=None, as_of=None):
        self.anchor_keys, self.provider_keys, self.as_of = anchor_keys, provider_keys, as_of
        self.findings, self.state = [], None

    def part(self, subject, check, malformed):
        """One finding; `malformed` is the reason when a value is of another kind than the check needs."""
        try:
            outcome = check()
            self.findings.append(("pass", subject, None))
            return True if outcome is None else outcome
        except CannotTell as error:
            self.findings.append(("cannot_tell", subject, error.reason))
        except Wrong as error:
            self.findings.append(("fail", subject, error.reason))
        except (*FAULTS, LookupError, RecursionError, OverflowError, zlib.error):
            self.findings.append(("fail", subject, malformed))
        return None

    def judge(self, raw):
        if not self.part("file", lambda: self.file(raw), "form"):
            return
        self.consent, self.evidence = self.bundle["consent"], self.bundle["evidence"]
        self.holder, self.recipient = self.bundle["holder"], self.consent["terms"]["recipient"]
        self.metadata = {}
        then, today = self.evidence.get("chains", {}), self.bundle["chains"]
        for name, kept, member, at in (("holder_then", then.get("holder"), self.holder, self.consent["recordedAt"]),
                                       ("recipient_then", then.get("recipient"), self.recipient, self.consent["recordedAt"]),
                                       ("holder", today["holder"], self.holder, self.bundle["exportedAt"]),
                                       ("recipient", today["recipient"], self.recipient, self.bundle["exportedAt"])):
            self.metadata[name] = self.part(name, lambda: self.chain(kept, member, moment(at)), "chain_broken")
        self.part("anchor", self.anchor, "no_chain")
        self.part("seal", self.seal, "seal_form")
        self.receipts = []  # the claims of all, once all hold
        self.part("receipts", self.check_receipts, "receipt_form")
        if self.part("evidence", self.check_evidence, "document_form"):
            self.part("provider_key", self.provider_key, "provider_key_foreign")
        self.part("log", self.check_log, "log_entry_other")
        self.part("history", self.check_history, "history_other")
        self.unconfirmed = 0
        if self.part("exchanges", self.check_exchanges, "exchange_receipt_form"):
            self.part("acknowledgements", self.acknowledgements, "acknowledgement_form")
        self.part("status_list", self.status_list, "status_list_malformed")
        if not any(verdict == "fail" for verdict, *_ in self.findings):
            at = moment(self.as_of or self.bundle["exportedAt"])
            self.state = self.state_at(at)
            if self.state in ("active", "suspended") and at >= end_of_day(self.consent["terms"]["until"]):
                self.state = "expired"

    def file(self, raw):
        require(len(raw) <= MOST_BYTES, "too_large")
        try:
            self.bundle = parse_json(raw.decode())
        except ValueError as error:
            raise Wrong("not_json") from error
        require(canonical(self.bundle).encode() == raw, "not_canonical")
        require(FORM(self.bundle), "form")
        for name in (lambda key: key["kid"], thumbprint):
            lines = [(line["purpose"], name(line["key"])) for line in self.bundle["keys"]]
            require(len(set(lines)) == len(lines), "form")
        self.log = {}
        for line in self.bundle["log"]:
            try:
                entry = parse_json(line["entry"])
                fits = canonical(entry) == line["entry"] and ENTRIES[entry["kind"]](entry)
            except FAULTS:
                fits = False
            require(fits, "log_entry_form")
            self.log[digest(b"\0" + line["entry"].encode())] = entry

    def chain(self, kept, member, at):
        if not kept:
            raise CannotTell("chain_not_kept")
        return judge_chain(kept, member, at, self.anchor_keys)

    def anchor(self):
        if all(metadata is None for metadata in self.metadata.values()):
            raise CannotTell("no_chain")
        if self.anchor_keys is None:
            raise CannotTell("anchor_keys_not_given")

    def own_lines(self):
        return [line for line in self.bundle["keys"] if line["purpose"] == "receipt"]

    def seal(self):
        seal = Jws(self.bundle["seal"], "seal_form", "consent-bundle+jwt", ("iss", "iat", "digest"), (), 4096)
        which = "holder" if self.bundle["chains"]["holder"] else "holder_then"
        vouched = seal.key_among(keys_of(self.metadata[which], "oauth_resource"))
        key = vouched or seal.key_among([line["key"] for line in self.own_lines()])
        require(key, "seal_key_unknown")
        require(seal.signed_by(key), "seal_signature")
        contents = {name: value for name, value in self.bundle.items() if name != "seal"}
        require(seal.claims["digest"] == digest(canonical(contents)), "changed_after_sealing")
        exported = moment(self.bundle["exportedAt"])
        require(seal.claims["iss"] == self.holder and seconds(seal.claims["iat"]) == exported, "seal_other")
        for line in self.own_lines():
            if thumbprint(line["key"]) == thumbprint(key) and "revoked" in line:
                require(line["revoked"]["reason"] != "compromised", "key_compromised")
                require(exported <= line["revoked"]["at"], "key_revoked")
        if not vouched:
            raise CannotTell("seal_key_not_vouched_for")

    def signed_by_holder(self, jws, prefix, form):
        """A receipt's signature by a key of the holder's, which may have been given up since."""
        line = next((line for line in self.own_lines() if line["key"]["kid"] == jws.kid), None)
        require(line, f"{prefix}_key_unknown")
        require(jws.signed_by(line["key"]), f"{prefix}_signature")
        require(attempt(form)(jws.claims) and form(jws.claims), f"{prefix}_form")
        if "revoked" in line:
            at, entry = line["revoked"]["at"], self.log.get(jws.claims["log_entry"])
            if line["revoked"]["reason"] == "compromised":
                require(entry and entry["at"] < at, "key_compromised")
            else:
                require(entry or jws.claims["iat"] <= at, "key_revoked")
        return line["key"]

    def unnamed(self, kind, receipts):
        """Whether the log has an entry of that kind that none of these receipts names."""
        named_ = {claims["log_entry"] for claims in receipts}
        return any(entry["kind"] == kind and name not in named_ for name, entry in self.log.items())

    def check_receipts(self):
        if not self.bundle["receipts"]:
            require(not self.unnamed("consent", []), "receipt_missing")
            raise CannotTell("receipts_not_kept")
        previous, receipts = None, []
        for version, compact in enumerate(self.bundle["receipts"], 1):
            jws = Jws(compact, "receipt_form", "consent-receipt+jwt", RECEIPT_MUST, RECEIPT_MAY)
            claims = jws.claims
            key = self.signed_by_holder(jws, "receipt", is_coherent)
            require(claims["iss"] == self.holder and claims["record_id"] == self.consent["id"]
                    and claims["sub"] == self.consent["subject"] and claims.get("grant_id") == self.consent["grantId"],
                    "receipt_other")
            require(claims["version"] == version and claims.get("previous") == previous, "receipt_missing")
            if version == 1 and self.metadata["holder_then"] is not None:
                prints = [thumbprint(known) for known in keys_of(self.metadata["holder_then"], "oauth_resource")]
                require(thumbprint(key) in prints, "receipt_key_not_of_then")
            previous = digest(compact)
            receipts.append(claims)
        require(not self.unnamed("consent", receipts), "receipt_missing")
        first = receipts[0]
        require(first["event"]["event_type"] == "given" and "evidence" in first
                and first["iat"] == moment(self.consent["recordedAt"]), "receipt_other")
        self.receipts = receipts

    def check_evidence(self):
        evidence, commitment = self.evidence, self.consent["commitment"]
        given = self.receipts[0]["evidence"] if self.receipts else None
        document = parse_json(evidence["document"])
        require(canonical(document) == evidence["document"] and DOCUMENT(document), "document_form")
        if given:
            if given["document_digest"] != digest(evidence["document"]):
                raise Wrong("document_changed" if given["texts_digest"] == texts_digest(document) else "text_changed")
            require(given["commitment"] == commitment, "commitment_changed")
        require(attempt(decode)(evidence["salt"]) and len(decode(evidence["salt"])) == 32, "salt_form")
        salt = decode(evidence["salt"])
        require(digest(salt + evidence["document"].encode()) == commitment,
                "salt_changed" if given else "document_or_salt_changed")
        require(self.shows_its_terms(document), "document_form")
        require(attempt(thumbprint)(evidence["providerKey"]), "provider_signature")
        key_print = thumbprint(evidence["providerKey"])
        if given:
            require(given["provider_key"] == key_print, "provider_key_swapped")
            require(given["provider"] == evidence["provider"], "other_provider")
        if "providerDocuments" in evidence:
            require(has_key(evidence["providerDocuments"]["jwks"], key_print), "provider_key_unpublished")
        self.id_token(document, salt, commitment, given)
        if "passkeys" in document or "passkey" in evidence:
            require("passkey" in evidence, "passkey_missing")
            self.passkey(evidence["passkey"], document, commitment)
        same = all(canonical(document[name]) == canonical(self.consent[name]) for name in ("subject", "terms"))
        require(same and document["consent"] == self.consent["id"], "record_changed")
        require(self.consent["terms"]["holder"] == self.holder, "record_changed")

    @staticmethod
    def shows_its_terms(document):
        limits = document["terms"]
        return (document["version"] == "omadata-consent/1" and "signer" in document and time(document["decidedAt"])
                and document["holder"]["id"] == limits["holder"] and document["recipient"]["id"] == limits["recipient"]
                and document["until"] == limits["until"]
                and [field["name"] for field in document["fields"]] == limits["fields"]
                and limits.get("persons", []) == [
                    {name: [line["id"] for line in value] if name == "records" else value
                     for name, value in person.items() if name != "name"}
                    for person in document.get("persons", [])])

    def id_token(self, document, salt, commitment, given):
        token = Jws(self.evidence["idToken"], "provider_signature")
        claims, audience = token.claims, token.claims.get("aud")
        times = [claims.get("iat"), *(claims[name] for name in ("exp", "nbf") if name in claims)]
        fits = text(claims.get("iss")) and text(claims.get("sub")) and all(map(attempt(seconds), times))
        require(token.signed_by(self.evidence["providerKey"]) and fits, "provider_signature")
        require(claims.get("nonce") == commitment, "other_decision")
        require(claims["iss"] == self.evidence["provider"], "other_provider")
        client = self.evidence["clientId"]
        require(audience in (client, [client]) and (not given or given["client_id"] == client), "other_client")
        account = salt + claims["iss"].encode() + b"\0" + claims["sub"].encode()
        require(digest(account) == document["signer"], "other_person")
        require(abs(seconds(claims["iat"]) - moment(document["decidedAt"])) <= 20 * 60, "other_time")

    @staticmethod
    def passkey(passkey, document, commitment):
        def part(name):
            require(len(passkey[name]) <= 4096 and attempt(decode)(passkey[name]), "passkey_malformed")
            return decode(passkey[name])
        require(attempt(Key)(passkey["publicKey"]), "passkey_key")
        key, client_data = Key(passkey["publicKey"]), part("clientData")
        try:
            client = parse_json(client_data.decode())
        except ValueError as error:
            raise Wrong("passkey_malformed") from error
        client = client if isinstance(client, dict) else {}
        require(client.get("type") == "webauthn.get" and client.get("crossOrigin") is not True, "passkey_purpose")
        require(client.get("challenge") == commitment, "passkey_other_decision")
        address = urlsplit(document["holder"]["id"])
        require(client.get("origin") == f"{address.scheme}://{address.netloc}", "passkey_other_address")
        authenticator = part("authenticatorData")
        require(len(authenticator) >= 37, "passkey_malformed")
        require(authenticator[:32] == sha256(address.hostname.encode()), "passkey_other_address")
        require(authenticator[32] & 5 == 5, "passkey_owner")
        signature, signed = part("signature"), authenticator + sha256(client_data)
        require(attempt(lambda _: key.asserted(signed, signature))(None) and key.asserted(signed, signature),
                "passkey_signature")
        require(thumbprint(passkey["publicKey"]) in document.get("passkeys", []), "passkey_other")

    def provider_key(self):
        if self.provider_keys is None:
            raise CannotTell("provider_keys_not_given")
        require(has_key(self.provider_keys, thumbprint(self.evidence["providerKey"])), "provider_key_foreign")

    def check_log(self):
        for claims in self.receipts:
            entry = self.log.get(claims["log_entry"])
            require(entry and entry["kind"] == "consent", "log_entry_missing")
            require(entry["consent"] == self.consent["id"] and entry["at"] == claims["iat"]
                    and entry["state"] == state_after(claims), "log_entry_other")
            if claims["version"] == 1:
                require(all(entry.get(name) == claims["evidence"][name] for name in ("commitment", "provider_key")),
                        "log_entry_other")
        require(all(entry["kind"] not in ("reminder", "subject_access") for entry in self.log.values()), "log_entry_other")
        numbers = [line["index"] for line in self.bundle["log"]]
        require(all(a < b for a, b in zip(numbers, numbers[1:])), "log_order")

    def check_history(self):
        history, other = self.bundle["history"], "history_other"
        moments = [moment(line["at"]) for line in history]
        require(history and history[-1]["state"] == self.consent["state"] and moments == sorted(moments), other)
        if not self.receipts:
            return
        actors = {"resident": self.consent["subject"], "recipient": self.recipient, "node": self.holder}
        told = [(state_after(claims), claims["iat"], claims["event"]["entity_id"], self.reason_of(claims))
                for claims in self.receipts]
        require([(line["state"], at, actors[line["actor"]], line.get("reason")) for line, at in zip(history, moments)] == told,
                other)

    def reason_of(self, claims):
        entry = self.log.get(claims["log_entry"], {})
        return entry.get("reason", "decided" if claims["version"] == 1 and entry else None)

    def state_at(self, second):
        return next((line["state"] for line in reversed(self.bundle["history"]) if moment(line["at"]) <= second), "not_given")

    def states_between(self, first, last):
        """The state before the second `first`, and all that came until the end of `last`."""
        return {self.state_at(first - 1)} | {line["state"] for line in self.bundle["history"]
                                             if first <= moment(line["at"]) <= last}

    def check_exchanges(self):
        limits, list_, made = self.consent["terms"], self.bundle["exchanges"], []
        require(self.consent["exchanges"] == len(list_), "exchange_missing")
        for line in list_:
            jws = Jws(line["receipt"], "exchange_receipt_form", "exchange-receipt+jwt", EXCHANGE_MUST, EXCHANGE_MAY, 8 * 1024)
            claims = jws.claims
            self.signed_by_holder(jws, "exchange_receipt", EXCHANGE)
            require(claims["iss"] == self.holder and claims["aud"] == self.recipient
                    and claims["grant_id"] == self.consent["grantId"] and claims["dataset"] == limits["dataset"],
                    "exchange_other")
            require(not any(claims[name] == one[name] for one in made for name in ("jti", "log_entry")), "exchange_twice")
            require(set(claims["fields"]) <= set(limits["fields"]), "exchange_beyond_fields")
            require(self.are_covered(claims, limits.get("persons")), "exchange_beyond_persons")
            require("active" in self.states_between(claims["iat"], claims["iat"])
                    and claims["iat"] < end_of_day(limits["until"]), "exchange_out_of_time")
            entry = self.log.get(claims["log_entry"])
            require(entry, "log_entry_missing")
            names = ("dataset", "fields", "proof_digest", "body_digest")
            require(entry["kind"] == "exchange" and entry["consent"] == self.consent["id"] and entry["at"] == claims["iat"]
                    and entry["recipient"] == claims["aud"] and all(entry[name] == claims[name] for name in names)
                    and entry.get("persons") == claims.get("persons"),
                    "log_entry_other")
            self.unconfirmed += not self.is_acknowledged(line, claims)
            made.append(claims)
        require(not self.unnamed("exchange", made), "exchange_missing")
        most, moments = limits["maxExchanges"], sorted(claims["iat"] for claims in made)
        if "per" in limits:
            stretch = days_of(limits["per"]) * 86_400
            require(all(last - first >= stretch for first, last in zip(moments, moments[most:])), "exchange_too_often")
        else:
            require(len(made) <= most, "exchange_too_often")

    @staticmethod
    def are_covered(claims, persons):
        if persons is None:
            return True
        released, covered = claims.get("persons", []), {}
        for person in persons:
            covered.setdefault(person["id"], person.get("records"))
        if len({one["id"] for one in released}) != len(released):
            return False
        for one in released:
            ids, named = one.get("record_ids", []), covered.get(one["id"], ())
            if named is None and ids or named is not None and not (len(ids) == len(set(ids)) == one["records"] and set(ids) <= set(named) and one["id"] in covered):
                return False
        return sum(one["records"] for one in released) == claims["records"]

    def is_acknowledged(self, line, receipt):
        if "acknowledgement" not in line:
            return False
        jws = Jws(line["acknowledgement"], "acknowledgement_form", "secevent+jwt", ("iss", "aud", "iat", "jti", "events"),
                  most=16 * 1024)
        require(jws.claims["iss"] == self.recipient, "acknowledgement_other")
        key = None
        for name in ("recipient", "recipient_then"):
            places = [(kind, member) for member in ("omadata_receipt_jwks", "jwks")
                      for kind in ("openid_relying_party", "oauth_client")]
            keys = next(filter(None, (keys_of(self.metadata[name], *place) for place in places)), [])
            key = key or jws.key_among(keys)
        if key is None:
            return False
        require(jws.signed_by(key), "acknowledgement_signature")
        said = {"exchange": receipt["jti"], "grant_id": receipt["grant_id"], "body_digest": receipt["body_digest"],
                "receipt_digest": digest(line["receipt"])}
        events = jws.claims["events"]
        require(jws.claims["aud"] == self.holder and table(events) and set(events) == {EVENT} and table(events[EVENT])
                and said.items() <= events[EVENT].items(), "acknowledgement_other")
        return True

    def acknowledgements(self):
        if self.unconfirmed:
            raise CannotTell("not_acknowledged")

    def status_list(self):
        if self.metadata["holder"] is None:
            raise CannotTell("chain_not_kept")
        jws = Jws(self.bundle["statusList"], "status_list_signature", "statuslist+jwt", ("sub", "iat", "status_list"),
                  most=1 << 20)
        key = jws.key_among(keys_of(self.metadata["holder"], "oauth_authorization_server"))
        require(key and jws.signed_by(key), "status_list_signature")
        claims, index, exported = jws.claims, self.consent["statusIndex"], moment(self.bundle["exportedAt"])
        require(claims["sub"] == self.consent["statusList"] and claims.get("iss", self.holder) == self.holder,
                "status_list_other")
        signed = seconds(claims["iat"])
        until = claims.get("exp", signed + claims["ttl"] if claims.get("ttl", 0) > 0 else 0)
        require(until > exported and signed <= exported + 60, "status_list_stale")
        bits = claims["status_list"]["bits"]
        reader = zlib.decompressobj()
        entries = reader.decompress(decode(claims["status_list"]["lst"]), (4 << 20) + 1)
        require(reader.eof and not reader.unused_data and len(entries) <= 4 << 20 and bits in (1, 2, 4, 8),
                "status_list_malformed")
        require(index * bits // 8 < len(entries), "status_index_out_of_range")
        value = entries[index * bits // 8] >> index * bits % 8 & (1 << bits) - 1
        states = self.states_between(signed - 5, signed) - {"not_given"}
        if value in {{"active": 0, "suspended": 2}.get(state, 1) for state in states}:
            return
        if self.state_at(signed - 6) == "not_given":
            raise CannotTell("status_list_older")
        raise Wrong("status_other")


def main():
    arguments = argparse.ArgumentParser(description="Judges a consent bundle.")
    arguments.add_argument("bundle")
    arguments.add_argument("--anchor-keys", help="JWK Set of the trust anchor")
    arguments.add_argument("--provider-keys", help="JWK Set of the login provider")
    arguments.add_argument("--as-of", help="tell the state at this moment (RFC 3339, UTC)")
    given = arguments.parse_args()

    def key_set(path):
        if path is None:
            return None
        with open(path, encoding="utf-8") as file:
            return parse_json(file.read())
    anchor = key_set(given.anchor_keys)
    judge = Judge(anchor and anchor["keys"], key_set(given.provider_keys), given.as_of)
    with open(given.bundle, "rb") as file:
        judge.judge(file.read(MOST_BYTES + 1))
    for verdict, subject, reason in judge.findings:
        print(verdict, subject, *([f"[{reason}]"] if reason else []))
    if judge.state:
        print("state", judge.state)
    verdicts = {verdict for verdict, *_ in judge.findings}
    return 1 if "fail" in verdicts else 3 if "cannot_tell" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
