import json
import shlex

from tools.devstack.announcing import DEFAULT_DIRECTORY, announcement

WEBHOOK = "http://127.0.0.1:8400/hook/t0ken"
DESCRIBED = {"console": "http://127.0.0.1:8401", "demo": {"webhook": WEBHOOK}}


def test_the_curl_line_can_be_pasted_and_sends_the_guides_alert(tmp_path):
    text = announcement(tmp_path, DESCRIBED)
    line = next(line for line in text.splitlines() if line.strip().startswith("curl"))
    words = shlex.split(line)
    assert words[-1] == WEBHOOK
    assert json.loads(words[words.index("-d") + 1]) == {
        "platform_name": "mexc",
        "ticker": "BTCUSDT.P",
        "order_contracts": 0.001,
        "order_action": "buy",
    }


def test_the_trace_line_names_the_folder_unless_it_is_the_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--dir" not in announcement(DEFAULT_DIRECTORY.absolute(), DESCRIBED)
    assert "--dir 'my stack'" in announcement(tmp_path / "my stack", DESCRIBED)


def test_the_token_itself_is_not_printed(tmp_path):
    """Only where it is: terminals are shared and recorded."""
    text = announcement(tmp_path, DESCRIBED | {"console_token": "hush"})
    assert "console_token in" in text
    assert "console_users in" in text
    assert "hush" not in announcement(tmp_path, DESCRIBED | {"console_token": "hush"})
