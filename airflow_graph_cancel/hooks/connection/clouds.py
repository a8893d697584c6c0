"""Microsoft's clouds: where Graph and the login are. Tokens of one are worth nothing in another.

Source: https://learn.microsoft.com/graph/deployments
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CLOUDS", "CUSTOM", "GLOBAL", "Cloud"]


class Cloud(NamedTuple):
    """One of them.

    :param root: of Graph, without version and trailing slash.
    :param authority: the login's address.
    """

    root: str
    authority: str


GLOBAL = "global"
CUSTOM = "custom"
"""One that is not listed: Base URL and Authority say where it is."""
CLOUDS = {
    GLOBAL: Cloud("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "us_gov": Cloud("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "us_gov_dod": Cloud("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    # Another page of Microsoft's has login.partner.microsoftonline.cn; Authority can say so.
    "china": Cloud("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}
