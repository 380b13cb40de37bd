#!/usr/bin/env python3
"""Judges lines of `<format> <event>`: OCSF against the published schema 1.5.0 (ocsf-json-schema), CEF by a parser that
others wrote (pycef), ECS against the field list of version 8.17."""
import json
import pathlib
import sys

import jsonschema
import pycef
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VECTOR = pathlib.Path(__file__).resolve().parent.parent / "Vectors" / "ecs" / "ecs-8.17.json"
ECS = json.loads(VECTOR.read_text())
OCSF = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.5.0"))
LIMITS = {"act": 63, "app": 31, "cat": 1023, "deviceExternalId": 255, "dvchost": 100, "externalId": 40, "msg": 1023,
          "outcome": 63, "reason": 1023, "suser": 1023}
SCHEMAS = {}


def ocsf(event):
    name = {6003: "api_activity", 2004: "detection_finding", 3004: "entity_management"}[event["class_uid"]]
    profiles = tuple(event["metadata"].get("profiles", []))
    if (name, profiles) not in SCHEMAS:
        schema = OCSF.get_class_schema(name, list(profiles))
        schema["additionalProperties"] = False
        SCHEMAS[name, profiles] = jsonschema.Draft202012Validator(schema)
    for fault in SCHEMAS[name, profiles].iter_errors(event):
        return f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:200]}"
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        return "type_uid"


def leaves(value, path=""):
    for name, member in value.items():
        here = f"{path}.{name}" if path else name
        if isinstance(member, dict):
            yield from leaves(member, here)
        else:
            yield here, member


def ecs(event):
    for path, value in leaves(event):
        if path.startswith("gatehouse."):
            continue
        if path not in ECS["fields"]:
            return f"{path} is no field of the schema"
        kind, normalisation = ECS["fields"][path]
        if (normalisation == "array") != isinstance(value, list):
            return f"{path} is to be {normalisation or 'one value'}"
        if kind == "long" and not isinstance(value, int):
            return f"{path} is to be a number"
    category, kinds = event["event"]["category"][0], event["event"]["type"]
    if event["event"]["kind"] not in ECS["kinds"] or not set(kinds) <= set(ECS["categories"][category]):
        return f"{category} with {kinds}"


def cef(text):
    event = pycef.parse(text)
    if not event:
        return "not CEF"
    index = event.get("cn1", event.get("leafIndex", ""))  # under its label, where the parser reads labels
    if event["DeviceVendor"] != "Gatehouse" or not index.isdecimal():
        return "other fields"
    if not 0 <= int(event["DeviceSeverity"]) <= 10:
        return "severity"
    for name, limit in LIMITS.items():
        if len(event.get(name, "").replace("\\=", "=").replace("\\\\", "\\")) > limit:
            return f"{name} is longer than {limit}"
    if event.get("src", "").startswith("1.2.3.4"):
        return "a value became a key"


def main():
    lines = pathlib.Path(sys.argv[1]).read_text().split("\n")[:-1]
    for number, line in enumerate(lines, 1):
        form, text = line.split(" ", 1)
        fault = cef(text) if form == "cef" else {"ecs": ecs, "ocsf": ocsf}[form](json.loads(text))
        if fault:
            sys.exit(f"line {number}, {form}: {fault}\n{text[:1500]}")
    print(f"{len(lines)} valid")


main()
