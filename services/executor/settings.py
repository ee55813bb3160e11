"""The executor's configuration."""

import dataclasses
from pathlib import Path

from libs.common.settings import ServiceSettings, SettingsError, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    sealing_key_file: Path = setting(
        "File with the private sealing keys, each 32 bytes in base64 on its own line: the first is"
        " the current one, the others still open what was sealed for them. Followed while it runs"
    )
    secrets_dir: Path | None = setting(
        "Folder with the secret keys of accounts whose `secret_source` is `mounted`, each in a file"
        " by the account's id. Followed while it runs",
        default=None,
    )
    shard: int = setting("Which shard of accounts this executor owns", default=0)
    shards: int = setting("How many shards there are", default=1)
    checkup_every_s: int = setting(
        "How often each account is checked, in seconds; 0: only once it has come or was changed,"
        " and when somebody asks",
        default=3600,
    )
    catalogue_refresh_s: int = setting("How often the contracts are read, in seconds", default=300)
    echo_urls: str = setting(
        "Services that answer with the address that they see us under, bare or as JSON in `ip`;"
        " comma separated, best run by different parties, without secrets. Empty: nobody is asked",
        default="https://checkip.amazonaws.com,https://api.ipify.org",
        may_be_empty=True,
    )
    expected_addresses: str = setting(
        "Addresses or networks that we must be seen under, comma separated: seen under another,"
        " this executor is not ready and takes no work. Empty: what its accounts expect together,"
        " and where they expect nothing any will do",
        default="",
    )
    egress_strict: bool = setting(
        "Whether to wait for the first answer of an echo service for as long as it takes, where an"
        " address is expected; else the work begins after 30 seconds without one",
        default=False,
    )
    egress_check_s: float = setting("How often our own address is asked for", default=60.0)

    def __post_init__(self) -> None:
        if not 0 <= self.shard < self.shards:
            raise SettingsError(
                f"ALERTWIRE_SHARD is {self.shard}, and ALERTWIRE_SHARDS {self.shards}: shards count"
                " from 0"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """How long the executor waits for what; tests shorten it, nothing else changes it."""

    receive_window_s: float = 10.0
    """A signed request is refused by MEXC once it is older than this (code 513)."""
    receive_margin_s: float = 2.0
    """What clocks and networks may add to it."""
    visible_after_s: float = 1.0
    """How long an accepted order may stay invisible to queries, and a fill to positions."""
    shown_again_s: float = 0.2
    """Between two looks at a position that does not show the last fill."""
    live_looks_max: int = 3
    """Of them at the live picture; then the exchange is asked."""
    claim_s: float = 2.0
    """How old may be what is known of who carries a plan out, when a request of it is signed."""
    confirm_lease_s: float = 5.0
    """How long a confirmation of the lease is waited for before a try is given up."""
    confirm_s: float = 20.0
    """How long to poll for an order's final state before saying that it is not known."""
    poll_first_s: float = 0.02
    poll_largest_s: float = 1.0
    refused_again_s: float = 0.5
    """Pause after `too many requests`."""
    give_up_s: float = 60.0
    """How long one try goes on against an exchange that does not take a request or does not answer;
    the next one finds the account as it is by then, perhaps with another address or key.
    """
    drift_s: float = 2.0
    """How often positions are compared with what our orders made them, and how soon after one."""
    follow_s: float = 2.0
    """How often orders that wait at the exchange are asked for, at most."""
    follow_pause_s: float = 0.2
    """Between two of these questions of one account: MEXC grants twenty in two seconds."""

    heard_s: float = 8.0
    """Silence of the private connection after which its picture is not trusted; it is asked for a
    sign of life more often."""
    picture_lasts_s: float = 60.0
    """How long a picture is trusted that no answer of the exchange has confirmed."""
    correct_s: float = 30.0
    """How often the exchange is asked whether the picture is right, at least."""
    correct_after_order_s: float = 1.5
    correct_pause_s: float = 10.0
    """Between two such questions of one account, at least."""
    correct_again_s: float = 1.0
    """After one that was not answered."""
    push_s: float = 0.5
    """How long an order's end is waited for from the pushes before the exchange is asked."""
    reopen_s: float = 0.5
    """Pause before a lost private connection is opened again; doubled while that fails."""
    reopen_largest_s: float = 30.0

    leverage_look_s: float = 2.5
    """Between two looks at the leverage of one account's contracts: each sets at most the two sides
    of one contract, and MEXC grants ten of these calls in ten seconds."""
    leverage_busy_s: float = 10.0
    """How soon a contract is looked at again where something is held, open or under way."""
    leverage_retry_s: float = 60.0
    """Pause after a refusal or a question without an answer; doubled while that goes on."""
    leverage_retry_largest_s: float = 3_600.0
    leverage_check_s: float = 3_600.0
    """How often what is set already is looked at again."""

    @property
    def in_flight_s(self) -> float:
        """After this no request that was signed before can still be executed."""
        return self.receive_window_s + self.receive_margin_s
