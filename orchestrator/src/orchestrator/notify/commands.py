"""``hrv notify test|status|send``."""

from __future__ import annotations

from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, app_for, emit
from hrv_shared.settings import load_settings
from hrv_shared.store import Store
from orchestrator.errors import NotifyFailed

__all__ = ["notify_app"]

notify_app = app_for("notify", "Notifications: once a day, never in quiet hours, no numbers unless asked.")


@notify_app.command()
def test(as_json: JsonOption = False) -> None:
    """Send a trial message to every address of the setting notify_urls, at once."""
    from orchestrator.notify.message import trial
    from orchestrator.notify.sending import addresses_of, send

    sent = send(addresses_of(load_settings()), trial())
    if sent.failed:
        raise NotifyFailed(
            f"Not taken by: {', '.join(sent.failed)}; taken by: {', '.join(sent.taken) or 'none'}. Check the address "
            "and the password in notify_urls."
        )
    emit({"taken": sent.taken, "failed": []}, f"Taken by: {', '.join(sent.taken)}.", as_json)


@notify_app.command()
def status(as_json: JsonOption = False) -> None:
    """Which kinds of service are told, when, with what, and when it was last done."""
    from orchestrator.notify.sending import addresses_of, kind_of
    from orchestrator.notify.telling import due_day, last_told
    from orchestrator.notify.timing import QuietHours

    settings = load_settings()
    store = Store.open(settings)
    QuietHours.read(settings.notify_quiet)
    kinds, told, due = (
        [kind_of(a) for a in addresses_of(settings)],
        last_told(store, settings.member_id),
        None,
    )
    if kinds:
        due = due_day(store, settings)
    text = (
        f"Told by {', '.join(kinds)}, {'with' if settings.notify_numbers else 'without'} numbers, quiet "
        f"{settings.notify_quiet}; last told of: {told or 'nothing yet'}{f'; due now: {due}' if due else ''}."
        if kinds
        else "Nobody is told: set HRV_NOTIFY_URLS (or notify_urls in hrv.toml). Then: hrv notify test"
    )
    emit(
        {"kinds": kinds, "numbers": settings.notify_numbers, "quiet": settings.notify_quiet, "last_told": told,
         "due": due},
        text, as_json,
    )  # fmt: skip


@notify_app.command("send")
def send_now(
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Say nothing when nothing is due; for a timer that calls often.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell of this morning's forecast, if that was not done today and it is no quiet hour."""
    from orchestrator.notify.sending import addresses_of
    from orchestrator.notify.telling import tell_if_due

    settings = load_settings()
    if not addresses_of(settings) and not if_due:
        raise NotifyFailed("Nobody is told: set HRV_NOTIFY_URLS (or notify_urls in hrv.toml).")
    sent = tell_if_due(Store.open(settings), settings)
    told = {"taken": sent.taken if sent else [], "failed": sent.failed if sent else []}
    words = f"Taken by: {', '.join(sent.taken)}." if sent else "Nothing to tell now."
    emit(told, "" if if_due and sent is None else words, as_json)
