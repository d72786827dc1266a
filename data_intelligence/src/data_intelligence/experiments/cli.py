"""``hrv experiment start|status|result|stop|list``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from data_intelligence.cli_options import open_store
from hrv_shared.cli import JsonOption, MemberOption, app_for, emit

__all__ = ["experiment_app"]

experiment_app = app_for(
    "experiment", "Coin-flip experiments with harmless habits: does it really move your HRV?"
)


@experiment_app.command()
def start(
    behaviour: Annotated[
        str, typer.Argument(help="A habit of the journal, such as meditation or late_meal.")
    ],
    days: Annotated[int, typer.Option(help="Evenings, an even number from 10 to 56.")] = 14,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the coin; default: drawn.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the power and start nothing.")] = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what could be found, then fix plan and analysis in the record."""
    from data_intelligence.experiments.running import plan_experiment, start_experiment

    settings, store = open_store()
    who = member or settings.member_id
    plan = plan_experiment(store, who, behaviour, days=days, seed=seed)
    if not dry_run:
        start_experiment(store, who, plan)
    shown = {key: value for key, value in plan.items() if key != "plan"}
    emit({**shown, "started": not dry_run}, _start_text(plan, started=not dry_run), as_json)


@experiment_app.command()
def status(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """This evening's coin, and how the coin was followed so far; never an outcome."""
    from data_intelligence.experiments.running import status_of

    settings, store = open_store()
    now = status_of(store, member or settings.member_id)
    lines = [
        f"{now['name']}: {now['state']}, {now['evenings_over']} of {now['evenings']} evenings over, nights until "
        f"{now['last_night']}"
    ]
    if now["tonight"]:
        lines.append(f"This evening ({now['day']}): {now['tonight']}")
    lines.append(
        f"Followed {now['followed']}, not followed {now['not_followed']}, not told {now['not_told']}; say each "
        "evening in the journal what you did."
    )
    emit(now, "\n".join(lines), as_json)


@experiment_app.command()
def result(
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Look early; it then never counts as tested.")
    ] = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """The result by intention and per protocol, once the last night is known."""
    from data_intelligence.experiments.running import read_result

    settings, store = open_store()
    found = read_result(store, member or settings.member_id, abandon=abandon)
    emit(found, result_text(found), as_json)


@experiment_app.command()
def stop(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """End the running experiment without a look."""
    from data_intelligence.experiments.running import stop_experiment

    settings, store = open_store()
    ended = stop_experiment(store, member or settings.member_id)
    emit(
        {"name": ended.name, "state": ended.state},
        f"{ended.name}: abandoned; it counts for nothing.",
        as_json,
    )


@experiment_app.command(name="list")
def list_all(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Every experiment so far, and the habits that may be tested."""
    from data_intelligence.experiments.harmless import harmless_names
    from data_intelligence.experiments.records import experiments_of

    settings, store = open_store()
    rows = [
        {"name": e.name, "state": e.state, "last_night": e.last_night.isoformat(), "evenings": len(e.plan),
         "result": e.result}
        for e in experiments_of(store, member or settings.member_id)
    ]  # fmt: skip
    lines = [f"{row['name']}  {row['state']}  until {row['last_night']}" for row in rows] or [
        "No experiment so far."
    ]
    lines += ["", "May be tested: " + ", ".join(harmless_names())]
    emit({"experiments": rows, "may_be_tested": harmless_names()}, "\n".join(lines), as_json)


def result_text(found: dict[str, Any]) -> str:
    """A result in words."""
    what = "leaving it out" if found["leave_out"] else "doing it"
    lines = [f"{found['name']} ({found['state']})"]
    for key, words in (
        ("by_intention", "as the coin said"),
        ("per_protocol", "coin followed, by the journal"),
    ):
        row = found[key]
        if row["effect_pct"] is None:
            lines.append(f"  {words}: too few nights ({row['n_yes']} and {row['n_no']})")
            continue
        lines.append(
            f"  {words}: {what} {row['effect_pct']:+.1f} % [{row['low90_pct']:+.1f} .. {row['high90_pct']:+.1f}], "
            f"p {row['p']:.3f}, {row['n_yes']} and {row['n_no']} nights; with a sceptical prior "
            f"{row['posterior_pct']:+.1f} % "
            f"[{row['posterior_low90_pct']:+.1f} .. {row['posterior_high90_pct']:+.1f}]"
        )
    verdict = {
        True: "An effect was found.",
        False: "No effect was found; a small one may still be there.",
        None: "It cannot be told.",
    }
    lines.append(verdict[found["found"]])
    if found["state"] == "abandoned":
        lines.append("It was ended early, so it never counts as tested.")
    return "\n".join(lines)


def _start_text(plan: dict[str, Any], *, started: bool) -> str:
    power = plan["power"]
    lines = [
        f"{plan['asks'].capitalize()} on {plan['days'] // 2} of {plan['days']} evenings, {plan['first_evening']} to "
        f"{plan['last_night']} (last night). Your nights scatter by {power['night_sd_pct']:.0f} %.",
        "What this length could find (chance), and how many evenings a chance of 80 % would take:",
    ]
    lines += [
        f"  an effect of {row['effect_pct']:>2.0f} %: {100 * row['power']:>3.0f} %   "
        f"{row['nights_for_80_pct']} evenings"
        for row in power["rows"]
    ]
    lines.append(f"The analysis is fixed: {plan['analysis']['text']}")
    lines.append(
        "Started. Each evening: hrv experiment status; then say in the journal what you did."
        if started
        else "Nothing was started (--dry-run)."
    )
    return "\n".join(lines)
