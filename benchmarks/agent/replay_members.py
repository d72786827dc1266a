"""Replay the agent over evenings of simulated members and score it against what came true.

The members live in the WHOOP simulator; login, pull, journal, models, summary and agent are the product's own. Each
evening is asked as of that evening, in order, so that recalibration and ``final`` learn as they would in life. On some
days the members tell of an event that no feature of the models holds (a burglary, a good diagnosis …), and on as many
of something that sounds like one and does nothing.

    .venv/bin/python benchmarks/agent/replay_members.py --members 3 --nights 90 --seed 5 --out OUT.json

Answers of the model are kept in the cache by prompt and seed, so a second run asks only what is new. A simulated win
proves the way, not the physiology: the sizes of the events are drawn around those of the literature.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
import polars as pl

from data_intelligence.daily import summarise_day
from hrv_shared.comparison import pooled_skill
from hrv_shared.constants import AGENT, AGENT_CALIBRATED, MODEL_COMBINATION, PRODUCT, RULES
from hrv_shared.issue import current_issue, past_issues
from hrv_shared.scoring import crps_from_quantiles
from hrv_shared.settings import load_settings
from hrv_shared.store import Store, write_bytes_atomic
from llm_agent.bench.memory import RememberingModel
from llm_agent.cli import model_digest, open_model, reader_of, style_of
from llm_agent.errors import NoBriefing
from llm_agent.forecast import agent_forecast

HISTORY_NIGHTS = 150
NAMES = (MODEL_COMBINATION, RULES, AGENT, AGENT_CALIBRATED, PRODUCT)
MOVED_MS = 1.0
"""A moved night: the agent or the rules moved it by at least so much."""
TOLD_LN = 0.02
"""A told night: by the simulator's truth, told events move it by at least so much."""


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
    options.add_argument("--seed", type=int, default=5)
    options.add_argument(
        "--told-events", type=float, default=0.15, help="share of days with an event, and with a decoy"
    )
    options.add_argument("--out", type=Path)
    asked = options.parse_args()
    settings = load_settings()
    model = StaysOpen(open_model(settings), settings.cache_dir / "bench-agent" / "replay.jsonl")
    scored, refused, seconds = [], 0, []
    for k in range(asked.members):
        with tempfile.TemporaryDirectory() as folder:
            rows, no, took = replay_one(Path(folder), asked.seed + k, asked, settings, model)
        scored.append(rows.with_columns(member=pl.lit(k)))
        refused, seconds = refused + no, seconds + took
    table = pl.concat(scored)
    result = {
        "members": asked.members, "nights": asked.nights, "seed": asked.seed, "samples": asked.samples,
        "told_events": asked.told_events, "model": model.model_id, "refused": refused,
        "seconds_median": round(float(np.median(seconds)), 1), "figures": figures(table, asked.seed),
    }  # fmt: skip
    text = json.dumps(result, indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


def replay_one(folder: Path, seed: int, asked, settings, model: StaysOpen):
    """One member: simulate, pull, journal, replay the models, then the agent evening by evening."""
    command = [sys.executable, "-m", "whoop_api_client", "simulate", "--port", "0", "--seed", str(seed),
               "--nights", str(HISTORY_NIGHTS), "--json", "--set",
               f"told_events_share={asked.told_events}"]  # fmt: skip
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(simulator.stdout.readline())
        env = os.environ | {
            "HRV_HOME": str(folder / "home"), "HRV_CONFIG_DIR": str(folder / "config"), "HRV_TOKEN_STORE": "file",
            "HRV_WHOOP_API_BASE": ready["api_base"], "HRV_WHOOP_AUTH_BASE": ready["auth_base"],
            "HRV_WHOOP_CLIENT_ID": ready["client_id"], "HRV_WHOOP_CLIENT_SECRET": ready["client_secret"],
        }  # fmt: skip
        notes = httpx.get(f"{ready['base_url']}/_sim/journal", timeout=30).json()["notes"]
        told = httpx.get(f"{ready['base_url']}/_sim/truth/told-events", timeout=30).json()["events"]
        store = Store(folder / "home")
        lines = "\n".join(json.dumps({"recorded_at": n["recorded_at"], "text": n["text"]}) for n in notes)
        write_bytes_atomic(store.folder("inbox") / "notes.jsonl", (lines + "\n").encode())
        run(env, "whoop_api_client", "connect", "--auto")
        run(env, "whoop_api_client", "pull")
        run(env, "journal_analysis", "ingest")
    finally:
        simulator.terminate()
        simulator.wait(10)
    nights = ["--nights", str(asked.nights), "--slot", "evening"]
    run(env, "model_training", "replay", *nights)
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
                reader=reader_of(settings), model_digest=model_digest(settings),
            )  # fmt: skip
        except NoBriefing:  # a day on which no model spoke
            continue
        seconds.append(time.perf_counter() - began)
        refused += said["status"] != "issued"
    run(env, "model_training", "replay", *nights)  # final, now with the agent's rows
    return score(Store(folder / "home"), last.member_id, told), refused, seconds


