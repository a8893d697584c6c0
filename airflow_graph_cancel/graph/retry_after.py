"""Read a ``Retry-After`` header, of Graph or of the login."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST = 86_400.0
"""Seconds. Anything longer than a day is treated as a mistake of the service."""


def parse_retry_after(value: str | None, date: str | None = None) -> float | None:
    """Return a ``Retry-After`` header in seconds.

    Graph sends integers, decimals and, through its gateways, HTTP dates.

    :param value: the header as received; None or garbage gives None.
    :param date: the response's ``Date`` header: an HTTP date is taken relative to the server's clock, not ours.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return min(max(0.0, seconds), _LONGEST) if math.isfinite(seconds) else None
    until = _http_date(value)
    if until is None:
        return None
    now = (_http_date(date) if date else None) or datetime.now(UTC)
    return min(max(0.0, (until - now).total_seconds()), _LONGEST)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
