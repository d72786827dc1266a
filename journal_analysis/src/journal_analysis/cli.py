"""The commands of the journal room."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hrv_shared.cli import JsonOption, JsonOutOption, MemberOption, app_for, emit, emit_rows

if TYPE_CHECKING:
    from hrv_shared.settings import Settings
    from hrv_shared.store import Store
    from journal_analysis.review import Review

app = app_for("journal_analysis", "Voice or text in, transcript and facts out.")

KeyArgument = Annotated[
    str, typer.Argument(help="Key of the note, or its first characters.", metavar="ENTRY")
]
EntryArgument = Annotated[
    str | None, typer.Argument(help="Key of one note, or its first characters.", metavar="[ENTRY]")
]
FactsArgument = Annotated[
    list[int] | None, typer.Argument(help="Numbers of its facts; none means all.", metavar="[FACT]…")
]


@app.command()
def add(
    audio: Annotated[
        Path | None, typer.Argument(help="A recording (flac, wav, mp3, m4a, ogg, webm …).")
    ] = None,
    text: Annotated[str | None, typer.Option(help="A typed note instead of a recording.")] = None,
    recorded_at: Annotated[str | None, typer.Option(help="When it was told (ISO 8601).")] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in one note and say what was heard."""
    from journal_analysis.errors import BadEntry
    from journal_analysis.notes import add_audio, add_text
    from journal_analysis.reply import receipt

    if (audio is None) == (text is None):
        raise BadEntry(
            'Expected either a recording or --text, one of them. Example: add --text "One beer at eight."'
        )
    store, settings, member_id = _open(member)
    at = _instant(recorded_at)
    entry = (
        add_text(store, member_id, text, at, auto_accept=settings.journal_auto_accept)
        if text is not None
        else add_audio(store, settings, member_id, audio, at)
    )
    emit({**entry.as_dict(), "receipt": receipt(entry)}, receipt(entry), as_json)


