"""What tests at the simulator share: settings, a login by the code flow, a collection read to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from hrv_shared.settings import Settings, load_settings
from whoop_api_client.simulator import ALL_SCOPES, RunningSimulator

PATHS = {
    "cycle": "/v2/cycle",
    "recovery": "/v2/recovery",
    "sleep": "/v2/activity/sleep",
    "workout": "/v2/activity/workout",
}
REDIRECT = "http://localhost:8721/callback"


def settings_for(place: RunningSimulator, folder: Path, **more: Any) -> Settings:
    """Home and config below ``folder``, tokens in a file, WHOOP at the simulator."""
    whoop = {
        "whoop_api_base": place.api_base, "whoop_auth_base": place.auth_base, "whoop_client_id": place.client_id,
        "whoop_client_secret": place.client_secret,
    }  # fmt: skip
    folders = {"home": folder / "home", "config_dir": folder / "config"}
    return load_settings({}, **{**folders, "token_store": "file", **whoop, **more})


def log_in(place: RunningSimulator, **more: str) -> dict[str, Any]:
    """Walk the code flow; the token pair."""
    query = {
        "response_type": "code", "client_id": place.client_id, "redirect_uri": REDIRECT,
        "scope": " ".join(ALL_SCOPES), "state": "12345678", **more,
    }  # fmt: skip
    home = httpx.get(place.auth_url, params=query).headers["location"]
    form = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(home).query)["code"][0],
        "redirect_uri": REDIRECT, "client_id": place.client_id, "client_secret": place.client_secret,
    }  # fmt: skip
    return httpx.post(place.token_url, data=form).json()


def signed_in(place: RunningSimulator, **more: str) -> httpx.Client:
    """A plain HTTP client that asks below the API base."""
    pair = log_in(place, **more)
    return httpx.Client(
        base_url=place.api_base, headers={"Authorization": f"Bearer {pair['access_token']}"}, timeout=10
    )


def every_record(http: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """A collection, page by page; absent, null and empty tokens end it alike."""
    records: list[dict[str, Any]] = []
    asked = {"limit": 25} | query
    while True:
        answer = http.get(path, params=asked)
        assert answer.status_code == 200, answer.status_code
        page = answer.json()
        records += page["records"]
        if not page.get("next_token"):
            return records
        asked["nextToken"] = page["next_token"]
