"""What the exchange does wrong while alerts are sent, as the paper exchange takes it. Pure."""

from chaos.world import Fault

CREATE = "/api/v1/private/order/create"
_PRIVATE = "/api/v1/private"

_ON_CREATE: tuple[tuple[int, Fault], ...] = (
    (3, {"kind": "lose_reply"}),
    (3, {"kind": "drop_before"}),
    (3, {"kind": "delay_before", "ms": 700}),
    (2, {"kind": "delay_before", "ms": 4_000}),
    # Past the time that the client waits, and past the window in which it may still be executed.
    (1, {"kind": "delay_before", "ms": 11_500}),
    (1, {"kind": "hang"}),
    (1, {"kind": "hang", "ms": 6_000}),
    (2, {"kind": "http_502"}),
    (2, {"kind": "html_403"}),
    (4, {"kind": "code", "code": 510}),
    (2, {"kind": "code", "code": 500}),
    (1, {"kind": "code", "code": 3016}),
    (1, {"kind": "code", "code": 9999}),
    # It says that it failed, and did it.
    (1, {"kind": "code", "code": 500, "executed": True}),
    (1, {"kind": "code", "code": 9999, "executed": True}),
)
"""With how often they come, relative to each other."""

_ON_THE_ORDER: tuple[tuple[float, Fault], ...] = (
    (0.10, {"kind": "async_reject"}),
    (0.10, {"kind": "partial_fill"}),
    (0.05, {"kind": "hide_order", "ms": 800}),
    (0.03, {"kind": "hide_order", "ms": 5_000}),
)
"""With their part of the share of bad replies."""

_ON_QUESTIONS: tuple[Fault, ...] = (
    {"kind": "lose_reply"},
    {"kind": "http_502"},
    {"kind": "code", "code": 510},
    {"kind": "delay_before", "ms": 400},
)
_QUESTIONS_PART = 0.05

_ON_CHANGES: tuple[tuple[int, Fault], ...] = (
    (3, {"kind": "lose_reply"}),
    (3, {"kind": "drop_before"}),
    (2, {"kind": "delay_before", "ms": 700}),
    (1, {"kind": "delay_before", "ms": 4_000}),
    (2, {"kind": "http_502"}),
    (1, {"kind": "html_403"}),
    (2, {"kind": "code", "code": 510}),
    (1, {"kind": "code", "code": 500}),
    (1, {"kind": "code", "code": 500, "executed": True}),
)


def background(bad_share: float) -> tuple[Fault, ...]:
    """A fault list under which about this share of the calls that make orders goes wrong."""
    if not bad_share:
        return ()
    total = sum(weight for weight, _ in _ON_CREATE)
    on_create = [
        _lasting(CREATE, fault, bad_share * weight / total) for weight, fault in _ON_CREATE
    ]
    on_orders = [_lasting(CREATE, fault, bad_share * part) for part, fault in _ON_THE_ORDER]
    questions = [
        _lasting(f"{_PRIVATE}/{below}", fault, bad_share * _QUESTIONS_PART)
        for below in ("order/external", "order/get", "position")
        for fault in _ON_QUESTIONS
    ]
    return (*on_create, *on_orders, *questions)


def on_what_waits(bad_share: float) -> tuple[Fault, ...]:
    """About this share of the cancels and of the changes of protective prices goes wrong, and some
    of the lists that they are made from.
    """
    if not bad_share:
        return ()
    total = sum(weight for weight, _ in _ON_CHANGES)
    on_changes = [
        _lasting(f"{_PRIVATE}/{path}", fault, bad_share * weight / total)
        for path in ("order/cancel", "stoporder/change_plan_price", "stoporder/place")
        for weight, fault in _ON_CHANGES
    ]
    questions = [
        _lasting(f"{_PRIVATE}/{below}", fault, bad_share * _QUESTIONS_PART)
        for below in ("order/list/open_orders", "stoporder/list/orders")
        for fault in _ON_QUESTIONS
    ]
    return (*on_changes, *questions)


def on_socket(kind: str, *, seconds: float) -> Fault:
    """All sockets are cut at once; or pushes are lost, or connections turned away, for a time."""
    fault: Fault = {"path": "/edge", "kind": kind}
    return fault | {"ms": round(seconds * 1000), "count": None} if seconds else fault


def _lasting(path: str, fault: Fault, probability: float) -> Fault:
    return {"path": path, **fault, "count": None, "probability": round(probability, 5)}
