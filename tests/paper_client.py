"""A small signed client of the paper exchange, for tests. It signs with its own few lines, so that
it proves the server's signature check and is proved by the published vectors.
"""

import hashlib
import hmac
import json
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

CREATE = "/api/v1/private/order/create"


def sign(access_key: str, secret_key: str, *, request_time: str, payload: str) -> str:
    text = f"{access_key}{request_time}{payload}".encode()
    return hmac.new(secret_key.encode(), text, hashlib.sha256).hexdigest()


class PaperClient:
    """`async with PaperClient(...) as client`, or `await client.close()`.

    `post` and `get` sign and return the decoded envelope; `control` calls `/_paper/...` unsigned.
    """

    def __init__(self, base_url: str, access_key: str = "", secret_key: str = "") -> None:
        self._base_url = base_url.rstrip("/")
        self._access_key = access_key
        self._secret_key = secret_key
        self._session = aiohttp.ClientSession()

    @property
    def secret_key(self) -> str:
        return self._secret_key

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def keys(self) -> tuple[str, str]:
        return self._access_key, self._secret_key

    async def close(self) -> None:
        await self._session.close()

    async def post(self, path: str, body: Any = None, **headers: str) -> Any:
        raw = "" if body is None else json.dumps(body)
        signed = self._headers(raw) | headers
        async with self._session.post(self._base_url + path, data=raw, headers=signed) as reply:
            return json.loads(await reply.read())

    async def get(self, path: str, params: dict[str, Any] | None = None, **headers: str) -> Any:
        query = "&".join(f"{k}={quote(str(v), safe='')}" for k, v in sorted((params or {}).items()))
        url = self._base_url + path + (f"?{query}" if query else "")
        signed = self._headers(query) | headers
        async with self._session.get(_as_is(url), headers=signed) as reply:
            return json.loads(await reply.read())

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = await self.try_control(method, path, body)
        assert status == 200, answer
        return answer

    async def try_control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer of a control call that may be refused."""
        url = f"{self._base_url}/_paper/{path}"
        async with self._session.request(method, url, json=body) as reply:
            return reply.status, await reply.json()

    async def order(self, **fields: Any) -> Any:
        """Create an order: 10 contracts BTC_USDT long at market unless told otherwise."""
        return await self.post(CREATE, order_body(**fields))

    def _headers(self, payload: str) -> dict[str, str]:
        now = str(time.time_ns() // 1_000_000)
        return {
            "ApiKey": self._access_key,
            "Request-Time": now,
            "Signature": sign(
                self._access_key, self._secret_key, request_time=now, payload=payload
            ),
            "Content-Type": "application/json",
        }


def order_body(**fields: Any) -> dict[str, Any]:
    body = {
        "symbol": "BTC_USDT",
        "vol": 10,
        "side": 1,
        "type": 5,
        "openType": 2,
        "leverage": 10,
        "positionMode": 1,
    }
    return {k: v for k, v in (body | fields).items() if v is not None}


def _as_is(url: str) -> URL:
    return URL(url, encoded=True)
