"""What is counted of those who come to the pages."""

from prometheus_client import Counter

sign_ins = Counter(
    "alertwire_console_sign_ins",
    "Attempts to sign in by password, by what became of them: `done`, `failed`, `throttled`; and"
    " by a proxy: `proxied`, or `stranger` where the proxy named somebody without a role",
    ["outcome"],
)
sign_outs = Counter(
    "alertwire_console_sign_outs", "Sessions that were ended by whoever had begun them"
)

DONE, FAILED, THROTTLED, PROXIED, STRANGER = (
    "done",
    "failed",
    "throttled",
    "proxied",
    "stranger",
)
for _outcome in (DONE, FAILED, THROTTLED, PROXIED, STRANGER):
    # Shown as 0 from the start, so that the first one is a rise.
    sign_ins.labels(_outcome)
