"""A store in a temporary folder, with a clock that stands still, and settings that never reach the network."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store

NOW = datetime(2026, 3, 4, 20, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"HRV_ALLOW_DOWNLOAD": "false"}, home=tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.home, clock=lambda: NOW)
