"""What may be shown as an effect: a budget for false ones over everything that is shown.

A finding is *false* unless the effect has the sign that is stated and at least `SMALLEST_PCT` of size; ``p_false`` is
the posterior probability of that. The surest come first, as long as the mean ``p_false`` of all that is shown stays
within the budget (Bayesian false discovery rate: Mueller, Parmigiani & Rice 2006). The sure ones must not pay for a
doubtful one, so no single finding may be likelier false than `DOUBTFUL`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["BUDGET", "DOUBTFUL", "SMALLEST_PCT", "within_budget"]

BUDGET = 0.10
DOUBTFUL = 0.20
SMALLEST_PCT = 2.0


def within_budget(p_false: Sequence[float], budget: float = BUDGET, doubtful: float = DOUBTFUL) -> list[bool]:
    """Which findings are shown.

    Parameters
    ----------
    p_false : sequence of float [N]
        Posterior probability of each that it is false; give 1 for what must not be shown anyway.
    """
    p = np.asarray(p_false, dtype=float)
    order = np.argsort(p, kind="stable")
    mean = np.cumsum(p[order]) / np.arange(1, len(p) + 1)
    shown = np.zeros(len(p), dtype=bool)
    shown[order] = (mean <= budget) & (p[order] <= doubtful)
    return shown.tolist()
