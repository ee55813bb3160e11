"""What Helm makes of the chart: every example of the documents, the alert rules for one namespace,
the notes, and what is refused.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "k8s" / "alertwire"
CI = CHART / "ci"
PRODUCTION = CI / "10-production-node.yaml"
RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alertwire.rules.yml").read_text())
EXAMPLES = [
    example
    for page in ("kubernetes.md", "deploy.md")
    for example in re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL
    )
]
_METRIC = re.compile(r"\b(?:alertwire_[a-z0-9_]+|up)\b(?=[\s)\[{]|$)(\{[^}]*\})?")


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    program = Path(sys.executable).parent / "helm"
    home = tmp_path_factory.mktemp("helm")

    def run(*arguments, refused=False):
        done = subprocess.run(
            [program, *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) == refused, done.stdout + done.stderr
        return done.stderr if refused else done.stdout

    return run


@pytest.fixture(scope="module")
def rendered(helm):
    """The objects, by kind and name."""

    def render(*values, **sets):
        files = [word for file in values for word in ("--values", file)]
        given = [word for name, value in sets.items() for word in ("--set-json", f"{name}={value}")]
        text = helm("template", "prod", CHART, "--namespace", "trading", *files, *given)
        found = {}
        for one in yaml.safe_load_all(text):
            if one is not None:
                place = one["kind"], one["metadata"]["name"].removeprefix("prod-alertwire-")
                assert place not in found
                found[place] = one
        return found

    return render


def laid_over(text, folder):
    file = folder / "example.yaml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def first(rendered, tmp_path_factory):
    """The page's first example, over which all others are laid: its file, and what it comes to."""
    file = laid_over(EXAMPLES[0], tmp_path_factory.mktemp("first"))
    return file, rendered(file)


def test_the_first_example_of_the_page_is_whole(first):
    assert ("Deployment", "executor-0") in first[1]


@pytest.mark.parametrize("number", range(1, len(EXAMPLES)))
def test_every_other_example_renders_and_says_something(rendered, first, tmp_path, number):
    file, plain = first
    assert rendered(file, laid_over(EXAMPLES[number], tmp_path)) != plain


