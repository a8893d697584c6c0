"""Microsoft's clouds: the addresses of Graph and the login server. Each accepts only its own tokens.

Source: https://learn.microsoft.com/graph/deployments
"""

from __future__ import annotations

from typing import NamedTuple


class Cloud(NamedTuple):
    """The addresses of one cloud.

    :param root: Graph's, without version and trailing slash.
    :param authority: the login server's.
    """

    root: str
    authority: str


GLOBAL = "global"
CUSTOM = "custom"
"""A cloud that is not listed; Base URL and Authority are its addresses."""
CLOUDS = {
    GLOBAL: Cloud("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "us_gov": Cloud("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "us_gov_dod": Cloud("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    # Another page of Microsoft's lists login.partner.microsoftonline.cn; set Authority to use it.
    "china": Cloud("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}
