"""What the service answers, declared: the models behind the OpenAPI document, and every error."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ERRORS: dict[int | str, str] = {
    400: "the request could not be read",
    401: "the session token is absent or wrong",
    403: "a foreign Origin, or a request from another site",
    404: "no such thing",
    409: "it cannot be done as things stand; the message says what to do",
    413: "the body is too large",
    415: "another Content-Type than the route takes",
    421: "a Host that is not this service",
    422: "a value of the wrong form",
}


class Error(BaseModel):
    code: str = Field(description="stable name, for programs")
    message: str = Field(description="a sentence for people; never a token, never a value of the wearer")


class ErrorAnswer(BaseModel):
    error: Error


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The declaration of these error answers."""
    return {status: {"model": ErrorAnswer, "description": ERRORS[status]} for status in statuses}


def errors_of_page(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same of a route that answers with a page when all is well."""
    form = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    return {status: {"description": ERRORS[status], "content": dict(form)} for status in statuses}


def _written_day(value: object) -> object:
    """Days come as text alone; a number would be taken for seconds since 1970."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("expected a day such as 2026-03-01")
    return value


Day = Annotated[date, BeforeValidator(_written_day)]


class PullWish(BaseModel):
    """What to pull; nothing means: what is new."""

    model_config = ConfigDict(extra="forbid")

    full: bool = Field(default=False, description="read the whole history again")
    day: date | None = Field(
        default=None, description="only this wake day, and show it; `full` is ignored then"
    )


class ConnectWish(BaseModel):
    """How the browser comes home."""

    model_config = ConfigDict(extra="forbid")

    way: Literal["auto", "browser", "paste"] = Field(
        default="auto", description="auto: browser where the redirect address is of this service, else paste"
    )


class PastedAddress(BaseModel):
    model_config = ConfigDict(extra="forbid")

    address: str = Field(max_length=4096, description="the address at which the browser ended")


class ConnectStart(BaseModel):
    open: str = Field(description="open this address in a browser, within five minutes")
    way: Literal["browser", "paste"]
    next: str = Field(description="what happens then, for people")


class Connected(BaseModel):
    connected: bool
    member_id: str
    api_base: str
    tokens_in: str
    scope: list[str]
    missing_scope: list[str]


class Disconnected(BaseModel):
    connected: bool
    was_connected: bool
    revoked: bool = Field(description="whether WHOOP was told")
    note: str


class Progress(BaseModel):
    phase: str
    done: int
    total: int | None
    note: str | None


class JobAnswer(BaseModel):
    id: int
    kind: Literal["pull", "import"]
    state: Literal["queued", "running", "done", "failed", "interrupted"]
    started_at: datetime
    finished_at: datetime | None
    progress: Progress | None = Field(description="only of jobs of this start of the service")
    result: dict[str, Any] | None = Field(description="only of jobs of this start of the service")
    error: Error | None


class TokenStoreAnswer(BaseModel):
    kind: str | None
    place: str | None
    fault: str | None


class ConnectionAnswer(BaseModel):
    connected: bool
    lost_at: datetime | None
    access_token_expires_at: datetime | None
    tokens_in: str | None
    token_store: TokenStoreAnswer
    api_base: str


class BudgetLeft(BaseModel):
    minute: int
    day: int


class WebhookCounts(BaseModel):
    waiting: int
    done: int
    given_up: int = Field(description="not there after several looks; the next pull reads them anyway")


class Status(BaseModel):
    member_id: str
    connection: ConnectionAnswer
    last_pull_at: datetime | None
    job: JobAnswer | None = Field(description="the job that runs, else the last one")
    budget_left: BudgetLeft | None = Field(
        description="requests to WHOOP; null: not connected, or not counted"
    )
    days: int = Field(description="calendar days between the first and the last known day")
    scored: int = Field(description="of these, days with usable HRV")
    gap_counts: dict[str, int] = Field(description="days without, by state")
    webhooks: WebhookCounts | None = Field(description="of the last seven days; null: switched off")


class GapRun(BaseModel):
    """Days in a row without usable HRV, for one reason."""

    model_config = ConfigDict(extra="allow")

    state: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    days: int
    doing: str
    asked_again: bool
    until: date | None


class Gaps(BaseModel):
    first_day: date | None
    last_day: date | None
    days_behind: int | None = Field(description="how many days the last known day lies before today")
    days: int
    scored: int
    counts: dict[str, int]
    gaps: list[GapRun]


class TableEntry(BaseModel):
    name: str
    columns: dict[str, str] = Field(description="name, with quantity and unit, and type")
    is_built: bool


class WebhookEvent(BaseModel):
    """What WHOOP posts. More keys may come."""

    user_id: int = Field(ge=0, lt=2**63)
    id: str = Field(
        pattern=r"^[0-9A-Za-z-]{1,64}$", description="of the sleep or workout; of a recovery: its sleep"
    )
    type: str = Field(min_length=1, max_length=64, description="such as sleep.updated")
    trace_id: str = Field(min_length=1, max_length=128)


class WebhookTaken(BaseModel):
    accepted: bool
    reason: str | None = Field(description="why nothing will be done about it")
