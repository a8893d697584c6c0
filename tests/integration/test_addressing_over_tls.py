"""What a feed delivers as an id arrives at the server whole and in its place, through the whole client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import GraphCancelError, InvalidInputError
from airflow_graph_cancel.hooks.graph_event import GraphEventHook

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

# Anything at all, and often what paths, templates and URLs are made of.
rendered = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="./\\%2Ff?#&;=+ {}@:,~", min_size=1, max_size=12),
    st.sampled_from(["..", ".", "%2e%2e", "a/../b", "None", "", "me", "default", "$batch", "x/cancel", "a%00b"]),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=rendered, owner=rendered, calendar=rendered)
def test_no_rendered_value_reaches_another_resource(sandbox: Sandbox, event: str, owner: str, calendar: str) -> None:
    """Either it is refused and nothing is sent, or the server gets exactly these three names in these three places."""
    sandbox.clear_ledger()

    async def cancel() -> None:
        await GraphEventHook().cancel_event(
            event, "Closed.", user_id=owner, calendar_id=calendar, options=Options(Backoff(retry_for=0))
        )

    try:
        asyncio.run(cancel())
    except InvalidInputError:
        assert sandbox.requests() == []
        return
    except GraphCancelError:
        pass
    requests = sandbox.requests()
    assert requests
    where = ["calendar"] if calendar == "default" else ["calendars", calendar]
    for request in requests:
        segments = [unquote(segment) for segment in request["path"].split("/")]
        tail = ["cancel"] if request["method"] == "POST" else []
        assert segments == ["", "v1.0", "users", owner, *where, "events", event, *tail]
