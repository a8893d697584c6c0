"""Check which mailboxes an app can read and write, as far as that shows without changing anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from airflow_graph_cancel.graph.auth.credential import CALENDAR_WRITE, granted
from airflow_graph_cancel.graph.dispatch.bulk_read import Read, Reply, read_many
from airflow_graph_cancel.graph.http.error_mapping import mailbox_refusal
from airflow_graph_cancel.graph.http.response import Meaning
from airflow_graph_cancel.graph.model.address import check_segment

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient

Told = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Access:
    """What the app can do in one mailbox.

    :param readable: whether its calendar was read.
    :param writable: according to the permissions in the token; ``unknown`` where RBAC for Applications may grant it,
        which a token does not show and only a write would.
    :param message: a sentence for a person.
    """

    mailbox: str
    readable: Told
    writable: Told
    message: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class AccessReport:
    """What an app can reach.

    :param permissions: of the token, for calendars, places and groups.
    :param mailboxes: each mailbox that was checked.
    :param reached_wrongly: the mailboxes of ``must_not_reach`` that the app can read.
    :param not_reached: the ``mailboxes`` that it cannot read.
    """

    permissions: tuple[str, ...]
    mailboxes: tuple[Access, ...]
    reached_wrongly: tuple[str, ...]
    not_reached: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON types, as XCom needs them."""
        return {
            "permissions": list(self.permissions),
            "mailboxes": [asdict(access) for access in self.mailboxes],
            "reached_wrongly": list(self.reached_wrongly),
            "not_reached": list(self.not_reached),
        }


async def check_access(
    client: GraphClient, mailboxes: Iterable[str], must_not_reach: Iterable[str], options: Options
) -> AccessReport:
    """Read the default calendar's id in every mailbox, in batches, and compare with what should be.

    :param client: sends batches and single requests.
    :param mailboxes: those that the app needs.
    :param must_not_reach: those that it must not reach.
    :param options: how many requests at a time, how long to retry, and who may stop it.
    :raises GraphCancelError: if the app cannot sign in.
    """
    wanted, unwanted = list(dict.fromkeys(mailboxes)), list(dict.fromkeys(must_not_reach))
    for argument, names in (("mailboxes", wanted), ("must_not_reach", unwanted)):
        for name in names:
            check_segment(argument, name)
    rights = granted(await client.sign_in())
    asked = list(dict.fromkeys([*wanted, *unwanted]))
    reads = [Read(mailbox, f"/users/{quote(mailbox, safe='')}/calendar?$select=id") for mailbox in asked]
    replies = await read_many(client, reads, options)
    found = {mailbox: _access(mailbox, reply, rights) for mailbox, reply in zip(asked, replies, strict=True)}
    return AccessReport(
        permissions=tuple(sorted(right for right in rights if right.startswith(("Calendars.", "Place.", "Group.")))),
        mailboxes=tuple(found.values()),
        reached_wrongly=tuple(name for name in unwanted if found[name].readable == "yes"),
        not_reached=tuple(name for name in wanted if found[name].readable != "yes"),
    )


def _access(mailbox: str, reply: Reply, rights: frozenset[str]) -> Access:
    if reply.error is not None:
        return Access(mailbox, "unknown", "unknown", str(reply.error), reply.error.request_id)
    if reply.refusal is not None:
        refused = reply.refusal.meaning in {Meaning.DENIED, Meaning.TOKEN_REFUSED}
        told: Told = "no" if refused else "unknown"
        return Access(mailbox, told, told, str(mailbox_refusal(mailbox, reply.refusal)), reply.refusal.request_id)
    if rights & CALENDAR_WRITE:
        return Access(
            mailbox,
            "yes",
            "yes",
            "Its calendar can be read and, according to the permissions in the token, written.",
            reply.request_id,
        )
    return Access(
        mailbox,
        "yes",
        "unknown",
        "Its calendar can be read. The token has no permission to write. RBAC for Applications may grant it, which a "
        "token does not show: check with Test-ServicePrincipalAuthorization.",
        reply.request_id,
    )
