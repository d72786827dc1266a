"""``hrv agent belief``: what the agent remembers of you, shown, corrected, erased; ``hrv agent review``."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOption, MemberOption, app_for, emit, progress
from hrv_shared.errors import HrvError
from hrv_shared.issue import Issue, current_issue
from hrv_shared.settings import load_settings
from hrv_shared.store import Store
from llm_agent import tracing_cli
from llm_agent.errors import BadEdit

__all__ = ["belief_app", "review"]

belief_app = app_for("belief", "What the agent remembers of you: shown, edited, erased.")

BookOption = Annotated[str, typer.Option(help="live or replay")]
DayOption = Annotated[
    datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day it weighs on.")
]
KEPT = (
    "Later runs, replays included, use nothing of it. The record only grows: the earlier states stay in record.sqlite "
    "and in exports of it until you erase everything with hrv erase."
)


@belief_app.command()
def show(
    member: MemberOption = None,
    book: BookOption = "live",
    at: Annotated[
        datetime | None, typer.Option("--as-of", help="As it stood then (UTC), instead of now.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The belief state, and the lines of it that the language model is told."""
    from llm_agent.belief import current_belief

    store, whose = _opened(member)
    as_of = store.clock() if at is None else at.replace(tzinfo=store.clock().tzinfo)
    belief = current_belief(store, whose, _known_book(book), as_of)
    if belief is None:
        emit(
            {"belief": None, "lines": []},
            "Nothing is remembered. A state is made with each forecast.",
            as_json,
        )
        return
    lines = belief.lines()
    text = "\n".join(
        [*_shown(belief.payload), "", "Told to the language model:", *(f"{i} {t}" for i, t in lines)]
    )
    emit({"belief": belief.payload, "lines": [{"id": i, "text": t} for i, t in lines]}, text, as_json)


