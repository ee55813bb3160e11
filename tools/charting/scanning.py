"""What two scanners for misconfigurations say of rendered manifests: trivy, with rules of our own
in Rego, and checkov. Both work without the network.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.charting.findings import Finding
from tools.charting.manifests import Rendering
from tools.charting.places import CHECKOV, REGO
from tools.charting.toolbox import program, run

_SEVERITIES = "LOW,MEDIUM,HIGH,CRITICAL"
_OUR_RULES = "user"
_STAND_INS = "dev-"
# Probes: the one pod without an owner is that of `helm test`, which runs to its end.
_OF_SERVERS = ("CKV_K8S_8", "CKV_K8S_9")
# What trivy brings and does not hold here; each with why.
TRIVY_SKIPS: Mapping[str, str] = {
    "KSV-0011": "a limit of CPU only makes a process wait that could work, and an order with it",
    "KSV-0125": "which registry is trusted is the operator's to say",
}
TRIVY_SKIPS_OF_STAND_INS: Mapping[str, str] = {
    "KSV-0020": "the image of Postgres brings its own user, 999",
    "KSV-0021": "and its group",
    "KSV-0036": "the Job that makes the passwords of development mounts a token that ends soon",
    "KSV-0109": "its script speaks of secrets",
    "KSV-0113": "and makes them",
    "KSV-01010": "a server's configuration without any secret in it",
}


def trivy(folder: Path) -> Iterator[Finding]:
    """Scan a folder of manifests, a file for each rendering, as `marked` writes them."""
    done = run(
        [
            *(program("trivy"), "config", "--quiet", "--skip-check-update", "--disable-telemetry"),
            *("--skip-version-check", "--format", "json", "--severity", _SEVERITIES),
            *("--misconfig-scanners", "kubernetes", "--config-check", str(REGO)),
            *("--check-namespaces", _OUR_RULES, "--cache-dir", str(folder.parent / "trivy")),
            str(folder),
        ]
    )
    if done.returncode != 0:
        message = done.stderr.strip()
        yield Finding(source=folder.name, subject="trivy", rule="trivy", message=message)
        return
    results = json.loads(done.stdout).get("Results") or ()
    looked_at = {result["Target"] for result in results}
    for path in sorted(folder.glob("*.yaml")):
        if path.name not in looked_at:
            message = "trivy has not looked at it"
            yield Finding(source=path.name, subject="file", rule="trivy", message=message)
    for result in results:
        stand_ins = result["Target"].startswith(_STAND_INS)
        skipped = TRIVY_SKIPS.keys() | (TRIVY_SKIPS_OF_STAND_INS.keys() if stand_ins else set())
        for failure in result.get("Misconfigurations") or ():
            if failure["ID"] not in skipped:
                yield Finding(
                    source=result["Target"],
                    subject=_subject(failure),
                    rule=f"trivy/{failure['ID']}",
                    message=failure.get("Message") or failure["Title"],
                )


def marked(rendering: Rendering) -> str:
    """The rendering for trivy. A rule sees one document, so each is told what it belongs to."""
    documents = []
    for manifest in rendering.manifests:
        document = json.loads(json.dumps(manifest.document))
        notes = document["metadata"].get("annotations") or {}
        document["metadata"]["annotations"] = notes | {
            "checks.alertwire/production": str(rendering.production).lower(),
            "checks.alertwire/egress": rendering.egress,
        }
        documents.append(document)
    return str(yaml.safe_dump_all(documents, sort_keys=False))


def file_name(rendering: Rendering) -> str:
    """What the rendering is called in a folder of them."""
    stem = rendering.source.replace("/", "_").removesuffix(".yaml")
    return f"{'' if rendering.production else _STAND_INS}{stem}.yaml"


def _subject(failure: Mapping[str, Any]) -> str:
    cause = failure.get("CauseMetadata") or {}
    return str(cause.get("Resource") or f"line {cause.get('StartLine', '?')}")


def checkov(folder: Path) -> Iterator[Finding]:
    done = run(
        [
            *(program("checkov"), "--directory", str(folder), "--framework", "kubernetes"),
            *("--skip-download", "--config-file", str(CHECKOV), "--output", "json", "--quiet"),
        ]
    )
    yield from checkov_report(done.stdout, done.stderr)


def checkov_report(stdout: str, stderr: str = "") -> Iterator[Finding]:
    def trouble(message: str) -> Finding:
        return Finding(source="all", subject="checkov", rule="checkov", message=message)

    try:
        report = json.loads(stdout)
    except ValueError:
        yield trouble((stdout + stderr).strip()[-600:])
        return
    if not report.get("summary", {}).get("passed"):
        yield trouble("it has passed nothing, so it has looked at nothing")
        return
    if report["summary"].get("parsing_errors"):
        yield trouble(f"could not read {report['results'].get('parsing_errors')}")
    for failure in report["results"]["failed_checks"]:
        if failure["check_id"] in _OF_SERVERS and failure["resource"].startswith("Pod."):
            continue
        yield Finding(
            source=failure["file_path"].lstrip("/"),
            subject=failure["resource"],
            rule=f"checkov/{failure['check_id']}",
            message=failure["check_name"],
        )


def our_rules() -> list[Path]:
    return sorted(REGO.glob("*.rego"))
