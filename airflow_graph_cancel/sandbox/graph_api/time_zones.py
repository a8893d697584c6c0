"""Times in Graph's JSON, and time zones by IANA name or, for the common ones, by Windows name."""

from __future__ import annotations

import datetime
import zoneinfo

from airflow_graph_cancel.sandbox.traffic.messages import GraphError

_WINDOWS = {
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Arabian Standard Time": "Asia/Dubai",
    "Central European Standard Time": "Europe/Warsaw",
    "Central Standard Time": "America/Chicago",
    "China Standard Time": "Asia/Shanghai",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Eastern Standard Time": "America/New_York",
    "FLE Standard Time": "Europe/Kyiv",
    "GMT Standard Time": "Europe/London",
    "GTB Standard Time": "Europe/Bucharest",
    "India Standard Time": "Asia/Kolkata",
    "Israel Standard Time": "Asia/Jerusalem",
    "Mountain Standard Time": "America/Denver",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Pacific Standard Time": "America/Los_Angeles",
    "Romance Standard Time": "Europe/Paris",
    "Singapore Standard Time": "Asia/Singapore",
    "South Africa Standard Time": "Africa/Johannesburg",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Turkey Standard Time": "Europe/Istanbul",
    "W. Europe Standard Time": "Europe/Berlin",
}


def zone(name: str) -> datetime.tzinfo:
    """Return the zone of this name.

    :raises GraphError: 400 if the name is unknown.
    """
    if name.upper() in ("UTC", "Z"):
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(_WINDOWS.get(name, name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
        raise GraphError(400, "TimeZoneNotSupportedException", message) from error


def to_graph(moment: datetime.datetime, name: str, where: datetime.tzinfo) -> dict[str, object]:
    """Return a ``dateTimeTimeZone``: local time in the zone, with seven decimals and no offset."""
    return {"dateTime": f"{moment.astimezone(where):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": name}


def from_graph(value: object) -> datetime.datetime:
    """Read a ``dateTimeTimeZone``; an offset in its ``dateTime`` takes precedence.

    :raises GraphError: 400 if it is not one.
    """
    if isinstance(value, dict) and isinstance(value.get("dateTime"), str):
        moment = parse(value["dateTime"])
        return moment if moment.tzinfo else moment.replace(tzinfo=zone(str(value.get("timeZone") or "UTC")))
    raise GraphError(400, "ErrorInvalidRequest", "A start and an end with dateTime and timeZone are needed.")


def parse(text: str) -> datetime.datetime:
    """Read an ISO 8601 time with any number of decimals, with or without an offset.

    :raises GraphError: 400 if it is not one.
    """
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise GraphError(400, "ErrorInvalidParameter", f"The value '{text}' is not a valid DateTime.") from error
