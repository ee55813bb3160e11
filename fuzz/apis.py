"""Throws requests at an HTTP API that its own description allows, and such as it forbids: each is
answered as described, and none is a failure of ours. The same seed sends the same requests.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import Failure, FailureGroup

STREAMS = ("/api/events",)
"""They end by no answer, so they are asked elsewhere."""
AWAY = (
    "No executor has answered",
    "No executor answers",
    "No ingest runs",
    "Ingest has not answered",
)
"""What a console that stands alone says; with all services beside it, nothing may be away."""
load_all_checks()
_CHECKS: Any = CHECKS.get_by_names(
    ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
_REQUEST_S = 20
_TOLD_MAX = 2
"""Of one operation: the rest is most likely the same."""


@dataclass(kw_only=True)
class Driven:
    """What came of it."""

    calls: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def add(self, other: "Driven") -> None:
        self.calls += other.calls
        self.findings += other.findings
        for status, times in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + times


@dataclass(frozen=True, kw_only=True)
class Api:
    url: str
    description: Mapping[str, Any]
    token: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    """Parameters of paths with what is there, so that not all is refused as unknown."""
    away: tuple[str, ...] = ()
    """How an answer of 503 begins that is right here."""
    said: Mapping[str, str] = field(default_factory=dict)
    """Fields of bodies with what they say instead, where they would name a place to call."""


def drive(
    api: Api,
    *,
    examples: int,
    seed: int = 0,
    is_over: Callable[[], bool] = lambda: False,
) -> Driven:
    """So many requests of either kind to each operation, until it `is_over`."""
    whole = Driven()
    schema = schemathesis.openapi.from_dict(_open(api.description))
    with requests.Session() as session:
        described: Iterator[Any] = schema.get_all_operations()
        operations = [found.ok() for found in described]
        # What is deleted is asked for no longer.
        for operation in sorted(operations, key=lambda one: one.method.upper() == "DELETE"):
            if operation.path in STREAMS:
                continue
            for mode in GenerationMode:
                if is_over():
                    return whole
                whole.add(_operation(api, operation, mode, session, examples=examples, seed=seed))
    return whole


def _open(description: Mapping[str, Any]) -> dict[str, Any]:
    """The token is brought along always: without it every answer would be the same 401."""
    paths = {
        path: {
            method: {name: value for name, value in operation.items() if name != "security"}
            for method, operation in methods.items()
        }
        for path, methods in description["paths"].items()
    }
    return {**description, "paths": paths}


def _operation(
    api: Api, operation: Any, mode: Any, session: requests.Session, *, examples: int, seed: int
) -> Driven:
    driven = Driven()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # The request that was found is told as it is: to shrink it would ask a thousand more.
        phases=[Phase.generate],
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        if case.method.upper() != operation.method.upper():
            return  # Another method is another operation.
        _ask(api, case, session, driven)

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        # Nothing is forbidden, where nothing can be said.
        return driven
    return driven


def _ask(api: Api, case: Case[Any], session: requests.Session, driven: Driven) -> None:
    for name, there in api.named.items():
        given = (case.path_parameters or {}).get(name)
        # Most of them, by what it is, so that the same seed asks the same.
        if given is not None and len(str(given)) % 4:
            case.path_parameters[name] = there
    if isinstance(case.body, dict):
        for name, instead in api.said.items():
            if "://" in str(case.body.get(name)):
                case.body[name] = instead
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    try:
        answer = case.call(base_url=api.url, session=session, headers=headers, timeout=_REQUEST_S)
    except requests.RequestException as error:
        # Nobody got that far: such as a path that no client would send.
        driven.findings.append(f"{case.method} {case.path}: no answer ({error})"[:1000])
        return
    driven.calls += 1
    driven.statuses[answer.status_code] = driven.statuses.get(answer.status_code, 0) + 1
    found = _wrong(api, case, answer)
    if found and len(driven.findings) < _TOLD_MAX:
        shown = case.as_curl_command(headers={"Authorization": "Bearer ..."})
        driven.findings.append(f"{shown[:2000]}\n  {answer.status_code}: {found}")


def _wrong(api: Api, case: Case[Any], answer: Any) -> str:
    """What is wrong with an answer; empty where it is as described."""
    if answer.status_code >= 500 and not case.path.startswith("/health/"):
        try:
            detail = str(answer.json()["detail"])
        except (ValueError, KeyError, TypeError):
            return f"no problem document: {answer.text[:300]}"
        if not (answer.status_code in {503, 504} and detail.startswith(api.away)):
            return detail
    try:
        case.validate_response(answer, checks=_CHECKS)
    except FailureGroup as group:
        return "; ".join(str(each)[:500] for each in group.exceptions)
    except Failure as failure:
        return str(failure)[:500]
    return ""