@belief_app.command()
def edit(
    stressor: Annotated[
        str | None, typer.Option(help='Something that goes on: "new job"; with --until.')
    ] = None,
    until: DayOption = None,
    moves: Annotated[str, typer.Option(help="Which way it moves your HRV: down, up or unknown.")] = "down",
    keep: Annotated[
        str | None, typer.Option(help="A remembered stressor that lasts longer or shorter; with --until.")
    ] = None,
    effect: Annotated[
        str | None, typer.Option(help="What a behaviour does to you, in ms: alcohol=-8.")
    ] = None,
    forget: Annotated[
        str | None, typer.Option(help="Never use again what is remembered under this name.")
    ] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct what is remembered: one thing at a time."""
    from llm_agent import belief_edits as edits

    store, whose = _opened(member)
    named = [name for name, value in (("stressor", stressor), ("keep", keep), ("effect", effect), ("forget", forget))
             if value is not None]  # fmt: skip
    if len(named) != 1:
        raise BadEdit(
            f"Expected one of --stressor, --keep, --effect, --forget, got {', '.join(named) or 'none'}."
        )
    if named[0] in ("stressor", "keep") and until is None:
        raise BadEdit(f"Expected --until YYYY-MM-DD with --{named[0]}: nothing is remembered for ever.")
    if stressor is not None:
        fact, text = edits.add_stressor(store, whose, stressor, _day(until), moves), "Remembered."
    elif keep is not None:
        fact, text = edits.keep(store, whose, keep, _day(until)), "Its last day is set."
    elif effect is not None:
        fact, text = (
            edits.set_effect(store, whose, *_read_effect(effect)),
            "Remembered beside what your data say.",
        )
    else:
        fact, text = edits.forget(store, whose, str(forget)), f"Forgotten. {KEPT}"
    state = _made_anew(store, whose)
    emit({"edit": fact and fact.payload, "belief": state}, text, as_json)


@belief_app.command()
def erase(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget everything: stressors, effects, own errors and your edits, up to now."""
    from llm_agent.belief_edits import erase as erase_all

    store, whose = _opened(member)
    if not yes and (as_json or not sys.stdin.isatty()):
        raise BadEdit("Expected --yes: all that the agent remembers of you would be forgotten.")
    if not yes and not typer.confirm("Forget all that the agent remembers of you?", err=True):
        raise typer.Abort
    erase_all(store, whose)
    state = _made_anew(store, whose)
    emit({"erased": True, "belief": state}, f"Erased. {KEPT}", as_json)


@belief_app.command()
def history(
    member: MemberOption = None,
    book: BookOption = "live",
    last: Annotated[int, typer.Option(min=1, help="How many states.")] = 14,
    as_json: JsonOption = False,
) -> None:
    """The states of the last days and what changed from one to the next."""
    from llm_agent.belief_history import belief_history

    store, whose = _opened(member)
    rows = belief_history(store, whose, _known_book(book), last)
    text = "\n".join(
        f"{row['as_of'][:16]}Z {row['digest'][:8]}  {'; '.join(row['changes']) or 'as before'}"
        for row in rows
    )
    emit({"states": rows}, text or "Nothing was remembered yet.", as_json)


def review(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Each morning: what the agent said, what came, which reason held; then the belief state is made anew."""
    from llm_agent.post_mortem import review as run

    store, whose = _opened(member)
    with progress("Reviewing") as advance:
        done = run(store, whose, advance)
    state = _made_anew(store, whose)
    traces = tracing_cli.traces_or_why_not(store, whose)
    texts = [told["text"] for told in done["written"][-5:]]
    left = len(done["written"]) - len(texts)
    if left > 0:
        texts.insert(0, f"{left} older nights reviewed.")
    summed = f"{len(done['written'])} reviewed, {done['already']} were before, {done['waiting']} wait for their night."
    emit({**done, "belief_made": state is not None, "traces": traces}, "\n\n".join([*texts, summed]), as_json)


def _opened(member: str | None) -> tuple[Store, str]:
    settings = load_settings()
    return Store.open(settings), member or settings.member_id


def _made_anew(store: Store, member_id: str) -> dict[str, Any] | None:
    """The state of the current issue with the edits in it, once there is a summary of it."""
    from llm_agent.belief import current_belief, update_belief

    try:
        issue: Issue = current_issue(store, member_id)
    except HrvError:
        return None
    belief = update_belief(store, issue) or current_belief(store, member_id, issue.book, store.clock())
    return None if belief is None else belief.payload


def _known_book(book: str) -> str:
    if book not in ("live", "replay"):
        raise BadEdit(f"Expected --book live or replay, got {book!r}.")
    return book


def _day(until: datetime | None) -> date:
    assert until is not None
    return until.date()


def _read_effect(text: str) -> tuple[str, float]:
    name, sign, size = text.partition("=")
    try:
        return name, float(size.replace("ms", "").replace(",", "."))
    except ValueError:
        raise BadEdit(f"Expected --effect such as alcohol=-8, got {text!r}.") from None


def _shown(payload: dict[str, Any]) -> list[str]:
    level, own = payload["level"], payload["own_errors"]
    lines = [f"As of {payload['as_of'][:16]}Z ({payload['book']} book)"]
    if level["mean_7d_ms"] is not None:
        lines.append(f"Level: {level['mean_7d_ms']:.0f} ms over 7 days, {level['position']} (usual band)")
    lines += [
        f"Goes on: {s['text']} (from the {s['source']}), until {s['until_day']}; name {s['name']}"
        for s in payload["stressors"]
    ]
    for e in payload["effects"]:
        data = (
            ""
            if e["effect_ms"] is None
            else f" {e['effect_ms']:+.1f} ms ({e['low80_ms']:+.1f} … {e['high80_ms']:+.1f})"
        )
        mine = f", you say {e['said_by_wearer_ms']:+g} ms" if "said_by_wearer_ms" in e else ""
        lines.append(f"Effect: {e['text']}{data}{mine}")
    if own["n"]:
        lines.append(f"Own nights reviewed: {own['n']}, missed {own['missed']}; moved {own['moved']['n']}, "
                     f"helped {own['moved']['helped']}, harmed {own['moved']['harmed']}")  # fmt: skip
    lines += [
        f"Missed {m['target_day']}: said {m['said_ms']:.0f}, came {m['came_ms']:.0f} ms"
        + (f" ({'; '.join(m['causes'])})" if m["causes"] else "")
        for m in own["recent"]
    ]
    return lines
