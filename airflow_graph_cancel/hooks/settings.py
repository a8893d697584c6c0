"""A connection's fields, parsed once.

The 3.3 connection form stores blanks as null, a URI stores strings, a person stores anything: null, "" and missing
are alike here, and what is wrong is named by its label in the form.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS
from airflow_graph_cancel.graph.errors import ConnectionSettingsError, InvalidInputError

if TYPE_CHECKING:
    from airflow.sdk import Connection

__all__ = ["GraphSettings"]

GLOBAL_ROOT = "https://graph.microsoft.com"
VERSIONS = ("v1.0", "beta")
_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
_ALIASES = {"tenantId"}
"""Spellings that Airflow's own Graph hook reads as well."""
_STANDARD_LABELS = {"login": "Client ID", "password": "Client Secret", "host": "Graph host"}


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """What a ``graph_calendar`` or ``msgraph`` connection says, checked and with every default filled in.

    :param root: Graph's root without version and trailing slash, such as ``https://graph.microsoft.com``.
    :param api_version: ``v1.0`` or ``beta``.
    :param allowed_hosts: the hosts that may receive the token; never empty.
    :param verify: True, False, or the path of a CA bundle; holds for Graph and the login.
    :param mailbox: owner of events for which a task names none; None means ``/me``.
    :param preview_only: nothing may be sent through this connection.
    """

    conn_id: str
    tenant_id: str
    client_id: str
    client_secret: str | None = field(repr=False)
    certificate_path: str | None
    certificate_data: str | None = field(repr=False)
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
            raise InvalidInputError(f"api_version is {api_version!r}; it must be v1.0 or beta. Nothing was sent.")
        fields = _Fields(connection.conn_id, connection, extra)
        fields.refuse_misspelt()
        root, version_in_url = fields.root()
        host = urlsplit(root).hostname or ""
        version = api_version or version_in_url or fields.text("api_version") or VERSIONS[0]
        if version not in VERSIONS:
            raise fields.wrong("api_version", f"is {version!r}; it must be one of {', '.join(VERSIONS)}")
        certificate_path, certificate_data = fields.text("certificate_path"), fields.text("certificate_data")
        client_secret = fields.text("password")
        if not (client_secret or certificate_path or certificate_data):
            raise fields.wrong("password", "is missing, and so is a certificate: the app cannot sign in")
        return cls(
            conn_id=fields.conn_id,
            tenant_id=fields.text("tenant_id") or fields.text("tenantId") or fields.missing("tenant_id"),
            client_id=fields.text("login") or fields.missing("login"),
            client_secret=client_secret,
            certificate_path=certificate_path,
            certificate_data=certificate_data,
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


class _Fields:
    """One field after another, with errors that name the form's label."""

    def __init__(self, conn_id: str, connection: Connection, extra: Mapping[str, object]) -> None:
        self.conn_id = conn_id
        self._standard = {"login": connection.login, "password": connection.password, "host": connection.host}
        self._schema, self._port = connection.schema, connection.port
        self._extra = extra

    def wrong(self, name: str, reason: str) -> ConnectionSettingsError:
        label = _STANDARD_LABELS.get(name) or CONNECTION_FIELDS[name]["label"]
        return ConnectionSettingsError(f'Connection "{self.conn_id}": {label} ({name}) {reason}. Nothing was sent.')

    def refuse_misspelt(self) -> None:
        """Refuse an extra that is almost one of ours: "preview_onyl" would be a guard that is open."""
        for name in self._extra.keys() - CONNECTION_FIELDS.keys() - _ALIASES:
            if meant := get_close_matches(name, CONNECTION_FIELDS, n=1, cutoff=0.85):
                raise self.wrong(meant[0], f"is spelt {name!r} in the extras")

    def missing(self, name: str) -> str:
        raise self.wrong(name, "is missing")

    def _raw(self, name: str) -> object:
        value = self._standard[name] if name in self._standard else self._extra.get(name)
        return value.strip() or None if isinstance(value, str) else value

    def text(self, name: str) -> str | None:
        value = self._raw(name)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(name, f"must be text, not {type(value).__name__}")

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._raw(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        # A guard that is misspelt must not be open.
        raise self.wrong(name, f"must be true or false, not {value!r}")

    def items(self, name: str) -> tuple[str, ...]:
        value = self._raw(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            parts = value
        else:
            parts = (self.text(name) or "").split(",")
        return tuple(part.strip() for part in parts if part.strip())

    def root(self) -> tuple[str, str | None]:
        """Return Graph's root, and the version if the URL ended in one (as an ``msgraph`` connection's does)."""
        name, url = "base_url", self.text("base_url")
        if url is None and (host := self.text("host")) is not None:
            name, url = "host", host
            if "://" not in url:
                port = f":{self._port}" if self._port and ":" not in url and self._port != 443 else ""
                url = f"{self._schema or 'https'}://{url}{port}"
        parts = self._url(name, url or GLOBAL_ROOT)
        path, _, last = parts.path.rstrip("/").rpartition("/")
        version = last if last in VERSIONS else None
        return f"{parts.scheme}://{parts.netloc}{path if version else parts.path.rstrip('/')}", version

    def authority(self) -> str | None:
        value = self.text("authority")
        if value is None:
            return None
        parts = self._url("authority", value if "://" in value else f"https://{value}")
        return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"

    def _url(self, name: str, value: str) -> SplitResult:
        try:
            parts = urlsplit(value)
            valid = parts.hostname is not None and (parts.port is None or parts.port > 0)
        except ValueError:
            valid = False
        if valid and parts.username is not None:
            raise self.wrong(name, "has a name and a password in its URL; they belong into the fields for them")
        if not valid or parts.query or parts.fragment:
            raise self.wrong(name, f"is {value!r}, which is not the URL of a host")
        if parts.scheme != "https":
            raise self.wrong(name, f"is {value!r}; it must begin with https://, for it receives secrets")
        return parts

    def allowed_hosts(self, host: str) -> tuple[str, ...]:
        given = self.items("allowed_hosts")
        names = tuple(urlsplit(item if "://" in item else f"https://{item}").hostname or item for item in given)
        if names and host.lower() not in names:
            # Kiota would send the request without a token and say nothing.
            raise self.wrong("allowed_hosts", f"does not contain {host}, so that no token could be sent to it")
        return names or (host,)

    def verify(self) -> bool | str:
        value = self._raw("verify")
        if isinstance(value, str) and value.lower() not in _TRUE | _FALSE:
            if not Path(value).exists():
                raise self.wrong("verify", f"names the CA bundle {value}, which is not on this machine")
            return value
        return self.flag("verify", default=True)

    def proxies(self) -> Mapping[str, str]:
        value = self._raw("proxies")
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                try:
                    value = ast.literal_eval(value)
                except (ValueError, SyntaxError):
                    raise self.wrong("proxies", "is neither JSON nor a Python dictionary") from None
        if not value:
            return {}
        if not isinstance(value, dict) or not all(isinstance(url, str | None) for url in value.values()):
            raise self.wrong("proxies", 'must be an object such as {"https": "http://proxy:3128"}')
        if any(url and name != "no" and "://" not in url for name, url in value.items()):
            raise self.wrong("proxies", "must give each proxy as a URL, such as http://proxy:3128")
        return {name: url for name, url in value.items() if url}
