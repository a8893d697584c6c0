"""Requests that fail: on demand (which, how, how often, before or after the effect), or above a limit."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.traffic.messages import GraphError, Request, Response

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Settings
    from airflow_graph_cancel.sandbox.tenant.entities import Json

#: Faults that are a response; these also work for single requests within a batch.
RESPONSES = ("429", "500", "502-html", "503", "504", "401-expired", "400-invalid-recipients", "empty-500")
#: Faults of the connection; these affect a batch as a whole.
BREAKS = ("reset", "close", "truncated", "hang")
KINDS = (*RESPONSES, *BREAKS, "slow")
#: The request header that asks for a fault on that request.
HEADER = "sandbox-fault"
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fault applies to; None matches anything.

    :param path: Regular expression, searched in path and query as sent. Without one, a fault applies to Graph only,
        not to the token endpoint.
    """

    method: str | None = None
    path: str | None = None
    mailbox: str | None = None
    event_id: str | None = None


@dataclass(slots=True)
class Fault:
    """A fault.

    :param times: How often; None for always.
    :param probability: For each matching request, from 0 to 1.
    :param after_effect: Carry the request out first, then lose the response.
    :param delay: Seconds to wait before the response, or before the connection breaks.
    :param retry_after: Literal value of the response's ``Retry-After``.
    """

    kind: str
    times: int | None = 1
    probability: float = 1.0
    after_effect: bool = False
    delay: float = 0.0
    retry_after: str | None = None
    match: Match = field(default_factory=Match)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")
        if self.kind == "400-invalid-recipients":
            self.after_effect = True

    def response(self, request: Request, settings: Settings) -> Response:
        """Return the response that replaces the real one."""
        if self.kind == "502-html":
            response = Response(502, _BAD_GATEWAY, {"Content-Type": "text/html"})
        elif self.kind == "empty-500":
            response = Response(500)
        else:
            # A fault of the connection needs some response to break.
            status, code, message = _WORDING[self.kind if self.kind in RESPONSES else "503"]
            response = GraphError(status, code, message).response(request)
        retry_after = self.retry_after
        if retry_after is None and self.kind == "429":
            retry_after = settings.retry_after()
        if retry_after is not None:
            response.headers["Retry-After"] = retry_after
        return response


_WORDING = {
    "429": (429, "TooManyRequests", "Please retry again later."),
    "500": (500, "ErrorInternalServerError", "An internal server error occurred. The operation failed."),
    "503": (503, "UnknownError", ""),
    "504": (504, "UnknownError", ""),
    "401-expired": (401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
    "400-invalid-recipients": (400, "ErrorInvalidRecipients", "At least one recipient isn't valid."),
}


class Faults:
    """The faults that wait for a request; the first that matches applies."""

    def __init__(self, seed: int) -> None:
        self._waiting: dict[int, Fault] = {}
        self._numbers = 0
        self._random = random.Random(seed)

    def add(self, fault: Fault) -> int:
        """Add a fault; return its number."""
        self._numbers += 1
        self._waiting[self._numbers] = fault
        return self._numbers

    def clear(self) -> None:
        """Remove all faults."""
        self._waiting.clear()

    def pick(
        self,
        method: str,
        path: str,
        header: str | None = None,
        *,
        mailbox: str | None = None,
        event_id: str | None = None,
        in_batch: bool = False,
        at_sign_in: bool = False,
    ) -> Fault | None:
        """Return the fault that applies to this request, if any, and count its use."""
        if header:
            return from_text(header)
        for number, fault in self._waiting.items():
            match = fault.match
            if (
                (match.method and match.method != method)
                or (match.path is None and at_sign_in)
                or (match.path is not None and not re.search(match.path, path))
                or (match.mailbox and match.mailbox.lower() != (mailbox or "").lower())
                or (match.event_id and match.event_id != event_id)
                or (in_batch and fault.kind in BREAKS)
                or (fault.probability < 1 and self._random.random() >= fault.probability)
            ):
                continue
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    del self._waiting[number]
            return fault
        return None

    def to_json(self) -> list[Json]:
        """Return the waiting faults as the control API shows them."""
        return [{"id": number, **asdict(fault)} for number, fault in self._waiting.items()]


def from_json(value: object) -> Fault:
    """Read a fault from the control API.

    :raises ValueError: naming the invalid value.
    """
    if not isinstance(value, Mapping):
        raise ValueError("a fault must be an object with a kind")
    fields = dict(value)
    match = fields.pop("match", None) or {}
    fields["kind"] = str(fields.get("kind", ""))
    try:
        if match.get("path") is not None:
            re.compile(match["path"])
        fault = Fault(**fields, match=Match(**match))
    except (TypeError, AttributeError, re.error) as error:
        raise ValueError(f"invalid fault: {error}") from error
    if fault.retry_after is not None:
        fault.retry_after = str(fault.retry_after)
        if not (fault.retry_after.isascii() and fault.retry_after.isprintable()):
            raise ValueError("a fault's retry_after must be printable ASCII")
    if fault.times is not None and (not isinstance(fault.times, int) or fault.times < 1):
        raise ValueError("a fault's times must be a positive integer, or null for always")
    if not isinstance(fault.probability, int | float) or not isinstance(fault.delay, int | float):
        raise ValueError("a fault's probability and delay must be numbers")
    return fault


def from_text(text: str) -> Fault:
    """Read a fault from a header or the command line: ``KIND[;after][;retry_after=..][;delay=..]`` and so on.

    On the command line also ``times=`` (``always`` or a number), ``probability=``, ``path=``, ``method=``, ``mailbox=``
    and ``event_id=``.

    :raises ValueError: naming the invalid value.
    """
    kind, *options = (part.strip() for part in text.split(";"))
    fields: dict[str, object] = {"kind": kind}
    match: dict[str, str] = {}
    for option in options:
        name, _, value = option.partition("=")
        if name == "after":
            fields["after_effect"] = True
        elif name in ("path", "method", "mailbox", "event_id"):
            match[name] = value
        elif name == "times":
            fields["times"] = None if value == "always" else int(value)
        elif name in ("probability", "delay"):
            fields[name] = float(value)
        else:
            fields[name] = value
    return from_json({**fields, "match": match})


class Throttle:
    """Counts requests in flight by application and mailbox; one mailbox over its limit does not affect others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._by_app: Counter[str] = Counter()

    @contextmanager
    def slot(self, app: str, mailbox_id: str) -> Iterator[None]:
        """Count a request of the application on the mailbox for as long as the context lasts.

        :raises GraphError: 429 if the limit is reached.
        """
        key = (app, mailbox_id)
        limit = self._settings.app_concurrency
        if self._in_flight[key] >= self._settings.per_mailbox_concurrency or (limit and self._by_app[app] >= limit):
            raise mailbox_concurrency(self._settings.retry_after())
        self._in_flight[key] += 1
        self._by_app[app] += 1
        try:
            yield
        finally:
            self._in_flight[key] -= 1
            self._by_app[app] -= 1


def mailbox_concurrency(retry_after: str | None) -> GraphError:
    """Refuse a request above the limit of concurrent requests."""
    message = "Application is over its MailboxConcurrency limit."
    return GraphError(429, "ApplicationThrottled", message, bare=True, retry_after=retry_after)
