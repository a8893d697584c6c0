"""Call the hook from an async task: read a meeting, decide, then cancel it with the same client and token."""

from __future__ import annotations

from functools import partial

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_graph_cancel.retry import GraphRetryPolicy

with DAG(
    dag_id="cancel_from_hook",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "event_id": Param(type="string", minLength=1, title="Event ID"),
        "organizer": Param(type="string", minLength=1, title="Organizer"),
        "at_most": Param(50, type="integer", minimum=0, title="Maximum number of attendees"),
    },
):
    # [START cancel_from_hook]
    @task(retries=3, retry_policy=GraphRetryPolicy())
    async def cancel_if_small(event_id: str, organizer: str, at_most: str) -> dict[str, str | int | None]:
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook
        from airflow_graph_cancel.hooks.task_state.journal import TaskStateJournal

        store = get_current_context()["task_state_store"]
        async with GraphEventHook("graph_calendar_default") as hook:
            event = await hook.get_event(event_id, user_id=organizer, select=("attendees",))
            attendees = event["attendees"]
            too_many = isinstance(attendees, list) and len(attendees) > int(at_most)
            result = await hook.cancel_event(
                event_id,
                "The room is closed today.",
                user_id=organizer,
                preview=too_many,
                # The journal tells a retry of this task what an earlier try sent.
                journal=partial(TaskStateJournal, store),
            )
        return result.as_row()

    # [END cancel_from_hook]

    cancel_if_small("{{ params.event_id }}", "{{ params.organizer }}", "{{ params.at_most }}")
