"""Commands for looking at notes and deciding about what was heard."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hrv_shared.cli import JsonOption, MemberOption, emit
from journal_analysis.command_input import clock_time_of, day_of, one_line, open_store, text_of

if TYPE_CHECKING:
    from journal_analysis.review import Review

__all__ = ["confirm", "correct", "edit", "reject", "show", "undo"]

KeyArgument = Annotated[
    str, typer.Argument(help="Key of the note, or its first characters.", metavar="ENTRY")
]
EntryArgument = Annotated[
    str | None, typer.Argument(help="Key of one note, or its first characters.", metavar="[ENTRY]")
]
FactsArgument = Annotated[
    list[int] | None, typer.Argument(help="Numbers of its facts; none means all.", metavar="[FACT]…")
]
KeepAudioOption = Annotated[bool, typer.Option(help="Keep the recording.")]


def show(
    entry: EntryArgument = None,
    last: Annotated[int, typer.Option(help="How many notes, without a key.")] = 5,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """The newest notes, or one, with their facts numbered."""
    from journal_analysis import review

    store, _, member_id = open_store(member)
    shown = review.show(store, member_id, last, entry)
    lines = []
    for note in shown:
        lines.append(
            f"{note['entry'][:8]}  {note['day']}  {note['source']}, {note['state']}: {one_line(note['transcript'])}"
        )
        lines += [f"    {_fact_line(fact)}" for fact in note["facts"]]
    emit({"entries": shown}, "\n".join(lines) or 'No notes yet. Add one: hrv journal add --text "…"', as_json)


def confirm(
    entry: KeyArgument,
    facts: FactsArgument = None,
    keep_audio: KeepAudioOption = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept facts of a note, or all; when none waits any more its recording is removed (unless --keep-audio)."""
    from journal_analysis import review

    store, settings, member_id = open_store(member)
    keep = keep_audio or settings.journal_keep_audio
    done = review.confirm(store, member_id, entry, facts, keep_audio=keep)
    _emit_review(done, f"{done.changed} facts accepted that were not.", as_json)


def reject(
    entry: KeyArgument,
    facts: FactsArgument = None,
    keep_audio: KeepAudioOption = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject facts of a note, or all of them (then the recording stays): nothing sees them any more."""
    from journal_analysis import review

    store, settings, member_id = open_store(member)
    keep = keep_audio or settings.journal_keep_audio
    done = review.reject(store, member_id, entry, facts, keep_audio=keep)
    _emit_review(done, f"{done.changed} facts rejected.", as_json)


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
    keep_audio: KeepAudioOption = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put one fact right."""
    from journal_analysis import corrections
    from journal_analysis.changes import find_note

    store, settings, member_id = open_store(member)
    told = find_note(store, member_id, entry).entry.payload["day"]
    right = corrections.Correction(amount, no, clock_time_of(time), day_of(day, told), plan)
    keep = keep_audio or settings.journal_keep_audio
    done = corrections.correct(store, member_id, entry, fact, right, keep_audio=keep)
    said = (
        f"fact {fact} corrected." if done.changed else f"fact {fact} says that already; nothing was changed."
    )
    _emit_review(done, said, as_json)


def edit(
    entry: KeyArgument,
    text: Annotated[str, typer.Option(help="The note as it should read; - reads it from stdin.")],
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the words of a note right; its facts are read anew, except those that you decided on."""
    from journal_analysis import corrections

    store, settings, member_id = open_store(member)
    words = text_of(text)
    done = corrections.edit(store, member_id, entry, words, auto_accept=settings.journal_auto_accept)
    _emit_review(done, f"words corrected, {done.changed} facts changed.", as_json)


def undo(entry: KeyArgument, member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Take back the last change of a note; without any, the note itself (confirm brings it back)."""
    from journal_analysis import review

    store, _, member_id = open_store(member)
    done = review.undo(store, member_id, entry)
    what = done.what.removeprefix("undo ")
    said = (
        f"{done.changed} facts rejected"
        if what == "told"
        else f"{what} taken back, {done.changed} facts changed"
    )
    _emit_review(done, f"{said}.", as_json)


def _emit_review(done: Review, said: str, as_json: bool) -> None:
    removed = " Its recording was removed." if done.recordings_removed else ""
    emit(asdict(done), f"Note {done.key[:8]}: {said}{removed}", as_json)


def _fact_line(fact: dict[str, Any]) -> str:
    amount = f"{fact['amount']:g} {fact['unit']}" if fact["amount"] is not None else fact["kind"]
    said = f"{fact['behaviour']}: {fact['clock_time'] or amount}{', plan' if fact['is_plan'] else ''}"
    why = f"{fact['status']}, {fact['confidence']:.2f}, {fact['rule']}; day {fact['day']}"
    return f'[{fact["number"]}] {said}  [{why}]  "{one_line(fact["quote"])}"'
