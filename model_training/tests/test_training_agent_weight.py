"""What the recalibrated agent earns in ``final``, and that no agent, whatever it does, costs more than one percent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from hrv_shared.past_scores import ledger_frame, scored_by
from hrv_shared.scoring import crps_from_quantiles
from model_training.agent_weight import GRID, START, Voices, agent_weights
from model_training.explanation import final_with_parts
from model_training.final import final_rows

Z = np.array([NormalDist().inv_cdf(level) for level in QUANTILE_LEVELS])
NOISE = 0.16
FIRST = date(2026, 1, 1)


def useful(i, n, event, effect, came, rng):
    """Hears of each event and says most of its effect."""
    return 0.8 * effect + rng.normal(0, 0.02) if event else 0.0


def useless(i, n, event, effect, came, rng):
    return rng.normal(0, 0.1) if event else 0.0


def harmful(i, n, event, effect, came, rng):
    return -0.8 * effect


def wild(i, n, event, effect, came, rng):
    return rng.normal(0, 0.4) if event else 0.0


def changing(i, n, event, effect, came, rng):
    """Useful, then harmful, then useful."""
    return (harmful if 1 <= 3 * i // n < 2 else useful)(i, n, event, effect, came, rng)


def betraying(i, n, event, effect, came, rng):
    return (useful if 2 * i < n else harmful)(i, n, event, effect, came, rng)


def foe(i, n, event, effect, came, rng):
    """Knows the outcome and says the other side, far off, every night."""
    return -0.4 * np.sign(came)


def trickster(i, n, event, effect, came, rng):
    """Knows the outcome: earns trust on five nights with it, spends it on the sixth."""
    return 0.9 * came if i % 6 < 5 else -0.8 * np.sign(came)


def voices(agent, seed, n=730):
    """Two years of nights 1: events move ln RMSSD by about -0.1 on a quarter of them; the mix knows nothing of it."""
    rng = np.random.default_rng(seed)
    event = rng.random(n) < 0.25
    effect = np.where(event, rng.normal(-0.1, 0.04, n), 0.0)
    came = np.r_[0, effect[:-1]] + rng.normal(0, NOISE, n)
    mix = np.broadcast_to(60 * np.exp(1.03 * NOISE * Z), (n, 7, 23)).copy()
    shift = np.array([agent(i, n, event[i], effect[i], came[i + 1], rng) for i in range(n - 1)] + [0.0])
    said = mix.copy()
    said[:, 0] *= np.exp(shift)[:, None]
    counts = np.zeros((n, 7), dtype=bool)
    counts[:, 0] = shift != 0
    return Voices(mix, said, 60 * np.exp(came), counts, ["s1"] * n)


def losses(told, weights):
    """CRPS of mix, agent and final for night 1."""
    came, w = told.outcomes_ms[1:], weights[:-1, 0, None]
    mix, said = told.mix[:-1, 0], told.agent[:-1, 0]
    return [crps_from_quantiles(q, came) for q in (mix, said, (1 - w) * mix + w * said)]


@pytest.mark.parametrize(
    "agent", [useful, useless, harmful, wild, changing, betraying, foe, trickster], ids=lambda a: a.__name__
)
def test_final_is_never_worse_than_the_mix_by_more_than_one_percent(agent):
    """n = 3 seeds x 729 nights; every stretch from the first night on, of 200 nights and more."""
    for seed in range(3):
        told = voices(agent, seed)
        mix, said, final = losses(told, agent_weights(told).weights)
        excess = np.cumsum(final)[199:] / np.cumsum(mix)[199:] - 1
        assert excess.max() < 0.01, (seed, excess.max())
        if agent in (harmful, wild, foe):
            assert said.mean() / mix.mean() > 1.08


def test_the_week_is_guarded_night_by_night_against_a_foe_that_knows_it():
    """n = 1 seed x 300 origins x 7 nights; the outcome of night 7 is known a week after it was spoilt."""
    told = voices(foe, 5, n=300)
    came = np.log(told.outcomes_ms / 60)
    for k, h in enumerate(HORIZONS):
        side = np.r_[np.sign(came[h:]), np.zeros(h)]
        told.agent[:, k] = told.mix[:, k] * np.exp(-0.4 * side)[:, None]
    told.counts[:] = True
    weights = agent_weights(told).weights
    for k, h in enumerate(HORIZONS):
        w, mix = weights[:-h, k, None], told.mix[:-h, k]
        final = crps_from_quantiles((1 - w) * mix + w * told.agent[:-h, k], told.outcomes_ms[h:])
        plain = crps_from_quantiles(mix, told.outcomes_ms[h:])
        assert (np.cumsum(final)[199:] / np.cumsum(plain)[199:] - 1).max() < 0.01, h


def test_a_useful_agent_is_let_in_and_pays_on_the_nights_it_speaks_of():
    gains = []
    for seed in range(3):
        told = voices(useful, seed)
        found = agent_weights(told)
        mix, said, final = losses(told, found.weights)
        spoke = told.counts[:-1, 0]
        gains.append(1 - final[spoke].sum() / mix[spoke].sum())
        assert found.weights[np.flatnonzero(spoke)[0], 0] == pytest.approx(START @ GRID, abs=1e-3)
        assert found.weights[spoke.nonzero()[0][-30:], 0].mean() > 0.4
        assert (found.weights[:-1][~spoke] == 0).all()
    assert np.mean(gains) > 0.08


def test_a_harmful_agent_is_let_out_and_one_that_mends_comes_back():
    out = agent_weights(voices(harmful, 1))
    spoke = out.earned[:, 0] > 0
    assert out.earned[spoke, 0][-30:].mean() < 0.05
    mended = voices(changing, 2, n=900)
    found = agent_weights(mended)
    speaks = np.flatnonzero(mended.counts[:, 0])
    third = [found.earned[speaks[(speaks >= a) & (speaks < a + 100)], 0].mean() for a in (200, 500, 800)]
    assert third[0] > 0.3 and third[1] < 0.1 and third[2] > 0.2


def test_nights_with_large_and_small_shifts_are_learned_apart():
    told = voices(useful, 3)
    small = np.arange(730) % 2 == 0
    told.agent[small, 0] = told.mix[small, 0] * 0.99
    told.counts[:, 0] = True
    told.agent[~small, 0] = told.mix[~small, 0] * 0.9
    found = agent_weights(told)
    assert not found.event[small, 0].any() and found.event[~small, 0].any()
    assert found.scored[-1].sum() and found.scored[-2, 0] != found.scored[-3, 0]


def test_a_new_segment_loses_what_was_earned_and_keeps_what_was_lost():
    for agent, kept in ((useful, False), (harmful, True)):
        told = voices(agent, 4, n=400)
        same = agent_weights(voices(agent, 4, n=400))
        at = int(np.flatnonzero(same.event[:300, 0])[-1])
        told.segments[at:] = ["s2"] * (400 - at)
        found = agent_weights(told)
        assert found.scored[at, 0] == 0 and same.scored[at, 0] > 40
        if kept:
            assert found.earned[at, 0] == pytest.approx(same.earned[at, 0], abs=1e-3)
            assert found.earned[at, 0] < (START @ GRID) / 2
            assert found.gain_nights[at, 0] == same.gain_nights[at, 0] < 0
        else:
            assert found.earned[at, 0] <= START @ GRID + 1e-3 < same.earned[at, 0]


def test_harm_that_is_still_open_is_counted_before_it_is_known():
    """Night 7 comes true a week late: an agent far off can't spend the budget seven times before that."""
    n, week = 30, slice(0, 7)
    mix = np.broadcast_to(60 * np.exp(NOISE * Z), (n, 7, 23)).copy()
    told = Voices(mix, mix * 3.0, np.full(n, 20.0), np.ones((n, 7), dtype=bool), ["s1"] * n)
    found = agent_weights(told)
    w, came = found.weights[week, 6, None], told.outcomes_ms[week]
    final = (1 - w) * mix[week, 6] + w * told.agent[week, 6]
    harm = (crps_from_quantiles(final, came) - crps_from_quantiles(mix[week, 6], came)).sum()
    unit = np.abs(mix[0, 6][:, None] - mix[0, 6]).mean() / 2
    assert 0.4 * unit < harm < unit
    assert (found.weights[week, 6] < found.earned[week, 6]).all()


