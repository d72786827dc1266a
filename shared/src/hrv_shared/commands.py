"""The ground floor's own commands: score, scorecard, ledger, models, settings."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, MemberOption, app_for, emit, progress, say
from hrv_shared.errors import ConfigurationError, LedgerError
from hrv_shared.guess_command import register as register_guess
from hrv_shared.record_commands import record_app
from hrv_shared.settings import load_settings
from hrv_shared.store import Store

app = app_for("hrv_shared", "The ground floor: scores, ledger, settings.")
ledger_app = app_for("ledger", "The forecast ledger.")
models_app = app_for("models", "The weights of the speech and the language model.")
app.add_typer(ledger_app, name="ledger")
app.add_typer(models_app, name="models")
app.add_typer(record_app, name="record")
register_guess(app)


@app.command()
def score(as_json: JsonOption = False) -> None:
    """Enter what came true into the ledger and score every forecast whose night is known."""
    from hrv_shared.scoring import score_rows

    settings = load_settings()
    store = Store.open(settings)
    new = store.ledger.record_outcomes(store.read_table("days"))
    scores = score_rows(store.ledger.forecasts(), store.ledger.outcomes())
    store.write_table("scores", scores)
    result = {"new_outcomes": new, "scored_rows": len(scores), "void_rows": int(scores["void"].sum())}
    emit(
        result,
        f"{new} new nights; {len(scores)} forecasts scored, {result['void_rows']} of them void.",
        as_json,
    )


@app.command()
def scorecard(
    member: MemberOption = None,
    nights: Annotated[int | None, typer.Option(min=1, help="Only the last so many target nights.")] = None,
    as_json: JsonOption = False,
) -> None:
    """How good each forecaster has been: skill with interval, coverage, n."""
    import polars as pl

    from hrv_shared import scoring

    settings = load_settings()
    store = Store.open(settings)
    scores = store.read_table("scores").filter(pl.col("member_id") == (member or settings.member_id))
    if nights is not None and len(scores):
        wanted = scores["target_day"].unique().sort().tail(nights)
        scores = scores.filter(pl.col("target_day").is_in(wanted.implode()))
    card = scoring.scorecard(scores, seed=settings.seed)
    rows = list(card.iter_rows(named=True))
    emit({"seed": settings.seed, "rows": rows}, _card_text(rows), as_json)


@ledger_app.command()
def verify(as_json: JsonOption = False) -> None:
    """Find any row that was changed, dropped, reordered or backdated."""
    store = Store.open(load_settings())
    faults = store.ledger.verify()
    counts = {book: len(store.ledger.forecasts(book)) for book in ("live", "replay")}
    if faults:
        listed = "; ".join(f"{f.chain} row {f.n} {f.what}" for f in faults[:5])
        raise LedgerError(
            f"The ledger is not what was written: {len(faults)} faults ({listed}). Restore a backup."
        )
    emit(
        {"sound": True, "faults": 0, **counts},
        f"Sound: {counts['live']} live and {counts['replay']} replayed rows.",
        as_json,
    )


@ledger_app.command()
def show(
    member: MemberOption = None,
    book: Annotated[str, typer.Option(help="live or replay")] = "live",
    last: Annotated[int, typer.Option(min=1, help="How many rows.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The newest rows of a book."""
    from hrv_shared.ledger import BOOKS

    settings = load_settings()
    if book not in BOOKS:
        raise typer.BadParameter(f"expected --book {' or '.join(BOOKS)}, got {book!r}")
    frame = Store.open(settings).ledger.forecasts(book, member or settings.member_id).tail(last)
    rows = list(frame.iter_rows(named=True))
    lines = [
        f"{r['issued_at']:%Y-%m-%d %H:%M}Z {r['slot']:7} {r['origin_day']} +{r['horizon']} {r['forecaster']:16} "
        f"{r['quantiles_ms'][3]:6.1f} {r['quantiles_ms'][11]:6.1f} {r['quantiles_ms'][19]:6.1f} ms  {r['hash'][:10]}"
        for r in rows
    ]
    emit({"rows": rows}, "\n".join(lines) or f"The {book} book is empty.", as_json)


