"""The synthetic cohort: its law is true, rests on observables alone, and its nights look like nights.

Synthetic wins prove the pipeline, not the physiology.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.scoring import crps_from_quantiles
from model_training.errors import TrainingError
from model_training.synthetic import cohort_table, law, make_cohort, true_quantiles, write_cohort
from model_training.synthetic.process import (
    Calendar,
    Day,
    Night,
    State,
    advance,
    calendar,
    location,
    sick_probability,
)
from model_training.synthetic.realism import REAL_RANGES, night_effects, night_statistics

LEVELS = np.asarray(QUANTILE_LEVELS)
REAL_TABLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "daily_hrv.parquet"
ORIGINS = np.arange(60, 330, 7)


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(64, 340, seed=11)


@pytest.fixture(scope="module")
def laws(cohort):
    """Quantiles [people, O, 7, 23] per slot."""
    people = range(cohort.shape[0])
    return {
        slot: np.stack([true_quantiles(cohort, k, ORIGINS, slot, paths=500) for k in people])
        for slot in ("evening", "morning")
    }


def outcomes(cohort, horizon: int) -> np.ndarray:
    """RMSSD of the target nights [people, O], nan where not worn."""
    night = cohort.record.night
    return np.where(night.missing, np.nan, np.exp(night.y))[:, ORIGINS + horizon]


def worn(cohort, q: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    y = outcomes(cohort, horizon)
    return q[np.isfinite(y)], y[np.isfinite(y)]


def uniformity_p(q: np.ndarray, y: np.ndarray) -> float:
    """Chi-square p-value of the counts between the quantiles: the PIT histogram at the forecast's own levels."""
    counts = np.bincount((y[:, None] > q).sum(axis=1), minlength=len(LEVELS) + 1)
    expected = np.diff(np.r_[0.0, LEVELS, 1.0]) * len(y)
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), len(LEVELS)))


@pytest.mark.parametrize(
    ("slot", "horizon"), [("evening", 1), ("evening", 2), ("evening", 7), ("morning", 1), ("morning", 4)]
)
def test_the_law_is_calibrated(cohort, laws, slot, horizon):
    q, y = worn(cohort, laws[slot][:, :, horizon - 1], horizon)
    assert len(y) > 2000
    assert uniformity_p(q, y) > 0.01
    for low, high in ((0.10, 0.90), (0.025, 0.975)):
        inside = np.mean((y >= q[:, QUANTILE_LEVELS.index(low)]) & (y <= q[:, QUANTILE_LEVELS.index(high)]))
        mass = high - low
        assert abs(inside - mass) < 3 * np.sqrt(mass * (1 - mass) / len(y))


def test_the_calibration_test_bites(cohort, laws):
    """A law that is 15 % too wide, or centred 3 % off, is found out on the same nights."""
    q, y = worn(cohort, laws["evening"][:, :, 0], 1)
    centre = q[:, 11:12]
    assert uniformity_p(centre * (q / centre) ** 1.15, y) < 0.01
    assert uniformity_p(q * 1.03, y) < 0.01


def test_every_distortion_scores_worse(cohort, laws):
    q, y = worn(cohort, laws["evening"][:, :, 0], 1)
    centre = q[:, 11:12]
    symmetric = centre * np.sqrt((q / centre) / (q / centre)[:, ::-1])
    distorted = {
        "higher": q * 1.05,
        "lower": q * 0.95,
        "wide": centre * (q / centre) ** 1.35,
        "narrow": centre * (q / centre) ** 0.70,
        "without the left tail": symmetric,
        "the morning's": worn(cohort, laws["morning"][:, :, 0], 1)[0],
        "another night's": worn(cohort, np.roll(laws["evening"][:, :, 0], 1, axis=1), 1)[0],
    }
    truth = crps_from_quantiles(q, y)
    for name, other in distorted.items():
        loss = (crps_from_quantiles(other, y) - truth) / centre[:, 0]
        assert loss.mean() > 2 * loss.std() / np.sqrt(len(loss)), name


def test_mixture_and_simulation_agree(cohort):
    """Two ways to night 1 of an evening: the mixture in closed form and the simulated paths."""
    origins = np.arange(100, 130)
    for index in (
        int(np.flatnonzero(cohort.people.journals)[0]),
        int(np.flatnonzero(~cohort.people.journals)[0]),
    ):
        person = cohort.people.one(index)
        parts = (
            law._at(cohort.record.state, index, origins),
            law._at(cohort.record.day, index, origins),
            cohort.record.sick_known[index, origins][:, None],
        )
        numbers = cohort.first_day[index] + origins
        paths = law._simulated(person, *parts, numbers, np.random.default_rng(5), 12_000)[:, 0]
        exact = np.log(true_quantiles(cohort, index, origins, "evening", paths=50)[:, 0])
        assert np.abs(paths - exact)[:, 2:-2].max() < 0.12 * person.sigma


