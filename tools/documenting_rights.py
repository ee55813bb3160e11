"""`docs/nats-rights.md`: who may say and hear what at NATS, as the code has it."""

from collections.abc import Iterable

from libs.common.permissions import USER_WORDS, Rights, User, rights_of


def page() -> str:
    lines = [
        "# Rights at NATS",
        "Each process comes with a key of its own and may do what stands here; the server refuses",
        "all else. Shown for one executor shard and one router shard: with more there are more",
        "consumers, each with the same rights. [What stands behind it](nats.md). Made by",
        "`python -m tools.documenting` from `libs/common/permissions.py`.",
    ]
    for user in User:
        lines += ["", f"## {user}", f"{_sentence(USER_WORDS[user])}", *_rights(rights_of(user))]
    return "\n".join(lines) + "\n"


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _rights(rights: Rights) -> Iterable[str]:
    api = [each for each in rights.publish if each.startswith("$JS.")]
    own = [each for each in rights.publish if each not in api]
    for title, patterns in (
        ("publishes", own),
        ("asks JetStream", api),
        ("but not", rights.but_not),
        ("hears", rights.subscribe),
    ):
        if patterns:
            yield ""
            yield f"{title}:"
            yield "```"
            yield from patterns
            yield "```"
