"""The connection test behind the Test button and ``airflow connections test``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_graph_cancel.graph.auth.credential import CALENDAR_WRITE, granted
from airflow_graph_cancel.graph.errors import GraphCancelError, InvalidInputError
from airflow_graph_cancel.graph.http.requests import GetRequest
from airflow_graph_cancel.graph.http.response import Meaning
from airflow_graph_cancel.graph.model.address import check_segment
from airflow_graph_cancel.hooks.client_factory import open_client

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.hooks.connection.settings import GraphSettings


async def check_connection(get_settings: Callable[[], Awaitable[GraphSettings]]) -> tuple[bool, str]:
    """Sign in, check the permissions, read the mailbox's calendar; return success and a message.

    :param get_settings: reads and checks the connection.
    """
    try:
        settings = await get_settings()
        async with open_client(settings) as client:
            found = [_permissions(await client.sign_in())]
            if settings.mailbox:
                await _read_calendar(client, settings.mailbox)
                found.append(f"The calendar of {settings.mailbox} can be read.")
            else:
                found.append("No calendar was read, because Mailbox is not set.")
            if settings.preview_only:
                found.append("Preview only is on: nothing is ever sent.")
    except GraphCancelError as error:
        return False, str(error)
    return True, " ".join(["Signed in.", *found])


def _permissions(token: str) -> str:
    permissions = granted(token)
    if permissions & CALENDAR_WRITE:
        return "The app may write calendars (Calendars.ReadWrite)."
    held = ", ".join(sorted(permissions)) or "no permission"
    return (
        "The token lacks Calendars.ReadWrite: Graph will refuse to cancel, unless the permission comes from RBAC for "
        f"Applications, which a token does not show. It carries {held}."
    )


async def _read_calendar(client: GraphClient, mailbox: str) -> None:
    check_segment("mailbox", mailbox)
    answer = await client.send(GetRequest(f"/users/{quote(mailbox, safe='')}/calendar?$select=id"))
    match answer.meaning:
        case Meaning.ACCEPTED:
            return
        case Meaning.MAILBOX_UNAVAILABLE | Meaning.EVENT_GONE:
            problem = f"there is no mailbox {mailbox} in Exchange Online"
        case Meaning.TOKEN_REFUSED | Meaning.DENIED:
            problem = f"the app may not read the calendar of {mailbox}: permission or admin consent is missing"
        case _:
            problem = f"the calendar of {mailbox} could not be read"
    raise InvalidInputError(f"Signed in, but {problem} (Graph answered {answer.status_and_code}).", nothing_sent=False)
