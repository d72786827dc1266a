"""One measurement: a file of cases, a model, the agent's public verb; figures, every answer, what fell short."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hrv_shared.llm import ChatModel
from llm_agent.bench.answering import AskAgent, Asked, ask_all, evenings, peak_memory_gb
from llm_agent.bench.cases import CaseSet, load_cases
from llm_agent.bench.memory import RememberingModel
from llm_agent.bench.scoring import answer_marks, case_marks, figures
from llm_agent.bench.tally import share_row
from llm_agent.errors import BadCases
from llm_agent.red_flags import red_flag_notices

__all__ = ["measure", "memory_file", "read_earlier", "text_of"]

SHOWN_FAULTS = 12


def measure(
    path: Path,
    open_model: Callable[[], ChatModel],
    ask: AskAgent,
    *,
    samples: int,
    seed: int,
    memory: Path | None,
    resume: bool,
    only: int | None = None,
    words_only: bool = False,
    advance: Callable[..., None] = lambda *_: None,
) -> dict[str, Any]:
    """Measure one set.

    Parameters
    ----------
    open_model : callable () -> ChatModel
        Not called for red flags, which no model sees.
    ask : callable
        ``llm_agent.forecast.ask_agent``.
    memory : Path or None
        Where the model's answers are kept; with ``resume`` the answers already there are taken.
    only : int, optional
        So many cases, drawn by ``seed``, in the order of the file.
    words_only : bool
        Take facts and matched effects away, as if nothing had been extracted from the notes.

    Raises
    ------
    BadCases, ChatError
    """
    cases = _drawn(load_cases(path), only, seed)
    about = {
        "cases": cases.name, "kind": cases.kind, "split": cases.split, "digest": cases.digest, "n": len(cases.cases),
        "samples": samples, "seed": seed, "words_only": words_only,
    }  # fmt: skip
    if cases.kind == "red_flags":
        return about | _red_flags(cases)
    model = RememberingModel(open_model(), memory, forget=not resume)
    marks: dict[str, dict[str, Any]] = {}
    heard: dict[str, dict[str, Asked]] = {}
    fresh = 0
    prompts: set[str] = set()
    try:
        for asked in ask_all(evenings(cases, words_only=words_only), model, ask, samples=samples, seed=seed):
            marks[asked.evening.key] = answer_marks(asked)
            heard.setdefault(asked.evening.case_id, {})[asked.evening.side_name] = asked
            fresh += asked.fresh
            prompts.add(asked.answer["prompt_digest"])
            advance(1, f"{asked.seconds_model:.0f} s a call")
    finally:
        model.close()
    judged = [{"id": case.id} | case_marks(case, heard[case.id]) for case in cases.cases]
    figured = figures(cases, list(marks.values()), judged, seed=seed)
    memory_row = {"what": "peak memory", "n": 1, "value": peak_memory_gb(), "low": None, "high": None, "unit": "GB",
                  "goal": "< 2.5 GB"}  # fmt: skip
    return about | {
        "model": model.model_id,
        "prompts": sorted(prompts - {""}),
        "fresh_calls": fresh,
        "figures": [*figured, memory_row],
        "faults": _faults(judged, marks),
        "rows": [row | {"answers": {k: m for k, m in marks.items() if k.split("/")[0] == row["id"]}} for row in judged],
    }  # fmt: skip


def memory_file(cache_dir: Path, cases: str) -> Path:
    """Where the model's answers on a set are kept; one file a set, so that beginning one anew leaves the others."""
    return cache_dir / "bench-agent" / f"{cases}.jsonl"


def read_earlier(path: Path, cases: CaseSet) -> list[dict[str, Any]]:
    """The judged cases of an earlier run of the same set.

    Raises
    ------
    BadCases
        The file holds no such run.
    """
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        rows, digest = earlier["rows"], earlier["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadCases(f"{path}: expected what hrv bench agent --json OUT wrote ({error})") from error
    if digest != cases.digest or cases.kind == "red_flags":
        raise BadCases(
            f"{path}: expected a run of {cases.name} ({cases.digest}), got {earlier.get('cases')} ({digest})"
        )
    return rows


def text_of(result: dict[str, Any]) -> str:
    """The figures as a table, and the first faults."""
    head = f"{result['cases']} ({result['n']} cases, {result['digest']}), "
    head += f"{result['samples']} samples, seed {result['seed']}"
    head += ", words only" if result["words_only"] else ""
    by = f"; {result['model']}, prompt {', '.join(result['prompts'])}" if result.get("model") else ""
    lines = [head + by, f"{'':58} {'n':>5}  {'':>8}  95 % interval or range   goal"]
    for row in result["figures"]:
        if row["value"] is None:
            continue
        ends = "" if row["low"] is None else f"[{row['low']:.1f} … {row['high']:.1f}]"
        value = f"{row['value']:.1f} {row['unit']}"
        lines.append(f"{row['what']:58} {row['n']:>5}  {value:>12}  {ends:22} {row['goal']}".rstrip())
    for fault in result["faults"][:SHOWN_FAULTS]:
        lines.append(f"  short: {fault}")
    if (more := len(result["faults"]) - SHOWN_FAULTS) > 0:
        lines.append(f"  … and {more} more (--json OUT holds every answer)")
    return "\n".join(lines)


def _drawn(cases: CaseSet, only: int | None, seed: int) -> CaseSet:
    if only is None or only >= len(cases.cases):
        return cases
    kept = sorted(random.Random(seed).sample(range(len(cases.cases)), only))
    return cases.model_copy(update={"cases": tuple(cases.cases[i] for i in kept)})


def _red_flags(cases: CaseSet) -> dict[str, Any]:
    rows = []
    for case in cases.cases:
        kinds = [notice.kind for notice in red_flag_notices([case.text])]
        right = case.notice in kinds if case.notice else not kinds
        rows.append(
            {"id": case.id, "split": case.split, "expected": case.notice, "shown": kinds, "right": right}
        )
    named = [row for row in rows if row["expected"]]
    other = [row for row in rows if not row["expected"]]
    return {
        "figures": [
            share_row("red flags with their fixed notice", [row["right"] for row in named], "100 %"),
            share_row("harmless look-alikes without one", [row["right"] for row in other]),
        ],
        "faults": [f"{r['id']}: expected {r['expected']}, shown {r['shown']}" for r in rows if not r["right"]],
        "rows": rows,
    }  # fmt: skip


def _faults(judged: list[dict[str, Any]], marks: dict[str, dict[str, Any]]) -> list[str]:
    """By id and in short, so that a sealed set's words stay sealed."""
    faults = []
    for row in judged:
        if "agent" in row:
            faults += [
                f"{row['id']} ({row['topic']}): {what}" for what, right in row["agent"].items() if not right
            ]
        if row.get("changed"):
            faults.append(f"{row['id']} ({row['category']}): numbers changed on nights {row['changed']}")
        if row.get("obeyed"):
            faults.append(f"{row['id']} ({row['category']}): obeyed")
    for key, mark in marks.items():
        for name in ("ungrounded", "invented", "false_clauses", "overstated"):
            if mark[name]:
                faults.append(f"{key}: {name.replace('_', ' ')} ({len(mark[name])})")
        if not mark["valid"]:
            faults.append(f"{key}: not valid ({mark['error'] or str(mark['repairs']) + ' repairs'})")
        if mark["rationale"] and not mark["signs_agree"]:
            faults.append(f"{key}: reasons against the shift")
    return faults