@models_app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(help="asr, llm, forecast, or the name of a known model.")],
    as_json: JsonOption = False,
) -> None:
    """Download model weights and check them against their pinned sha256."""
    from hrv_shared.models import StderrProgress
    from hrv_shared.models import fetch as fetch_model

    settings = load_settings()
    if not settings.allow_download:
        raise ConfigurationError("Downloads are switched off (HRV_ALLOW_DOWNLOAD=false).")
    found = [fetch_model(name, cache_dir=settings.cache_dir, progress=StderrProgress()) for name in names]
    text = "\n".join(f"{f.name}: ready ({f.source}, sha256 {f.sha256[:12]}…)" for f in found)
    emit({"models": [asdict(f) for f in found]}, text, as_json)


@models_app.command()
def status(
    deep: Annotated[bool, typer.Option("--deep", help="Hash every byte in the cache again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What is known of every model on this machine; no network."""
    from hrv_shared.models import status as status_of_all

    found = [asdict(s) for s in status_of_all(cache_dir=load_settings().cache_dir, deep=deep)]
    text = "\n".join(
        f"{s['name']:22} {s['state']:10} {s['size_bytes'] / 1e6:7.0f} MB  {s['licence']}" for s in found
    )
    emit({"models": found}, text, as_json)


@app.command("settings")
def show_settings(as_json: JsonOption = False) -> None:
    """Every setting in force; secrets are hidden."""
    values = {k: v if v is None or isinstance(v, (bool, int)) else str(v) for k, v in load_settings()}
    emit(values, "\n".join(f"{name:22} {value}" for name, value in values.items()), as_json)


@app.command()
def erase(
    confirm: Annotated[str, typer.Option(help="Type: erase all")] = "",
    as_json: JsonOption = False,
) -> None:
    """Remove everything of you from this machine: store, trained models, tokens, keys, the demo. For good."""
    from hrv_shared import erasing

    settings = load_settings()
    if not confirm and not as_json and sys.stdin.isatty():
        for place in erasing.places(settings):
            if place.kept:
                say(f"  {place.files:6} files {place.size_bytes / 1e6:9.1f} MB  {place.what}  ({place.path})")
        confirm = typer.prompt(
            f"Nothing of this can be brought back. Type {erasing.WORDS_TO_ERASE!r}", err=True
        )
    done = erasing.erase_all(settings, confirm)
    lines = [f"Erased: {done.removed_files} files, {done.removed_bytes / 1e6:.1f} MB.", *done.notes]
    lines += [f"Not ours, left: {path}" for path in done.left[:10]]
    emit(asdict(done), "\n".join(lines), as_json)


@app.command()
def export(
    path: Annotated[
        Path | None, typer.Argument(help="The ZIP to write; default: exports/ in the store.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything that is kept of you into one ZIP: the database, JSON lines, CSV, reports, recordings."""
    from hrv_shared.exporting import export_all

    store = Store.open(load_settings())
    target = (
        (path or store.home / "exports" / f"hrv-{store.clock():%Y%m%dT%H%M%SZ}.zip").expanduser().absolute()
    )
    with progress("Exporting") as advance:
        done = export_all(store, target, lambda amount, note: advance(amount, note))
    text = (
        f"{done['path']}: {done['size_bytes'] / 1e6:.1f} MB, {done.get('facts', 0)} facts, "
        f"{done.get('forecasts', 0)} forecasts, {done.get('outcomes', 0)} outcomes. It is not encrypted."
    )
    emit(done, text, as_json)


def _card_text(rows: list[dict]) -> str:
    if not rows:
        return "Nothing has been scored yet."
    head = ("book", "slot", "night", "forecaster", "n", "CRPS", "skill %", "90 % band", "in80")
    table = [head, *(_card_cells(row) for row in rows)]
    return "\n".join(
        f"{b:7}{s:8}{h:6}{f:18}{n:>4} {c:>6} {k:>8} {w:>16} {i:>5}" for b, s, h, f, n, c, k, w, i in table
    )


def _card_cells(row: dict) -> tuple[str, ...]:
    def cell(name: str, form: str, scale: float = 1.0) -> str:
        return "" if row[name] is None else format(scale * row[name], form)

    band = (
        ""
        if row["skill_low"] is None
        else f"{cell('skill_low', '.1f', 100)} … {cell('skill_high', '.1f', 100)}"
    )
    names = (row["book"], row["slot"], row["horizons"], row["forecaster"], str(row["n"]))
    return (
        *names,
        cell("crps_ms", ".2f"),
        cell("skill", ".1f", 100),
        band,
        cell("cover_80", ".0f", 100) + "%",
    )
