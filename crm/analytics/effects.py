"""Differences of shares and how sure they are: an interval, an exact test, and the correction for many tests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

Z = 1.959963984540054
#: Corrected for the number of tests, what is as clear as this is called clear.
CLEAR = 0.05


def difference(a: int, n: int, c: int, m: int) -> tuple[float, float, float]:
    """a of n against c of m: the difference of the shares and its 95 % interval (Agresti and Caffo 2000: one good and one bad end more on
    each side)."""
    p, q = (a + 1) / (n + 2), (c + 1) / (m + 2)
    half = Z * sqrt(p * (1 - p) / (n + 2) + q * (1 - q) / (m + 2))
    return a / n - c / m, max(-1.0, p - q - half), min(1.0, p - q + half)


@lru_cache(1 << 14)
def chance(a: int, n: int, c: int, m: int) -> float:
    """How likely shares as different as a of n and c of m are when nothing makes a difference (Fisher's exact test, two-sided)."""
    from scipy.stats import fisher_exact

    return float(fisher_exact([[a, n - a], [c, m - c]]).pvalue)


def corrected(tests: Sequence[float]) -> list[float]:
    """Of each test the share of false alarms among all that are as clear as it (Benjamini and Hochberg 1995)."""
    found, least = [1.0] * len(tests), 1.0
    for rank, at in zip(range(len(tests), 0, -1), sorted(range(len(tests)), key=tests.__getitem__, reverse=True), strict=True):
        least = min(least, tests[at] * len(tests) / rank)
        found[at] = least
    return found
