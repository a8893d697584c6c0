"""A connection's settings, parsed and checked once."""

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


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """The settings of a ``graph_calendar`` or ``msgraph`` connection, checked and with all defaults filled in.

    :param sign_in: the credential.
    :param root: Graph's address without version and trailing slash, such as ``https://graph.microsoft.com``.
    :param api_version: ``v1.0`` or ``beta``.
    :param authority: the login server's address, None for the global cloud's.
    :param scopes: scopes of the access token.
    :param allowed_hosts: hosts that may receive the token; never empty.
    :param proxies: proxy URLs by scheme; ``no`` lists the hosts to reach directly.
    :param verify: True, False, or the path of a CA bundle; applies to Graph and the login server.
    :param trust_env: use the environment's proxies and CAs as well.
    :param disable_instance_discovery: do not ask Microsoft whether the authority is one of its own.
    :param mailbox: owner of the events for tasks that name none; None means ``/me``.
    :param preview_only: never send anything through this connection.
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
        """Root and version without a trailing slash: the SDK's URL templates begin with one."""
        return f"{self.root}/{self.api_version}"

    @classmethod
    def from_connection(
        cls, connection: Connection, extra: Mapping[str, object], *, api_version: str | None = None
    ) -> GraphSettings:
        """Parse a connection.

        :param connection: holds the standard fields.
        :param extra: its extras, deserialized.
        :param api_version: a task's; overrides the connection's.
        :raises ConnectionSettingsError: naming the form's label of the first invalid field.
        """
        if api_version and api_version not in VERSIONS:
            raise InvalidInputError(f"api_version is {api_version!r}; it must be v1.0 or beta.")
        fields = Fields(connection, extra)
        fields.check_spelling()
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
