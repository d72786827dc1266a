"""Posts the events that are due, from a thread of its own, whenever the simulated clock has moved."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from whoop_api_client.simulator.accounts import Accounts
from whoop_api_client.simulator.oauth_desk import OAuthDesk
from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.simulator_config import SimulatorConfig
from whoop_api_client.simulator.webhook_outbox import Attempt, Outbox
from whoop_api_client.simulator.webhook_plan import sign

__all__ = ["Courier"]

_LOOK_EVERY_S = 0.2


class Courier:
    """Delivers to loopback addresses only; members who are not connected get no events, as live."""

    def __init__(self, accounts: Accounts, desk: OAuthDesk, clock: SimClock, config: SimulatorConfig) -> None:
        self._desk, self._clock, self._config = desk, clock, config
        self.outbox = Outbox(
            (account.world for account in accounts), config.webhooks, config.presentation, clock.now()
        )
        self._delivering, self._moved, self._stopped = threading.Lock(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        clock.on_change(self.nudge)

    def start(self) -> None:
        """Begin to deliver; nothing happens without addresses."""
        if self._config.webhooks.webhook_urls and self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name="webhooks")
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._moved.set()
        if self._thread is not None:
            self._thread.join(5)

    def nudge(self) -> None:
        """Look again now."""
        self._moved.set()

    def deliver_due(self) -> int:
        """Post what is due now, repetitions included; returns how many attempts were made."""
        import httpx

        made = 0
        with self._delivering, httpx.Client(trust_env=False) as http:
            while due := self.outbox.take_due(self._clock.now()):
                for attempt in due:
                    outcome = "not connected"
                    if self._desk.is_connected(attempt.user_id):
                        outcome = "delivered" if self._post(http, attempt) else "failed"
                        made += 1
                    self.outbox.finish(attempt, outcome, self._clock.now())
        return made

    def log(self) -> list[dict[str, Any]]:
        """Every attempt so far, the lost ones too."""
        return list(self.outbox.log)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._moved.wait(_LOOK_EVERY_S)
            self._moved.clear()
            if not self._stopped.is_set():
                self.deliver_due()

    def _post(self, http, attempt: Attempt) -> bool:
        import httpx

        body = json.dumps(attempt.body, separators=(",", ":")).encode()
        real = self._config.webhooks.webhook_stamp == "real"
        seconds = time.time() if real else self._clock.now().timestamp()
        stamp = str(round(seconds * 1000))
        headers = {
            "Content-Type": "application/json",
            "X-WHOOP-Signature": sign(self._config.client_secret, stamp, body),
            "X-WHOOP-Signature-Timestamp": stamp,
        }
        try:
            answer = http.post(
                attempt.url, content=body, headers=headers, timeout=self._config.webhooks.webhook_timeout_s
            )
        except httpx.HTTPError:
            return False
        return answer.is_success
