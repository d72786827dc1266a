"""The commands of the journal room: ways in, and its tables; `review_commands` has those that decide about notes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hrv_shared.cli import JsonOption, JsonOutOption, MemberOption, app_for, emit, emit_rows, progress, say
from journal_analysis import review_commands
from journal_analysis.command_input import instant_of, open_store, text_of

if TYPE_CHECKING:
    from hrv_shared.store import Store
    from journal_analysis.inbox import IngestResult

app = app_for("journal_analysis", "Voice or text in, transcript and facts out.")


@app.command()
def add(
    audio: Annotated[
        Path | None, typer.Argument(help="A recording (flac, wav, mp3, m4a, ogg, webm …).")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="A typed note instead of a recording; - reads it from stdin.")
    ] = None,
    recorded_at: Annotated[
        str | None,
        typer.Option(help="When it was told (ISO 8601); default: the recording's own time, or now."),
    ] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in one note and say what was heard."""
    from journal_analysis.errors import BadEntry
    from journal_analysis.reply import receipt

    if (audio is None) == (text is None):
        raise BadEntry(
            'Expected either a recording or --text, one of them. Example: add --text "One beer at eight."'
        )
    store, settings, member_id = open_store(member)
    at = instant_of(recorded_at)
    from journal_analysis.notes import add_audio, add_text

    entry = (
        add_text(store, member_id, text_of(text), at, auto_accept=settings.journal_auto_accept)
        if text is not None
        else add_audio(store, settings, member_id, audio, at)
    )
    emit({**entry.as_dict(), "receipt": receipt(entry)}, receipt(entry), as_json)


@app.command()
def ingest(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Take in every recording and text file of the inbox (the store's, and the folder of journal_inbox)."""
    from journal_analysis import inbox

    store, settings, member_id = open_store(member)
    done = inbox.ingest(store, settings, member_id)
    answers = _answers(store, member_id)
    told = [_ingest_text(done)] if _ingest_text(done) else []
    told += [_answers_text(answers)] if answers["answers"] else []
    text = "\n".join(told) or "The inbox is empty; nothing to take in."
    emit({**_ingest_result(done), "export_answers": answers}, text, as_json)


@app.command()
def watch(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Take in what comes into the inbox, as soon as it has stopped growing, until Ctrl-C; --json: an object a look."""
    import signal
    import threading

    from journal_analysis.inbox import inbox_folders
    from journal_analysis.watching import watch_inbox

    store, settings, member_id = open_store(member)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    say(f"Watching {', '.join(str(f) for f in inbox_folders(store, settings))} (stop with Ctrl-C) …")

    def tell(done: IngestResult) -> None:
        emit(_ingest_result(done), _ingest_text(done), as_json)

    watch_inbox(store, settings, member_id, stop, tell, say)
    say("Stopped; everything that was taken in is kept.")


@app.command()
def backfill(
    source: Annotated[
        Path,
        typer.Argument(
            help='JSON lines of {"recorded_at": ISO with offset, "text": …}, or a folder of .txt and .md files with a '
            "date in their name."
        ),
    ],
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in old notes; they count as known when they were recorded."""
    from dataclasses import asdict

    from journal_analysis import backfilling

    store, settings, member_id = open_store(member)
    accept = settings.journal_auto_accept
    done = backfilling.backfill(store, member_id, source, auto_accept=accept, progress=progress)
    text = f"{done.entries} notes with {done.facts} facts taken in, {done.already} were there already."
    if done.bad_lines:
        first = done.bad_lines[0]
        where = f"line {first['line']}" if "line" in first else first["file"]
        text += f" Not notes: {len(done.bad_lines)}, the first is {where}: {first['reason']}"
    emit(asdict(done), text, as_json)


@app.command()
def table(
    weekly: Annotated[bool, typer.Option("--weekly", help="By week instead of by day.")] = False,
    last: Annotated[int, typer.Option(help="How many days or weeks.")] = 7,
    behaviour: Annotated[str | None, typer.Option(help="One behaviour only.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="As known at this instant (ISO 8601); default: now.")
    ] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """The journal by day: yes, no or unknown for each behaviour, on which night it can act, and carry-over."""
    from journal_analysis.table import refresh
    from journal_analysis.table_view import show_table, table_text

    store, _, member_id = open_store(member)
    at = instant_of(as_of, "--as-of")
    refresh(store)
    shown = show_table(store, member_id, weekly=weekly, last=last, as_of=at, behaviour=behaviour)
    emit(shown, table_text(shown), as_json)


@app.command()
def rebuild(as_json: JsonOption = False) -> None:
    """Make the tables journal_facts, journal_days and journal_weeks anew from the record."""
    from journal_analysis import table

    store, _, member_id = open_store(None)
    table.rebuild(store)
    answers = _answers(store, member_id)
    rows = {name: len(store.read_table(name)) for name in table.OWN_TABLES}
    text = "; ".join(f"{name}: {n} rows" for name, n in rows.items())
    emit(
        {"rows": rows["journal_facts"], "tables": rows, "export_answers": answers},
        f"{text}. {_answers_text(answers)}",
        as_json,
    )


@app.command()
def bench(
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder with manifest.json (audio) or *.json cases (texts), or one such file; several times."
        ),
    ] = None,
    store: Annotated[
        int | None,
        typer.Option(
            help="Measure typed note to receipt with so many notes in a store of its own, e.g. 1000."
        ),
    ] = None,
    json_out: JsonOutOption = None,
) -> None:
    """Measure listening and reading on labelled test sets, or the speed of the store."""
    from hrv_shared.settings import load_settings
    from journal_analysis.bench import bench_text, run_bench
    from journal_analysis.bench_store import measure_store
    from journal_analysis.errors import BadBenchmark

    if not data and store is None:
        raise BadBenchmark("Expected --data DIR (listening and reading) or --store N (speed), or both.")
    result = run_bench(data or [], load_settings())
    result["rows"] += measure_store(store) if store else []
    emit_rows(result, bench_text(result), json_out)


for _command in (
    review_commands.show, review_commands.confirm, review_commands.reject, review_commands.correct,
    review_commands.edit, review_commands.undo,
):  # fmt: skip
    app.command()(_command)


def _ingest_result(done: IngestResult) -> dict[str, Any]:
    from journal_analysis.reply import receipt

    return {
        "entries": [{**e.as_dict(), "receipt": receipt(e)} for e in done.entries],
        "new": len(done.entries), "already": done.already, "backfilled": done.backfilled, "refused": done.refused,
        "later": done.later,
    }  # fmt: skip


def _ingest_text(done: IngestResult) -> str:
    from journal_analysis.reply import receipt

    lines = [f"{done.backfilled} old notes taken in."] if done.backfilled else []
    lines += [receipt(entry) for entry in done.entries]
    lines += [f"Not taken, {r['file']}: {r['reason']}" for r in done.refused]
    lines += [f"Still being written, left for later: {name}" for name in done.later]
    return "\n".join(lines)


def _answers(store: Store, member_id: str) -> dict[str, Any]:
    from dataclasses import asdict

    from journal_analysis.answers import read_answers

    return asdict(read_answers(store.record, member_id)[1])


def _answers_text(answers: dict[str, Any]) -> str:
    said = f"{answers['answers']} answers of the WHOOP journal read"
    if answers["unknown"]:
        listed = "; ".join(f"{question!r} ({n})" for question, n in list(answers["unknown"].items())[:10])
        said += f"; questions that I do not know, with their answers: {listed}"
    return f"{said}; {answers['private']} private ones left alone." if answers["private"] else f"{said}."
