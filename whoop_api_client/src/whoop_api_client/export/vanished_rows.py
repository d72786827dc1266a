"""Rows that a newer export no longer has: deleted or moved by the wearer, so they must not linger.

Every export holds the whole history, therefore a row that is missing between the first and the last of a file was
taken out. Because a trimmed file looks the same, many missing rows are taken for trimming and only noted.
"""

from __future__ import annotations

from hrv_shared.daytime import parse_instant
from hrv_shared.record import SEEN, FactDraft, Record
from whoop_api_client.export.facts import SOURCE, Drafting
from whoop_api_client.export.held import is_near
from whoop_api_client.export.nights import SAME_INSTANT
from whoop_api_client.export.rows import ParsedFile

__all__ = ["vanished_drafts"]

_KINDS = {"cycles": "export_cycle", "sleeps": "export_sleep", "workouts": "export_workout"}
_MOST = 5
_SHARE = 0.02


def vanished_drafts(
    record: Record, parsed: ParsedFile, drafting: Drafting, notes: list[str]
) -> list[FactDraft]:
    """Draft ``gone`` facts for held rows that the file lacks, and take them back for rows that are there again."""
    kind = _KINDS.get(parsed.header.kind)
    if kind is None or parsed.errors or not parsed.rows:
        return []
    here = sorted(r.cycle_start_at if kind == "export_cycle" else r.start_at for r in parsed.rows)
    held = {key: parse_instant(key.partition("#")[0]) for key in record.latest(kind, drafting.member_id)}
    inside = {key: at for key, at in held.items() if here[0] <= at <= here[-1]}
    absent = {key for key, at in inside.items() if not is_near(here, at, SAME_INSTANT)}
    marks = {
        fact.payload["key"]: fact
        for fact in record.latest("gone", drafting.member_id).values()
        if fact.payload["kind"] == kind and fact.payload["gone"]
    }
    new = sorted(absent - set(marks))
    if len(new) > max(_MOST, _SHARE * len(inside)):
        notes.append(
            f"{parsed.name} lacks {len(new)} {parsed.header.kind} of an earlier export; they are kept, for the "
            "file looks cut."
        )
        new = []
    back = sorted(key for key in set(marks) & set(held) if is_near(here, held[key], SAME_INSTANT))
    return [_mark(drafting, kind, key, gone=True) for key in new] + [
        _mark(drafting, kind, key, gone=False) for key in back
    ]


def _mark(drafting: Drafting, kind: str, key: str, *, gone: bool) -> FactDraft:
    payload = {"kind": kind, "key": key, "gone": gone}
    return FactDraft(drafting.member_id, "gone", f"{kind}:{key}", payload, drafting.now, SEEN, SOURCE)
