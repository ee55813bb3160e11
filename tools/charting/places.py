"""Where things are: the chart, what is rendered from it, and what it is checked by."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
K8S = ROOT / "deploy" / "k8s"
CHART = K8S / "alertwire"
BASE = K8S / "base"
BASE_VALUES = K8S / "base-values.yaml"
BASE_DEV = K8S / "base-dev"
DEV_VALUES = CHART / "values-dev.yaml"
OVERLAYS = K8S / "overlays"
CHECKS = K8S / "checks"
CRDS = CHECKS / "crds"
REGO = CHECKS / "rego"
CHECKOV = CHECKS / "checkov.yaml"
SECRETS = CHECKS / "secrets.yaml"
REFUSED_VALUES = CHECKS / "refused-values.yaml"
RULE_TESTS = ROOT / "deploy" / "prometheus" / "tests"
RULES = ROOT / "deploy" / "prometheus" / "alertwire.rules.yml"

RELEASE = "alertwire"
NAMESPACE = "alertwire"


def shown(path: Path) -> str:
    """A path as a message names it: from the project's root."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def values_files() -> list[Path]:
    return [*sorted((CHART / "ci").glob("*.yaml")), *sorted(CHART.glob("values-*.yaml"))]
