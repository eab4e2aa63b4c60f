"""The product-limit estimate against a published table and against another library (F8)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crm.analytics.survival import kaplan_meier

#: Weeks of remission of 21 leukaemia patients under 6-MP (Freireich et al. 1963); a + marks those still in remission.
REMISSION = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()
#: The estimate as textbooks print it (Kleinbaum and Klein, Survival Analysis, table 2.1).
PRINTED = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}


def test_the_estimate_is_the_published_one():
    curve = kaplan_meier([float(one.rstrip("+")) for one in REMISSION], [not one.endswith("+") for one in REMISSION])
    assert dict(zip(curve.days, [round(one, 4) for one in curve.left], strict=True)) == {0.0: 1.0, **PRINTED}
    assert curve.median() == 23 and curve.at_risk[1] == 21


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=3, max_size=60))
def test_estimate_and_band_are_those_of_scipy(sample):
    lengths, ended = [one for one, _ in sample], [two for _, two in sample]
    if not any(ended):
        return
    data = stats.CensoredData.right_censored(lengths, [not one for one in ended])
    theirs = stats.ecdf(data).sf
    with np.errstate(all="ignore"):
        band = theirs.confidence_interval(method="log-log")
    mine = kaplan_meier(lengths, ended)
    for day, left, low, high in zip(mine.days[1:], mine.left[1:], mine.low[1:], mine.high[1:], strict=True):
        at = list(theirs.quantiles).index(day)
        assert left == pytest.approx(theirs.probabilities[at])
        if 0 < left < 1 and np.isfinite(band.low.probabilities[at]):
            assert low == pytest.approx(band.low.probabilities[at]) and high == pytest.approx(band.high.probabilities[at])
        assert low <= left + 1e-12 <= high + 1e-9
