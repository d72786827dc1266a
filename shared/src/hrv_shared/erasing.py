"""Every place where something of the wearer lies, and erasing all of it.

The list is the whole truth: a room that keeps something in a new place enters it here, and a test plants values in
every place and searches every file afterwards. Only what is on the list is removed: a store may have been put into a
folder that holds other things, and those are left alone and named.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hrv_shared.errors import ConfigurationError, StoreError
from hrv_shared.postgres import PostgresConnection, place_of
from hrv_shared.settings import Settings

__all__ = ["WORDS_TO_ERASE", "Erased", "Place", "erase_all", "places"]

WORDS_TO_ERASE = "erase all"
"""What has to be typed."""

_STORE: tuple[tuple[str, str], ...] = (
    ("record.sqlite*", "the record: what WHOOP told, your notes and facts, forecasts and what came true"),
    ("record.toml", "in which PostgreSQL the record is; it is emptied there"),
    ("ledger.head", "the end of the ledger's chains"),
    ("tables", "tables made of the record"),
    ("audio", "recordings until their note is confirmed"),
    ("inbox", "recordings and notes that wait"),
    ("inbox-seen.json", "what was taken from a phone's folder"),
    ("uploads", "exports while they are read"),
    ("exports", "what you exported"),
    ("reports", "summaries and plots"),
    ("mlflow.db*", "runs of the training, and what the language model was asked and answered"),
    ("mlartifacts", "models that were trained on you"),
    ("models", "the champion, trained on you"),
    ("dagster", "runs of the steps"),
    ("service.sqlite*", "jobs of the WHOOP service"),
    ("calendar*.ics", "the calendar feed"),
    ("feeds", "feeds for other programs"),
    ("up.json", "which processes run"),
    ("logs", "what those processes said"),
    ("notified.json", "when you were last notified"),
    ("hrv.toml", "your choices"),
    ("*.lock", "locks"),
    ("*.damaged", "tables that could not be read"),
    (".*.lock", "locks"),
    (".hrv-demo", "the mark of the demo"),
)
_CONFIG: tuple[tuple[str, str], ...] = (
    ("service-token", "key of the WHOOP service's last start"),
    ("export-salt", "what pseudonyms in exports are made with"),
    ("dashboard-token", "key of the page's last start"),
    ("dashboard-*.pem", "the page's certificate for your own network"),
    ("tokens*", "WHOOP tokens, encrypted"),
    ("*.tokens*", "WHOOP tokens, encrypted"),
    ("keys", "the key of the tokens"),
    ("budget", "how often WHOOP was asked"),
    ("locks", "locks of the tokens"),
    (".app-*", "id and secret of your WHOOP app, on their way to the login"),
    ("demo", "tokens of the demo"),
    ("*.lock", "locks"),
)


@dataclass(frozen=True)
class Place:
    """One place.

    Attributes
    ----------
    kept : bool
        Whether anything is there now.
    """

    path: str
    what: str
    kept: bool
    files: int
    size_bytes: int

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Erased:
    """What was removed, and what lay beside it that is not ours and was left."""

    removed_files: int
    removed_bytes: int
    left: tuple[str, ...]
    notes: tuple[str, ...]


def places(settings: Settings) -> list[Place]:
    """Every place, with what lies there now."""
    found = []
    for folder, pattern, what in _patterns(settings):
        files = [f for path in folder.glob(pattern) for f in _files(path)]
        found.append(
            Place(str(folder / pattern), what, bool(files), len(files), sum(_size(f) for f in files))
        )
    return found


def erase_all(settings: Settings, confirm: str) -> Erased:
    """Remove everything of the wearer from this machine: store, trained models, tokens, keys, the demo.

    Disconnect first (``hrv disconnect``): WHOOP only then forgets the access. Weights of public models stay, they hold
    nothing of you. What a disk keeps of removed files is a matter of its own encryption.

    Raises
    ------
    ConfigurationError
        The words were not typed.
    StoreError
        Something could not be removed; what it was is named.
    """
    if confirm.strip().lower() != WORDS_TO_ERASE:
        raise ConfigurationError(
            f"Expected the words {WORDS_TO_ERASE!r}, got something else; nothing was erased. "
            f"Run: hrv erase --confirm '{WORDS_TO_ERASE}'"
        )
    before = places(settings)
    if (elsewhere := place_of(settings.home)) is not None:
        PostgresConnection(elsewhere).drop()
    stuck: list[str] = []
    for folder, pattern, _ in _patterns(settings):
        for path in folder.glob(pattern):
            _remove(path, stuck)
    if stuck:
        raise StoreError(
            f"{len(stuck)} files could not be removed, the first: {stuck[0]}. Stop what uses them "
            "(hrv up, hrv dashboard), then run it again."
        )
    _remove_empty(settings.home / "demo")
    left = sorted(str(path) for folder in {settings.home, settings.config_dir} for path in _children(folder))
    for folder in (settings.home, settings.config_dir):
        _remove_empty(folder)
    notes = []
    if settings.journal_inbox is not None:
        notes.append(f"Your phone's folder {settings.journal_inbox} is yours and was left as it is.")
    if settings.token_store != "file":
        notes.append(
            "Tokens in the system's keyring go with: hrv disconnect (do it before; WHOOP forgets you then, too)."
        )
    return Erased(sum(p.files for p in before), sum(p.size_bytes for p in before), tuple(left), tuple(notes))


def _patterns(settings: Settings) -> list[tuple[Path, str, str]]:
    wanted = [(settings.home, pattern, what) for pattern, what in _STORE]
    demo = settings.home / "demo"
    if (demo / ".hrv-demo").exists():
        wanted += [(demo, pattern, f"demo: {what}") for pattern, what in _STORE]
    wanted += [(settings.config_dir, pattern, what) for pattern, what in _CONFIG]
    return wanted + [(folder, pattern, what) for folder, pattern, what in _state_places(settings)]


def _state_places(settings: Settings) -> list[tuple[Path, str, str]]:
    """Where the key of the token file lies when it is kept apart from it."""
    from platformdirs import user_config_path, user_state_path

    if settings.config_dir != user_config_path("hrv"):
        return []
    return [(user_state_path("hrv"), "keys", "the key of the tokens, apart from them")]


def _files(path: Path) -> list[Path]:
    if path.is_symlink() or path.is_file():
        return [path]
    return (
        [inner for inner in path.rglob("*") if inner.is_symlink() or inner.is_file()] if path.is_dir() else []
    )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _remove(path: Path, stuck: list[str]) -> None:
    """Remove a file or a folder; a link is removed, never what it points to."""
    try:
        if path.is_symlink() or not path.is_dir():
            os.unlink(path)
        else:
            shutil.rmtree(path)
    except OSError:
        stuck.append(str(path))