@pytest.mark.parametrize("slot", ["evening", "morning"])
def test_the_law_sees_no_hidden_and_no_later_fact(cohort, slot):
    """Poison what an observer can't know: everything later, unlogged drinks and illness, in the morning the day."""
    rng = np.random.default_rng(3)
    origin, index = 150, int(np.flatnonzero(cohort.people.journals)[1])
    before = true_quantiles(cohort, index, [origin], slot, paths=100)
    later = np.arange(cohort.shape[1]) > origin
    day_ahead = later | ((np.arange(cohort.shape[1]) == origin) & (slot == "morning"))
    record = cohort.record
    unlogged = ~record.day.logged
    day = {f.name: poisoned(getattr(record.day, f.name), day_ahead, rng) for f in fields(Day)}
    for name in ("drinks", "sick"):
        day[name] = np.where(unlogged, poisoned(day[name], np.ones_like(later), rng), day[name])
    state = {f.name: poisoned(getattr(record.state, f.name), later, rng) for f in fields(State)}
    state["sick"] = poisoned(state["sick"], np.ones_like(later), rng)
    night = {f.name: poisoned(getattr(record.night, f.name), later, rng) for f in fields(Night)}
    night["hit"] = poisoned(night["hit"], np.ones_like(later), rng)
    told = replace(
        record,
        day=Day(**day),
        state=State(**state),
        night=Night(**night),
        sick_known=poisoned(record.sick_known, later, rng),
        sick_night=poisoned(record.sick_night, np.ones_like(later), rng),
    )
    after = true_quantiles(replace(cohort, record=told), index, [origin], slot, paths=100)
    np.testing.assert_array_equal(before, after)


