"""Whether a webhook is WHOOP's: HMAC-SHA256 over timestamp and raw body, keyed with the app's secret.

Checked before a single byte of the body is parsed. The timestamp may be five minutes off, either way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from hrv_shared.settings import Settings
from whoop_api_client.errors import NotConnected, WebhookRefused
from whoop_api_client.tokens import open_token_store

__all__ = ["SIGNATURE_HEADER", "TIMESTAMP_HEADER", "SigningSecret", "verify"]

SIGNATURE_HEADER = "X-WHOOP-Signature"
TIMESTAMP_HEADER = "X-WHOOP-Signature-Timestamp"
TOLERANCE = timedelta(minutes=5)
_LOOK_AGAIN_S = 60.0


def verify(secret: bytes, timestamp: str, body: bytes, signature: str, now: datetime) -> bytes:
    """The digest of a webhook that is WHOOP's, and of about now.

    Parameters
    ----------
    timestamp, signature : str
        The two headers as they came; the timestamp in milliseconds since 1970.

    Raises
    ------
    WebhookRefused
        Forged, damaged, or more than five minutes off.
    """
    digest = hmac.new(secret, timestamp.encode() + body, hashlib.sha256).digest()
    if not hmac.compare_digest(base64.b64encode(digest), signature.encode()):
        raise WebhookRefused("The signature is not that of this WHOOP app.")
    if not re.fullmatch(r"[0-9]{1,16}", timestamp):
        raise WebhookRefused("Expected a timestamp in milliseconds.")
    if abs(int(timestamp) - now.timestamp() * 1000) > TOLERANCE / timedelta(milliseconds=1):
        raise WebhookRefused("The timestamp is more than five minutes off. Is this machine's clock right?")
    return digest


class SigningSecret:
    """The app's secret: from the settings, else the one typed at `connect`, looked up once a minute at most.

    A sealed token store takes a tenth of a second to open, which a flood of forged webhooks must not cost us.
    """

    def __init__(self, settings: Settings, seconds: Callable[[], float] = time.monotonic):
        self._settings = settings
        self._seconds = seconds
        self._held: tuple[float, bytes] | None = None

    def get(self) -> bytes:
        """
        Raises
        ------
        NotConnected
            There is no app.
        """
        if self._held is None or self._seconds() - self._held[0] > _LOOK_AGAIN_S:
            self._held = (self._seconds(), self._look_up())
        if not self._held[1]:
            raise NotConnected(
                "No WHOOP app's secret is known, so no webhook can be believed. Run: hrv connect"
            )
        return self._held[1]

    def _look_up(self) -> bytes:
        ours, pair = self._settings, open_token_store(self._settings).load()
        typed = pair is not None and pair.client_id is not None
        # settings win, because a secret may have been renewed, unless they are of another app
        if ours.whoop_client_secret and (not typed or ours.whoop_client_id in {None, pair.client_id}):
            return ours.whoop_client_secret.get_secret_value().encode()
        return ((typed and pair.client_secret) or "").encode()
