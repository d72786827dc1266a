"""Sending through apprise: desktop, mail, ntfy and some hundred others, each an address of its own.

An address may hold a password, so none is ever shown or logged: only the kind of service.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from hrv_shared.settings import Settings
from orchestrator.errors import NotifyFailed
from orchestrator.notify.message import Message

__all__ = ["Sent", "addresses_of", "kind_of", "send"]


@dataclass(frozen=True)
class Sent:
    """Kinds of service that took the message, and those that did not."""

    taken: list[str]
    failed: list[str]


def addresses_of(settings: Settings) -> list[str]:
    """The addresses of the setting ``notify_urls``."""
    return settings.notify_urls.get_secret_value().split() if settings.notify_urls else []


def kind_of(address: str) -> str:
    """Which service an address is of: all that may be shown of it."""
    scheme, colon, _ = address.partition("://")
    return scheme.lower() if colon and scheme.replace("+", "").isalnum() else "?"


def send(addresses: Sequence[str], message: Message) -> Sent:
    """Send a message to every address.

    Raises
    ------
    NotifyFailed
        apprise is not installed, there is no address, or one is of no form that it knows.
    """
    if not addresses:
        raise NotifyFailed(
            "Expected at least one address to send to. Set HRV_NOTIFY_URLS (or notify_urls in hrv.toml), such as "
            "dbus:// for the desktop, mailto://… or ntfy://…; the forms: https://appriseit.com/services"
        )
    try:
        import apprise
    except ModuleNotFoundError:
        raise NotifyFailed(
            "Notifications need apprise. Install it: pip install 'hrv-orchestrator[notify]'"
        ) from None
    logging.getLogger("apprise").disabled = True  # its lines name hosts and users
    sent = Sent([], [])
    for number, address in enumerate(addresses, start=1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its plugins, loaded here, ask for modules that Python will drop
            service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if service is None:
            raise NotifyFailed(
                f"Address {number} of notify_urls ({kind_of(address)}://…) is of no form that apprise knows, or its "
                "service needs a package that is not installed. The forms: https://appriseit.com/services"
            )
        taken = service.notify(body=message.body, title=message.title)
        (sent.taken if taken else sent.failed).append(kind_of(address))
    return sent
