"""Coin-flip experiments of one wearer: planned, fixed in advance, kept in the record, read by the effects."""

from __future__ import annotations

from data_intelligence.experiments.records import finished_experiments

__all__ = ["finished_experiments"]
