"""Everything that can go wrong between us and WHOOP, as one small tree.

HrvError (hrv_shared)
└── WhoopError
    ├── NotConnected            no tokens, or no client id and secret
    ├── AuthorizationFailed     WHOOP will not let us in
    │   ├── ConnectionLost      the refresh token is dead: final, told once, connect again
    │   ├── ClientRefused       client id or secret wrong
    │   ├── AccessForbidden     scope missing, or membership inactive (403)
    │   └── CallbackRefused     the address that came home is not the one that we asked for
    ├── BadRequest              WHOOP could not read our question (400)
    ├── NotFound                no such record (404)
    ├── RateLimited             429, and the wait is longer than we are willing to sit
    ├── ServerUnavailable       network, time-out, 5xx, after all retries
    ├── UnexpectedAnswer        an answer that the documentation does not allow
    ├── WrongAccount            the store holds another WHOOP account's records
    ├── PullRunning             another pull holds the lock of this store
    ├── UnsafeAddress           plain http to a machine that is not this one, or a listener that is not loopback
    ├── BudgetBroken            the shared count of requests cannot be read or written
    ├── BenchFailed             a measured process, or the simulator for it, ended with an error
    ├── UnknownQuantity         a word that names no column of the days table, or several
    ├── JobRunning              the service has a pull or an import on its desk already
    ├── WebhookRefused          not signed by WHOOP, or not of about now
    ├── Stopped                 the service stops, and the work with it
    ├── ServiceRunning          another service has this store, or the port
    ├── UnusableRequest         asked of the service: a day that WHOOP cannot know, a file that is no ZIP
    └── TokenStoreBroken        tokens cannot be read or written safely
"""

from __future__ import annotations

from hrv_shared.errors import HrvError


class WhoopError(HrvError):
    """Base of this room's errors."""


class NotConnected(WhoopError):
    """There is nothing to speak to WHOOP with: no tokens, or no client id and secret."""


class AuthorizationFailed(WhoopError):
    """WHOOP refused the access token and a renewal did not help."""


class ConnectionLost(AuthorizationFailed):
    """The refresh token no longer works. Only the wearer can mend it, by connecting again."""


class ClientRefused(AuthorizationFailed):
    """WHOOP does not know this client id and secret."""


class AccessForbidden(AuthorizationFailed):
    """403: the connection lacks a scope, or the membership is inactive."""


class CallbackRefused(AuthorizationFailed):
    """The callback carried no code, an error, or a state that we did not issue."""


class BadRequest(WhoopError):
    """400: WHOOP could not understand the request."""


class NotFound(WhoopError):
    """404: the record does not exist (a recovery may simply not exist *yet*)."""


class RateLimited(WhoopError):
    """429 for longer than we are willing to wait. `retry_after_s` is None when WHOOP did not say."""

    def __init__(self, message: str, retry_after_s: float | None = None):
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServerUnavailable(WhoopError):
    """The network failed, or WHOOP answered 5xx, on every attempt."""


class UnexpectedAnswer(WhoopError):
    """WHOOP answered something that is not JSON of the documented shape."""


class WrongAccount(WhoopError):
    """The records under this member belong to another WHOOP account."""


class PullRunning(WhoopError):
    """Another process is pulling into this store."""


class UnsafeAddress(WhoopError):
    """An address that would send a secret over the network in clear, or open this machine to others."""


class TokenStoreBroken(WhoopError):
    """The token store exists but cannot be read or written."""


class BudgetBroken(WhoopError):
    """The file in which the processes of this machine count their requests is unusable."""


class BenchFailed(WhoopError):
    """A measured process or the simulator ended with an error."""


class UnknownQuantity(WhoopError):
    """A word that means no quantity of a day, or several."""


class JobRunning(WhoopError):
    """The service does one pull or import at a time."""


class WebhookRefused(WhoopError):
    """A webhook that is not signed with the app's secret, or whose timestamp is more than five minutes off."""


class Stopped(WhoopError):
    """The service stops; what was done is kept."""


class ServiceRunning(WhoopError):
    """Another service serves this store, or something else has the port."""


class UnusableRequest(WhoopError):
    """A request to the service that is well formed and still cannot be met."""
