"""A connection's fields, parsed once; what is wrong is named by its label in the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.hooks.connection.credential_kind import SignIn, parse_sign_in
from airflow_graph_cancel.hooks.connection.fields import VERSIONS, Fields

if TYPE_CHECKING:
    from airflow.sdk import Connection

__all__ = ["GraphSettings"]


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """What a ``graph_calendar`` or ``msgraph`` connection says, checked and with every default filled in.

    :param sign_in: as whom.
    :param root: Graph's root without version and trailing slash, such as ``https://graph.microsoft.com``.
    :param api_version: ``v1.0`` or ``beta``.
    :param authority: the login's address, None for that of the global cloud.
    :param allowed_hosts: the hosts that may receive the token; never empty.
    :param verify: True, False, or the path of a CA bundle; holds for Graph and the login.
    :param mailbox: owner of events for which a task names none; None means ``/me``.
    :param preview_only: nothing may be sent through this connection.
    """

    conn_id: str
    sign_in: SignIn
    root: str
    api_version: str
    authority: str | None
    scopes: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    proxies: Mapping[str, str] = field(repr=False)
    verify: bool | str
    trust_env: bool
    disable_instance_discovery: bool
    mailbox: str | None
    preview_only: bool

    @property
    def base_url(self) -> str:
        """Root and version, without a trailing slash: the SDK's templates begin with one."""
        return f"{self.root}/{self.api_version}"

    @classmethod
    def from_connection(
        cls, connection: Connection, extra: Mapping[str, object], *, api_version: str | None = None
    ) -> GraphSettings:
        """Parse a connection.

        :param connection: its standard fields.
        :param extra: its extras, deserialised.
        :param api_version: overrides the connection's, as a task may.
        :raises ConnectionSettingsError: naming the form's label of the first field that is wrong.
        """
        if api_version and api_version not in VERSIONS:
            raise InvalidInputError(f"api_version is {api_version!r}; it must be v1.0 or beta.")
        fields = Fields(connection, extra)
        fields.refuse_misspelt()
        fields.cloud()
        root, version_in_url = fields.root()
        host = urlsplit(root).hostname or ""
        version = api_version or version_in_url or fields.choice("api_version", VERSIONS) or VERSIONS[0]
        return cls(
            conn_id=fields.conn_id,
            sign_in=parse_sign_in(fields),
            root=root,
            api_version=version,
            authority=fields.authority(),
            scopes=fields.items("scopes") or (f"https://{host}/.default",),
            allowed_hosts=fields.allowed_hosts(host),
            proxies=fields.proxies(),
            verify=fields.verify(),
            trust_env=fields.flag("trust_env", default=False),
            disable_instance_discovery=fields.flag("disable_instance_discovery", default=False),
            mailbox=fields.text("mailbox"),
            preview_only=fields.flag("preview_only", default=False),
        )
