"""The page on a phone in the wearer's own network: off until turned on, over TLS with a certificate of its own.

The phone can't know the certificate beforehand and will warn once; Settings shows the fingerprint to compare. Then it
brings the pairing code that the computer shows, and gets a token of its own. Turning it off ends the listener and
every phone's session.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from dashboard.desk import Desk
from dashboard.errors import DashboardError
from dashboard.gate import Doors, Gate
from hrv_shared.store import write_bytes_atomic

__all__ = ["PhoneDoor", "network_address", "own_certificate", "turn"]

LASTS = timedelta(days=365)
PEM = "dashboard-{}.pem"


def turn(desk: Desk, app: FastAPI, on: bool) -> dict[str, Any] | None:
    """Turn the door for phones on (again: a new pairing code) or off.

    Returns
    -------
    dict
        on, and when it is on: address, code, fingerprint, phones.

    Raises
    ------
    DashboardError
        This machine is in no network.
    """
    if not on:
        if desk.phone is not None:
            desk.phone.close()
            desk.phone = None
        desk.sessions.forget_phones()
        return {"on": False}
    if desk.phone is None:
        address = network_address()
        if address is None:
            raise DashboardError(
                "This machine has no address in a network of yours, so no phone could reach it."
            )
        desk.phone = PhoneDoor(desk, app, address)
    return desk.phone.describe() | {"code": desk.sessions.new_code()}


class PhoneDoor:
    """A listener on one address of this machine, behind a gate of its own."""

    def __init__(self, desk: Desk, app: FastAPI, address: str, port: int = 0) -> None:
        import uvicorn

        key, certificate, self.fingerprint = own_certificate(desk.own.config_dir, address)
        self._desk = desk
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen(64)  # a phone that comes before the server has begun waits for it
        self.host = f"{address}:{self._listener.getsockname()[1]}"
        gate = Gate(app, doors=Doors(frozenset({self.host}), "https", pairing=True), sessions=desk.sessions)
        config = uvicorn.Config(
            gate, log_level="error", access_log=False, server_header=False, ws="none", http="h11", lifespan="off",
            ssl_keyfile=str(key), ssl_certfile=str(certificate),
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def describe(self) -> dict[str, Any]:
        """Where it is, and how to know that it is the right one."""
        return {"on": True, "address": f"https://{self.host}/pair", "fingerprint": self.fingerprint,
                "phones": self._desk.sessions.phones}  # fmt: skip

    def close(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        import asyncio

        asyncio.run(self._server.serve(sockets=[self._listener]))


def network_address() -> str | None:
    """This machine's private address in the network that it reaches others by; nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # an address of documentation; connecting a datagram socket sends nothing
        except OSError:
            return None
        address = ipaddress.ip_address(probe.getsockname()[0])
    return str(address) if address.is_private and not address.is_loopback else None


def own_certificate(config_dir: Path, address: str) -> tuple[Path, Path, str]:
    """Key and certificate for ``address``, made when there are none that still serve; and its SHA-256 fingerprint."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key_path, certificate_path = config_dir / PEM.format("key"), config_dir / PEM.format("certificate")
    wanted, now = ipaddress.ip_address(address), datetime.now(UTC)
    if key_path.exists() and certificate_path.exists():
        held = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if wanted in names.get_values_for_type(x509.IPAddress) and held.not_valid_after_utc > now + timedelta(
            days=7
        ):
            return key_path, certificate_path, _fingerprint(held.fingerprint(hashes.SHA256()))
    config_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hrv on your own network")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(wanted)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    write_bytes_atomic(
        key_path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    write_bytes_atomic(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return key_path, certificate_path, _fingerprint(certificate.fingerprint(hashes.SHA256()))


def _fingerprint(digest: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in digest)
