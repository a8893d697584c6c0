"""Read a connection's fields one by one; errors name the form's label.

Airflow's form stores blanks as null, a URI stores strings, a person stores anything. null, "" and a missing key are
equivalent here.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS
from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.connection.clouds import CLOUDS, CUSTOM, GLOBAL

if TYPE_CHECKING:
    from airflow.sdk import Connection

VERSIONS = ("v1.0", "beta")
_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
_ALIASES = {"tenantId": "tenant_id", "certificate_data": "private_key"}
"""Names that Airflow's own Graph hook uses."""
_STANDARD_LABELS = {"login": "Client ID", "password": "Client Secret", "host": "Graph host"}


class Fields:
    """A connection's fields, read and checked one at a time."""

    def __init__(self, connection: Connection, extra: Mapping[str, object]) -> None:
        self.conn_id = connection.conn_id
        self.conn_type = connection.conn_type
        self._standard = {"login": connection.login, "password": connection.password, "host": connection.host}
        self._schema, self._port = connection.schema, connection.port
        given = {name: value for name, value in extra.items() if name not in _ALIASES}
        aliases = {_ALIASES[name]: value for name, value in extra.items() if name in _ALIASES and value}
        self._extra = {**aliases, **{name: value for name, value in given.items() if value not in (None, "")}}

    def label(self, name: str) -> str:
        """Return the field's label in the form."""
        return _STANDARD_LABELS.get(name) or str(CONNECTION_FIELDS[name]["label"])

    def error(self, name: str, reason: str) -> ConnectionSettingsError:
        """Return the error for one field.

        :param reason: completes the sentence that begins with the field's label.
        """
        return ConnectionSettingsError(f'Connection "{self.conn_id}": {self.label(name)} ({name}) {reason}.')

    def check_spelling(self) -> None:
        """Reject an extra that is almost a field's name: a typo in "preview_only" would disable it."""
        for name in self._extra.keys() - CONNECTION_FIELDS.keys():
            # Airflow's former prefix of extras and a label from the form also count as misspellings.
            bare = re.sub(r"[^a-z0-9]+", "_", name.casefold().rpartition("__")[2])
            if meant := get_close_matches(bare, CONNECTION_FIELDS, n=1, cutoff=0.85):
                raise self.error(meant[0], f"is misspelled as {name!r} in the extras")

    def _raw(self, name: str) -> object:
        value = self._standard[name] if name in self._standard else self._extra.get(name)
        return value.strip() or None if isinstance(value, str) else value

    def text(self, name: str) -> str | None:
        """Return a text, None if it is blank."""
        value = self._raw(name)
        if value is None or isinstance(value, str):
            return value
        raise self.error(name, f"must be text, not {type(value).__name__}")

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Return one of these values, None if it is blank."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise self.error(name, f"is {value!r}; it must be one of {', '.join(choices)}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean, given as one or as text."""
        value = self._raw(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        # Anything else is rejected, so a typo cannot disable a safeguard.
        raise self.error(name, f"must be true or false, not {value!r}")

    def items(self, name: str) -> tuple[str, ...]:
        """Return the items of a list or of comma-separated text."""
        value = self._raw(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            parts = value
        else:
            parts = (self.text(name) or "").split(",")
        return tuple(part.strip() for part in parts if part.strip())

    def cloud(self) -> str:
        """Return the name of the cloud; the global one if none is chosen."""
        chosen = self.choice("cloud", (*CLOUDS, CUSTOM))
        if chosen == CUSTOM:
            for name in ("base_url", "authority"):
                if self.text(name) is None and not (name == "base_url" and self.text("host")):
                    raise self.error(name, "is missing, but Cloud is custom")
        return chosen or GLOBAL

    def root(self) -> tuple[str, str | None]:
        """Return Graph's root, and the version if the URL ends in one, as in an ``msgraph`` connection."""
        name, url = "base_url", self.text("base_url")
        if url is None and (host := self.text("host")) is not None:
            name, url = "host", host
            if "://" not in url:
                port = f":{self._port}" if self._port and ":" not in url and self._port != 443 else ""
                url = f"{self._schema or 'https'}://{url}{port}"
        if url is None:
            cloud = self.cloud()
            url = CLOUDS[cloud].root
        parts = self._url(name, url, loopback_may_be_plain=True)
        path, _, last = parts.path.rstrip("/").rpartition("/")
        version = last if last in VERSIONS else None
        return f"{parts.scheme}://{parts.netloc}{path if version else parts.path.rstrip('/')}", version

    def authority(self) -> str | None:
        """Return the login server's address, None for the global cloud's."""
        value = self.text("authority")
        if value is None:
            cloud = self.cloud()
            return None if cloud in {GLOBAL, CUSTOM} else CLOUDS[cloud].authority
        parts = self._url("authority", value if "://" in value else f"https://{value}")
        return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"

    def _url(self, name: str, value: str, *, loopback_may_be_plain: bool = False) -> SplitResult:
        try:
            parts = urlsplit(value)
            valid = parts.hostname is not None and (parts.port is None or parts.port > 0)
        except ValueError:
            valid = False
        if valid and parts.username is not None:
            raise self.error(name, "must not contain a user name and a password: they have their own fields")
        if not valid or parts.query or parts.fragment:
            raise self.error(name, f"is {value!r}, which is not a valid URL")
        plain = loopback_may_be_plain and parts.scheme == "http" and _is_loopback(parts.hostname or "")
        if parts.scheme != "https" and not plain:
            raise self.error(name, f"is {value!r}; it must begin with https://, because secrets are sent to it")
        return parts

    def allowed_hosts(self, host: str) -> tuple[str, ...]:
        """Return the hosts that may receive the token."""
        given = self.items("allowed_hosts")
        names = tuple(urlsplit(item if "://" in item else f"https://{item}").hostname or item for item in given)
        if names and host.lower() not in names:
            # Kiota would send the request without a token, and without an error.
            raise self.error("allowed_hosts", f"must contain Graph's host {host}, or no token would be sent to it")
        return names or (host,)

    def verify(self) -> bool | str:
        """Return whether certificates are verified, or the path of the CA bundle to trust."""
        value = self._raw("verify")
        if isinstance(value, str) and value.lower() not in _TRUE | _FALSE:
            if not Path(value).exists():
                raise self.error("verify", f"names {value}, which is not on this machine")
            return value
        return self.flag("verify", default=True)

    def proxies(self) -> Mapping[str, str]:
        """Return the proxies by scheme; ``no`` lists the hosts to reach directly."""
        value = self._raw("proxies")
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                try:
                    value = ast.literal_eval(value)
                except (ValueError, SyntaxError):
                    raise self.error("proxies", "is neither JSON nor a Python dictionary") from None
        if not value:
            return {}
        if not isinstance(value, dict) or not all(isinstance(url, str | None) for url in value.values()):
            raise self.error("proxies", 'must be a JSON object such as {"https": "http://proxy:3128"}')
        if any(url and name != "no" and "://" not in url for name, url in value.items()):
            raise self.error("proxies", "must give each proxy as a URL, such as http://proxy:3128")
        return {name: url for name, url in value.items() if url}


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
