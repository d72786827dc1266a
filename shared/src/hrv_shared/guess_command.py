"""``hrv guess``: enter a guess of a coming night, or see what earlier ones were worth."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOption, MemberOption, emit
from hrv_shared.settings import load_settings
from hrv_shared.store import Store

__all__ = ["register"]

INTERVAL_SAYS = (
    "Interval such as 55..70 (or one number, 62), in ms; without it: your past guesses and their scores."
)


def register(app: typer.Typer) -> None:
    """Add the command to the ground floor's app."""
    app.command()(guess)


def guess(
    said: Annotated[str | None, typer.Argument(metavar="[LOW..HIGH]", help=INTERVAL_SAYS)] = None,
    sure: Annotated[float, typer.Option(help="How sure you are that it falls inside, 50 to 95 %.")] = 80.0,
    night: Annotated[
        str,
        typer.Option(
            "--for", help="tomorrow, so many nights ahead (1 … 7), or the day on which you wake up."
        ),
    ] = "tomorrow",
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Guess your next HRV before you look at the forecast; what you say first, morning and evening, stands."""
    from hrv_shared.guess import enter_guess, past_guesses, read_said

    settings = load_settings()
    store = Store.open(settings)
    whose = member or settings.member_id
    if said is None:
        told = past_guesses(store, whose)
        emit({"guesses": told, **_summed(told)}, _told_text(told), as_json)
        return
    entered = enter_guess(store, whose, read_said(said, sure), night)
    text = (
        f"Entered for {entered['target_day']}: {entered['said']} (median {entered['median_ms']:.0f} ms, "
        f"80 % between {entered['p10_ms']:.0f} and {entered['p90_ms']:.0f} ms)."
    )
    if entered["forecast_was_issued"]:
        text += (
            " The forecast of this night had been issued already; the ledger says so. Next time, guess first."
        )
    emit(entered, text, as_json)


def _summed(told: list[dict[str, Any]]) -> dict[str, Any]:
    """How the guesses did, and against ``final`` on the nights where both are scored."""
    scored = [g for g in told if g["crps_ms"] is not None and not g["void"]]
    both = [g for g in scored if g["final_crps_ms"] is not None]
    own, final = (sum(g[name] for g in both) for name in ("crps_ms", "final_crps_ms"))
    return {
        "n_scored": len(scored),
        "crps_ms": sum(g["crps_ms"] for g in scored) / len(scored) if scored else None,
        "n_beside_final": len(both),
        "skill_vs_final": 1 - own / final if final else None,
    }


def _told_text(told: list[dict[str, Any]]) -> str:
    if not told:
        return "You have not guessed yet. Before you look at the forecast: hrv guess 55..70"
    lines = []
    for g in told:
        line = f"{g['target_day']}  {g['slot']:7} {g['said']:28}"
        if g["crps_ms"] is None:
            line += "not known yet"
        else:
            beside = "" if g["final_crps_ms"] is None else f", the forecast's {g['final_crps_ms']:.1f}"
            line += f"came {g['outcome_ms']:.0f} ms, {'inside' if g['inside'] else 'outside'}; "
            line += f"CRPS {g['crps_ms']:.1f} ms{beside}"
        if g["void"]:
            line += " (said after the night had begun: not counted)"
        elif g["forecast_was_issued"]:
            line += " (after the forecast)"
        lines.append(line)
    summed = _summed(told)
    if summed["skill_vs_final"] is not None:
        better = "better" if summed["skill_vs_final"] > 0 else "worse"
        lines.append(
            f"Beside the forecast, {summed['n_beside_final']} nights: "
            f"{100 * abs(summed['skill_vs_final']):.0f} % {better}"
            f"{'' if summed['n_beside_final'] >= 30 else ' (too few nights to tell)'}."
        )
    return "\n".join(lines)
