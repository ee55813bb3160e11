"""The key: whether the exchange knows it, lets it in from here, takes its signature, what it may do
and for how long. Pure.

MEXC tells all of it to a key that may ask its spot side; else it is concluded from what signed
questions are answered with.
"""

import contextlib
import ipaddress
import re

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckState, CheckupLine, Finding
from libs.common.contracts.route import Account
from libs.common.contracts.words import SecretSource
from services.executor.checkable import KeyInfo
from services.executor.checkup import permissions as names
from services.executor.checkup.judging_way import expected_addresses, is_among
from services.executor.checkup.observed import Observed, Refused

DAYS_WARNING = 14
DAYS_WITHOUT_ADDRESS = 90
_LIKE_AN_ADDRESS = re.compile(r"[0-9A-Fa-f]{0,4}(?:[.:][0-9A-Fa-f]{0,4}){2,}")
PAGE = "MEXC → API Management"

_BEFORE = (CheckupLine.ACCESS_KEY, CheckupLine.LINKED_IP, CheckupLine.SECRET_KEY)
_CAUSES = {
    Cause.KEY: CheckupLine.ACCESS_KEY,
    Cause.IP: CheckupLine.LINKED_IP,
    Cause.SIGNATURE: CheckupLine.SECRET_KEY,
}


def access_key(seen: Observed) -> Finding:
    line = CheckupLine.ACCESS_KEY
    shown = _shown(seen.account.access_key)
    refused = _at(seen, line)
    if refused is not None:
        return Finding(
            line=line,
            state=CheckState.WRONG,
            evidence=f"the exchange does not know {shown}, or it has run out: {refused}",
            mend=f"compare it with {PAGE}, or make a new key there, and enter it: alertwire"
            f" accounts edit {seen.account.id} --access-key KEY --secret-key-file -",
        )
    held_up = _held_up(seen, line)
    if held_up is not None:
        return held_up
    told = seen.key
    if isinstance(told, KeyInfo) and told.status not in {"", "VALID"}:
        return Finding(
            line=line,
            state=CheckState.WARNING,
            evidence=f"the exchange calls {shown} {told.status}",
            mend=f"look at the key under {PAGE}",
        )
    return Finding(line=line, state=CheckState.OK, evidence=f"the exchange knows {shown}")


def linked_ip(seen: Observed) -> Finding:
    line = CheckupLine.LINKED_IP
    ours = ", ".join(seen.own.addresses)
    refused = _at(seen, line)
    if refused is not None:
        told = _spot_words(seen) or str(refused)
        # What the exchange itself names is newer than what echo services have told.
        address = _named(told) or ours or "the address that the exchange sees"
        return Finding(
            line=line,
            state=CheckState.WRONG,
            evidence=f"the exchange refuses our address: {told}"
            + (f"; echo services see {ours}" if ours else ""),
            mend=f"add {address} to the key under {PAGE} → Link IP Address, exactly, no spaces",
        )
    held_up = _held_up(seen, line)
    if held_up is not None:
        return held_up
    if not isinstance(seen.key, KeyInfo):
        return Finding(
            line=line,
            state=CheckState.OK,
            evidence="the exchange lets us in; it does not tell which addresses are linked",
        )
    linked = seen.key.linked
    if not linked:
        # The one that orders are to leave by, not the one that a wrong way out has now.
        wanted = ", ".join(expected_addresses(seen)) or ours or "the address of the executor"
        return Finding(
            line=line,
            state=CheckState.OK,
            evidence="no address is linked: whoever has the key can trade with it from anywhere,"
            f" and it lives {DAYS_WITHOUT_ADDRESS} days",
            # MEXC lets it in, so nothing is wrong; the days are the next line's to count.
            mend=f"better add {wanted} under {PAGE} → Link IP Address",
        )
    told = ", ".join(linked)
    strange = [address for address in seen.own.addresses if not is_among(address, linked)]
    if strange:
        return Finding(
            line=line,
            state=CheckState.WARNING,
            evidence=f"the exchange lets us in by {told}, while echo services see {ours}",
            mend="see by which way the executor leaves, and link each address that it may leave by",
        )
    return Finding(line=line, state=CheckState.OK, evidence=f"the key is linked to {told}")


