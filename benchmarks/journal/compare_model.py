"""Does a language model beside the rules read a journal better than the rules alone? Measured, not assumed.

    python benchmarks/journal/compare_model.py CASES.json [--every N] [--json OUT]

Asks the house's language model (settings ``llm_…``) for the ten fields of each entry, quote first, under a JSON schema,
and holds four readers against the labels: the rules, the model, the rules with the model where they are silent and it
quotes the entry word for word, and what a perfect judge between the two would reach. Then: of the fields in which the
two disagree, how many are the rules' mistakes (what "ask where they disagree" would catch, at what price).
About 10 s an entry on two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from hrv_shared.cli import progress
from hrv_shared.llm import ChatModel, open_chat_model
from hrv_shared.models import default_model, resolve
from hrv_shared.settings import load_settings
from journal_analysis.bench import text_cases
from journal_analysis.bench_texts import spoken_of
from journal_analysis.fields import FIELDS, fields_of
from journal_analysis.reading import read_facts

PROMPT = json.loads(Path(__file__).with_name("model_prompt.json").read_text(encoding="utf-8"))
QUOTES = {
    "alcohol_drinks": "alcohol_quote",
    "caffeine_servings": "caffeine_quote",
    "illness": "symptom_quote",
    "training": "training_quote",
}
"""Fields for which the model must quote the entry."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", type=Path, nargs="+", help="labelled texts")
    parser.add_argument("--every", type=int, default=1, help="take every so many cases")
    parser.add_argument("--json", type=Path, help="write the rows here")
    asked = parser.parse_args()
    cases = [case for path in asked.cases for case in text_cases(path)][:: asked.every]
    model = _model()
    readings, seconds = [], []
    with progress("reading", len(cases)) as advance:
        for case in cases:
            began = time.perf_counter()
            readings.append(_asked(model, case["text"]))
            seconds.append(time.perf_counter() - began)
            advance(1)
    model.close()
    rows = compare(cases, readings, model.model_id)
    rows.append(_row("seconds a text", statistics.median(seconds), len(cases), model.model_id))
    for row in rows:
        print(f"{row['metric']:48} {row['value']:>8g}  n {row['n']}  {row['model']}")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def compare(cases: list[dict[str, Any]], readings: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    """Rows (metric, value, n, model) of the four readers and of their disagreement."""
    right = dict.fromkeys(("rules", model, "rules, model where silent", "perfect judge"), 0)
    disagree = caught = 0
    silence = fields_of([])
    for case, reading in zip(cases, readings, strict=True):
        rules, labels = fields_of(read_facts(case["text"], spoken_of(case)).facts), case["labels"]
        for name in FIELDS:
            said, other = rules[name], reading.get(name, silence[name])
            filled = other if said == silence[name] and _is_quoted(name, reading, case["text"]) else said
            right["rules"] += said == labels[name]
            right[model] += other == labels[name]
            right["rules, model where silent"] += filled == labels[name]
            right["perfect judge"] += labels[name] in (said, other)
            disagree += said != other
            caught += said != other and said != labels[name]
    n = len(cases) * len(FIELDS)
    wrong = n - right["rules"]
    return [
        *(_row("ten fields right", count / n, n, reader) for reader, count in right.items()),
        _row("fields in which the two disagree", disagree / n, n, "both"),
        _row("of these, the rules were wrong", caught / max(disagree, 1), disagree, "both"),
        _row("of the rules' mistakes, the two disagree", caught / max(wrong, 1), wrong, "both"),
    ]


def _asked(model: ChatModel, text: str) -> dict[str, Any]:
    messages = [{"role": "system", "content": PROMPT["system"]}]
    for shot in PROMPT["few_shot"]:
        answer = json.dumps(shot["assistant"], ensure_ascii=False)
        messages += [{"role": "user", "content": shot["user"]}, {"role": "assistant", "content": answer}]
    messages.append({"role": "user", "content": text})
    reading = model.complete(messages, schema=PROMPT["schema"], max_tokens=500).parsed
    if reading["alcohol_quote"].strip().lower() == "none":
        reading["alcohol_drinks"] = 0
    return reading


def _is_quoted(name: str, reading: dict[str, Any], text: str) -> bool:
    quote = " ".join(str(reading.get(QUOTES.get(name, ""), "")).lower().split())
    return len(quote) > 3 and quote in " ".join(text.lower().split())


def _model() -> ChatModel:
    settings = load_settings()
    path = None
    if settings.llm_backend == "embedded":
        path = resolve(
            "llm",
            cache_dir=settings.cache_dir,
            configured_path=settings.llm_model_path,
            allow_download=settings.allow_download,
        ).path
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    return open_chat_model(
        settings.llm_backend, model_path=path, model=default_model("llm").name, base_url=settings.llm_base_url,
        api_key=key, allow_remote=settings.llm_allow_remote, threads=settings.threads,
    )  # fmt: skip


def _row(metric: str, value: float, n: int, model: str) -> dict[str, Any]:
    return {"metric": metric, "value": round(value, 4), "n": n, "model": model}


if __name__ == "__main__":
    main()