def test_what_weighs_at_an_origin_rests_on_earlier_nights_only():
    told = voices(useful, 6, n=300)
    whole = agent_weights(told).weights
    told.outcomes_ms[201:] = 5.0
    np.testing.assert_array_equal(agent_weights(told).weights[:201], whole[:201])


def test_the_start_is_a_fifth():
    assert sum(START) == pytest.approx(1)
    assert float(START @ GRID) == pytest.approx(0.20, abs=0.005)


# rows of the ledger


def rows_of(told, i, segment="s1"):
    origin = FIRST + timedelta(days=i)
    as_of = datetime(origin.year, origin.month, origin.day, 22, tzinfo=UTC)
    made = []
    for h in HORIZONS:
        moved = bool(told.counts[i, h - 1])
        reasons = {"segment": segment, "moved": moved, "levers": ["L1"] if moved else []}
        target = origin + timedelta(days=h)
        whole = {"parts_ms": {"base": 60.0}}
        for name, q, why in (("mix", told.mix, whole), ("agent_calibrated", told.agent, reasons)):
            quantiles = tuple(map(float, q[i, h - 1]))
            made.append(
                ForecastRow("me", "evening", as_of, origin, target, h, name, "1", quantiles, "d", why)
            )
    return made


def scores_at(told, i):
    frame = ledger_frame([row for k in range(i) for row in rows_of(told, k)], "live")
    known_at = [datetime(2026, 1, 1, 8, tzinfo=UTC) + timedelta(days=k) for k in range(len(told.outcomes_ms))]
    days = [FIRST + timedelta(days=k) for k in range(len(told.outcomes_ms))]
    nights = [at - timedelta(hours=9) for at in known_at]
    came = pl.DataFrame(
        {"day": days, "hrv_rmssd_ms": told.outcomes_ms, "night_began_at": nights, "known_at": known_at}
    )
    return scored_by(frame, came, known_at[i] + timedelta(hours=14))


