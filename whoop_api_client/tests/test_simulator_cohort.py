"""The synthetic cohort has the statistics of real wearers, and its stated truth is the truth."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from whoop_api_client.simulator import BadMemberRequest, make_cohort, make_member

NOW = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)

# statistic: 10-90 % of people as measured (forecasting.md 2.3), then where the cohort's median must lie
TABLE = {
    "mean_ms": ((37, 101), (54, 72)),
    "sd_ms": ((8.5, 23.8), (10.5, 16.5)),
    "cv": ((0.14, 0.33), (0.19, 0.26)),
    "sd_ln": ((0.15, 0.37), (0.20, 0.28)),
    "sd_ln_detrended": ((0.13, 0.34), (0.19, 0.27)),
    "sd_change_ln": ((0.17, 0.47), (0.24, 0.34)),
    "mean_change_ms": ((7.0, 22.1), (8.5, 14.5)),
    "week_cv_pct": ((11, 25), (16, 22)),
    "week_cv_ln_pct": ((2.6, 6.4), (4.2, 5.9)),
    "lag1": ((0.13, 0.47), (0.27, 0.43)),
    "lag1_detrended": ((0.04, 0.33), (0.15, 0.27)),
    "lag7": ((0.02, 0.44), (0.10, 0.25)),
    "lag7_detrended": ((-0.08, 0.21), (-0.01, 0.09)),
    "ar1_from_28": ((0.09, 0.37), (0.17, 0.30)),
    "skew_ms": ((-0.7, 1.0), (-0.25, 0.25)),
    "skew_ln": ((-2.2, 0.2), (-1.15, -0.6)),
    "resting_hr_r": ((-0.91, -0.54), (-0.85, -0.73)),
    "recovery_r": ((0.74, 0.88), (0.74, 0.83)),
    "missing": ((0.004, 0.30), (0.01, 0.04)),
}


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(40, 7, n_nights=300)


@pytest.fixture(scope="module")
def statistics(cohort):
    rows = [_statistics(member) for member in cohort]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", TABLE)
def test_the_cohort_looks_like_real_wearers(statistics, name):
    (low, high), (median_low, median_high) = TABLE[name]
    values = statistics[name]
    assert median_low <= np.median(values) <= median_high
    assert np.mean((values >= low) & (values <= high)) >= 0.7


def test_bad_nights_are_as_frequent_as_in_life_and_rebound(statistics):
    assert 11 <= np.median(statistics["share_20_below_pct"]) <= 20
    assert 5 <= np.median(statistics["share_30_below_pct"]) <= 11
    assert 10 <= np.median(statistics["share_20_above_pct"]) <= 20
    assert -14 <= np.nanmedian(statistics["rebound_pct"]) <= -3


def test_slopes_seen_from_outside_are_those_of_real_wearers(cohort):
    """The regression of forecasting.md 2.4 on wearable fields alone; bounds are its pooled intervals."""
    slopes = np.mean([_wearable_slopes(member) for member in cohort], axis=0)
    strain, weekend, monday = slopes
    assert -11.7 <= strain <= -6.4
    assert -7.4 <= weekend <= -2.1
    assert 4.6 <= monday <= 10.6


def test_a_drinking_evening_costs_about_a_quarter(cohort):
    costs = [
        100 * np.expm1(night.effects_ln["alcohol"])
        for member in cohort
        for night in member.days
        if night.effects_ln.get("alcohol", 0) < 0
    ]
    assert -29 <= np.mean(costs) <= -19


def test_true_effects_are_recovered_by_regression(cohort):
    """Pooled over members the estimates scatter around the stated effects without bias, nulls included."""
    errors, standard_errors = zip(*(_effect_errors(member) for member in cohort), strict=True)
    z = np.array(errors) / np.array(standard_errors)
    z = np.where(np.isfinite(z), z, np.nan)
    pooled = np.nanmean(z, axis=0) * np.sqrt(np.sum(np.isfinite(z), axis=0))
    assert np.all(np.abs(pooled) < 3.5), dict(zip(_BEHAVIOURS, pooled.round(2), strict=True))
    assert 0.85 < np.nanstd(z) < 1.15


def test_the_nightly_law_is_the_law(cohort):
    """PIT of every night under its stated law is uniform, and its quantiles invert its distribution function."""
    pit = np.array([night.law.cdf(night.hrv_rmssd_ms)[0] for member in cohort for night in member.days])
    for level in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95):
        assert abs(np.mean(pit <= level) - level) < 4 * np.sqrt(level * (1 - level) / pit.size)
    levels = np.array([0.01, 0.1, 0.5, 0.9, 0.99])
    law = cohort[0].days[-1].law
    assert np.allclose(law.cdf(law.quantiles_ms(levels)), levels, atol=1e-6)
    with pytest.raises(ValueError, match="between 0 and 1"):
        law.quantiles_ms(np.array([0.0]))


def test_equal_arguments_give_equal_members_and_other_seeds_others():
    one, same, other = make_member(3, now=NOW), make_member(3, now=NOW), make_member(4, now=NOW)
    assert one == same
    assert one.recoveries != other.recoveries


def test_today_moves_the_coming_nights_and_nothing_else():
    plain = make_member(2, now=NOW, today={"alcohol_drinks": 0})
    wine = make_member(2, now=NOW, today={"alcohol_drinks": 2}, today_note="Two glasses of wine.")
    k = plain.calendar.today_index
    assert plain.days[: k + 1] == wine.days[: k + 1]
    assert plain.recoveries == wine.recoveries
    change = wine.days[k + 1].law.mean_ln - plain.days[k + 1].law.mean_ln
    assert change == pytest.approx(2 * plain.truth["effects_ln"]["alcohol_per_drink"])
    assert np.log(wine.days[k + 1].hrv_rmssd_ms / plain.days[k + 1].hrv_rmssd_ms) == pytest.approx(change)
    assert wine.journal[-1].text == "Two glasses of wine."
    assert wine.journal[-1].day == wine.calendar.today
    assert wine.journal[-1].recorded_at < wine.now


def test_todays_training_moves_strain_and_workout():
    rest = make_member(2, now=NOW, today={"training": "none"})
    hard = make_member(2, now=NOW, today={"training": "hard", "training_minutes": 90, "sport": "running"})
    k = rest.calendar.today_index
    assert hard.behaviours[k].day_strain_0_21 > rest.behaviours[k].day_strain_0_21 + 3
    assert "Hard interval run, about ninety minutes." in hard.journal[-1].text
    assert "Rest day" in rest.journal[-1].text
    runs = [w for w in hard.workouts if w["sport_name"] == "running" and w not in rest.workouts]
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("today", "message"),
    [
        ({"beers": 2}, "got beers"),
        ({"alcohol_drinks": "two"}, "expected int"),
        ({"alcohol_drinks": True}, "expected int"),
        ({"stress_1to5": 6}, "expected 1 to 5"),
        ({"training": "brutal"}, "expected one of"),
        ({"sport": "chess"}, "expected one of"),
    ],
)
def test_an_impossible_today_is_refused(today, message):
    with pytest.raises(BadMemberRequest, match=message):
        make_member(0, now=NOW, today=today)


@pytest.mark.parametrize(
    "arguments",
    [
        {"now": datetime(2026, 11, 23)},
        {"n_nights": 3},
        {"utc_offset_min": 7},
        {"future_nights": 0},
        {"seed": -1},
    ],
)
def test_an_impossible_member_is_refused(arguments):
    with pytest.raises(BadMemberRequest, match="expected"):
        make_member(**({"now": NOW} | arguments))


def test_a_member_is_made_in_under_a_second():
    begun = time.process_time()
    make_member(11, now=NOW)
    assert time.process_time() - begun < 1


# --- reference computations -----------------------------------------------------------------------------------

_BEHAVIOURS = ("strain", "alcohol", "illness", "late_meal", "stress", "caffeine", "magnesium")


def _statistics(member) -> dict[str, float]:
    past = member.days[: member.calendar.today_index + 1]
    hrv = np.array([night.hrv_rmssd_ms for night in past])
    ln = np.log(hrv)
    detrended = ln - np.array([ln[max(0, k - 30) : k + 31].mean() for k in range(ln.size)])
    from_28 = np.array([ln[k] - ln[k - 28 : k].mean() for k in range(28, ln.size)])
    ratio = np.array([hrv[k] / np.median(hrv[k - 28 : k]) for k in range(28, hrv.size)])
    weeks = [slice(k, k + 7) for k in range(0, ln.size - 7, 7)]
    after_bad = from_28[1:][from_28[:-1] < np.log(0.75)]
    heart = np.log([night.resting_hr_bpm for night in past])
    recovery = np.array([night.recovery_pct for night in past])
    return {
        "mean_ms": hrv.mean(),
        "sd_ms": hrv.std(),
        "cv": hrv.std() / hrv.mean(),
        "sd_ln": ln.std(),
        "sd_ln_detrended": detrended.std(),
        "sd_change_ln": np.diff(ln).std(),
        "mean_change_ms": np.abs(np.diff(hrv)).mean(),
        "week_cv_pct": 100 * np.mean([hrv[w].std(ddof=1) / hrv[w].mean() for w in weeks]),
        "week_cv_ln_pct": 100 * np.mean([ln[w].std(ddof=1) / ln[w].mean() for w in weeks]),
        "lag1": _autocorrelation(ln, 1),
        "lag1_detrended": _autocorrelation(detrended, 1),
        "lag7": _autocorrelation(ln, 7),
        "lag7_detrended": _autocorrelation(detrended, 7),
        "ar1_from_28": _autocorrelation(from_28, 1),
        "skew_ms": _skew(hrv),
        "skew_ln": _skew(ln),
        "resting_hr_r": np.corrcoef(ln, heart)[0, 1],
        "recovery_r": np.corrcoef(ln, recovery)[0, 1],
        "missing": 1 - np.mean([night.observed for night in past]),
        "share_20_below_pct": 100 * np.mean(ratio < 0.8),
        "share_30_below_pct": 100 * np.mean(ratio < 0.7),
        "share_20_above_pct": 100 * np.mean(ratio > 1.2),
        "rebound_pct": 100 * after_bad.mean() if after_bad.size > 3 else np.nan,
    }


def _autocorrelation(values: np.ndarray, lag: int) -> float:
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).sum() / (centred**2).sum())


def _skew(values: np.ndarray) -> float:
    centred = values - values.mean()
    return float((centred**3).mean() / (centred**2).mean() ** 1.5)


def _wearable_slopes(member) -> np.ndarray:
    """Percent per +5 strain of the day before, for waking at the weekend, for waking on Monday."""
    ln = np.log([night.hrv_rmssd_ms for night in member.days])
    residual = np.array([ln[k] - ln[k - 28 : k].mean() for k in range(28, ln.size)])
    strain = np.array([day.day_strain_0_21 for day in member.behaviours])[27:-1]
    weekday = np.array([day.day.weekday() for day in member.behaviours])[28:]
    design = np.column_stack(
        [
            np.ones(residual.size),
            strain - strain.mean(),
            weekday >= 5,
            weekday == 0,
            np.r_[0, residual[:-1]],
        ]
    )
    beta = np.linalg.lstsq(design.astype(float), residual, rcond=None)[0]
    return 100 * np.expm1([5 * beta[1], beta[2], beta[3]])


def _effect_errors(member) -> tuple[np.ndarray, np.ndarray]:
    """Estimate minus truth and standard error: behaviours of day d-1, night of d; level and weekday known."""
    true = member.traits.effects
    wanted = np.array(
        [
            true.strain_per_point,
            true.alcohol_per_drink,
            true.illness,
            true.late_meal,
            true.stress_per_point,
            true.caffeine_per_serving,
            true.magnesium,
        ]
    )
    nights, days = member.days[1:], member.behaviours[:-1]
    left = np.array(
        [
            np.log(n.hrv_rmssd_ms)
            - n.level_ln
            - n.effects_ln["weekday"]
            - n.effects_ln["travel"]
            - n.residual_carried_ln
            for n in nights
        ]
    )
    design = np.array(
        [
            [
                1.0,
                d.day_strain_0_21,
                d.alcohol_drinks,
                d.illness,
                d.late_meal,
                d.stress_1to5,
                d.caffeine_servings,
                d.magnesium,
            ]
            for d in days
        ],
        dtype=float,
    )
    varied = design.std(axis=0) > 0
    varied[0] = True
    beta, _, _, _ = np.linalg.lstsq(design[:, varied], left, rcond=None)
    noise = left - design[:, varied] @ beta
    covariance = np.linalg.inv(design[:, varied].T @ design[:, varied]) * noise.var(ddof=varied.sum())
    estimate, error = np.full(design.shape[1], np.nan), np.full(design.shape[1], np.nan)
    estimate[varied], error[varied] = beta, np.sqrt(np.diag(covariance))
    return estimate[1:] - wanted, error[1:]
