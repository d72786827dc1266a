"""Replay the agent over evenings of simulated members and score it against what came true.

The members live in the WHOOP simulator; login, pull, journal, models, summary and agent are the product's own. Each
evening is asked as of that evening, in order, so that recalibration and ``final`` learn as they would in life. On some
days the members tell of an event that no feature of the models holds (a burglary, a good diagnosis …), and on as many
of something that sounds like one and does nothing.

    .venv/bin/python benchmarks/agent/replay_members.py --members 3 --nights 90 --seed 5 --out OUT.json

Two scores stand side by side: CRPS against the outcome, and its expectation under the law that the simulator drew the
night from. One night is mostly noise (20 % against events of 1 to 13 %), so the second tells with a tenth of the nights
what the first can't; no wearer has such a law. ``oracle`` is the mix moved by exactly what was drawn for the evening's
event: what perfect reading would gain at most. The law of a night is given all nights before it, so it scores only; no
forecast sees it.

Answers of the model are kept in the cache by prompt and seed, so a second run asks only what is new. A simulated win
proves the way, not the physiology: the sizes of the events are drawn around those of the literature.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import httpx
import numpy as np
import polars as pl

from data_intelligence.daily import summarise_day
from hrv_shared.comparison import pooled_skill
from hrv_shared.constants import AGENT, AGENT_CALIBRATED, HORIZONS, MODEL_COMBINATION, PRODUCT, RULES
from hrv_shared.issue import current_issue, past_issues
from hrv_shared.scoring import covered, crps_from_quantiles
from hrv_shared.settings import load_settings
from hrv_shared.store import Store, write_bytes_atomic
from llm_agent.bench.memory import RememberingModel
from llm_agent.cli import model_digest, open_model, style_of
from llm_agent.errors import NoBriefing
from llm_agent.forecast import agent_forecast
from whoop_api_client.simulator.nightly_law import NightlyLaw

HISTORY_NIGHTS = 150
NAMES = (MODEL_COMBINATION, RULES, AGENT, AGENT_CALIBRATED, PRODUCT)
MOVED_MS = 1.0
"""A moved night: the agent or the rules moved it by at least so much."""
TOLD_LN = 0.02
"""A night after a told event: by the simulator's truth, the event of the evening moves it by at least so much."""
FACTS, FACT_LN = ("alcohol", "illness", "travel"), 0.05
"""What the models have features for, and from where on it makes a night one of its own."""
ORACLE = "oracle"
TRUTH = "truth.json"
RESAMPLES = 2000
DRAWS = (np.arange(200) + 0.5) / 200
"""Levels of the law at which a night's expected score is taken."""


