"""The one cut of a series into two levels that leaves the least scatter around them.

Equal to ruptures' KernelCPD with the linear kernel and one breakpoint, which the tests hold it against. It is here
because importing ruptures brings half of SciPy along: half a second of processor time for every summary.
"""

from __future__ import annotations

import numpy as np

__all__ = ["one_cut"]


def one_cut(z: np.ndarray, min_size: int) -> int:
    """First row of the second level.

    Parameters
    ----------
    z : ndarray [N, C]
        Finite, with N at least twice ``min_size``; all channels C weigh alike.
    min_size : int
        Rows that each level has at least.
    """
    n = len(z)
    cuts = np.arange(min_size, n - min_size + 1)
    sums = z.cumsum(axis=0)
    left = sums[min_size - 1 : n - min_size]
    right = sums[-1] - left
    between = (left * left).sum(axis=1) / cuts + (right * right).sum(axis=1) / (n - cuts)
    return int(cuts[between.argmax()])
