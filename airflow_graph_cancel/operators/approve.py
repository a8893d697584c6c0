"""Let a person see a plan, shorten it and approve it, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from airflow_graph_cancel.graph.errors import GraphCancelError
from airflow_graph_cancel.graph.find.summary import plain
from airflow_graph_cancel.graph.model.plan import plan_rows
from airflow_graph_cancel.report.times import find_zone, span

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

__all__ = ["GraphApprovePlanOperator"]

Row = Mapping[str, object]
_WITHOUT = "without"
_ROWS_OFFERED = 100
"""As many as the summary shows."""
_NOT_OURS = ("body", "defaults", "fail_on_reject", "ignore_downstream_trigger_rules")


class GraphApprovePlanOperator(ApprovalOperator):
    """Ask a person whether a plan is to be carried out: Airflow's own approval, for what cannot be taken back.

    The person sees the plan's summary and the message that people will get, and can take meetings out. A plan with
    nothing in it is nobody's business: the task succeeds and asks nobody. A rejection skips this task, and with it what
    needs it; Airflow's own operator skips the next task instead, which in Airflow 3.3 does not work in a mapped task
    group. Without an answer in time the task fails and is not retried.

    What was shown is what is handed on, as XComs: ``plan`` for the ``events`` of ``GraphCancelEventsOperator``,
    ``without`` for its ``without``, both only if it may go on, and ``decision``, a sentence for the report.

    :param plan: what ``GraphFindEventsOperator`` returned. (templated)
    :param subject: what it is about, such as what is closed and when. (templated)
    :param comment: what the attendees will read. (templated)
    :param response_timeout: how long to wait for an answer (timedelta), None for ever; the cancelling task refuses a
        plan that is older than its ``plan_max_age``.
    :param notifiers: how approvers learn of it, such as a message to their channel.
    :param assigned_users: who may answer; default is everybody who may answer for the DAG.
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
        if taken := sorted(kwargs.keys() & set(_NOT_OURS)):
            # An answer that nobody gave, above all, must not send anything.
            raise ValueError(f"GraphApprovePlanOperator takes no {', '.join(taken)}")
        super().__init__(subject=subject, response_timeout=response_timeout, **kwargs)
        self.plan = plan
        self.comment = comment
        # Answers are checked against these names; execute() makes the form itself, of the plan.
        self.params = ParamsDict({_WITHOUT: _form({})})

    def execute(self, context: Context) -> None:
        """Show the plan and wait without a worker slot, or pass an empty one on.

        :raises AirflowFailException: if there is no plan.
        """
        plan = self._load()
        rows = _rows(plan, ())
        if not rows:
            self._hand_on(context, [], "Nobody was asked, since there is nothing to cancel.")
            return
        self.body = f"{plan['summary']}\n{_message(self.comment)}"
        self.params = ParamsDict({_WITHOUT: _form(_labels(plan, rows))})
        context["task_state_store"].set("digest", str(plan["digest"]))
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Hand on what was shown, if it was approved.

        :raises AirflowSkipException: if it was rejected.
        :raises AirflowFailException: if nobody answered in time, the answer takes out what is not in the plan, or the
            plan is another one by now.
        """
        if event.get("error_type") == "timeout":
            # Not for Airflow to retry: by then it would ask about a plan of yesterday.
            raise AirflowFailException(self._decide(context, f"Nobody answered within {self.response_timeout}."))
        # Not ApprovalOperator's, whose way of skipping is the one that fails in mapped task groups.
        answer = HITLOperator.execute_complete(self, context, event)
        who = (answer["responded_by_user"] or {}).get("name") or "somebody"
        when = f"{answer['responded_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        if answer["chosen_options"] != [self.APPROVE]:
            raise AirflowSkipException(self._decide(context, f"Rejected by {who} at {when}: nothing was sent."))
        plan = self._load()
        if plan["digest"] != context["task_state_store"].get("digest"):
            raise AirflowFailException(
                "The plan was made anew while its approval was pending, so this one was not approved. Clear this task "
                "to have it approved."
            )
        without = list(answer["params_input"].get(_WITHOUT) or [])
        _rows(plan, without)
        taken_out = f", without {len(without)} of the meetings" if without else ""
        self._hand_on(context, without, f"Approved by {who} at {when}{taken_out}.")
        return answer

    def _load(self) -> Row:
        from airflow_graph_cancel.hooks.storage import load_plan

        try:
            return load_plan(self.plan)
        except GraphCancelError as error:
            raise AirflowFailException(str(error)) from error

    def _hand_on(self, context: Context, without: list[str], decision: str) -> None:
        context["ti"].xcom_push(key="plan", value=self.plan)
        context["ti"].xcom_push(key=_WITHOUT, value=without)
        self._decide(context, decision)

    def _decide(self, context: Context, decision: str) -> str:
        context["ti"].xcom_push(key="decision", value=decision)
        return decision


def _rows(plan: Row, without: Sequence[str]) -> list[dict[str, object]]:
    try:
        return plan_rows(plan, without=without)
    except GraphCancelError as error:
        raise AirflowFailException(str(error)) from error


def _message(comment: str | None) -> str:
    if not comment:
        return "Attendees get Outlook's own notice, with no message."
    # Two blanks at the end keep the line's end; a feed's own markup is shown as it is.
    lines = "\n".join(f"> {plain(line)}  " for line in comment.splitlines())
    return f"**What the attendees will read:**\n\n{lines}\n"


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
    window = cast("Row", plan["window"])
    zone = find_zone(cast("str | None", window.get("timezone")), cast("str | None", window.get("start")))
    return {str(row["event_id"]): _label(row, zone) for row in rows[:_ROWS_OFFERED]}


def _label(row: Row, zone: tzinfo) -> str:
    rooms = ", ".join(str(room).partition("@")[0] for room in cast("list[object]", row["rooms"]))
    what = [span(str(row["start"]), str(row["end"]), zone), row["user_id"], rooms, row.get("subject")]
    return ", ".join(str(part) for part in what if part)
