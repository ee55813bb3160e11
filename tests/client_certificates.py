"""Certificates for tests over TLS: an authority of their own, and what it vouches for."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TRADINGVIEW = {
    "common_name": "TradingView Webhooks",
    "organization": "TradingView, Inc.",
    "email": "webhook-server@tradingview.com",
}
_DAY = timedelta(days=1)


class Authority:
    """Vouches for what it makes, and writes all of it into one folder."""

    def __init__(self, folder: Path, *, name="ca"):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name, organization="Test Authority")
        now = datetime.now(UTC)
        made = (
            _builder(self._name, self._name, self._key, begins=now - _DAY, ends=now + _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def server(self, *, name="server"):
        """Files of a certificate and its key for 127.0.0.1."""
        names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return self._made(name, _name("localhost"), names, usage=ExtendedKeyUsageOID.SERVER_AUTH)

    def client(self, name, *, common_name, organization, email, days=1):
        names = [x509.RFC822Name(email)] if email else [x509.DNSName("sender.example")]
        subject = _name(common_name, organization=organization)
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        return self._made(name, subject, names, usage=usage, days=days)

    def _made(self, name, subject, names, *, usage, days=1):
        key = ec.generate_private_key(ec.SECP256R1())
        begins = datetime.now(UTC) - 3 * _DAY
        ends = datetime.now(UTC) + days * _DAY
        made = (
            _builder(subject, self._name, key, begins=begins, ends=ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        cert_file, key_file = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert_file, key_file


def _name(common_name, *, organization=None):
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _builder(subject, issuer, key, *, begins, ends):
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
