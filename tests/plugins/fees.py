#!/usr/bin/env python3
"""A plug-in that reads a text file, one fee a line: identifier|child|amount|currency. docs/plugins.md is its contract.

    fees.py FILE            questions on standard input, answers on standard output
"""

import json
import sys


def records(path, subject, fields):
    with open(path, encoding="utf-8") as file:
        for line in file:
            identifier, child, amount, currency = line.rstrip("\n").split("|")
            if identifier.upper() != subject:
                continue
            row = {"childName": child, "amount": amount, "currency": currency or None}
            yield {"subject": identifier, "values": {field: row[field] for field in fields}}


def answer(path, question):
    if question["dataset"] != "fees":
        return {"error": "unfit"}
    try:
        return {"records": list(records(path, question["subject"], question["fields"]))}
    except OSError:
        return {"error": "unavailable"}


for line in sys.stdin:
    question = json.loads(line)
    message = {"id": question["id"], **answer(sys.argv[1], question)}
    print(json.dumps(message), flush=True)
