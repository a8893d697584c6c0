"""The page on which a person enters the code that a device shows, as they do at microsoft.com/devicelogin."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, Response

from airflow_graph_cancel.sandbox.entra.people import person

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_graph_cancel.sandbox.state import World

_HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in to the sandbox</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 10vh auto; padding: 0 1rem; }}
  label, select, input {{ display: block; width: 100%; box-sizing: border-box; font: inherit; }}
  select, input {{ margin: .2rem 0 1rem; padding: .5rem; }}
  button {{ font: inherit; padding: .5rem 1rem; }}
</style>
<h1>Enter the code</h1>
<p role="status">{message}</p>
<form method="post">
  <label>Code that the device shows
    <input name="user_code" value="{code}" autocomplete="off" autofocus required></label>
  <label>Sign in as
    <select name="as">{people}</select></label>
  <button name="decision" value="approve">Allow</button>
  <button name="decision" value="decline" formnovalidate>Cancel</button>
</form>
</html>
"""


class DevicePage:
    """``/devicelogin``: no password is asked for, everybody of the tenant can be chosen."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: Request) -> Response:
        """Show the page, and carry out what was decided on it."""
        message, status, code = "Whoever you choose, the device then acts for them.", 200, ""
        if request.method == "POST":
            sent = (await request.body()).decode("utf-8", "replace")
            form = {name: values[-1] for name, values in parse_qs(sent).items()}
            code = form.get("user_code", "")
            try:
                somebody = person(self._world, form.get("as"))
                self._world.sign_ins.decide(code, form.get("decision", ""), somebody)
                message = "Done. You may close this page."
            except ValueError as error:
                message, status = f"That did not work: {error}.", 400
        people = "".join(
            f"<option>{html.escape(mailbox.address)}</option>"
            for mailbox in self._world.store.mailboxes.values()
            if mailbox.kind == "user"
        )
        page = _HTML.format(message=html.escape(message), code=html.escape(code), people=people)
        return HTMLResponse(page, status)
