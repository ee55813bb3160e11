"""Keeps the tree honest: who may import whom, how long things may be, what the core may not do.

The rules stand here once; docs/decisions and CONTRIBUTING refer to them. Standard library only.
"""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

OURS = ("libs", "services", "tools", "tests", "bench", "chaos", "fuzz")
CORE = ("libs/common/contracts/", "libs/common/domain/")
CORE_STDLIB = {
    *("abc", "ast", "base64", "collections", "dataclasses", "datetime", "decimal", "enum"),
    *("difflib", "functools", "hashlib", "ipaddress", "itertools", "json", "re", "types"),
    *("typing", "uuid"),
}
# Part of the tree -> what of ours it may import besides itself. The longest prefix counts.
MAY_IMPORT = {
    "libs/common/contracts/": ("libs.common.contracts",),
    "libs/common/domain/": ("libs.common.contracts", "libs.common.domain"),
    "libs/common/": ("libs.common",),
    "services/ingest/": ("libs.common", "services.ingest"),
    "services/router/": ("libs.common", "services.router"),
    "services/executor/": ("libs.common", "services.executor"),
    "services/executor/mexc/": (
        *("libs.common.contracts", "libs.common.domain", "libs.common.outcome"),
        *("libs.common.settings", "libs.common.secret", "libs.common.telemetry"),
        *("services.executor.checkable", "services.executor.viewable"),
        *("services.executor.mexc", "services.executor.exchange", "services.executor.pushes"),
        "services.executor.outgoing",
    ),
    "services/auditor/": ("libs.common", "services.auditor"),
    "services/console/": ("libs.common", "services.console"),
    "tools/paper_exchange/": (
        *("libs.common.contracts", "libs.common.domain", "libs.common.settings"),
        *("libs.common.logs", "libs.common.running", "libs.common.serving"),
        "tools.paper_exchange",
    ),
    # A script of the chart, which runs in the console's image.
    "deploy/": ("services.console",),
    "tools/": OURS,
    "tests/": OURS,
    "bench/": OURS,
    "fuzz/": OURS,
    # What it judges by may not be what it judges.
    "chaos/": ("libs.common", "tools.devstack", "bench", "chaos", "fuzz"),
}
# Files where everything may be caught: the outermost loop of a process, and what only tells of an
# order and must not stop it.
BROAD_EXCEPT = {
    "libs/common/running.py",
    "libs/common/consuming.py",
    "libs/common/exporting.py",
}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


FILES = tracked()
PRODUCTION = [name for name in FILES if name.startswith(("libs/", "services/", "tools/"))]


def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text())


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def test_there_is_something_to_check():
    assert len(PRODUCTION) > 50


@pytest.mark.parametrize("name", FILES)
def test_imports_follow_the_rules(name: str):
    rule = max((prefix for prefix in MAY_IMPORT if name.startswith(prefix)), key=len, default="")
    for module in imports_of(tree_of(name)):
        if module.split(".")[0] in OURS:
            assert within(module, MAY_IMPORT.get(rule, ())), f"{name} may not import {module}"
        elif name.startswith(CORE):
            top = module.split(".")[0]
            allowed = CORE_STDLIB | ({"msgspec"} if "contracts" in name else set())
            assert top in allowed, f"{name}: the core may not import {module}"


@pytest.mark.parametrize("name", PRODUCTION)
def test_modules_say_what_they_are_for(name: str):
    tree = tree_of(name)
    if tree.body:
        assert ast.get_docstring(tree), f"{name} has no module docstring"


@pytest.mark.parametrize("name", FILES)
def test_sizes(name: str):
    lines = (ROOT / name).read_text().count("\n")
    assert lines <= FILE_LINES_MAX, f"{name} has {lines} lines: split it by noun"
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{name}: {node.name} has {length} lines"


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(CORE)])
def test_the_core_knows_no_float_and_no_clock(name: str):
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called != "float", f"{name}:{node.lineno}: money is Decimal"
            assert not called.endswith((".now", ".utcnow", ".today")), f"{name}: no clock"


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name not in BROAD_EXCEPT])
def test_nothing_catches_everything(name: str):
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.ExceptHandler):
            if ast.unparse(node.body[-1]) == "raise":
                continue  # Cleans up and passes it on.
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in {"everything", "Exception", "BaseException"}, (
                f"{name}:{node.lineno} catches {caught}"
            )


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("services/")])
def test_stand_ins_are_servers_never_flags(name: str):
    source = (ROOT / name).read_text().lower()
    for word in ("dry_run", "dryrun", "paper_exchange", "paper_trading"):
        assert word not in source, f"{name} knows of {word}"


@pytest.mark.parametrize("name", FILES)
def test_buckets_are_read_by_our_reader(name: str):
    # nats-py's own lists end where its mark of the end comes, which may be before the first entry.
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func)
            assert not called.endswith((".keys", ".history", ".purge_deletes")), (
                f"{name}:{node.lineno}: read the bucket with libs.common.buckets.read_all"
            )
