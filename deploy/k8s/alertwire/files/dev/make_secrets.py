"""Makes the secret of a development installation, once: where it exists already, it is left alone.

    make_secrets.py NAME POSTGRES_URL

It runs inside the cluster and speaks with its API. POSTGRES_URL holds {user} and {password}.
"""

import base64
import json
import os
import secrets
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
from nacl.public import PrivateKey

from services.console.web.access.user_file import User, UsersFile, hash_password
from services.console.web.access.viewers import Role

ACCOUNT = Path(os.environ.get("SERVICE_ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
LOGINS = {"auditor": "alertwire_writer", "console": "alertwire_reader", "migrate": "postgres"}


def made(postgres_url: str) -> dict[str, str]:
    """What the secret holds."""
    private = PrivateKey.generate()
    passwords = {who: secrets.token_hex(20) for who in LOGINS}
    operator = secrets.token_hex(12)
    user = User(name="operator", role=Role.OPERATOR, password_hash=hash_password(operator))
    found = {
        "operator-password": operator,
        "users.json": msgspec.json.encode(UsersFile(users=(user,))).decode(),
        "console-token": secrets.token_hex(20),
        "sealing.key": base64.b64encode(bytes(private)).decode(),
        "sealing.pub": base64.b64encode(bytes(private.public_key)).decode(),
    }
    for who, user in LOGINS.items():
        found[f"{who}-password"] = passwords[who]
        found[f"{who}-url"] = postgres_url.format(user=user, password=passwords[who])
    return found


def main(name: str, postgres_url: str) -> int:
    namespace = (ACCOUNT / "namespace").read_text().strip()
    api = os.environ.get("KUBERNETES_API") or (
        f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
    )
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "immutable": True,
        "stringData": made(postgres_url),
    }
    request = urllib.request.Request(  # noqa: S310 - the address is the cluster's own
        f"{api}/api/v1/namespaces/{namespace}/secrets",
        data=json.dumps(secret).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}",
        },
    )
    by_tls = api.startswith("https:")
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")) if by_tls else None
    try:
        with urllib.request.urlopen(request, context=trust, timeout=30):  # noqa: S310
            print(f"secret {name} is made")
    except urllib.error.HTTPError as error:
        if error.code != 409:  # It exists.
            print(f"the cluster answers {error.code} {error.reason}", file=sys.stderr)
            return 1
        print(f"secret {name} exists already and is left alone")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