def test_rows_of_the_ledger_weigh_what_the_walk_says_and_the_parts_still_add_up():
    told = voices(useful, 7, n=260)
    i = int(np.flatnonzero(told.counts[:, 0])[-1])
    until = slice(0, i + 1)
    cut = Voices(
        told.mix[until], told.agent[until], told.outcomes_ms[until], told.counts[until], ["s1"] * (i + 1)
    )
    weight = agent_weights(cut).weights[-1, 0]
    now = rows_of(told, i)
    final = final_with_parts(
        [row for row in now if row.forecaster == "mix"], final_rows(now, scores_at(told, i))
    )
    assert [row.forecaster for row in final] == ["final"] * 7
    assert final[0].reasons["weights"] == {
        "mix": pytest.approx(1 - weight),
        "agent_calibrated": pytest.approx(weight),
    }
    assert weight > 0.2
    np.testing.assert_allclose(
        final[0].quantiles_ms, (1 - weight) * told.mix[i, 0] + weight * told.agent[i, 0]
    )
    assert sum(final[0].reasons["parts_ms"].values()) == pytest.approx(final[0].quantiles_ms[11], abs=1e-9)
    assert final[0].reasons["parts_ms"]["agent"] < 0
    for row in final[1:]:
        assert row.quantiles_ms == pytest.approx(tuple(told.mix[i, row.horizon - 1]))
        assert row.reasons["weights"] == {"mix": 1.0} and "moved nothing" in row.reasons["note"]


def test_the_raw_agent_the_rules_and_the_guess_are_not_in_final():
    told = voices(useful, 8, n=30)
    now = [row for row in rows_of(told, 20) if row.forecaster == "mix"]
    others = [ForecastRow(r.member_id, r.slot, r.as_of, r.origin_day, r.target_day, r.horizon, name, "1",
                          tuple(0.5 * q for q in r.quantiles_ms), "d", {"moved": True, "levers": ["L1"]})
              for r in now for name in ("agent", "rules", "guess")]  # fmt: skip
    final = final_rows([*now, *others], scores_at(told, 20))
    for row, own in zip(final, now, strict=True):
        assert row.quantiles_ms == pytest.approx(own.quantiles_ms) and "no forecast" in row.reasons["note"]
    assert final_rows(others, scores_at(told, 20)) == []


@pytest.mark.slow
def test_what_each_kind_of_agent_costs_and_brings_over_two_years(capsys):
    """n = 20 seeds x 729 nights 1; the table is what docs/reliability.md quotes."""
    rows = []
    for agent in (useful, useless, harmful, wild, changing, betraying, foe, trickster):
        per_seed = []
        for seed in range(20):
            told = voices(agent, seed)
            mix, said, final = losses(told, agent_weights(told).weights)
            spoke = told.counts[:-1, 0]
            excess = np.cumsum(final)[199:] / np.cumsum(mix)[199:] - 1
            per_seed.append(
                [final.sum() / mix.sum() - 1, said.sum() / mix.sum() - 1, excess.max(),
                 final[spoke].sum() / mix[spoke].sum() - 1, said[spoke].sum() / mix[spoke].sum() - 1]
            )  # fmt: skip
        mean, worst = 100 * np.mean(per_seed, axis=0), 100 * np.max(per_seed, axis=0)
        assert worst[2] < 1.0, (agent.__name__, worst)
        rows.append(
            f"{agent.__name__:10} final {mean[0]:+6.2f} % (worst stretch {worst[2]:+5.2f}), agent {mean[1]:+7.1f} %; "
            f"nights it spoke of: final {mean[3]:+6.2f}, agent {mean[4]:+7.1f} %"
        )
    with capsys.disabled():
        print("\nCRPS against the mix, 20 seeds x 729 nights", *rows, sep="\n")
