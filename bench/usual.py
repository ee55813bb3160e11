"""The baseline *usual*: what most bots of the kind do. Flask and ccxt in the request, one process
with a thread for each request, an answer once the exchange has answered, nothing stored. ccxt's own
pacing is off and its markets are loaded beforehand, to be fair to it.
"""

import os
import re
import secrets
import signal
import sys
import time
from typing import Any

import ccxt  # type: ignore[import-untyped]
import msgspec
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from bench.alerts import CONTRACTS, TICKER
from bench.direct import CONFIG, HOST, Config
from libs.common.contracts.words import AccountId, Effect, PositionSide
from libs.common.domain import identity

_MARKET = "BTC/USDT:USDT"


def clients(config: Config) -> dict[str, Any]:
    """One for each account; the markets are loaded once and shared."""
    made: dict[str, Any] = {}
    markets: Any = None
    for token, (access_key, secret_key) in config.keys.items():
        client = ccxt.mexc(
            {
                "apiKey": access_key,
                "secret": secret_key,
                "enableRateLimit": False,
                "options": {"defaultType": "swap"},
            }
        )
        client.urls["api"] = _moved(client.urls["api"], config.exchange)
        if markets is None:
            markets = client.load_markets()
        else:
            client.set_markets(markets)
        made[token] = client
    return made


def make_app(config: Config) -> Flask:
    app = Flask(__name__)
    known = clients(config)

    @app.post("/hook/<token>")
    def hook(token: str) -> tuple[Response, int]:
        alert = request.get_json(force=True)
        if token not in known or alert["ticker"] != TICKER:
            return jsonify(status="refused"), 422
        buy = alert["order_action"] == "buy"
        made = identity.alert_id(
            unix_ms=time.time_ns() // 1_000_000, random_bits=secrets.randbits(74)
        )
        # A name of its own, so that the order can be told from others; most bots give none.
        name = identity.client_order_id(
            alert=made,
            account=AccountId(token),
            effect=Effect.OPEN,
            side=PositionSide.LONG if buy else PositionSide.SHORT,
            chunk=0,
            attempt=0,
        )
        try:
            known[token].create_order(
                _MARKET,
                "market",
                "buy" if buy else "sell",
                CONTRACTS,
                params={"externalOid": name, "leverage": 10, "openType": 2, "positionMode": 1},
            )
        except ccxt.BaseError as error:
            return jsonify(status="rejected", reason=type(error).__name__), 502
        return jsonify(status="accepted", alert_id=made), 200

    return app


def main() -> int:
    config = msgspec.json.decode(os.environ[CONFIG], type=Config)
    app = make_app(config)
    server = make_server(HOST, config.port, app, threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()
    return 0


def _moved(urls: Any, address: str) -> Any:
    if isinstance(urls, dict):
        return {name: _moved(inner, address) for name, inner in urls.items()}
    host = address.partition("://")[2]
    return re.sub(r"^https://[^/]+", f"http://{host}", urls)


if __name__ == "__main__":
    sys.exit(main())
