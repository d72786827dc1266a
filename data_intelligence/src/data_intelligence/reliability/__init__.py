"""How good the forecasts have been, from the ledger alone: where they succeed and fail, what can't be told yet."""

from __future__ import annotations

from data_intelligence.reliability.report import build_reliability, write_reliability

__all__ = ["build_reliability", "write_reliability"]
