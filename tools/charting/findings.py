"""What a check has found, as one line that names the file, the object and the rule."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    source: str
    """The file, or the values file that was rendered."""
    subject: str
    """The object in it: Deployment/alertwire-ingest."""
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.subject}: [{self.rule}] {self.message}"


class CheckError(Exception):
    """A step has found something; the checks stop with it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = sorted(set(findings))
        super().__init__("\n".join(_told(self.findings)))


def _told(findings: list[Finding]) -> Iterator[str]:
    """A line each; what is wrong in the same way in many files, once."""
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        alike.setdefault((each.subject, each.rule, each.message), []).append(each)
    for first, *others in alike.values():
        more = f" (and in {len(others)} more: {others[0].source}, …)" if others else ""
        yield f"{first}{more}"


def demand_none(findings: Iterable[Finding]) -> None:
    found = list(findings)
    if found:
        raise CheckError(found)
