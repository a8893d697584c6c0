"""The log of requests to Graph and to the sign-in service. A test can count what a client really sent."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import asdict, dataclass
from typing import NamedTuple

from airflow_graph_cancel.sandbox.tenant.entities import Json, Revision


class Record(NamedTuple):
    """One request; ``status`` is None if no response was sent."""

    n: int
    at: float
    method: str
    path: str
    status: int | None
    app: str | None
    mailbox: str | None
    request_id: str
    client_request_id: str
    fault: str | None
    seconds: float
    batch: int | None
    effect: bool


@dataclass(slots=True)
class TokenRequest:
    """One request for a token, without its secrets; ``status`` is None if no response was sent.

    :param grant_type: As sent; ``device_code_request`` begins a sign-in, ``managed_identity`` asks the machine.
    :param credential: How the application authenticated: ``secret``, ``certificate``, ``federated``, ``imds`` or
        ``app_service``; None for a public client.
    :param person: Address of the person for whom the token was issued.
    :param error: Name of the error; ``code`` is the number of its AADSTS code.
    """

    grant_type: str
    client_id: str
    scope: str
    credential: str | None = None
    person: str | None = None
    status: int | None = None
    error: str | None = None
    code: int | None = None
    fault: str | None = None
    at: float = 0.0


class Ledger:
    """Requests in the order of their responses, numbered in the order of arrival.

    :ivar tokens: Number of issued tokens.
    """

    def __init__(self, revision: Revision | None = None) -> None:
        self._revision = revision or Revision()
        self.records: list[Record] = []
        self.statuses: Counter[str] = Counter()
        self.tokens = 0
        self.token_requests: list[TokenRequest] = []
        self._numbers = 0

    def next_number(self) -> int:
        """Return the number of the next request."""
        self._numbers += 1
        return self._numbers

    def add(self, record: Record) -> None:
        """Add a finished request."""
        self._revision.bump()
        self.records.append(record)
        self.statuses["lost" if record.status is None else str(record.status)] += 1

    def clear(self) -> None:
        """Forget everything. Numbers continue, so a later request is never mistaken for an earlier one."""
        self._revision.bump()
        self.records.clear()
        self.statuses.clear()
        self.token_requests.clear()
        self.tokens = 0

    def to_json(self, since: int = 0) -> list[Json]:
        """Return the requests as the control API shows them, in the order of arrival.

        :param since: Only requests with a greater number.
        """
        rows: list[Json] = []
        for record in sorted(self.records):
            if record.n > since:
                row: Json = record._asdict()
                row["at"] = datetime.datetime.fromtimestamp(record.at, datetime.UTC).isoformat()
                row["seconds"] = round(record.seconds, 6)
                rows.append(row)
        return rows

    def token_requests_to_json(self) -> list[Json]:
        """Return the requests for tokens, in the order of their responses."""
        return [
            {**asdict(each), "at": datetime.datetime.fromtimestamp(each.at, datetime.UTC).isoformat()}
            for each in self.token_requests
        ]