class StaysOpen(RememberingModel):
    """One model for all evenings; the agent closes what it opens."""

    def close(self) -> None:
        """Stays open."""


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--members", type=int, default=3)
    options.add_argument("--nights", type=int, default=60)
    options.add_argument("--samples", type=int, default=5)
    options.add_argument("--seed", type=int, nargs="+", default=[5], help="of the first member of each group")
    options.add_argument(
        "--told-events", type=float, default=0.15, help="share of days with an event, and with a decoy"
    )
    options.add_argument(
        "--keep", type=Path, help="folder that keeps the members as the models left them, for the next run"
    )
    options.add_argument("--out", type=Path)
    asked = options.parse_args()
    settings = load_settings()
    model = StaysOpen(open_model(settings), settings.cache_dir / "bench-agent" / "replay.jsonl")
    scored, refused, seconds = [], 0, []
    for seed in (first + k for first in asked.seed for k in range(asked.members)):
        with tempfile.TemporaryDirectory() as folder:
            rows, no, took = replay_one(Path(folder), seed, asked, settings, model)
        scored.append(rows.with_columns(member=pl.lit(seed)))
        refused, seconds = refused + no, seconds + took
    table = pl.concat(scored)
    result = {
        "members": asked.members, "nights": asked.nights, "seed": asked.seed, "samples": asked.samples,
        "told_events": asked.told_events, "model": model.model_id, "refused": refused,
        "seconds_median": round(float(np.median(seconds)), 1), "figures": figures(table, asked.seed[0]),
    }  # fmt: skip
    text = json.dumps(result, indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


def replay_one(folder: Path, seed: int, asked, settings, model: StaysOpen):
    """One member: live up to the agent, then the agent evening by evening."""
    kept = asked.keep and asked.keep / f"seed{seed}-nights{asked.nights}-told{asked.told_events}"
    if kept and kept.exists():
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    else:
        live_up_to_the_agent(folder, seed, asked)
        if kept:
            half = kept.with_name(f"{kept.name}.part")  # a kill half-way leaves no member that looks whole
            shutil.copytree(folder, half, dirs_exist_ok=True)
            half.rename(kept)
    truth = json.loads((folder / TRUTH).read_text())
    store = Store(folder / "home")
    last = current_issue(store, settings.member_id)
    refused, seconds = 0, []
    for issue in past_issues(store, last.member_id, nights=asked.nights, slot="evening", before=last):
        summary = summarise_day(store, issue).summary.model_dump_json()
        write_bytes_atomic(store.reports_dir("daily") / f"{issue.name}.json", summary.encode())
        began = time.perf_counter()
        try:
            said = agent_forecast(
                store, issue, lambda: model, samples=asked.samples, seed=settings.seed, style=style_of(settings),
                model_digest=model_digest(settings),
            )  # fmt: skip
        except NoBriefing:  # a day on which no model spoke
            continue
        seconds.append(time.perf_counter() - began)
        refused += said["status"] != "issued"
    replay_models(folder, asked)  # final, now with the agent's rows
    return score(Store(folder / "home"), last.member_id, truth), refused, seconds


def live_up_to_the_agent(folder: Path, seed: int, asked) -> None:
    """Simulate, pull, journal, replay the models; what the simulator told goes to ``truth.json``."""
    command = [sys.executable, "-m", "whoop_api_client", "simulate", "--port", "0", "--seed", str(seed),
               "--nights", str(HISTORY_NIGHTS), "--json", "--set",
               f"told_events_share={asked.told_events}"]  # fmt: skip
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(simulator.stdout.readline())
        env = environment(folder) | {
            "HRV_WHOOP_API_BASE": ready["api_base"], "HRV_WHOOP_AUTH_BASE": ready["auth_base"],
            "HRV_WHOOP_CLIENT_ID": ready["client_id"], "HRV_WHOOP_CLIENT_SECRET": ready["client_secret"],
        }  # fmt: skip
        notes = httpx.get(f"{ready['base_url']}/_sim/journal", timeout=30).json()["notes"]
        truth = httpx.get(f"{ready['base_url']}/_sim/truth/told-events", timeout=30).json()
        truth |= httpx.get(f"{ready['base_url']}/_sim/truth/nights", timeout=30).json()
        (folder / TRUTH).write_text(json.dumps(truth))
        lines = "\n".join(json.dumps({"recorded_at": n["recorded_at"], "text": n["text"]}) for n in notes)
        inbox = Store(folder / "home").folder("inbox")
        write_bytes_atomic(inbox / "notes.jsonl", (lines + "\n").encode())
        run(env, "whoop_api_client", "connect", "--auto")
        run(env, "whoop_api_client", "pull")
        run(env, "journal_analysis", "ingest")
    finally:
        simulator.terminate()
        simulator.wait(10)
    replay_models(folder, asked)


def replay_models(folder: Path, asked) -> None:
    """The models' rows of the evenings, as of each."""
    run(environment(folder), "model_training", "replay", "--nights", str(asked.nights), "--slot", "evening")


def environment(folder: Path) -> dict[str, str]:
    """A member's own home in ``folder``."""
    return os.environ | {
        "HRV_HOME": str(folder / "home"), "HRV_CONFIG_DIR": str(folder / "config"), "HRV_TOKEN_STORE": "file",
    }  # fmt: skip


def run(env: dict[str, str], room: str, *arguments: str) -> None:
    """One command of a room."""
    subprocess.run([sys.executable, "-m", room, *arguments], env=env, check=True, stdout=subprocess.DEVNULL)


def score(store: Store, member_id: str, truth: dict) -> pl.DataFrame:
    """Each forecaster's newest row of each night: CRPS, expected CRPS, coverage, and what the simulator knows of it.

    One more forecaster, ``oracle``, is the mix moved by what was drawn for the event that the evening tells.
    """
    rows = store.ledger.forecasts("replay", member_id, slot="evening").filter(
        pl.col("forecaster").is_in(NAMES)
    )
    rows = rows.unique(["origin_day", "horizon", "forecaster"], keep="last", maintain_order=True)
    came = store.ledger.outcomes(member_id).select(target_day="day", y="hrv_rmssd_ms").drop_nulls()
    rows = rows.join(came.unique("target_day", keep="last"), on="target_day")
    events = {date.fromisoformat(event["day"]): event for event in truth["events"]}
    fresh, carried = np.array(
        [_told_ln(events, origin, night) for origin, night in rows.select("origin_day", "target_day").rows()]
    ).T
    decoy = [origin in events and not events[origin]["acts"] for origin in rows["origin_day"]]
    drawn = {night["wake_day"]: night for night in truth["nights"]}
    effects = [drawn[day.isoformat()]["effects_ln"] for day in rows["target_day"]]
    fact = [abs(sum(e.get(name, 0.0) for name in FACTS)) >= FACT_LN for e in effects]
    moved = [abs(json.loads(r or "{}").get("shift_of_this_night_ms", 0.0)) for r in rows["reasons"]]
    table = rows.select("origin_day", "target_day", "horizon", "forecaster", "y").with_columns(
        q=pl.Series(rows["quantiles_ms"].to_list()), moved=pl.Series(moved), fresh=fresh, carried=carried,
        decoy=pl.Series(decoy), fact=pl.Series(fact),
    )  # fmt: skip
    mix = table.filter(pl.col("forecaster") == MODEL_COMBINATION)
    told_to = mix.with_columns(
        forecaster=pl.lit(ORACLE),
        q=pl.Series(np.array(mix["q"].to_list()) * np.exp(mix["fresh"].to_numpy())[:, None]),
    )
    table = pl.concat([table, told_to.cast({"q": table.schema["q"]})])
    q, y = np.array(table["q"].to_list()), table["y"].to_numpy()
    laws = {day: NightlyLaw(**night["law"]).quantiles_ms(DRAWS) for day, night in drawn.items()}
    could_come = np.array([laws[day.isoformat()] for day in table["target_day"]])
    expected = np.mean([crps_from_quantiles(q, could) for could in could_come.T], axis=0)
    return table.drop("q", "y").with_columns(
        crps=pl.Series(crps_from_quantiles(q, y)), expected=pl.Series(expected),
        in80=pl.Series(covered(q, y, 0.8)),
        expected80=pl.Series(np.mean([covered(q, could, 0.8) for could in could_come.T], axis=0)),
    )  # fmt: skip


def _told_ln(events: dict[date, dict], origin: date, night: date) -> tuple[float, float]:
    """What told events add to ln RMSSD of ``night``: that of the evening ``origin``, and those of evenings before."""
    sizes = {day: event["nights_ln"].get(night.isoformat(), 0.0) for day, event in events.items()}
    return sizes.get(origin, 0.0), sum(size for day, size in sizes.items() if day < origin)


def figures(table: pl.DataFrame, seed: int) -> list[dict]:
    """Skill against the mix and coverage in %, by horizons and kinds of nights, with 90 % intervals."""
    night = ["member", "origin_day", "horizon"]
    moved = table.filter(pl.col("forecaster").is_in([AGENT, RULES]), pl.col("moved") >= MOVED_MS)
    told, carried = pl.col("fresh").abs() >= TOLD_LN, pl.col("carried").abs() >= TOLD_LN
    out = []
    for horizons, named in (((1,), "night 1"), (HORIZONS[1:], "nights 2-7"), (HORIZONS, "nights 1-7")):
        part = table.filter(pl.col("horizon").is_in(horizons))
        kinds = {
            "all": part, "moved": part.join(moved.select(night).unique(), on=night), "told event": part.filter(told),
            "drinks, illness, travel": part.filter("fact"), "event of an evening before": part.filter(carried, ~told),
            "decoy": part.filter("decoy", ~carried), "no event": part.filter(~told, ~carried, ~pl.col("decoy")),
        }  # fmt: skip
        for who, frame in kinds.items():
            of_both = {
                score: frame.pivot("forecaster", index=night, values=score).sort(night).drop_nulls()
                for score in ("crps", "expected")
            }
            if not of_both["crps"].height:
                continue
            for name in (*NAMES[1:], ORACLE):
                came, expected = (skill_of(wide, name, seed) for wide in of_both.values())
                held = frame.filter(pl.col("forecaster") == name)
                out.append({
                    "nights": named, "of": who, "forecaster": name, "n": of_both["crps"].height,
                    "skill_vs_mix_pct": came[0], "interval": came[1:],
                    "expected_skill_pct": expected[0], "expected_interval": expected[1:],
                    "covered_80_pct": round(100 * held["in80"].mean(), 1),
                    "covered_interval": covered_interval(held, seed),
                    "expected_80_pct": round(100 * held["expected80"].mean(), 1),
                })  # fmt: skip
    return out


def covered_interval(rows: pl.DataFrame, seed: int) -> list[float]:
    """90 % interval of the coverage in %, from other members like these."""
    of_member = rows.group_by("member", maintain_order=True).agg(pl.col("in80").sum(), pl.len())
    held, nights = (of_member[name].to_numpy() for name in ("in80", "len"))
    drawn = np.random.default_rng(seed).integers(len(held), size=(RESAMPLES, len(held)))
    return [round(100 * float(q), 1) for q in np.quantile(held[drawn].sum(1) / nights[drawn].sum(1), (0.05, 0.95))]


def skill_of(wide: pl.DataFrame, name: str, seed: int) -> list[float]:
    """Skill against the mix in %, and its 90 % interval."""
    people = [
        (p[name].to_numpy(), p[MODEL_COMBINATION].to_numpy(),
         (p["origin_day"] - p["origin_day"].min()).dt.total_days().to_numpy())
        for p in wide.partition_by("member")
    ]  # fmt: skip
    skill = pooled_skill(people, seed=seed)
    return [round(value, 2) for value in (skill.skill_pct, skill.ci_low, skill.ci_high)]


if __name__ == "__main__":
    main()
