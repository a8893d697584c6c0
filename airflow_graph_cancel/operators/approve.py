"""Ask a person to review a plan, take meetings out and approve it before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from airflow_graph_cancel.graph.formatting import quote_markdown, span, zone_of
from airflow_graph_cancel.graph.model.plan import PlanRow, plan_rows
from airflow_graph_cancel.operators.base import airflow_errors

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

__all__ = ["GraphApprovePlanOperator"]

Row = Mapping[str, object]
_WITHOUT = "without"
_ROWS_OFFERED = 100
"""The same number as the summary shows."""
_REFUSED = ("body", "defaults", "fail_on_reject", "ignore_downstream_trigger_rules")


class GraphApprovePlanOperator(ApprovalOperator):
    """Ask a person to approve a plan in Airflow, because a cancellation cannot be taken back.

    The approver sees the plan's summary and the message to the attendees, and can take meetings out. An empty plan asks
    nobody: the task succeeds. A rejection skips this task and everything that depends on it. (Airflow's own operator
    skips the next task instead, which does not work in a mapped task group in Airflow 3.3.) Without a response in time
    the task fails and is not retried; a timeout never counts as approval.

    The task pushes exactly what was shown as XComs: ``plan``, for the ``events`` of ``GraphCancelEventsOperator``, and
    ``without``, for its ``without``, both only after an approval or for an empty plan; and ``decision``, a sentence for
    the report.

    :param plan: what ``GraphFindEventsOperator`` returned. (templated)
    :param subject: heading of the approval, such as what is closed and when. (templated)
    :param comment: message to the attendees. (templated)
    :param response_timeout: how long to wait for a response (timedelta), None to wait without a limit. The cancelling
        task refuses a plan that is older than its ``plan_max_age``.
    :param notifiers: called when the approval starts to wait, such as to post to the approvers' channel.
    :param assigned_users: who may respond (``{"id", "name"}``); default is everyone who may respond for the DAG.
    """

    template_fields: Sequence[str] = ("subject", "plan", "comment")

    def __init__(
        self,
        *,
        plan: object,
        subject: str,
        comment: str | None = None,
        response_timeout: timedelta | None = timedelta(hours=12),
        **kwargs: Any,
    ) -> None:
        if taken := sorted(kwargs.keys() & set(_REFUSED)):
            # Above all no default answer: a timeout never counts as approval.
            raise ValueError(f"GraphApprovePlanOperator does not accept {', '.join(taken)}")
        super().__init__(subject=subject, response_timeout=response_timeout, **kwargs)
        self.plan = plan
        self.comment = comment
        # Airflow checks the response against these names; execute() fills in the plan's meetings.
        self.params = ParamsDict({_WITHOUT: _form({})})

    def execute(self, context: Context) -> None:
        """Show the plan and wait without a worker slot; hand an empty plan on at once.

        :raises AirflowFailException: if ``plan`` is not a plan, or was altered.
        """
        plan = self._load()
        rows = _rows(plan, ())
        if not rows:
            self._hand_on(context, [], "Nobody was asked, because there is nothing to cancel.")
            return
        self.body = f"{plan['summary']}\n{_message(self.comment)}"
        self.params = ParamsDict({_WITHOUT: _form(_labels(plan, rows))})
        context["task_state_store"].set("digest", str(plan["digest"]))
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Hand on the plan that was shown, if it was approved.

        :raises AirflowSkipException: if it was rejected.
        :raises AirflowFailException: if nobody responded in time, the response takes out meetings that are not in the
            plan, or the plan has been replaced since it was shown.
        """
        if event.get("error_type") == "timeout":
            # No retry: it would ask about yesterday's plan.
            raise AirflowFailException(self._decide(context, f"Nobody answered within {self.response_timeout}."))
        # Not ApprovalOperator's, which skips in the way that does not work in mapped task groups.
        answer = HITLOperator.execute_complete(self, context, event)
        who = (answer["responded_by_user"] or {}).get("name") or "an unnamed user"
        when = f"{answer['responded_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        if answer["chosen_options"] != [self.APPROVE]:
            raise AirflowSkipException(self._decide(context, f"Rejected by {who} at {when}: nothing was sent."))
        plan = self._load()
        if plan["digest"] != context["task_state_store"].get("digest"):
            raise AirflowFailException(
                "The plan was replaced while its approval was pending, so the current one is not approved. Clear this "
                "task to ask for its approval."
            )
        without = list(answer["params_input"].get(_WITHOUT) or [])
        _rows(plan, without)
        taken_out = f", without {len(without)} of the meetings" if without else ""
        self._hand_on(context, without, f"Approved by {who} at {when}{taken_out}.")
        return answer

    def _load(self) -> Row:
        from airflow_graph_cancel.hooks.storage import load_plan

        with airflow_errors():
            return load_plan(self.plan)

    def _hand_on(self, context: Context, without: list[str], decision: str) -> None:
        context["ti"].xcom_push(key="plan", value=self.plan)
        context["ti"].xcom_push(key=_WITHOUT, value=without)
        self._decide(context, decision)

    def _decide(self, context: Context, decision: str) -> str:
        context["ti"].xcom_push(key="decision", value=decision)
        return decision


def _rows(plan: Row, without: Sequence[str]) -> list[dict[str, object]]:
    with airflow_errors():
        return plan_rows(plan, without=without)


def _message(comment: str | None) -> str:
    if not comment:
        return "Attendees get Outlook's own notice, without a message."
    return f"**What the attendees will read:**\n\n{quote_markdown(comment)}\n"


def _form(labels: Mapping[str, str]) -> Param:
    return Param(
        [],
        title="Leave these meetings alone",
        type=["array", "null"],
        items={"type": "string"},
        examples=list(labels),
        values_display=dict(labels),
    )


def _labels(plan: Row, rows: Sequence[Row]) -> dict[str, str]:
    zone = zone_of(cast("Row", plan["window"]))
    offered = map(PlanRow.from_row, rows[:_ROWS_OFFERED])
    return {meeting.event_id: _label(meeting, zone) for meeting in offered}


def _label(meeting: PlanRow, zone: tzinfo) -> str:
    rooms = ", ".join(room.partition("@")[0] for room in meeting.rooms)
    what = (span(meeting.start, meeting.end, zone), meeting.user_id, rooms, meeting.subject)
    return ", ".join(part for part in what if part)