def secret_key(seen: Observed) -> Finding:
    line = CheckupLine.SECRET_KEY
    refused = _at(seen, line)
    if refused is not None:
        return Finding(
            line=line,
            state=CheckState.WRONG,
            evidence=f"the exchange does not accept what is signed with it: {refused}",
            mend="enter the secret key that belongs to this access key:"
            f" {way_to_enter(seen.account)} (a lost one means a new key)",
        )
    held_up = _held_up(seen, line)
    if held_up is not None:
        return held_up
    mounted = "; it is mounted" if seen.account.secret_source is SecretSource.MOUNTED else ""
    return Finding(
        line=line, state=CheckState.OK, evidence=f"what is signed with it is accepted{mounted}"
    )


def way_to_enter(account: Account) -> str:
    """How somebody gives the account another secret key."""
    if account.secret_source is SecretSource.MOUNTED:
        return f"change the file {account.id} in the executor's ALERTWIRE_SECRETS_DIR"
    return f"alertwire accounts edit {account.id} --secret-key-file -"


def permissions(seen: Observed) -> Finding:
    line = CheckupLine.PERMISSIONS
    if not seen.passed:
        return _not_reached(seen, line)
    told = seen.key.permissions if isinstance(seen.key, KeyInfo) else None
    lacking = _lacking(seen, told)
    evidence = _evidence(seen, told)
    if lacking:
        return Finding(
            line=line,
            state=CheckState.WRONG,
            evidence=f"missing: {', '.join(lacking)}; {evidence}",
            mend=f"tick {', '.join(lacking)} for the key under {PAGE} (Futures)",
        )
    blocked = seen.probe is not None and seen.probe.may_place is False
    if blocked or (seen.probe is not None and seen.probe.was_taken):
        return _probe_went_wrong(seen, line)
    if told is None:
        unsure = seen.probe is None or seen.probe.may_place is None
        return Finding(
            line=line,
            state=CheckState.UNKNOWN if unsure or not _reads_told(seen) else CheckState.OK,
            evidence=evidence,
            mend="run alertwire doctor again" if unsure else "",
        )
    return _judge_excess(told, evidence)


def key_days(seen: Observed) -> Finding:
    line = CheckupLine.KEY_DAYS
    if not seen.passed:
        return _not_reached(seen, line)
    if not isinstance(seen.key, KeyInfo):
        return Finding(
            line=line,
            state=CheckState.WARNING,
            evidence="the exchange does not tell this key how long it lives"
            + (f" ({seen.key})" if seen.key is not None else "")
            + f"; without a linked address it is {DAYS_WITHOUT_ADDRESS} days from its making",
            mend=f"link an address under {PAGE}, or note the day on which it runs out",
        )
    days = days_left(seen)
    if days is None:
        linked = bool(seen.key.linked)
        return Finding(
            line=line,
            state=CheckState.OK if linked else CheckState.WARNING,
            evidence="a key with a linked address does not run out"
            if linked
            else "the exchange tells no number of days",
            mend="" if linked else f"look at the key under {PAGE}",
        )
    soon = days < DAYS_WARNING
    return Finding(
        line=line,
        state=CheckState.WRONG if days <= 0 else CheckState.WARNING if soon else CheckState.OK,
        evidence=f"{days} days left",
        mend=f"link an address under {PAGE}, or make a new key there before it runs out"
        if soon
        else "",
    )


def days_left(seen: Observed) -> int | None:
    """None where the key does not run out, or nobody tells."""
    key = seen.key
    return key.days_left if isinstance(key, KeyInfo) and not key.linked else None


def _at(seen: Observed, line: CheckupLine) -> Refused | None:
    """The refusal, where it is about this line."""
    barred = seen.barred
    return barred if barred is not None and _CAUSES.get(barred.kind) is line else None


def _held_up(seen: Observed, line: CheckupLine) -> Finding | None:
    """Why nothing can be said of the line, where no signed question was let in."""
    if seen.passed:
        return None
    barred = seen.barred
    where = _CAUSES.get(barred.kind) if barred is not None else None
    if barred is None or where is None or _BEFORE.index(where) < _BEFORE.index(line):
        return _not_reached(seen, line)
    if line is CheckupLine.ACCESS_KEY:
        # It was refused for something else, so it is known.
        return None
    return Finding(
        line=line,
        state=CheckState.UNKNOWN,
        evidence=f"whether the exchange looks at it before it says {barred} is not documented",
    )


