"""Whatever is asked, the simulator answers with a declared refusal, never with a crash of its own."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator_login import PATHS, every_record, signed_in
from whoop_api_client.simulator import make_member, read_settings, running
from whoop_api_client.simulator.paging import BadQuery, page

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
LOOK = read_settings().config.presentation
INSTANTS = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-02-30",
        "",
        "2026-06-01",
        "2026-W10-1",
        "now",
    ]
)
ODD = st.one_of(INSTANTS, st.text(max_size=30), st.integers().map(str), st.floats().map(str))


@pytest.fixture(scope="module")
def member():
    return make_member(5, now=NOW, n_nights=30)


@pytest.fixture(scope="module")
def place(member):
    with running(
        member, read_settings(["clock_runs=off", "rate_per_minute=0", "rate_per_day=0"]).config
    ) as made:
        yield made


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(list(PATHS)),
    query=st.dictionaries(st.sampled_from(["limit", "start", "end", "nextToken", "x"]), ODD),
)
def test_any_question_gets_a_page_or_a_reason(member, kind, query):
    assert _asked(member, kind, query) in (200, 400)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(list(PATHS)),
    cursor=st.one_of(
        st.dictionaries(st.sampled_from(["s", "k", "l", "f", "e", "x"]), ODD),
        st.fixed_dictionaries({"s": ODD, "k": ODD, "l": ODD}, optional={"f": ODD, "e": ODD}),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5
        ),
    ),
)
def test_a_forged_cursor_gets_a_page_or_a_reason(member, kind, cursor):
    token = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
    assert _asked(member, kind, {"nextToken": token}) in (200, 400)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(
        st.sampled_from(
            ["kind", "key", "change", "user_id", "now", "advance_seconds", "pace", "share", "for_s", "count"]
        ),
        st.one_of(
            ODD,
            st.integers(),
            st.floats(allow_nan=False),
            st.none(),
            st.sampled_from(["sleep", "cut", "recovery"]),
        ),
    )
)
def test_the_controls_never_crash(place, body):
    with httpx.Client(base_url=place.base_url) as http:
        for route in ("clock", "faults", "edit", "browser"):
            answer = http.post(
                f"/_sim/{route}", content=json.dumps(body)
            )  # with Infinity, which json= refuses
            assert answer.status_code in (200, 400, 404), (route, answer.status_code)
    place.clock.set(NOW)
    place.clock.go(runs=False)
    place.faults.clear()


@pytest.mark.parametrize(
    "change",
    [
        {"end": "soon"},
        {"start": None},
        {"start": 5},
        {"score": 7},
        {"id": "x"},
        {"cycle_id": 4},
        {"created_at": "x"},
    ],
)
def test_an_edit_that_would_break_a_record_is_refused_and_nothing_changes(place, member, change):
    sleep = member.sleeps[0]
    edit = {"kind": "sleep", "key": sleep["id"], "change": change}
    assert httpx.post(place.base_url + "/_sim/edit", json=edit).status_code == 400
    with signed_in(place) as http:
        assert http.get(f"/v2/activity/sleep/{sleep['id']}").json() == sleep
        assert len(every_record(http, "/v2/activity/sleep")) == len(member.sleeps)


def _asked(member, kind: str, query: dict[str, str]) -> int:
    try:
        answer = json.loads(page(member.world, kind, query, NOW, LOOK))
    except BadQuery as error:
        assert str(error)
        return 400
    assert set(answer) == {"records", "next_token"}
    return 200
