"""Changes made by others: meetings of external and former organizers, and a meeting that moves during the run."""

from __future__ import annotations

import json
import ssl
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from feeds import Closure

    from airflow_graph_cancel.sandbox.client import Sandbox

ALMANAC, SEXTANT = "almanac@contoso.example", "sextant@contoso.example"
AMARA, PRIYA = "amara.okafor@contoso.example", "priya.raman@contoso.example"
LEFT_LONG_AGO, PARTNER = "gerard.blake@contoso.example", "ken.watanabe@fabrikam.example"


def add_what_is_not_ours(sandbox: Sandbox, closure: Closure) -> None:
    """Book rooms for meetings that cannot be cancelled here: by a former colleague, and by another company."""
    start, _ = closure.span
    for organizer, room, hours in ((LEFT_LONG_AGO, ALMANAC, 3), (PARTNER, SEXTANT, 4)):
        begins = start + timedelta(hours=hours)
        sandbox.create_event(
            organizer=organizer,
            subject="Steering committee",
            start=begins.isoformat(),
            end=(begins + timedelta(hours=1)).isoformat(),
            attendees=[AMARA, PRIYA],
            rooms=[room],
        )


def move(sandbox: Sandbox, meeting: dict[str, Any]) -> None:
    """Postpone a meeting by a day, as its organizer would in Outlook."""
    moved = {
        name: {"dateTime": _day_later(meeting[name]).replace(tzinfo=None).isoformat(), "timeZone": "UTC"}
        for name in ("start", "end")
    }
    path = f"/v1.0/users/{quote(meeting['organizer'])}/events/{quote(meeting['id'], safe='')}"
    _call(sandbox, "PATCH", path, json.dumps(moved), {"Content-Type": "application/json", **_sign_in(sandbox)})


def _sign_in(sandbox: Sandbox) -> dict[str, str]:
    connection = sandbox.connection
    form = {
        "grant_type": "client_credentials",
        "client_id": connection["login"],
        "client_secret": connection["password"],
        "scope": f"{sandbox.url}/.default",
    }
    token = _call(sandbox, "POST", f"/{connection['extra']['tenant_id']}/oauth2/v2.0/token", urlencode(form), {})
    return {"Authorization": f"Bearer {token['access_token']}"}


def _call(sandbox: Sandbox, method: str, path: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(sandbox.url + path, body.encode(), headers, method=method)
    context = ssl.create_default_context(cafile=str(sandbox.ca))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(request, timeout=30) as answer:
        return dict(json.load(answer))


def _day_later(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC) + timedelta(days=1)
