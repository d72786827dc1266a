"""The simulator's answers against WHOOP's own OpenAPI document, every member endpoint of it.

Live answers write ``null`` where the document says "optional" and does not allow null (whoop_api.md 3). So the
simulator is held against the document twice: as WHOOP writes (nulls dropped before the check), and with
``nulls=false``, where the very bytes must validate. The document is not part of the product: without it, skip.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simulator_login import every_record, log_in, signed_in
from whoop_api_client.simulator import Fault, make_cohort, make_member, read_settings, running

validators = pytest.importorskip(
    "openapi_schema_validator", reason="openapi-schema-validator is not installed"
)
referencing = pytest.importorskip("referencing", reason="openapi-schema-validator is not installed")

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "reference" / "whoop_openapi.json"
NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
STREAM = "/v2/activity/sleep/{sleepId}/stream"
"""Newer than the stored document; its answer is held against whoop_api.md 4.9 in test_simulator_stream."""
SWITCHES = {
    "as live": [],
    "as documented": ["nulls=off", "last_token=absent", "unknown_keys=off", "percent_recorded=percent",
                      "account_offset_on_history=off"],
    "pending": ["pending_score_s=80000", "open_cycle=pending"],
    "old hardware, unscorable": ["old_hardware=on", "unscorable_share=0.5", "nap_share=0.5", "calibrating_nights=20"],
    "gone and rescored": ["deleted_sleep_share=0.2", "deleted_workout_share=0.3", "rescored_share=0.5",
                          "revised_share=0.6", "late_share=0.3", "missing_share=0.3"],
    "travel and pause": ["trip_hours=-11", "dst=us", "pause_days=21", "pause_as=no_cycle", "last_token=empty"],
    "long pause": ["trip_hours=12", "dst=south", "pause_days=15", "pause_as=long_cycle",
                   "first_cycle_at_midnight=off", "long_cycle_share=1", "missing_share=0.2"],
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="WHOOP's OpenAPI document is not beside this checkout (shared/reference)"
)


@pytest.mark.parametrize("name", SWITCHES)
def test_every_endpoint_answers_as_the_document_says(name):
    settings = read_settings([*SWITCHES[name], "rate_per_minute=0", "clock_runs=off"])
    member = make_member(5, now=NOW, n_nights=70, happenings=settings.happenings)
    asked = set()
    with running(member, settings.config) as place, signed_in(place) as http:
        found = {path: every_record(http, path) for path in _collections()}
        assert all(found.values())
        for path in _collections():
            asked.add(path)
            answer = http.get(path, params={"limit": 25})
            _validate(answer, path, "get", nulls_allowed="nulls=off" not in SWITCHES[name])
            for position, record in enumerate(found[path]):
                _check(record, _page_schema(path)["properties"]["records"]["items"], f"{path} {position}")
        cycles = {str(record["id"]) for record in found["/v2/cycle"]}
        singles = {
            "/v2/cycle/{cycleId}": sorted(cycles)[-12:],
            "/v2/cycle/{cycleId}/sleep": sorted(cycles)[-12:],
            "/v2/cycle/{cycleId}/recovery": sorted(cycles)[-12:],
            "/v2/activity/sleep/{sleepId}": [r["id"] for r in found["/v2/activity/sleep"]][:12],
            "/v2/activity/workout/{workoutId}": [r["id"] for r in found["/v2/activity/workout"]][:12],
            "/v1/activity-mapping/{activityV1Id}": list(member.world.activity_mapping)[:3],
            "/v2/user/profile/basic": [""],
            "/v2/user/measurement/body": [""],
        }
        for path, keys in singles.items():
            asked.add(path)
            served = 0
            for key in keys:
                answer = http.get(
                    path[: path.find("{")] + str(key) + path[path.find("}") + 1 :] if key else path
                )
                _validate(answer, path, "get", nulls_allowed="nulls=off" not in SWITCHES[name])
                served += answer.status_code == 200
            assert served, path
        answer = http.delete("/v2/user/access")
        assert answer.status_code == 204
        _validate(answer, "/v2/user/access", "delete")
        asked.add("/v2/user/access")
    assert asked == set(_member_paths())


def test_every_refusal_is_a_status_that_the_document_declares():
    settings = read_settings(["rate_per_minute=0", "clock_runs=off"])
    with running(make_member(5, now=NOW, n_nights=30), settings.config) as place, signed_in(place) as http:
        for path in _collections():
            _validate(http.get(path, params={"limit": 26}), path, "get", expected=400)
        for path in ("/v2/cycle/{cycleId}", "/v2/cycle/{cycleId}/sleep", "/v2/cycle/{cycleId}/recovery"):
            _validate(http.get(path.replace("{cycleId}", "x")), path, "get", expected=400)
            _validate(http.get(path.replace("{cycleId}", "1")), path, "get", expected=404)
        for path in _member_paths():
            for kind, status in (("rate_limited", 429), ("status_500", 500), ("unauthorized", 401)):
                place.faults.add(Fault(kind, path_contains="/v"))
                method = "delete" if path.endswith("access") else "get"
                answer = http.request(method, path.split("{")[0] + "1" * ("{" in path))
                if str(status) in _operation(path, method)["responses"]:
                    _validate(answer, path, method, expected=status)
                assert answer.status_code == status


def test_the_tokens_answer_has_whoops_keys():
    with running(make_member(5, now=NOW, n_nights=30)) as place:
        pair = log_in(place)
    assert set(pair) == {"access_token", "expires_in", "refresh_token", "scope", "token_type"}
    assert pair["token_type"] == "bearer"
    assert pair["expires_in"] == 3600


def test_a_whole_cohort_validates_at_several_times_of_day():
    """Not over HTTP: twenty members, each record at four instants, the coming nights included."""
    names = {"cycle": "Cycle", "sleep": "Sleep", "recovery": "Recovery", "workout": "WorkoutV2"}
    checked = 0
    for member in make_cohort(3, 1, now=NOW, n_nights=60):
        for hours in (-20, 0, 11, 100):
            at = datetime.fromtimestamp(NOW.timestamp() + hours * 3600, UTC)
            for kind, name in names.items():
                for record in member.records(kind, at)[:: 1 if hours == 0 else 5]:
                    _check(record, {"$ref": f"#/components/schemas/{name}"}, kind)
                    checked += 1
    assert checked > 800


def test_the_check_bites():
    """A record that breaks the document in one place is told apart; a check that passes all would pass these."""
    with pytest.raises(AssertionError, match="score_state"):
        _check({**_a_cycle(), "score_state": "DONE"}, {"$ref": "#/components/schemas/Cycle"}, "x")
    with pytest.raises(AssertionError, match="strain"):
        broken = _a_cycle()
        del broken["score"]["strain"]
        _check(broken, {"$ref": "#/components/schemas/Cycle"}, "x")
    with pytest.raises(AssertionError, match="date-time"):
        _check({**_a_cycle(), "start": "yesterday"}, {"$ref": "#/components/schemas/Cycle"}, "x")
    with pytest.raises(AssertionError, match="id"):
        _check({**_a_cycle(), "id": "7"}, {"$ref": "#/components/schemas/Cycle"}, "x")


def _a_cycle() -> dict[str, Any]:
    return json.loads(json.dumps(make_member(5, now=NOW, n_nights=14).cycles[1]))


def _validate(answer, path: str, method: str, *, expected: int | None = None, nulls_allowed: bool = True):
    """Status declared; body, where the document gives a schema, of that schema."""
    responses = _operation(path, method)["responses"]
    assert str(answer.status_code) in responses, (
        f"{path} answered {answer.status_code}, declared: {list(responses)}"
    )
    if expected is not None:
        assert answer.status_code == expected
    content = responses[str(answer.status_code)].get("content", {})
    if not content:
        return
    assert answer.headers["content-type"].split(";")[0] in content or "*/*" in content
    body = answer.json()
    schema = next(iter(content.values()))["schema"]
    if not nulls_allowed:
        assert "null" not in answer.text
        _check(body, schema, path, dropping=False)
    else:
        _check(body, schema, path)


def _check(value: Any, schema: dict[str, Any], where: str, *, dropping: bool = True) -> None:
    wrapped = {"$ref": "urn:whoop" + schema["$ref"]} if "$ref" in schema else schema
    validator = _validators(json.dumps(wrapped))
    errors = list(validator.iter_errors(_without_nulls(value) if dropping else value))
    assert not errors, f"{where}: {errors[0].json_path} {errors[0].message}"


@cache
def _validators(schema: str) -> Any:
    registry = referencing.Registry().with_resource("urn:whoop", referencing.Resource.opaque(_document()))
    return validators.OAS30ReadValidator(
        json.loads(schema), registry=registry, format_checker=validators.oas30_format_checker
    )


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


@cache
def _document() -> dict[str, Any]:
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


def _member_paths() -> list[str]:
    """The document's paths without those for contracted laboratories (whoop_api.md 4.8)."""
    return [path for path in _document()["paths"] if not path.startswith("/v2/partner/")]


def _collections() -> list[str]:
    return [
        path
        for path in _member_paths()
        if any(p["name"] == "nextToken" for p in _operation(path, "get").get("parameters", []))
    ]


def _operation(path: str, method: str) -> dict[str, Any]:
    return _document()["paths"][path].get(method, {})


def _page_schema(path: str) -> dict[str, Any]:
    schema = next(iter(_operation(path, "get")["responses"]["200"]["content"].values()))["schema"]
    return _document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