def test_the_rules_look_at_their_own_namespace_alone(rendered):
    objects = rendered(PRODUCTION)
    spec = objects["PrometheusRule", "monitoring"]["spec"]
    rules = [rule for group in spec["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in rules] == [
        rule["alert"] for group in RULES["groups"] for rule in group["rules"]
    ]
    selectors = [(rule, one[1]) for rule in rules for one in _METRIC.finditer(rule["expr"])]
    assert len(selectors) > len(rules)
    for rule, selector in selectors:
        assert selector is not None, rule["expr"]
        assert selector.startswith('{namespace="trading"'), rule["expr"]
    assert {rule["labels"]["namespace"] for rule in rules} == {"trading"}


def test_the_rules_may_stay_as_they_are(rendered):
    objects = rendered(PRODUCTION, **{"monitoring.rules": '{"enabled":true,"perNamespace":false}'})
    assert objects["PrometheusRule", "monitoring"]["spec"] == RULES


def test_the_jobs_that_are_scraped_are_those_that_the_rules_know(rendered):
    objects = rendered(PRODUCTION)
    [endpoint] = objects["PodMonitor", "monitoring"]["spec"]["podMetricsEndpoints"]
    [relabeling] = endpoint["relabelings"]
    job = relabeling["replacement"].replace("$1", "executor")
    known = re.search(r'up\{job=~"([^"]*)"', RULES["groups"][0]["rules"][0]["expr"])
    assert re.fullmatch(known[1], job)
    ports = objects["Deployment", "executor-0"]["spec"]["template"]["spec"]["containers"][0][
        "ports"
    ]
    assert endpoint["port"] in {port["name"] for port in ports}


def test_each_shard_is_a_deployment_with_its_own_budget(rendered):
    objects = rendered(CI / "80-shards.yaml")
    for shard in range(3):
        deployment = objects["Deployment", f"executor-{shard}"]["spec"]
        [container] = deployment["template"]["spec"]["containers"]
        environ = {one["name"]: one.get("value") for one in container["env"]}
        assert (environ["ALERTWIRE_SHARD"], environ["ALERTWIRE_SHARDS"]) == (str(shard), "3")
        budget = objects["PodDisruptionBudget", f"executor-{shard}"]["spec"]
        chosen = budget["selector"]["matchLabels"]
        assert chosen == deployment["selector"]["matchLabels"]
        assert chosen["alertwire/shard"] == str(shard)
        assert deployment["replicas"] == 2
        rollout = deployment["strategy"]["rollingUpdate"]
        assert (rollout["maxUnavailable"], rollout["maxSurge"]) == (0, 1)
    assert ("Deployment", "executor-3") not in objects
    assert objects["Deployment", "auditor"]["spec"]["strategy"] == {"type": "Recreate"}


def test_a_jobs_name_changes_with_what_it_does(rendered):
    def names(**sets):
        return {name for kind, name in rendered(CI / "70-plain-jobs.yaml", **sets) if kind == "Job"}

    plain = names()
    assert all(re.fullmatch(r"(migrate|setup)-1-[0-9a-f]{8}", name) for name in plain)
    assert names(logLevel='"debug"') == plain
    changed = names(**{"router.shards": "4"})
    assert len(changed & plain) == 1, "migrate does the same"


def test_a_secrets_new_content_is_told_by_hand(rendered):
    def sums(**sets):
        return {
            place: one["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
            for place, one in rendered(PRODUCTION, **sets).items()
            if place[0] == "Deployment"
        }

    before, after = sums(), sums(secretsRevision='"2"')
    assert len(before) == 5
    assert all(before[place] != after[place] for place in before)
    assert sums() == before


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (
            'router.keda={"enabled":true,"max":9,"monitoringEndpoint":"n:8222"}',
            "more than router.shards",
        ),
        ("ingest.drainSeconds=60", "terminationGracePeriodSeconds must be 75 or more"),
        ('test={"webhook":{"name":"both"}}', "/test"),
        ('console.env={"ALERTWIRE_NATS_URL":"nats://u:p@h:1"}', "ALERTWIRE_NATS_URL"),
        ('dev.nats={"enabled":true}', "/useHelmHooks"),
        ('networkPolicy.ingestFrom={"namespaceLabels":{}}', "/networkPolicy/ingestFrom"),
    ],
    ids=[
        "routers beyond shards",
        "drain",
        "two ways",
        "a secret in the clear",
        "dev with hooks",
        "nobody let in",
    ],
)
def test_what_makes_no_sense_is_refused(helm, sets, words):
    told = helm("template", "x", CHART, "--values", PRODUCTION, "--set-json", sets, refused=True)
    assert words in told


@pytest.mark.parametrize(
    ("values", "words", "absent"),
    [
        (PRODUCTION, ["203.0.113.10, 203.0.113.11", "helm -n trading test"], ["WARNING"]),
        (CI / "40-aks.yaml", ["no network policy applies"], ["WARNING"]),
        (CHART / "values-dev.yaml", ["DEVELOPMENT ONLY", "by tag alone"], ["Link at MEXC"]),
    ],
    ids=["production", "aks", "development"],
)
def test_the_notes_tell_the_next_step_and_what_is_open(helm, values, words, absent):
    where = ["--namespace", "trading", "--values", values]
    text = helm("install", "prod", CHART, "--dry-run=client", *where).partition("NOTES:")[2]
    assert [word for word in words if word not in text] == []
    assert [word for word in absent if word in text] == []


def test_no_fixed_address_is_warned_of(helm):
    none = 'executor.egress={"mode":"none","expectedIPs":[],"nodeSelector":null}'
    where = ["--values", CI / "60-keda.yaml", "--set-json", none]
    text = helm("install", "prod", CHART, "--dry-run=client", *where).partition("NOTES:")[2]
    assert "WARNING: executor.egress.mode is none" in text
    assert "Link at MEXC" not in text


def test_a_package_holds_the_files(helm, tmp_path):
    helm("package", CHART, "--destination", tmp_path)
    [package] = tmp_path.glob("*.tgz")
    files = helm("show", "all", package)
    assert "## Parameters" in files
    text = helm("template", "x", package, "--values", PRODUCTION)
    assert "AlertwireServiceDown" in text
    assert '"uid": "alertwire"' in text
