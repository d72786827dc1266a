"""Commands of the training room: train, forecast, replay, combine; promote, rollback, show, registry."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hrv_shared.cli import JsonOption, MemberOption, app_for, emit, progress
from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store
from model_training.bench.cli import app as bench_app
from model_training.explain_cli import register as register_explanations

if TYPE_CHECKING:
    from hrv_shared.issue import Issue

app = app_for("model_training", "Train, replay and issue the models' forecasts.")

app.add_typer(bench_app, name="bench")
register_explanations(app)

ForceOption = Annotated[bool, typer.Option("--force", help="Whatever the ledger says; needs --reason.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]
FromOption = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="Instead: from this wake day on; with --to."),
]
ToOption = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last wake day of the range.")
]
SlotOption = Annotated[
    str | None, typer.Option("--slot", help="morning or evening; default: the one that is due.")
]


@app.command()
def train(
    member: MemberOption = None,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Only when the last training is a week old.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Backtest every forecaster, fit it on all that is known, track it in MLflow, look after the champion."""
    from model_training.training import last_training, look_after
    from model_training.training import train as run

    _, store, issue = _due(member)
    if if_due and (held := last_training(store, issue)) is not None:
        held |= look_after(store, issue) | {"already": True}
        text = f"Trained on {held['issue']['origin_day']}; due again a week later. {held['watch']['why']}"
        emit(held, text, as_json)
        return
    with progress("Training", total=1) as advance:
        result = run(store, issue, advance=advance)
    emit(result, _train_text(result), as_json)


