"""docs/explain.md: every command that it shows prints what stands below it."""

from pathlib import Path

import pytest

from tests.documented_commands import Example, examples_of
from tests.documented_explanations import printed
from tools.cli.explaining import explain_alert

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
EXAMPLES = examples_of(PAGE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.command)
def test_an_example_prints_what_is_shown(example: Example, tmp_path: Path, monkeypatch) -> None:
    for name in ("ALERTWIRE_DIR", "ALERTWIRE_CONSOLE_URL", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    found = printed(example.command, route=example.route, directory=tmp_path)
    assert found == (example.printed, example.status)


def test_no_example_goes_unseen() -> None:
    assert len(EXAMPLES) == PAGE.read_text().count("```console") >= 6
    assert {example.status for example in EXAMPLES} == {0, 1}


def test_every_option_is_told() -> None:
    text = PAGE.read_text()
    for parameter in explain_alert.params:
        if parameter.name != "place":
            assert any(
                f"`{option}" in text or f"{option} " in text for option in parameter.opts
            ) or (parameter.name == "route"), parameter.name
