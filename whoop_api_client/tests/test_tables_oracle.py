"""The day vintages against a slow, plain reference: for every instant, the whole table from what was known by then."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrv_shared.daytime import parse_instant, parse_offset_min
from hrv_shared.history import as_of_days
from hrv_shared.record import Fact
from whoop_api_client.tables import derive
from whoop_api_client.tables.shapes import read

BASE = datetime(2026, 3, 27, 22, tzinfo=UTC)
SAME, NEAR = timedelta(seconds=2), timedelta(minutes=5)


@st.composite
def small_worlds(draw: st.DrawFn) -> list[Fact]:
    """A few cycles of two sources on a coarse grid, so that they collide, nest, move, and vanish."""
    facts, revisions = [], {}
    for seq in range(draw(st.integers(1, 26))):
        kind = draw(st.sampled_from(sorted(_PAYLOADS)))
        key, payload = _PAYLOADS[kind](draw)
        revisions[kind, key] = revision = revisions.get((kind, key), 0) + 1
        known_at = BASE + timedelta(hours=6 * draw(st.integers(0, 14)))
        basis = draw(st.sampled_from(["seen", "inferred:updated-at"]))
        facts.append(_fact(seq, kind, key, revision, known_at, payload, basis))
    return facts


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_worlds())
def test_every_as_of_view_is_the_table_of_what_was_known(facts: list[Fact]) -> None:
    days = derive(facts)["days"]
    for known_at in sorted({fact.known_at for fact in facts}):
        got = {row["day"]: row for row in as_of_days(days, known_at).iter_rows(named=True)}
        want = reference([fact for fact in facts if fact.known_at <= known_at])
        assert set(got) == set(want)
        for day, expected in want.items():
            assert {name: got[day][name] for name in expected} == expected


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_worlds(), st.integers(0, 14), st.randoms(use_true_random=False))
def test_nothing_known_later_changes_a_view_and_order_does_not_matter(
    facts: list[Fact], hours: int, chance: random.Random
) -> None:
    as_of = BASE + timedelta(hours=6 * hours)
    view = as_of_days(derive(facts)["days"], as_of)
    kept = [fact for fact in facts if fact.known_at <= as_of]
    assert as_of_days(derive(kept)["days"], as_of).equals(view)
    poisoned = kept + [_poisoned(fact, chance) for fact in facts if fact.known_at > as_of]
    assert as_of_days(derive(poisoned)["days"], as_of).equals(view)
    shuffled = list(facts)
    chance.shuffle(shuffled)
    for name, frame in derive(facts).items():
        assert derive(shuffled)[name].equals(frame)


@settings(max_examples=30, deadline=None)
@given(small_worlds())
def test_a_vintage_is_written_only_when_something_changed(facts: list[Fact]) -> None:
    days = derive(facts)["days"]
    said = days.drop("known_at", "basis", "revision")
    for (_,), rows in said.group_by(["day"], maintain_order=True):
        listed = rows.rows()
        assert all(now != before for before, now in zip(listed, listed[1:], strict=False))
    for (_,), rows in days.group_by(["day"], maintain_order=True):
        assert rows["revision"].to_list() == list(range(1, rows.height + 1))
    assert set(days["known_at"]) <= {fact.known_at for fact in facts}


def reference(visible: list[Fact]) -> dict[date, dict[str, Any]]:
    """The day table from facts alone, by nested loops."""
    visible = sorted(visible, key=lambda f: (f.known_at, f.kind, f.key, f.revision))
    latest, gone, kept_nights, naps_from, workouts_from = {}, set(), {}, [], []
    for fact in visible:
        if fact.kind == "gone":
            target = (fact.payload["kind"], fact.payload["key"])
            (gone.add if fact.payload["gone"] else gone.discard)(target)
            continue
        shape = read(fact)
        latest[fact.kind, fact.key] = shape
        if fact.kind == "export_cycle" and (shape.whose != "nap"):
            kept_nights[fact.key] = shape
        if fact.kind in ("sleep", "export_sleep"):
            naps_from.append(shape.start_at)
        if fact.kind in ("workout", "export_workout"):
            workouts_from.append(shape.start_at)

    def of(*kinds: str, also_gone: bool = False) -> list[tuple[tuple[str, str], Any]]:
        return sorted(((i, s) for i, s in latest.items() if i[0] in kinds and (also_gone or i not in gone)),
                      key=lambda pair: pair[0])  # fmt: skip

    def close(a: datetime, b: datetime) -> bool:
        return abs(a - b) <= SAME

    def nearest(pairs: list, at: datetime) -> list:
        return [
            s
            for i, s in sorted(pairs, key=lambda p: (abs(p[1].start_at - at), p[0]))
            if close(s.start_at, at)
        ]

    tombs = of("cycle", also_gone=True)
    standing = of("cycle") + [
        (i, s) for i, s in of("export_cycle") if not any(close(c.start_at, s.start_at) for _, c in tombs)
    ]

    def day_activities(me: tuple, kinds: tuple[str, str], wanted) -> list:
        found = []
        told = [s for i, s in of(kinds[0], also_gone=True) if wanted(s)]
        for thing, s in of(*kinds):
            if not wanted(s) or (thing[0] == kinds[1] and any(close(t.start_at, s.start_at) for t in told)):
                continue
            owners = [(c.start_at, i) for i, c in standing if c.start_at <= s.start_at]
            if owners and max(owners)[1] == me:
                end = cycle_of(dict(standing)[me]).end_at
                if end is None or s.start_at < end:
                    found.append(s)
        return sorted(found, key=lambda s: s.start_at)

    def export_night(key: str, row: Any) -> tuple[Any, Any, set, bool]:
        nap = row.whose == "nap" or (
            row.sleep is not None
            and any(s.is_nap and close(s.start_at, row.sleep.start_at) for _, s in of("export_sleep"))
        )
        if not nap:
            return row.sleep, row.recovery, {"night_copied"} if row.whose == "copied" else set(), False
        old = kept_nights.get(key) if row.whose == "nap" else None
        if old is not None and old.recovery is not None:
            return old.sleep, old.recovery, {"nap_overwritten", "night_of_earlier_export"}, False
        mains = [(abs(s.cycle_start_at - row.start_at), i, s) for i, s in of("export_sleep")
                 if not s.is_nap and close(s.cycle_start_at, row.start_at)]  # fmt: skip
        own = [s for _, _, s in sorted(mains, key=lambda m: m[:2]) if abs(s.start_at - row.start_at) <= NEAR]
        return (own[0] if own else None), None, {"nap_overwritten"}, True

    by_day: dict[date, list] = {}
    for me, shape in standing:
        cycle = cycle_of(shape)
        if me[0] == "export_cycle":
            sleep, recovery, flags, lost = export_night(me[1], shape)
            source = "whoop-export"
        else:
            told = [(i, s) for i, s in of("sleep", also_gone=True)
                    if not s.is_nap and (s.cycle_key == me[1] or (s.cycle_key is None and close(s.start_at, cycle.start_at)))]  # fmt: skip  # noqa: E501
            live = [s for i, s in told if i not in gone]
            sleep = max(live, key=lambda s: (s.length_s, s.end_at)) if live else None
            told_recovery = ("recovery", me[1]) in latest
            recovery = None if ("recovery", me[1]) in gone else latest.get(("recovery", me[1]))
            flags, lost, source = set(), False, "whoop-api"
            twins = sorted((abs(s.start_at - cycle.start_at), i) for i, s in of("export_cycle")
                           if close(s.start_at, cycle.start_at))  # fmt: skip
            if twins:
                source = "whoop-api+whoop-export"
                other = export_night(twins[0][1][1], latest[twins[0][1]])
                if not told:
                    sleep = other[0]
                if not told_recovery:
                    recovery, flags, lost = other[1], set(other[2]), other[3]
        is_open = cycle.end_at is None
        if recovery is None and lost:
            state = "invalid"
        elif recovery is None and is_open and (sleep is None or sleep.state != "unscorable"):
            state = "pending"
        elif recovery is None:
            state = "no_sleep" if sleep is None else "unscorable"
        elif recovery.state != "scored":
            state = recovery.state
        elif not recovery.block["hrv_rmssd_ms"]:
            state = "unscorable"
        else:
            state = "calibrating" if recovery.is_calibrating else "scored"
        end = cycle.end_at or cycle.start_at + timedelta(hours=24)
        woken = sleep.end_at if sleep else cycle.start_at + (end - cycle.start_at) / 2
        if not is_open and cycle.end_at - cycle.start_at > timedelta(hours=30):
            flags.add("long_cycle")
        naps = day_activities(me, ("sleep", "export_sleep"), lambda s: s.is_nap)
        workouts = day_activities(me, ("workout", "export_workout"), lambda s: True)
        knows_naps = bool(naps_from) and (is_open or cycle.end_at > min(naps_from))
        knows_workouts = bool(workouts_from) and (is_open or cycle.end_at > min(workouts_from))
        row = {
            "source": source, "state": state, "utc_offset_min": cycle.utc_offset_min,
            "hrv_rmssd_ms": recovery.block["hrv_rmssd_ms"] if state in ("scored", "calibrating") else None,
            "resting_hr_bpm": recovery.block["resting_hr_bpm"] if recovery else None,
            "sleep_onset_at": sleep.start_at if sleep else None, "wake_at": sleep.end_at if sleep else None,
            "asleep_min": sleep.block["asleep_min"] if sleep else None,
            "strain_0_21": cycle.load["strain_0_21"], "day_closed_at": cycle.end_at,
            "strain_is_final": not is_open and cycle.state == "scored" and cycle.load["strain_0_21"] is not None,
            "nap_min": sum(n.block["asleep_min"] or 0.0 for n in naps) if knows_naps else None,
            "workout_count": len(workouts) if knows_workouts else None,
            "last_workout_end_at": max((w.end_at for w in workouts), default=None),
        }  # fmt: skip
        is_night = 2 if sleep else 1 if lost or recovery else 0
        rank = (is_night, sleep.length_s if sleep else 0.0, woken, me)
        day = (woken + timedelta(minutes=cycle.utc_offset_min)).date()
        by_day.setdefault(day, []).append((rank, row, flags, sleep is not None))
    table = {}
    for day, opened in by_day.items():
        rank, row, flags, _ = max(opened, key=lambda one: one[0])
        if sum(has_sleep for *_, has_sleep in opened) > 1:
            flags = flags | {"two_sleeps"}
        table[day] = row | {"flags": sorted(flags)}
    return table


def cycle_of(shape: Any) -> Any:
    return shape.cycle if hasattr(shape, "cycle") else shape


def _fact(
    seq: int, kind: str, key: str, revision: int, known_at: datetime, payload: dict, basis: str
) -> Fact:
    return Fact(
        seq=seq, member_id="m", kind=kind, key=key, revision=revision, known_at=known_at, basis=basis,
        source="whoop-export" if kind.startswith("export") else "whoop-api", recorded_at=known_at, payload=payload,
        sha256="",
    )  # fmt: skip


def _poisoned(fact: Fact, chance: random.Random) -> Fact:
    """The same fact with other numbers in it."""
    payload = dict(fact.payload)
    if fact.kind == "recovery" and payload["score"]:
        payload["score"] = payload["score"] | {"hrv_rmssd_milli": chance.uniform(1, 300)}
    elif fact.kind == "cycle":
        payload["start"] = _iso(
            parse_instant(payload["start"]) + timedelta(minutes=chance.randint(-900, 900))
        )
        payload["end"] = None
    elif fact.kind == "export_cycle":
        payload["Heart rate variability (ms)"] = str(chance.randint(1, 300))
    elif fact.kind == "gone":
        payload["gone"] = not payload["gone"]
    return Fact(**{**{f: getattr(fact, f) for f in Fact.__dataclass_fields__}, "payload": payload})


_OFFSETS = ("-05:00", "Z", "+01:00", "+02:00", "+10:00")


def _start(draw: st.DrawFn) -> datetime:
    return BASE + timedelta(
        hours=3 * draw(st.integers(0, 20)), seconds=draw(st.sampled_from([0, 0, 1, 2, 3, 200, 400]))
    )


def _iso(instant: datetime | None) -> str | None:
    return instant and instant.isoformat()


def _key(draw: st.DrawFn, count: int = 3) -> str:
    return str(draw(st.integers(1, count)))


def _cycle(draw: st.DrawFn) -> tuple[str, dict]:
    start, state = _start(draw), draw(st.sampled_from(["SCORED", "SCORED", "PENDING_SCORE", "UNSCORABLE"]))
    length = draw(st.sampled_from([None, 3, 21, 24, 40]))
    score = {"strain": draw(st.sampled_from([4.5, 11.0])), "kilojoule": 8000.0} if state == "SCORED" else None
    return _key(draw), {
        "start": _iso(start), "end": _iso(start + timedelta(hours=length)) if length else None,
        "timezone_offset": draw(st.sampled_from(_OFFSETS)), "score_state": state, "score": score,
    }  # fmt: skip


def _sleep(draw: st.DrawFn) -> tuple[str, dict]:
    start, scored = _start(draw), draw(st.booleans())
    stages = {f"total_{part}_time_milli": draw(st.sampled_from([600_000, 7_200_000]))
              for part in ("light_sleep", "slow_wave_sleep", "rem_sleep")}  # fmt: skip
    return f"s{_key(draw, 4)}", {
        "cycle_id": draw(st.sampled_from([1, 2, 3, None])), "start": _iso(start),
        "end": _iso(start + timedelta(hours=draw(st.sampled_from([1, 7, 9])))), "nap": draw(st.booleans()),
        "score_state": "SCORED" if scored else "UNSCORABLE", "score": {"stage_summary": stages} if scored else None,
    }  # fmt: skip


def _recovery(draw: st.DrawFn) -> tuple[str, dict]:
    key, state = _key(draw), draw(st.sampled_from(["SCORED", "SCORED", "PENDING_SCORE", "UNSCORABLE"]))
    score = {"user_calibrating": draw(st.sampled_from([False, False, True])), "resting_heart_rate": 55.0,
             "hrv_rmssd_milli": draw(st.sampled_from([None, 0.0, 41.5, 63.25]))}  # fmt: skip
    return key, {"cycle_id": int(key), "score_state": state, "score": score if state == "SCORED" else None}


def _workout(draw: st.DrawFn) -> tuple[str, dict]:
    start = _start(draw)
    return f"w{_key(draw)}", {
        "start": _iso(start), "end": _iso(start + timedelta(minutes=45)), "sport_name": "running",
        "score_state": "SCORED", "score": {"strain": 8.0},
    }  # fmt: skip


def _wall(instant: datetime | None, offset: str) -> str:
    minutes = timedelta(minutes=parse_offset_min(offset))
    return "" if instant is None else (instant + minutes).strftime("%Y-%m-%d %H:%M:%S")


def _export_cycle(draw: st.DrawFn) -> tuple[str, dict]:
    start, offset = _start(draw), f"UTC{draw(st.sampled_from(_OFFSETS))}"
    length = draw(st.sampled_from([None, 21, 24, 40]))
    lag = draw(
        st.sampled_from(
            [None, timedelta(0), timedelta(0), timedelta(minutes=4), timedelta(hours=9), -timedelta(1)]
        )
    )
    onset = None if lag is None else start + lag
    has_hrv = onset is not None and draw(st.booleans())
    return f"E{_key(draw, 2)}", {
        "Cycle start time": _wall(start, offset),
        "Cycle end time": _wall(start + timedelta(hours=length), offset) if length else "",
        "Cycle timezone": offset, "Sleep onset": _wall(onset, offset),
        "Wake onset": _wall(onset and onset + timedelta(hours=draw(st.sampled_from([1, 8]))), offset),
        "Heart rate variability (ms)": "47" if has_hrv else "", "Recovery score %": "60" if has_hrv else "",
        "Resting heart rate (bpm)": "51" if has_hrv else "", "Asleep duration (min)": "400" if onset else "",
        "Day Strain": draw(st.sampled_from(["", "9.5"])),
    }  # fmt: skip


def _export_sleep(draw: st.DrawFn) -> tuple[str, dict]:
    start, offset, is_nap = _start(draw), f"UTC{draw(st.sampled_from(_OFFSETS))}", draw(st.booleans())
    onset = start + draw(st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(hours=9)]))
    return f"S{_key(draw)}", {
        "Cycle start time": _wall(start, offset), "Cycle timezone": offset, "Sleep onset": _wall(onset, offset),
        "Wake onset": _wall(onset + timedelta(hours=draw(st.sampled_from([1, 8]))), offset),
        "Asleep duration (min)": "50", "Nap": "true" if is_nap else "false",
    }  # fmt: skip


def _export_workout(draw: st.DrawFn) -> tuple[str, dict]:
    start = _start(draw)
    return f"W{_key(draw)}", {
        "Cycle timezone": "UTCZ", "Workout start time": _wall(start, "Z"),
        "Workout end time": _wall(start + timedelta(minutes=30), "Z"), "Activity Strain": "5.0",
    }  # fmt: skip


def _gone(draw: st.DrawFn) -> tuple[str, dict]:
    kind, prefix = draw(st.sampled_from([
        ("cycle", ""), ("sleep", "s"), ("recovery", ""), ("workout", "w"), ("export_cycle", "E"), ("export_sleep", "S"),
    ]))  # fmt: skip
    key = prefix + _key(draw)
    return f"{kind}:{key}", {"kind": kind, "key": key, "gone": draw(st.sampled_from([True, True, False]))}


_PAYLOADS = {
    "cycle": _cycle, "sleep": _sleep, "recovery": _recovery, "workout": _workout, "export_cycle": _export_cycle,
    "export_sleep": _export_sleep, "export_workout": _export_workout, "gone": _gone,
}  # fmt: skip


def test_the_reference_is_no_copy_of_an_empty_world() -> None:
    """The generator's worlds do hold scored days; otherwise everything above would compare nothing."""
    facts = [
        _fact(1, "cycle", "1", 1, BASE, {"start": _iso(BASE), "timezone_offset": "Z", "score_state": "SCORED"}, "seen"),
        _fact(2, "sleep", "s1", 1, BASE, {"cycle_id": 1, "start": _iso(BASE), "end": _iso(BASE + timedelta(hours=8)),
                                          "nap": False, "score_state": "SCORED"}, "seen"),
        _fact(3, "recovery", "1", 1, BASE, {"cycle_id": 1, "score_state": "SCORED",
                                            "score": {"hrv_rmssd_milli": 50.0}}, "seen"),
    ]  # fmt: skip
    assert derive(facts)["days"].select("day", "state", "hrv_rmssd_ms").rows() == [
        (date(2026, 3, 28), "scored", 50.0)
    ]
    assert reference(facts)[date(2026, 3, 28)]["hrv_rmssd_ms"] == 50.0
    assert isinstance(derive([])["days"], pl.DataFrame)
