"""The executor's own metrics."""

from prometheus_client import Gauge

egress_ok = Gauge(
    "alertwire_egress_ok",
    "1 where our own address is among the expected ones (or none is expected), 0 where it is not",
)
egress_answers = Gauge(
    "alertwire_egress_answers",
    "How many echo services told our own address when they were asked last",
)
account_stopped = Gauge(
    "alertwire_account_stopped",
    "1 where nothing is opened on the account, since the exchange refuses our address for its key",
    ["account"],
)
key_days_left = Gauge(
    "alertwire_key_days_left",
    "Days until the account's key runs out; absent where it does not, or is not told",
    ["account"],
)
checkup_state = Gauge(
    "alertwire_checkup_state",
    "1 for the state in which the account's last checkup has found it, 0 for the others",
    ["account", "state"],
)
