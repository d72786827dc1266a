"""Errors of the ground floor.

HrvError
├── ConfigurationError      a setting is unknown, malformed or unsafe
├── BadGuess                a guess that is no range of a nightly RMSSD
├── StoreError              the store can't be read or written
│   └── SchemaMismatch      a table's columns or types are not those of its schema
├── LedgerError
│   ├── InvalidForecast     quantiles that are not a distribution
│   ├── NightHasBegun       too late: the target night has started
│   ├── GuessStands         something was guessed for this night in this slot before
│   └── ClockBehind         the clock stands before the last row of the ledger
└── Refusal                 a forecast that could not be honest
    ├── TooFewNights        not enough scored nights
    ├── StaleData           the last scored night is too old
    └── SlotNotOpen         the slot that a run was started for has passed, or lies ahead

A message says what was expected, what came, and what to do.
"""

from __future__ import annotations

__all__ = [
    "BadGuess",
    "ClockBehind",
    "ConfigurationError",
    "GuessStands",
    "HrvError",
    "InvalidForecast",
    "LedgerError",
    "NightHasBegun",
    "Refusal",
    "SchemaMismatch",
    "SlotNotOpen",
    "StaleData",
    "StoreError",
    "TooFewNights",
]


class HrvError(Exception):
    """Base of every error that a user may see; its text is a sentence for them."""

    @property
    def code(self) -> str:
        """Stable machine name of the error, for ``--json``."""
        return type(self).__name__


class ConfigurationError(HrvError):
    """A setting is unknown, malformed or unsafe."""


class BadGuess(HrvError):
    """A guess that is no range of a nightly RMSSD."""


class StoreError(HrvError):
    """The store can't be read or written."""


class SchemaMismatch(StoreError):
    """A table's columns or types are not those of its schema."""


class LedgerError(HrvError):
    """The ledger refused a row."""


class InvalidForecast(LedgerError):
    """Quantiles that are not a distribution."""


class NightHasBegun(LedgerError):
    """The target night has started; a live forecast of it would not be one."""


class GuessStands(LedgerError):
    """Something was guessed for this night in this slot before; what was said first stands."""


class ClockBehind(LedgerError):
    """The clock stands before the last row of the ledger."""


class Refusal(HrvError):
    """A forecast that could not be honest, refused by name."""


class TooFewNights(Refusal):
    """Not enough scored nights."""


class StaleData(Refusal):
    """The last scored night is too old."""


class SlotNotOpen(Refusal):
    """The slot that a run was started for has passed, or lies ahead."""