def run(env: dict[str, str], room: str, *arguments: str) -> None:
    """One command of a room."""
    subprocess.run([sys.executable, "-m", room, *arguments], env=env, check=True, stdout=subprocess.DEVNULL)


def score(store: Store, member_id: str, told: list[dict]) -> pl.DataFrame:
    """CRPS and coverage of each forecaster's newest row of each night, and what the simulator knows of it."""
    rows = store.ledger.forecasts("replay", member_id, slot="evening").filter(
        pl.col("forecaster").is_in(NAMES)
    )
    rows = rows.unique(["origin_day", "horizon", "forecaster"], keep="last", maintain_order=True)
    came = store.ledger.outcomes(member_id).select(target_day="day", y="hrv_rmssd_ms").drop_nulls()
    rows = rows.join(came.unique("target_day", keep="last"), on="target_day")
    q = np.array(rows["quantiles_ms"].to_list())
    y = rows["y"].to_numpy()
    moved = [abs(json.loads(r or "{}").get("shift_of_this_night_ms", 0.0)) for r in rows["reasons"]]
    true_ln: dict[str, float] = {}
    for event in told:
        for night, ln in event["nights_ln"].items():
            true_ln[night] = true_ln.get(night, 0.0) + ln
    decoys = {event["day"] for event in told if not event["acts"]}
    return rows.select("origin_day", "target_day", "horizon", "forecaster").with_columns(
        told=pl.Series([abs(true_ln.get(day.isoformat(), 0.0)) >= TOLD_LN for day in rows["target_day"]]),
        decoy=pl.Series([day.isoformat() in decoys for day in rows["origin_day"]]) & (pl.col("horizon") == 1),
        crps=pl.Series(crps_from_quantiles(q, y)), moved=pl.Series(moved),
        in80=pl.Series((y >= q[:, 3]) & (y <= q[:, 19])),
    )  # fmt: skip


def figures(table: pl.DataFrame, seed: int) -> list[dict]:
    """Skill against the mix in %, of all nights and of kinds of nights, night 1 and nights 2-7, with 90 % intervals."""
    moved = table.filter(pl.col("forecaster").is_in([AGENT, RULES]), pl.col("moved") >= MOVED_MS)
    moved = moved.select("member", "origin_day", "horizon").unique()
    out = []
    for horizons, named in (((1,), "night 1"), (tuple(range(2, 8)), "nights 2-7")):
        part = table.filter(pl.col("horizon").is_in(horizons))
        kinds = {
            "all": part, "moved": part.join(moved, on=["member", "origin_day", "horizon"]),
            "told event": part.filter("told"), "decoy": part.filter("decoy", ~pl.col("told")),
            "neither": part.filter(~pl.col("told"), ~pl.col("decoy")),
        }  # fmt: skip
        for who, frame in kinds.items():
            wide = frame.pivot("forecaster", index=["member", "origin_day", "horizon"], values="crps")
            wide = wide.sort("member", "origin_day", "horizon")
            for name in NAMES[1:]:
                if name not in wide.columns or MODEL_COMBINATION not in wide.columns:
                    continue
                both = wide.drop_nulls([name, MODEL_COMBINATION])
                people = [
                    (p[name].to_numpy(), p[MODEL_COMBINATION].to_numpy(),
                     (p["origin_day"] - p["origin_day"].min()).dt.total_days().to_numpy())
                    for p in both.partition_by("member")
                ]  # fmt: skip
                if not people:
                    continue
                skill = pooled_skill(people, seed=seed)
                covered = frame.filter(pl.col("forecaster") == name)["in80"].mean()
                out.append({
                    "nights": named, "of": who, "forecaster": name, "n": both.height,
                    "skill_vs_mix_pct": round(skill.skill_pct, 2),
                    "interval": [round(skill.ci_low, 2), round(skill.ci_high, 2)],
                    "covered_80_pct": round(100 * covered, 1),
                })  # fmt: skip
    return out


if __name__ == "__main__":
    main()
