"""Keeps the tree honest: who may import whom, how long things may be, what the core may not do.

The rules stand here once; docs/decisions and CONTRIBUTING refer to them. Standard library only.
A rule is one test that tells every place which breaks it.
"""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

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
STAND_INS = ("dry_run", "dryrun", "paper_exchange", "paper_trading")


@functools.cache
def nodes_of(name: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse((ROOT / name).read_text())))


def calls_of(name: str) -> Iterator[tuple[ast.Call, str]]:
    """Each call in a file, with what is called."""
    for node in nodes_of(name):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def imports_of(name: str) -> Iterator[str]:
    for node in nodes_of(name):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def test_there_is_something_to_check():
    assert len(PRODUCTION) > 50
    assert sum(len(nodes_of(name)) for name in PRODUCTION) > 50_000


def forbidden_imports(name: str) -> Iterator[str]:
    rule = max((prefix for prefix in MAY_IMPORT if name.startswith(prefix)), key=len, default="")
    core = CORE_STDLIB | ({"msgspec"} if "contracts" in name else set())
    for module in imports_of(name):
        top = module.split(".")[0]
        if top in OURS:
            allowed = within(module, MAY_IMPORT.get(rule, ()))
        else:
            # Not a relative one, whose first part is empty.
            allowed = top in core if name.startswith(CORE) else bool(top)
        if not allowed:
            yield f"{name} may not import {module}"


def test_imports_follow_the_rules():
    assert [each for name in FILES for each in forbidden_imports(name)] == []


def test_modules_say_what_they_are_for():
    modules = {name: nodes_of(name)[0] for name in PRODUCTION}
    assert [
        name
        for name, module in modules.items()
        if isinstance(module, ast.Module) and module.body and not ast.get_docstring(module)
    ] == []


def test_files_are_split_by_noun():
    lines = {name: (ROOT / name).read_text().count("\n") for name in FILES}
    assert {name: count for name, count in lines.items() if count > FILE_LINES_MAX} == {}


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_fit_a_screen():
    assert [
        f"{name}: {node.name} has {lines_of(node)} lines"
        for name in FILES
        for node in nodes_of(name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if lines_of(node) > FUNCTION_LINES_MAX
    ] == []


def test_the_core_knows_no_float_and_no_clock():
    assert [
        f"{name}:{node.lineno}: {called}"
        for name in FILES
        if name.startswith(CORE)
        for node, called in calls_of(name)
        if called == "float" or called.endswith((".now", ".utcnow", ".today"))
    ] == []


def catches_everything(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler) or ast.unparse(node.body[-1]) == "raise":
        return False  # What ends in `raise` cleans up and passes it on.
    return node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}


def test_nothing_catches_everything():
    assert [
        f"{name}:{node.lineno}"
        for name in PRODUCTION
        if name not in BROAD_EXCEPT
        for node in nodes_of(name)
        if catches_everything(node)
    ] == []


def test_stand_ins_are_servers_never_flags():
    services = [name for name in FILES if name.startswith("services/")]
    sources = {name: (ROOT / name).read_text().lower() for name in services}
    assert [
        f"{name} knows of {word}"
        for name, source in sources.items()
        for word in STAND_INS
        if word in source
    ] == []


def test_buckets_are_read_by_our_reader():
    # nats-py's own lists end where its mark of the end comes, which may be before the first entry:
    # `libs.common.buckets.read_all` instead.
    assert [
        f"{name}:{node.lineno}: {ast.unparse(node.value)}"
        for name in FILES
        for node in nodes_of(name)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
        if ast.unparse(node.value.func).endswith((".keys", ".history", ".purge_deletes"))
    ] == []