def poisoned(values: np.ndarray, where: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.random(values.shape) < 0.5 if values.dtype == bool else rng.integers(1, 9, values.shape)
    return np.where(where, noise.astype(values.dtype), values)


def test_states_follow_from_the_published_table(cohort):
    """An observer with the table and the true parameters finds every state (innovations form)."""
    table = cohort_table(cohort)
    nights = cohort.shape[1]
    for index in (0, 1, int(np.argmax(cohort.record.night.missing.mean(axis=1)))):
        rows = table.filter(pl.col("person_id") == f"s{index + 1:04d}").to_dicts()
        person = cohort.people.one(index)
        stored = cohort.record.state
        state = State(**{f.name: getattr(stored, f.name)[index, 0] for f in fields(State)})
        sick_known = cohort.record.sick_known[index, 0]
        for t in range(1, nights):
            cal = calendar(person, np.array(cohort.first_day[index] + t - 1))
            day, night = observed(person, state, rows[t - 1], rows[t], cal)
            sick_known = day.sick if day.logged or not night.missing else sick_probability(sick_known)
            state = advance(person, state, day, night)
            for f in fields(State):
                if f.name != "sick":
                    assert getattr(state, f.name) == pytest.approx(
                        getattr(stored, f.name)[index, t], abs=1e-9
                    )
            assert sick_known == pytest.approx(cohort.record.sick_known[index, t], abs=1e-12)


def observed(person, state: State, day_row: dict, night_row: dict, cal: Calendar) -> tuple[Day, Night]:
    journal = json.loads(day_row["journal"]) if day_row["journal"] else None
    extra = json.loads(day_row["extra"]) if day_row["extra"] else {}
    is_worn = night_row["hrv_rmssd_ms"] is not None
    sick = journal["sick"] if journal else is_worn and night_row["skin_temp_c"] - person.temp_mean > 0.5
    day = Day(
        strain=np.float64(day_row["strain"] if day_row["strain"] is not None else np.nan),
        workout=np.bool_(extra.get("workout_count", 0) > 0),
        late=np.bool_(extra.get("last_workout_end_h", 0) >= 20),
        seen=np.bool_(day_row["strain"] is not None),
        drinks=np.int64(journal["alcohol"] if journal else 0),
        sick=np.bool_(sick),
        logged=np.bool_(journal is not None),
        device=np.bool_(day_row["device"] == "synthetic strap 2"),
    )
    if not is_worn:
        return day, Night(*map(np.array, (True, 0.0, 0.0, False, 0.0, 0.0, 0.0)))
    y = np.log(night_row["hrv_rmssd_ms"])
    e = y - location(person, state, day, cal)
    usual_rhr = person.rhr_ln - person.rhr_hrv_slope * (y - person.location)
    z_rhr = (np.log(night_row["rhr_bpm"]) - usual_rhr) / person.rhr_noise
    z_resp = (night_row["resp_rate"] - person.resp_mean - sick) / 0.45 + 0.32 * np.clip(
        e / person.sigma, -4, 4
    )
    return day, Night(*map(np.array, (False, y, e, False, z_rhr, z_resp, night_row["sleep_min"] / 60)))


def test_nights_look_like_those_of_real_people():
    statistics = night_statistics(cohort_table(make_cohort(100, 400, seed=5)))
    for name, (median, low, high) in REAL_RANGES.items():
        values = statistics[name].to_numpy()
        ours = np.nanmedian(values)
        if low is None:
            assert abs(ours - median) < 0.06, name
            continue
        assert low <= ours <= high, name
        assert abs(ours - median) < 0.4 * (high - low), name
        spread = np.diff(np.nanquantile(values, [0.1, 0.9]))[0]
        assert 0.4 < spread / (high - low) < 2.0, name


def test_effects_are_those_of_the_reference():
    effects = night_effects(cohort_table(make_cohort(90, 400, seed=6, journal_share=1.0)))
    mean = {name: effects[name].cast(float).mean() for name in effects.columns[1:]}
    assert -11.7 < mean["strain_5"] < -6.4
    assert 2.5 < effects["strain_5"].std() < 8.5
    assert -30.0 < mean["alcohol"] < -16.0
    assert effects["alcohol"].cast(float).std() > 12.0
    assert abs(mean["alcohol_after"]) < 4.0
    assert -16.0 < mean["sick"] < -4.0
    real = {"mon": 5.8, "tue": 4.6, "wed": 0.6, "thu": 1.4, "fri": -2.7, "sat": -4.4, "sun": -4.6}
    for name, value in real.items():
        assert abs(mean[name] - value) < 1.6, name


def test_attainable_skill_is_that_of_honest_forecasts(cohort, laws):
    """Against the last 28 nights; far above this band would be a leak, far below a cohort without signal."""
    y = np.where(cohort.record.night.missing, np.nan, np.exp(cohort.record.night.y))
    last_28 = np.array(
        [[np.quantile(p[: o + 1][np.isfinite(p[: o + 1])][-28:], LEVELS) for o in ORIGINS] for p in y]
    )

    def skill(slot: str, horizon: int) -> float:
        ratios = []
        for k, target in enumerate(outcomes(cohort, horizon)):
            use = np.isfinite(target)
            ours = crps_from_quantiles(laws[slot][k, use, horizon - 1], target[use]).mean()
            ratios.append(ours / crps_from_quantiles(last_28[k, use], target[use]).mean())
        return 100 * (1 - np.exp(np.mean(np.log(ratios))))

    evening, morning = skill("evening", 1), skill("morning", 1)
    assert 11 < evening < 21
    assert 6 < morning < evening - 2
    assert 3 < np.mean([skill("evening", h) for h in range(3, 8)]) < 9


def test_the_table_has_the_form_of_the_shared_one(cohort):
    table = cohort_table(cohort)
    people, nights = cohort.shape
    assert table.height == people * nights
    assert table["person_id"].unique(maintain_order=True).to_list()[:2] == ["s0001", "s0002"]
    assert table.select("person_id", "date").is_duplicated().sum() == 0
    assert table.filter(pl.col("hrv_rmssd_ms").is_null())["rhr_bpm"].null_count() == int(
        cohort.record.night.missing.sum()
    )
    if not REAL_TABLE.exists():
        pytest.skip("the shared data is not beside the checkout: the schema has nothing to be compared with")
    assert table.schema == pl.read_parquet_schema(REAL_TABLE)


def test_a_seed_is_a_cohort(tmp_path):
    written = [tmp_path / name for name in ("a.parquet", "b.parquet", "c.parquet")]
    for path, seed in zip(written, (3, 3, 4), strict=True):
        write_cohort(path, 5, 60, seed)
    first, again, other = (path.read_bytes() for path in written)
    assert first == again
    assert first != other


def test_laws_do_not_depend_on_the_other_origins(cohort):
    alone = true_quantiles(cohort, 2, [90], "evening", paths=60)
    among = true_quantiles(cohort, 2, [80, 90, 100], "evening", paths=60)
    np.testing.assert_array_equal(alone[0], among[1])
    assert alone.shape == (1, 7, 23)
    assert np.all(np.diff(among, axis=-1) >= 0)


def test_journal_share_is_kept():
    assert cohort_table(make_cohort(4, 30, 1, journal_share=0.0))["journal"].null_count() == 120
    assert cohort_table(make_cohort(4, 30, 1, journal_share=1.0))["journal"].null_count() < 30


@pytest.mark.parametrize("size", [(0, 5, 0.4), (5, 0, 0.4), (5, 5, 1.4)])
def test_a_bad_size_is_refused(size):
    with pytest.raises(TrainingError, match="at least one person"):
        make_cohort(*size[:2], 1, journal_share=size[2])


def test_a_bad_question_is_refused(cohort):
    with pytest.raises(TrainingError, match="slot"):
        true_quantiles(cohort, 0, [5], "noon")
    with pytest.raises(TrainingError, match="origins"):
        true_quantiles(cohort, 0, [999], "evening")