@app.command()
def ingest(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Take in every recording and text file of the store's inbox."""
    from journal_analysis import notes
    from journal_analysis.reply import receipt

    store, settings, member_id = _open(member)
    done = notes.ingest(store, settings, member_id)
    lines = [receipt(entry) for entry in done.entries] + [f"Not taken: {r['reason']}" for r in done.refused]
    if done.backfilled:
        lines.insert(0, f"{done.backfilled} old notes taken in.")
    answers = _answers(store, member_id)
    if answers["answers"]:
        lines.append(_answers_text(answers))
    result = {
        "entries": [{**e.as_dict(), "receipt": receipt(e)} for e in done.entries],
        "new": len(done.entries), "already": done.already, "backfilled": done.backfilled, "refused": done.refused,
        "export_answers": answers,
    }  # fmt: skip
    emit(result, "\n".join(lines) or "The inbox is empty; nothing to take in.", as_json)


@app.command()
def backfill(
    file: Annotated[Path, typer.Argument(help='JSON lines: {"recorded_at": ISO with offset, "text": …}.')],
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in old notes; they count as known when they were recorded."""
    from dataclasses import asdict

    from journal_analysis import notes

    store, _, member_id = _open(member)
    done = notes.backfill(store, member_id, file)
    text = f"{done.entries} notes with {done.facts} facts taken in, {done.already} were there already."
    if done.bad_lines:
        first = done.bad_lines[0]
        text += (
            f" Not notes: {len(done.bad_lines)} lines, the first is line {first['line']}: {first['reason']}"
        )
    emit(asdict(done), text, as_json)


@app.command()
def show(
    entry: EntryArgument = None,
    last: Annotated[int, typer.Option(help="How many notes, without a key.")] = 5,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """The newest notes, or one, with their facts numbered."""
    from journal_analysis import review

    store, _, member_id = _open(member)
    shown = review.show(store, member_id, last, entry)
    lines = []
    for note in shown:
        lines.append(
            f"{note['entry'][:8]}  {note['day']}  {note['source']}, {note['state']}: {note['transcript']}"
        )
        lines += [f"    {_fact_line(fact)}" for fact in note["facts"]]
    emit({"entries": shown}, "\n".join(lines) or 'No notes yet. Add one: hrv journal add --text "…"', as_json)


@app.command()
def confirm(
    entry: KeyArgument,
    facts: FactsArgument = None,
    keep_audio: Annotated[bool, typer.Option(help="Keep the recording.")] = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept facts of a note, or all; when none waits any more its recording is removed (unless --keep-audio)."""
    from journal_analysis import review

    store, settings, member_id = _open(member)
    keep = keep_audio or settings.journal_keep_audio
    done = review.confirm(store, member_id, entry, facts, keep_audio=keep)
    removed = " Its recording was removed." if done.recordings_removed else ""
    _emit_review(done, f"{done.changed} facts accepted that were not.{removed}", as_json)


@app.command()
def reject(
    entry: KeyArgument, facts: FactsArgument = None, member: MemberOption = None, as_json: JsonOption = False
) -> None:
    """Reject facts of a note, or all of them: nothing sees them any more."""
    from journal_analysis import review

    store, _, member_id = _open(member)
    done = review.reject(store, member_id, entry, facts)
    _emit_review(done, f"{done.changed} facts rejected.", as_json)


@app.command()
def correct(
    entry: KeyArgument,
    fact: Annotated[int, typer.Argument(help="Number of the fact, as show and the receipt give it.")],
    amount: Annotated[
        float | None, typer.Option(help="How much, in the fact's unit; scales 0 to 10.")
    ] = None,
    no: Annotated[bool, typer.Option("--no", help="It did not happen.")] = False,
    time: Annotated[str | None, typer.Option(help="Clock time, HH:MM.")] = None,
    day: Annotated[str | None, typer.Option(help="Day it is about: YYYY-MM-DD, today or yesterday.")] = None,
    plan: Annotated[bool | None, typer.Option("--plan/--done", help="Meant, or done.")] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put one fact right."""
    from journal_analysis import corrections
    from journal_analysis.changes import find_note

    store, _, member_id = _open(member)
    told = find_note(store, member_id, entry).entry.payload["day"]
    right = corrections.Correction(amount, no, _clock_time(time), _day(day, told), plan)
    done = corrections.correct(store, member_id, entry, fact, right)
    _emit_review(done, f"fact {fact} corrected.", as_json)


@app.command()
def edit(
    entry: KeyArgument,
    text: Annotated[str, typer.Option(help="The note as it should read.")],
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the words of a note right; its facts are read anew, except those that you decided on."""
    from journal_analysis import corrections

    store, settings, member_id = _open(member)
    done = corrections.edit(store, member_id, entry, text, auto_accept=settings.journal_auto_accept)
    _emit_review(done, f"words corrected, {done.changed} facts changed.", as_json)


@app.command()
def undo(entry: KeyArgument, member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Take back the last change of a note; without any, the note itself (confirm brings it back)."""
    from journal_analysis import review

    store, _, member_id = _open(member)
    done = review.undo(store, member_id, entry)
    what = done.what.removeprefix("undo ")
    said = (
        f"{done.changed} facts rejected"
        if what == "told"
        else f"{what} taken back, {done.changed} facts changed"
    )
    _emit_review(done, f"{said}.", as_json)


@app.command()
def rebuild(as_json: JsonOption = False) -> None:
    """Make the table journal_facts anew from the record."""
    from journal_analysis import table

    store, _, member_id = _open(None)
    table.rebuild(store)
    answers, rows = _answers(store, member_id), len(store.read_table("journal_facts"))
    emit(
        {"rows": rows, "export_answers": answers},
        f"journal_facts: {rows} rows. {_answers_text(answers)}",
        as_json,
    )


@app.command()
def bench(
    data: Annotated[
        list[Path],
        typer.Option(
            help="A folder with manifest.json (audio) or *.json cases (texts), or one such file; several times."
        ),
    ],
    json_out: JsonOutOption = None,
) -> None:
    """Measure listening and reading on labelled test sets."""
    from hrv_shared.settings import load_settings
    from journal_analysis.bench import bench_text, run_bench

    result = run_bench(data, load_settings())
    emit_rows(result, bench_text(result), json_out)


def _open(member: str | None) -> tuple[Store, Settings, str]:
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store

    settings = load_settings()
    return Store.open(settings), settings, member or settings.member_id


def _instant(text: str | None) -> datetime | None:
    """The instant of --recorded-at."""
    from journal_analysis.errors import BadEntry

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadEntry(f"Expected --recorded-at like 2026-03-01T21:40:00+01:00, got {text!r}.") from None
    if at.tzinfo is None:
        raise BadEntry(
            f"Expected --recorded-at with its offset (2026-03-01T21:40:00+01:00, or Z), got {text!r}."
        )
    return at if at.utcoffset() else at.replace(tzinfo=UTC)


def _clock_time(text: str | None) -> str | None:
    import re

    from journal_analysis.errors import BadCorrection

    if text is None:
        return None
    found = re.fullmatch(r"([01]?\d|2[0-3])[:.]([0-5]\d)", text.strip())
    if not found:
        raise BadCorrection(f"Expected --time like 21:30, got {text!r}.")
    return f"{int(found[1]):02d}:{found[2]}"


def _day(text: str | None, told: str) -> date | None:
    """The day of --day; today and yesterday are those of the note."""
    from journal_analysis.errors import BadCorrection

    if text is None:
        return None
    if text in ("today", "yesterday"):
        return date.fromisoformat(told) - timedelta(days=int(text == "yesterday"))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadCorrection(f"Expected --day like 2026-03-01, today or yesterday, got {text!r}.") from None


def _emit_review(done: Review, said: str, as_json: bool) -> None:
    from dataclasses import asdict

    emit(asdict(done), f"Note {done.key[:8]}: {said}", as_json)


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


def _fact_line(fact: dict[str, Any]) -> str:
    amount = f"{fact['amount']:g} {fact['unit']}" if fact["amount"] is not None else fact["kind"]
    said = f"{fact['behaviour']}: {fact['clock_time'] or amount}{', plan' if fact['is_plan'] else ''}"
    why = f"{fact['status']}, {fact['confidence']:.2f}, {fact['rule']}; day {fact['day']}"
    return f'[{fact["number"]}] {said}  [{why}]  "{fact["quote"]}"'
