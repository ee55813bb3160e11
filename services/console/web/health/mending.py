"""What to do about a trouble, in a sentence: what the runbook's section of it begins with. Pure."""

MENDS = {
    "alertwireservicedown": (
        "Start it. Its last log lines say why it ended; meanwhile the log keeps what arrives."
    ),
    "alertwireservicenotready": "Mend what is named. No restart is needed, and none helps.",
    "alertwirenobodyworks": (
        "Look whether the bucket `owners` can be written: NATS's disk, permissions, quorum. A lease"
        " whose owner is gone is taken over within seconds."
    ),
    "alertwirelogunavailable": (
        "See whether NATS runs, its disk is full or its cluster lacks a quorum. Until it is back"
        " alerts are refused with 503, and TradingView sends them again a few times."
    ),
    "alertwireconsumerlagging": (
        "More arrives than is worked off: look at the stages, the call budget and the exchange's"
        " latency. Late entries are denied as stale; exits are always carried out."
    ),
    "alertwiremessagestuck": (
        "Look for `message.delayed` in its log and mend the reason; it is tried again at once."
        " Only its own account and symbol wait for it."
    ),
    "alertwireaccountstopped": (
        "Link the executor's address to the key at MEXC, or mend the way out. It goes on by itself"
        " with the next call that MEXC accepts."
    ),
    "alertwirecheckupwrong": (
        "Open the account: its checkup says for each line what would mend it."
    ),
    "alertwirekeyexpires": (
        "Link the executor's address to the key, which takes the limit away, or enter a new key."
    ),
    "alertwireauditorlagging": (
        "Mend Postgres or its auditor. No alert waits for it, and nothing is missing afterwards:"
        " the log keeps everything for days."
    ),
}
"""By the runbook's sections."""


def mend_of(runbook: str) -> str:
    """Of `docs/runbook.md#section`; empty where nothing better is known than the section."""
    return MENDS.get(runbook.rpartition("#")[2], "")
