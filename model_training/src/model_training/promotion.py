"""The gate before the champion's place, and the watch over who holds it. Both judge by the ledger alone.

Up is hard, down is harder, and neither swings: a challenger needs 14 paired nights and p < 0.1; a champion falls only
after 14 scored nights in office, by p < 0.05 over its last 28, and only to somebody who was better on those nights; who
fell may not stand again for 28 days.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hrv_shared.constants import NAIVE_FORECASTERS
from model_training.champion_history import Seat, champion_seat, deposed_on, former_champions, reign_began
from model_training.ledger_duel import Duel, LedgerScores

__all__ = ["Verdict", "gate", "watch"]

LEAST_NIGHTS = 14
GATE_NIGHTS = 90
"""The gate looks at so many paired nights, the latest."""
PROMOTE_BELOW_P = 0.1
DECAY_NIGHTS = 28
DECAY_BELOW_P = 0.05
COOLING_DAYS = 28
SILENT_ORIGINS = 7
"""A champion that did not speak on the last so many origins of which its challenger spoke has fallen silent."""


@dataclass(frozen=True)
class Verdict:
    """What the gate or the watch found.

    Attributes
    ----------
    change : bool
        Whether another forecaster should take the champion's place.
    to : str or None
        That forecaster.
    why : str
        In one sentence, whichever way it went.
    """

    change: bool
    to: str | None
    why: str
    evidence: dict[str, Any]


def gate(
    scores: LedgerScores,
    events: list[dict[str, Any]],
    challenger: Seat | None,
    *,
    today: date,
    installed: Collection[str],
) -> Verdict:
    """Whether the challenger has earned the champion's place.

    Parameters
    ----------
    events : list of dict
        ``champion_events``, not empty.
    installed : collection of str
        Names of the forecasters that this installation has.
    """
    champion = champion_seat(events)
    if challenger is None or challenger.forecaster == champion.forecaster:
        return Verdict(False, None, "There is no challenger: nothing else is registered.", {})
    name = challenger.forecaster
    if name not in installed:
        return Verdict(False, None, f"{name} is registered, but no longer installed.", {})
    fell = deposed_on(events, name)
    if fell is not None and today < fell + timedelta(days=COOLING_DAYS):
        again = (fell + timedelta(days=COOLING_DAYS)).isoformat()
        return Verdict(False, None, f"{name} was rolled back on {fell}; it may stand again from {again}.", {})
    if champion.forecaster not in installed:
        return Verdict(True, name, f"{champion.forecaster} is no longer installed.", {})
    if _is_silent(scores, champion.forecaster, name):
        why = f"{champion.forecaster} has not spoken on the last {SILENT_ORIGINS} origins of which {name} spoke."
        return Verdict(True, name, why, {})
    codes = {champion.forecaster: champion.code, name: challenger.code}
    duel = scores.duel(name, champion.forecaster, codes=codes, last=GATE_NIGHTS)
    better = duel.nights >= LEAST_NIGHTS and duel.p_better < PROMOTE_BELOW_P
    return Verdict(better, name if better else None, _gate_words(duel, better), duel.describe())


def watch(
    scores: LedgerScores, events: list[dict[str, Any]], *, today: date, available: Collection[str]
) -> Verdict:
    """Whether the champion has decayed, and who should take its place.

    It has when, over its last nights in office, it was worse beyond chance than the best naive rule or than a former
    champion. Its place goes to the latest former champion that was better on those nights, else to that naive rule.

    Parameters
    ----------
    available : collection of str
        Forecasters of which a version is registered that the installed code can load.
    """
    champion, began = champion_seat(events), reign_began(events)
    own = {champion.forecaster: champion.code}
    former = [
        name
        for name in former_champions(events)
        if name in available and not _is_cooling(events, name, today)
    ]
    naive = [name for name in NAIVE_FORECASTERS if name != champion.forecaster]
    duels = {
        name: scores.duel(champion.forecaster, name, codes=own, after=began, last=DECAY_NIGHTS)
        for name in dict.fromkeys([*former, *naive])
    }
    judged = {name: duel for name, duel in duels.items() if duel.nights >= LEAST_NIGHTS}
    best_naive = min((n for n in naive if n in judged), key=lambda n: judged[n].skill, default=None)
    if not judged:
        nights = max((duel.nights for duel in duels.values()), default=0)
        why = f"{champion.forecaster} has {nights} scored nights in office, {LEAST_NIGHTS} are needed to judge it."
        return Verdict(False, None, why, {"nights": nights})
    against = [name for name in (*former[:1], best_naive) if name in judged]
    worse_than = [name for name in against if judged[name].p_worse < DECAY_BELOW_P]
    evidence = {"duels": [judged[name].describe() for name in dict.fromkeys(against)]}
    if not worse_than:
        said = ", ".join(_against(judged[name]) for name in dict.fromkeys(against))
        return Verdict(False, None, f"{champion.forecaster} holds: {said}.", evidence)
    told = f"{champion.forecaster} has decayed: {_against(judged[worse_than[0]])}."
    heirs = [*former, best_naive]
    heir = next((h for h in heirs if h in available and h in judged and judged[h].skill < 0), None)
    if heir is None:
        return Verdict(
            False, None, f"{told} Nobody registered was better; it stays until the next training.", evidence
        )
    return Verdict(True, heir, told, evidence)


def _is_silent(scores: LedgerScores, champion: str, challenger: str) -> bool:
    latest = sorted(scores.origins_of(challenger))[-SILENT_ORIGINS:]
    return len(latest) == SILENT_ORIGINS and not scores.origins_of(champion) & set(latest)


def _is_cooling(events: list[dict[str, Any]], name: str, today: date) -> bool:
    fell = deposed_on(events, name)
    return fell is not None and today < fell + timedelta(days=COOLING_DAYS)


def _gate_words(duel: Duel, better: bool) -> str:
    if duel.nights < LEAST_NIGHTS:
        return (
            f"{duel.first} and {duel.second} share {duel.nights} scored nights on the ledger, {LEAST_NIGHTS} are "
            "needed. More: python -m model_training replay"
        )
    skill = f"{100 * duel.skill:+.1f} % CRPS skill over {duel.nights} nights, p = {duel.p_better:.3f}"
    verdict = "is better than" if better else "is not better beyond chance than"
    return f"{duel.first} {verdict} {duel.second}: {skill} (needed: below {PROMOTE_BELOW_P})."


def _against(duel: Duel) -> str:
    return f"{100 * duel.skill:+.1f} % against {duel.second} over {duel.nights} nights, p(worse) = {duel.p_worse:.3f}"
