"""Policy measured in process by `gatehouse policy bench`, and one of its rules in two other engines.

The rule is the starter bundle's for laptops: device group, compliance reported by one source at most four hours ago, a
usable credential of that device or its certificate on renewal; and above it the rule that blocks unless the device is
known not to be jailbroken. docs/performance.md says what each figure includes.
"""
import json
import subprocess
import time

try:
    import cedarpy
except ImportError:
    cedarpy = None
try:
    import cel
except ImportError:
    cel = None

NOW = 1_790_000_000
FOUR_HOURS = 14_400

CEDAR_PERMIT = """
permit (principal in Group::"g%(rule)d", action in [Action::"enroll", Action::"renew"], resource == Service::"s0")
when {
  context.profile == "client-auth" &&
  context.posture has intune && context.posture.intune.status == "compliant" &&
  context.posture.intune.observed_at <= context.now &&
  context.now - context.posture.intune.observed_at <= 14400 &&
  ((context.proof has credential && context.proof.credential.state == "usable" &&
    context.proof.credential.device == principal) ||
   (context.proof has certificate && context.proof.certificate.state == "valid" &&
    context.proof.certificate.device == principal && action == Action::"renew"))
};
"""
CEDAR_FORBID = """
forbid (principal, action, resource)
unless {
  context.posture has intune && context.posture.intune has jailbroken && !context.posture.intune.jailbroken &&
  context.now - context.posture.intune.observed_at <= 14400
};
"""
CEL_RULE = """
service == "s0" && profile == "client-auth" && "g%(rule)d" in device.groups &&
posture.exists(p, p.source == "intune" && p.status == "compliant" && p.observed_at <= now &&
                  now - p.observed_at <= 14400) &&
(proofs.exists(p, p.kind == "credential" && p.state == "usable" && p.device == device.id) ||
 (operation != "enroll" && proofs.exists(p, p.kind == "certificate" && p.state == "valid" && p.device == device.id))) &&
posture.exists(p, has(p.jailbroken) && !p.jailbroken && now - p.observed_at <= 14400)
"""


def cases(count):
    """Requests of different devices with the answer each must get: every tenth has old posture."""
    for number in range(count):
        yield f"LT-{number}", 18_000 if number % 10 == 3 else 720, number % 10 != 3


def cedar_request(device, age):
    uid = {"__entity": {"type": "Device", "id": device}}
    return {
        "principal": f'Device::"{device}"', "action": 'Action::"enroll"', "resource": 'Service::"s0"',
        "context": {
            "now": NOW, "profile": "client-auth", "operation": "enroll",
            "posture": {"intune": {"status": "compliant", "jailbroken": False, "observed_at": NOW - age}},
            "proof": {"credential": {"state": "usable", "device": uid}}}}


def cedar_entities(device):
    return [{"uid": {"type": "Device", "id": device}, "attrs": {}, "parents": [{"type": "Group", "id": "g0"}]},
            {"uid": {"type": "Group", "id": "g0"}, "attrs": {}, "parents": []}]


def per_second(calls, count):
    """How many of `calls`, asked in turn, are answered a second; each call checks its own answer."""
    for call in calls[:100]:
        call()
    began = time.perf_counter()
    for index in range(count):
        calls[index % len(calls)]()
    return count / (time.perf_counter() - began)


def cedar(count):
    """Decisions a second at 1 and 200 rules: parsed once, with the device's entities read for each, and all text."""
    result = {"engine": f"cedarpy {version('cedarpy')}"}
    for rules in (1, 200):
        text = CEDAR_FORBID + "".join(CEDAR_PERMIT % {"rule": rule} for rule in range(rules))
        parsed = cedarpy.PolicySet.from_str(text)

        def call(device, age, expected, policies, entities):
            request = cedar_request(device, age)

            def run():
                given = entities(device) if callable(entities) else entities
                if cedarpy.is_authorized(request, policies, given).allowed != expected:
                    raise SystemExit(f"Cedar disagrees on {device}")
            return run

        made = [(device, age, expected, cedarpy.Entities.from_json_str(json.dumps(cedar_entities(device))))
                for device, age, expected in cases(200)]
        result[f"rules_{rules}"] = {
            "parsed_once": per_second([call(d, a, x, parsed, e) for d, a, x, e in made], count),
            "entities_each_time": per_second([call(d, a, x, parsed, cedar_entities) for d, a, x, _ in made], count),
            "all_text_each_time": per_second(
                [call(d, a, x, text, cedar_entities) for d, a, x, _ in made], max(20, count // (10 * rules)))}
    return result


def common_expression_language(count):
    """Decisions a second by one compiled expression."""
    program = cel.compile(CEL_RULE % {"rule": 0})

    def call(device, age, expected):
        context = {
            "service": "s0", "profile": "client-auth", "operation": "enroll", "now": NOW,
            "device": {"id": device, "groups": ["g0"]},
            "posture": [{"source": "intune", "status": "compliant", "jailbroken": False, "observed_at": NOW - age}],
            "proofs": [{"kind": "credential", "state": "usable", "device": device}]}

        def run():
            if program.execute(context) != expected:
                raise SystemExit(f"CEL disagrees on {device}")
        return run
    calls = [call(*case) for case in cases(200)]
    return {"engine": f"common-expression-language {version('common-expression-language')}",
            "rules_1": {"compiled_once": per_second(calls, count)}}


def version(package):
    from importlib.metadata import version as installed
    return installed(package)


def measure(gatehouse, decisions, intents):
    command = [gatehouse, "policy", "bench", "--decisions", str(decisions), "--intents", str(intents)]
    result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    result["cedar"] = cedar(max(200, decisions // 10)) if cedarpy else None
    result["cel"] = common_expression_language(max(200, decisions // 10)) if cel else None
    return result


def table(result):
    lines = [f"{'decisions a second':<34}{'with trace':>12}{'without':>12}{'p50':>10}{'p99':>10}"]
    for row in result["decisions"]:
        rules = "1 rule" if row["rules"] == 1 else f"{row['rules']} rules over {row['spread_over']}"
        lines.append(f"  {rules:<32}{row['per_second_with_trace']:>12,}{row['per_second_without_trace']:>12,}"
                     f"{row['p50_nanoseconds'] / 1_000:>7.1f} µs{row['p99_nanoseconds'] / 1_000:>7.1f} µs")
    ours = {(row["rules"], row["spread_over"]): row["per_second_with_trace"] for row in result["decisions"]}
    for name in ("cedar", "cel"):
        other = result[name]
        if other is None:
            lines.append(f"  {name}: not compared, its package is not installed")
            continue
        for rules in (1, 200):
            for way, rate in other.get(f"rules_{rules}", {}).items():
                own = ours.get((rules, "groups"))
                ratio = f"   ours with trace is {own / rate:.1f} times that" if own else ""
                label = f"{rules} rule{'s' if rules > 1 else ''} in {other['engine']}, {way.replace('_', ' ')}"
                lines.append(f"  {label:<60}{rate:>10,.0f}{ratio}")
    replay, load = result["simulate"], result["activation"]
    lines.append(f"replay: {replay['documents_per_core_second']:,} intents a second of one core as the database gives "
                 f"them, {replay['lines_per_core_second']:,} as lines of {replay['octets_per_line']} octets")
    lines.append(f"activation at {load['rules']} rules: {load['load_microseconds'] / 1_000:.0f} ms to load, "
                 f"{load['cases_microseconds'] / 1_000:.0f} ms for {load['cases_passed']} cases")
    return "\n".join(lines)
