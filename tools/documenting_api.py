"""Describes both HTTP APIs as OpenAPI 3.1, for `docs/openapi/`.

Paths and parameters are the handlers' own, as Litestar reads them; bodies are the structs that the
handlers check them by. What an answer holds stands in `tools/api_answers.py`, and the tests throw
requests at both services to see whether it is true.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from services.console.app import API_HANDLERS, show_live, show_ready
from services.console.supplies import Supplies
from tools.api_answers import BODIES, OPERATIONS, STRUCTS, Operation

Schema = dict[str, Any]

_REF = "#/components/schemas/{name}"
_PROBLEM: Schema = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reason": {"type": "string", "description": "One of docs/reasons.md."},
        "field": {"type": "string"},
        "value": {"type": "string"},
        "alert_id": {"type": "string", "format": "uuid"},
    },
    "required": ["type", "title", "status", "detail"],
}
_DECIMAL: Schema = {
    "anyOf": [{"type": "string", "pattern": "^[+-]?[0-9.]+([eE][+-]?[0-9]+)?$"}, {"type": "number"}]
}
_HEALTH: Schema = {
    "type": "object",
    "properties": {
        "service": {"type": "string"},
        "status": {"enum": ["live", "ready", "not ready"]},
        "missing": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["service", "status"],
}
_PLACE_MAX = 2**63 - 1
_MADE_BY = "Made by `python -m tools.documenting`; docs/{page}.md tells the rest."


def console() -> Schema:
    """The console's JSON API."""
    paths: Schema = {}
    for path, methods in _generated()["paths"].items():
        for method, found in methods.items():
            operation = OPERATIONS[method.upper(), path]
            paths.setdefault(path, {})[method] = _described(
                operation, path=path, parameters=found.get("parameters", ())
            )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Alertwire console",
            "version": "1",
            "description": _MADE_BY.format(page="api"),
        },
        "servers": [{"url": "http://127.0.0.1:8080"}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, "Health": _HEALTH, **_bodies()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def ingest() -> Schema:
    """The webhook."""
    alert = {
        "operationId": "send",
        "summary": "Store an alert, whose fields are told in docs/alert-format.md.",
        "parameters": [
            {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "responses": {
            "200": _answer(
                "Stored now, or known already and not stored again.",
                {
                    "type": "object",
                    "properties": {
                        "status": {"enum": ["accepted", "duplicate"]},
                        "alert_id": {"type": "string", "format": "uuid"},
                    },
                    "required": ["status", "alert_id"],
                    "additionalProperties": False,
                },
            ),
            **_problems(400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Alertwire ingest",
            "version": "1",
            "description": _MADE_BY.format(page="alert-format"),
        },
        "servers": [{"url": "http://127.0.0.1:8080"}],
        "paths": {
            "/hook/{token}": {"post": alert},
            "/{token}": {"post": {**alert, "operationId": "send_short"}},
            "/health/live": {"get": _described(OPERATIONS["GET", "/health/live"], path="")},
            "/health/ready": {"get": _described(OPERATIONS["GET", "/health/ready"], path="")},
        },
        "components": {"schemas": {"Problem": _PROBLEM, "Health": _HEALTH}},
    }


def texts() -> dict[str, str]:
    """Both descriptions by the name of their file."""
    return {
        f"{name}.json": json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        for name, found in (("console", console()), ("ingest", ingest()))
    }


def _generated() -> Schema:
    """What Litestar says of the handlers, whose dependencies are of no matter here."""
    names = (*Supplies.__dataclass_fields__, "caller", "health")
    app = Litestar(
        [show_live, show_ready, Router("/api", route_handlers=API_HANDLERS)],
        dependencies={name: _nothing() for name in names},
        openapi_config=OpenAPIConfig(title="console", version="1"),
    )
    found: Schema = app.openapi_schema.to_schema()
    return found


def _nothing() -> Provide:
    # Each its own function: Litestar refuses one under two names.
    return Provide(lambda: None, sync_to_thread=False)


def _described(operation: Operation, *, path: str, parameters: Iterable[Schema] = ()) -> Schema:
    is_api = path.startswith("/api")
    found: Schema = {"operationId": operation.name, "summary": operation.summary}
    told = [_parameter(each) for each in parameters]
    if told:
        found["parameters"] = told
    if operation.body is not None:
        schema = {"$ref": _REF.format(name=operation.body)}
        found["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": {"schema": schema}},
        }
    if is_api:
        found["security"] = [{"token": []}]
    found["responses"] = _responses(operation, is_api=is_api)
    return found


def _responses(operation: Operation, *, is_api: bool) -> Schema:
    status = str(operation.status)
    if not is_api:
        health = {"$ref": _REF.format(name="Health")}
        found = {status: _answer("It is.", health)}
        if operation.name == "show_ready":
            found["503"] = _answer("Something is missing.", health)
        return found
    if operation.status == 204:
        found = {status: {"description": "Done."}}
    else:
        found = {status: _answer("Done.", operation.answer, kind=operation.kind)}
    # Whoever sends too much, or nothing that is known, is told by the framework.
    common = (400, 401, 413, 422) if operation.body else (400, 401, 422)
    return {**found, **_problems(*sorted({*common, *operation.problems}))}


def _parameter(told: Schema) -> Schema:
    schema = {name: _whole(value) for name, value in told["schema"].items()}
    arms = schema.pop("oneOf", None)
    if arms is not None:
        # Left out where nothing is meant; nobody can write null into an address.
        [schema_of] = [arm for arm in arms if arm != {"type": "null"}]
        schema = {**schema_of, **schema}
    if schema.get("type") == "integer":
        schema.setdefault("maximum", _PLACE_MAX)
    if "$ref" in schema:
        schema = {"$ref": schema["$ref"]}
    return {
        "name": told["name"],
        "in": told["in"],
        "required": told["required"],
        "schema": schema,
    }


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _answer(description: str, schema: Schema, *, kind: str = "application/json") -> Schema:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _problems(*statuses: int) -> Schema:
    problem = {"$ref": _REF.format(name="Problem")}
    return {
        str(status): _answer("It was not done.", problem, kind="application/problem+json")
        for status in statuses
    }


def _bodies() -> Schema:
    _, components = msgspec.json.schema_components(STRUCTS, ref_template=_REF)
    found = {name: _for_people(schema) for name, schema in components.items()}
    for name, body in BODIES.items():
        found[name] = _body(found[body.of], more=body.more, is_patch=body.is_patch)
    return dict(sorted(found.items()))


def _body(schema: Schema, *, more: Schema, is_patch: bool) -> Schema:
    properties = {**schema["properties"], **more}
    if not is_patch:
        return {**schema, "properties": properties}
    # A merge patch (RFC 7396): what is left out stays, and null takes a field back to its default.
    loose = {
        name: {"anyOf": [_loosened(each), {"type": "null"}]} for name, each in properties.items()
    }
    return {"type": "object", "properties": loose, "additionalProperties": False}


def _loosened(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "default"}


def _for_people(value: Any) -> Any:
    """As JSON Schema means it: a pattern without Python's own end, a decimal in either form."""
    if isinstance(value, list):
        return [_for_people(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == "decimal":
        default = {"default": value["default"]} if "default" in value else {}
        return {**_DECIMAL, **default}
    out = {name: _for_people(each) for name, each in value.items() if name != "title"}
    if isinstance(out.get("pattern"), str):
        out["pattern"] = out["pattern"].replace("\\Z", "$")
    if isinstance(out.get("description"), str):
        out["description"] = re.sub(r"\s+", " ", out["description"])
    if out.get("type") == "object" and "properties" in out:
        out["additionalProperties"] = False
    return out