def _not_reached(seen: Observed, line: CheckupLine) -> Finding:
    barred = seen.barred
    if seen.silence is not None or barred is not None:
        why = str(barred) if barred is not None else "the exchange does not answer"
        return Finding(line=line, state=CheckState.NOT_REACHED, evidence=f"not asked: {why}")
    failures = [one for one in seen.signed if isinstance(one, Refused)]
    return Finding(
        line=line,
        state=CheckState.UNKNOWN,
        evidence=f"not answered: {failures[0]}" if failures else "not answered in time",
        mend="run alertwire doctor again",
    )


def _lacking(seen: Observed, told: tuple[str, ...] | None) -> list[str]:
    """By what the exchange tells, and by what it has refused."""
    lacking = set(names.missing(told)) if told is not None else set()
    refused = {
        names.VIEW_ORDERS: (seen.positions, seen.position_mode),
        names.VIEW_ACCOUNT: (seen.funds,),
    }
    for name, answers in refused.items():
        if any(isinstance(one, Refused) and one.kind is Cause.PERMISSION for one in answers):
            lacking.add(names.NEEDED[name])
    if seen.probe is not None and seen.probe.may_place is False and told is None:
        lacking.add(names.NEEDED[names.ORDER_PLACING])
    return [shown for shown in names.NEEDED.values() if shown in lacking]


def _reads_told(seen: Observed) -> bool:
    return not isinstance(seen.positions, Refused | None) and not isinstance(
        seen.funds, Refused | None
    )


def _evidence(seen: Observed, told: tuple[str, ...] | None) -> str:
    if told is not None:
        return f"the key has {', '.join(told) or 'none'}"
    reads = {"View Order Details": seen.positions, "View Account Details": seen.funds}
    said = [
        f"{shown}: {'refused, ' + str(answer) if isinstance(answer, Refused) else 'answers'}"
        for shown, answer in reads.items()
        if answer is not None
    ]
    said.append(f"Order Placing: {seen.probe.said if seen.probe is not None else 'not asked'}")
    return "; ".join([*said, "what else the key may do is not told"])


def _probe_went_wrong(seen: Observed, line: CheckupLine) -> Finding:
    assert seen.probe is not None  # noqa: S101 - its caller looked
    taken = seen.probe.was_taken
    return Finding(
        line=line,
        state=CheckState.WARNING if taken else CheckState.WRONG,
        evidence=f"an order of 0 contracts {'was taken' if taken else 'is refused'}:"
        f" {seen.probe.said}",
        mend="look at the account's open orders; it holds nothing and cannot be filled"
        if taken
        else f"see whether the account may trade futures by API ({PAGE}, and its verification)",
    )


def _judge_excess(told: tuple[str, ...], evidence: str) -> Finding:
    line = CheckupLine.PERMISSIONS
    never, others = names.withdrawing(told), names.unneeded(told)
    if never:
        return Finding(
            line=line,
            state=CheckState.WARNING,
            evidence=f"DANGER: the key may WITHDRAW MONEY ({', '.join(never)}); {evidence}",
            mend=f"delete this key under {PAGE} now and make one without Withdraw: whoever gets"
            " hold of it can empty the account",
        )
    if others:
        money = " (some of it moves money)" if any(map(names.is_about_money, others)) else ""
        return Finding(
            line=line,
            state=CheckState.WARNING,
            evidence=f"more than is needed: {', '.join(others)}{money}; {evidence}",
            mend=f"take {', '.join(others)} off the key under {PAGE}",
        )
    return Finding(line=line, state=CheckState.OK, evidence=evidence)


def _spot_words(seen: Observed) -> str:
    """The spot side names the address that it sees."""
    key = seen.key
    return str(key) if isinstance(key, Refused) and key.kind is Cause.IP else ""


def _named(words: str) -> str:
    """The one address that stands in the exchange's words, in whatever language they are."""
    found = set()
    for word in _LIKE_AN_ADDRESS.findall(words):
        with contextlib.suppress(ValueError):
            found.add(str(ipaddress.ip_address(word)))
    return found.pop() if len(found) == 1 else ""


def _shown(key: str) -> str:
    return f"key ***{key[-4:]}" if len(key) >= 8 else "the key"