@app.command()
def forecast(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Issue every registered forecaster and their mix for tomorrow and the week."""
    from hrv_shared.forecaster import find_forecasters
    from model_training.issuing import issue_forecasts

    _, store, issue = _due(member)
    registered = find_forecasters()
    with progress("Forecasting", total=len(registered)) as advance:
        result = issue_forecasts(store, issue, forecasters=registered, advance=advance)
    lines = [
        f"{issue.name} ({issue.book}): {result['written']} forecasts issued, {result['already']} stood already."
    ]
    lines += [f"{s['forecaster']}: {s['message']}" for s in result["refusals"] + result["failures"]]
    emit(result, "\n".join([issue.note, *lines] if issue.note else lines), as_json)


@app.command()
def replay(
    member: MemberOption = None,
    nights: Annotated[
        int | None, typer.Option(min=1, help="How many; default: the setting replay_nights.")
    ] = None,
    slot: SlotOption = None,
    first: FromOption = None,
    last: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what each forecaster would have said on the last nights, as of then, into the replay book."""
    from model_training.replaying import replay as run

    slot = _known_slot(slot)
    between = _range(first, last, nights)
    settings, store, issue = _due(member)
    nights = (between[1] - between[0]).days + 1 if between else nights or settings.replay_nights
    with progress("Replaying", total=nights) as advance:
        result = run(store, issue, nights=nights, slot=slot, between=between, advance=advance)
    text = (
        f"{result['nights']} {result['slot']}s replayed, {result['first_origin']} … {result['last_origin']}: "
        f"{result['written']} forecasts written, {result['already']} stood already."
    )
    refused = [f"{name} refused: {counts}" for name, counts in result["refused"].items()]
    emit(result, "\n".join([text, *refused]), as_json)


@app.command()
def combine(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Issue final: the mix, corrected by the agent as far as it has earned it."""
    from model_training.issuing import combine as run

    _, store, issue = _due(member)
    result = run(store, issue)
    spoke = "the agent spoke" if result["agent_spoke"] else "the agent did not speak"
    weights = result["weights"].get(1)
    emit(
        result,
        f"{issue.name} ({issue.book}): final, {result['written']} new; {spoke}, weights {weights}.",
        as_json,
    )


@app.command()
def promote(
    member: MemberOption = None,
    forecaster: Annotated[str | None, typer.Option(help="Who should; default: the challenger.")] = None,
    force: ForceOption = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make the challenger champion, if the ledger says that it is better beyond chance."""
    from model_training.lifecycle import promote as run

    _reason_for(force, reason)
    _, store, issue = _due(member)
    result = run(store, issue, forecaster=forecaster, force=force, reason=reason)
    emit(result, _change_text("Promoted", result), as_json)


@app.command()
def rollback(
    member: MemberOption = None,
    force: ForceOption = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Give the champion's place back to a former one, if the ledger says that it has decayed."""
    from model_training.lifecycle import rollback as run

    _reason_for(force, reason)
    _, store, issue = _due(member)
    result = run(store, issue, force=force, reason=reason)
    emit(result, _change_text("Rolled back", result), as_json)


@app.command()
def show(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """The registered models, champion and challenger first."""
    from model_training.tracking import list_registered

    settings = load_settings()
    rows = list_registered(Store.open(settings), member or settings.member_id)
    lines = [
        f"{r['alias'] or '':10} v{r['version']:<4} {r['forecaster']:12} {r['code']:16} {r['origin_day']}"
        + ("" if r["skill"] is None else f" skill {100 * r['skill']:+.1f} %  CRPS {r['crps_ms']:.2f} ms")
        for r in rows
    ]
    nothing = "Nothing is registered yet. Run: python -m model_training train"
    emit({"registered": rows}, "\n".join(lines) or nothing, as_json)


@app.command()
def registry(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """The champion, its export and how it came to its place."""
    from model_training.lifecycle import registry as run

    settings = load_settings()
    result = run(Store.open(settings), member or settings.member_id)
    champion = result["champion"]
    if champion is None:
        emit(result, "No champion was named yet. Run: python -m model_training train", as_json)
        return
    whole = (
        "exported" if result["exported"] else "not exported whole; mend it: python -m model_training train"
    )
    lines = [
        f"Champion: {champion['forecaster']} (v{champion['registered_version']}, {champion['code']}), {whole}."
    ]
    lines += [
        f"{e['origin_day']} {e['event']:10} {e['to']['forecaster']} (v{e['to']['registered_version']}), by {e['by']}:"
        f" {e['why']}"
        for e in result["events"]
    ]
    emit(result, "\n".join(lines), as_json)


@app.command("fit-pool")
def fit_pool(
    data: Annotated[
        Path | None, typer.Option("--data", help="Table of openly licensed people, as for bench forecast.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Default: the package's own pool, which ships.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit what every wearer starts from, on a synthetic cohort and the people of a table."""
    from model_training.bench.cli import fit_pool_command
    from model_training.pool import SHIPPED_PATH

    result = fit_pool_command(data, out or SHIPPED_PATH)
    emit(result, f"{result['path']}: {result['bytes']} bytes, digest {result['digest']}.", as_json)


def _due(member: str | None) -> tuple[Settings, Store, Issue]:
    from hrv_shared.issue import current_issue

    settings = load_settings()
    store = Store.open(settings)
    return settings, store, current_issue(store, member or settings.member_id)


def _known_slot(slot: str | None) -> str | None:
    from hrv_shared.constants import SLOTS

    if slot is not None and slot not in SLOTS:
        raise typer.BadParameter(f"expected one of {', '.join(SLOTS)}, got {slot!r}")
    return slot


def _range(first: datetime | None, last: datetime | None, nights: int | None) -> tuple[date, date] | None:
    if first is None and last is None:
        return None
    if first is None or last is None or nights is not None or last < first:
        raise typer.BadParameter("expected --from and --to together, the earlier day first, and no --nights")
    return first.date(), last.date()


def _reason_for(force: bool, reason: str) -> None:
    if force != bool(reason.strip()):
        raise typer.BadParameter("expected --force and --reason together: who overrules the ledger says why")


def _change_text(done: str, result: dict[str, Any]) -> str:
    champion = result["champion"]
    place = f"Champion: {champion['forecaster']} (v{champion['registered_version']})."
    return f"{f'{done}.' if result['changed'] else 'No change.'} {result['why']} {place}"


def _train_text(result: dict[str, Any]) -> str:
    champion = result["champion"]
    head = "The same data and code were trained before. " if result["already"] else ""
    version = champion["registered_version"]
    lines = [f"{head}{result['origins']} origins; champion {champion['forecaster']} (v{version})."]
    for name, m in sorted(result["forecasters"].items(), key=lambda item: item[1].get("crps_ms", 1e9)):
        if m["n"]:
            lines.append(
                f"{name:12} n {m['n']:4.0f}  CRPS {m['crps_ms']:6.2f} ms  skill {100 * m.get('skill', 0):+6.1f} %"
                f"  inside 80 %: {100 * m['cover_80']:.0f} %"
            )
    lines += [f"{name}: {why}" for name, why in result["refusals"].items()]
    lines += [f"{name} is not registered: {why}" for name, why in result["unregistered"].items()]
    lines.append(result["watch"]["why"])
    return "\n".join(lines)
