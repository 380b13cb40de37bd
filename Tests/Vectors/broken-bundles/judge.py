"""Holds the policy files against their JSON Schemas: judge.py POLICIES BROKEN-BUNDLES

The starter bundle must be flawless. Of a broken bundle, some file must be marked, unless the fault shows only across
files or in the text of the YAML: those are the exceptions below, and they must not be marked.
"""
import json
import pathlib
import re
import sys

import jsonschema
import yaml


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema: true and false alone are booleans, and dates are text."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|", ["~", "n", ""]),
]:
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(f"^(?:{pattern})$"), list(first))

# What no schema can see, by the beginning of a fixture's name.
UNSEEN = [
    "yaml-", "file-", "many-faults",
    # Names that another file declares, or does not.
    "approval-team-misspelt", "approval-too-few", "approval-without-members", "case-reason", "case-rule",
    "certificate-usage-beyond", "group-team-misspelt", "owners-default-misspelt", "rule-group-misspelt",
    "rule-id-of-another-file", "rule-id-taken", "rule-profile-misspelt", "rule-proof-undeclared",
    "rule-service-misspelt", "rule-source-misspelt", "rule-team-misspelt", "service-profile-misspelt",
    "service-two-defaults", "service-no-default",
    # What a case changes in its base.
    "case-path", "case-without-what", "case-inquiry", "case-device-id", "case-approval-verdict",
    "case-service-missing", "case-name-twice",
    # The grammar of texts, and arithmetic.
    "certificate-without-name", "profile-backdating", "profile-validity", "template-", "rule-between-reversed",
    "rule-device-id", "rule-mail", "rule-name", "rule-network-with-host-bits",
    "rule-review-date-impossible",
]


def schema_name(path):
    if path == "owners.yaml":
        return "owners-v1"
    if path.endswith(".cases.yaml"):
        return "cases-v1"
    if path.startswith("rules/"):
        return "policy-v1"
    return "catalog-" + path[len("catalog/"):-len(".yaml")] + "-v1"


def faults(validators, root):
    found = []
    for file in sorted(root.rglob("*.yaml")):
        path = str(file.relative_to(root))
        document = yaml.load(file.read_text(encoding="utf-8"), Core)
        for error in validators[schema_name(path)].iter_errors(document):
            found.append(f"{path}: {error.json_path}: {error.message[:200]}")
    return found


def main(policies, broken):
    validators = {}
    for file in sorted((policies / ".schema").glob("*.json")):
        schema = json.loads(file.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[file.stem] = jsonschema.Draft202012Validator(schema)
    wrong = ["starter: " + fault for fault in faults(validators, policies)]
    for folder in sorted(path for path in broken.iterdir() if path.is_dir()):
        unseen = any(folder.name.startswith(name) for name in UNSEEN)
        if folder.name.startswith(("yaml-", "file-", "many-faults")):
            continue
        found = faults(validators, folder)
        if unseen and found:
            wrong.append(f"{folder.name} is marked, and need not be an exception: {found[0]}")
        if not unseen and not found:
            wrong.append(f"{folder.name} is not marked")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
