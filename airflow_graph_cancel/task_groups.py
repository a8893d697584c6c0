"""One task group for any pipeline: find meetings, have them approved, cancel them, verify and report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, TaskGroup, XComArg
from airflow.sdk.exceptions import AirflowSkipException

from airflow_graph_cancel.graph.template_values import is_nothing
from airflow_graph_cancel.operators.approve import GraphApprovePlanOperator
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator, IfChanged
from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from airflow_graph_cancel.operators.report import GraphCancelReportOperator
from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor

if TYPE_CHECKING:
    from airflow.sdk.bases.notifier import BaseNotifier
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.execution_time.hitl import HITLUser

    from airflow_graph_cancel.graph.model.plan import Scope

__all__ = ["CancellationTasks", "cancel_with_approval"]

Names = str | Iterable[str] | None
_OWN_NAME = (
    "{{ ti.dag_id }}/{{ run_id }}/{{ ti.task_id.rpartition('.')[0] or 'meetings' }}"
    "{{ '-%s' % ti.map_index if ti.map_index >= 0 else '' }}"
)
"""A file name shared by the group's tasks and by no others."""


@dataclass(frozen=True, slots=True)
class CancellationTasks:
    """The tasks of :func:`cancel_with_approval`, so that a pipeline can add tasks before and after them.

    :param find: its output is the plan.
    :param approve: None without approval.
    :param cancel: its output says how many meetings ended with which outcome.
    :param wait: its output confirms that the meetings are gone.
    :param report: its output has the paths of the files and a summary for a chat message.
    :param done: fails if any of the others did; unlike ``wait``, it succeeds after a rejection too. It is skipped if a
        branch skips the whole group.
    """

    find: GraphFindEventsOperator
    approve: GraphApprovePlanOperator | None
    cancel: GraphCancelEventsOperator
    wait: GraphEventsCancelledSensor
    report: GraphCancelReportOperator
    done: BaseOperator


def cancel_with_approval(
    *,
    start: str | datetime,
    end: str | datetime,
    report_folder: str,
    rooms: Names = None,
    room_list: Names = None,
    building: Names = None,
    organizers: Names = None,
    timezone: str | None = None,
    scope: Scope = "dates",
    keep: Names = None,
    min_people: int | None = None,
    with_subjects: bool = False,
    max_days: int = 62,
    comment: str | None = None,
    title: str = "Cancelled meetings",
    approve: bool = True,
    response_timeout: timedelta | None = timedelta(hours=12),
    notifiers: Sequence[BaseNotifier] | BaseNotifier | None = None,
    assigned_users: HITLUser | list[HITLUser] | None = None,
    plan_max_age: timedelta = timedelta(hours=24),
    if_changed: IfChanged = "hold",
    max_meetings: int | None = None,
    max_people: int | None = None,
    wait_for: timedelta = timedelta(hours=1),
    look_every: timedelta = timedelta(seconds=30),
    conn_id: str = "graph_calendar_default",
    retries: int = 3,
    group_id: str | None = "cancel_meetings",
) -> CancellationTasks:
    """Add the tasks that find meetings, have them approved, cancel them, verify that they are gone, and report.

    An empty plan asks nobody. A rejection skips the cancellation; without a response in time the run fails. The report
    is also written after a rejection or a failure, as long as there is a plan, and does not hide a failure: the run
    ends as ``done`` does. To handle several closures separately, call this in a mapped ``@task_group`` and pass that
    function's arguments on. Only templated arguments can be mapped.

    :param start: start of the window, ISO 8601. For this argument, ``end``, and ``rooms`` to ``keep``, see
        ``GraphFindEventsOperator``. (templated)
    :param report_folder: folder for plan, rows and report, as ``ObjectStoragePath`` takes it, that all workers can
        reach. Each run and each mapped instance has its own file names. (templated)
    :param min_people: leave meetings with fewer people alone; for ``with_subjects`` and ``max_days`` too, see
        ``GraphFindEventsOperator``.
    :param comment: message to the attendees. (templated)
    :param title: heading of the approval and of the report. (templated)
    :param approve: False sends without asking anyone.
    :param response_timeout: how long to wait for a response, shorter than ``plan_max_age``; None has no limit.
    :param notifiers: called when the approval starts to wait, such as to post to the approvers' channel.
    :param assigned_users: who may respond (``{"id", "name"}``); default is everyone who may respond for the DAG.
    :param plan_max_age: refuse an older plan; for ``if_changed``, ``max_meetings`` and ``max_people`` too, see
        ``GraphCancelEventsOperator``.
    :param wait_for: how long to wait for cancelled meetings to be gone.
    :param look_every: time between two checks.
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param retries: for each task.
    :param group_id: None adds the tasks to the enclosing task group.
    :raises ValueError: if a response could come after the plan has expired, or ``report_folder`` is mapped.
    """
    if not isinstance(report_folder, str):
        raise ValueError("report_folder must be text: mapped instances have their own file names in one folder")
    if approve and response_timeout is not None and response_timeout >= plan_max_age:
        raise ValueError(
            f"response_timeout ({response_timeout}) must be shorter than plan_max_age ({plan_max_age}), "
            "because a later approval would be for an expired plan"
        )
    path = f"{report_folder}/{_OWN_NAME}"
    with TaskGroup(group_id) if group_id else nullcontext():
        find = GraphFindEventsOperator(
            task_id="find",
            start=start,
            end=end,
            rooms=rooms,
            room_list=room_list,
            building=building,
            organizers=organizers,
            timezone=timezone,
            scope=scope,
            keep=keep,
            min_people=min_people,
            with_subjects=with_subjects,
            max_days=max_days,
            plan_path=f"{path}.plan.json",
            conn_id=conn_id,
            retries=retries,
        )
        approval = None
        if approve:
            approval = GraphApprovePlanOperator(
                task_id="approve",
                plan=find.output,
                subject=title,
                comment=comment,
                response_timeout=response_timeout,
                notifiers=notifiers,
                assigned_users=assigned_users,
                retries=retries,
                map_index_template="{{ task.subject }}",
            )
        cancel = GraphCancelEventsOperator(
            task_id="cancel",
            # Not what was found but what was shown: without an approval there is nothing to send.
            events=XComArg(approval, "plan") if approval else find.output,
            without=f"{{{{ {_pull(approval, 'without')} }}}}" if approval else None,
            comment=comment,
            plan_max_age=plan_max_age,
            if_changed=if_changed,
            max_meetings=max_meetings,
            max_people=max_people,
            report_path=f"{path}.jsonl",
            conn_id=conn_id,
            retries=retries,
        )
        wait = GraphEventsCancelledSensor(
            task_id="wait",
            events=cancel.output,
            timeout=wait_for,
            poke_interval=look_every,
            conn_id=conn_id,
            retries=retries,
        )
        report = _ReportOfPlan(
            task_id="report",
            plan=find.output,
            # A failed task returns nothing, but it has written its rows.
            result=f"{path}.jsonl",
            verification=f"{{{{ {_pull(wait)} or {_pull(wait, 'verification')} }}}}",
            without=f"{{{{ {_pull(approval, 'without')} }}}}" if approval else None,
            note=f"{{{{ {_pull(approval, 'decision')} }}}}" if approval else None,
            title=title,
            report_path=path,
            trigger_rule="all_done",
            retries=retries,
            map_index_template="{{ task.title }}",
        )
        # Airflow takes a run's state from its last tasks, and the report alone would hide an earlier failure. A
        # teardown would not, but then a run that a person marks as failed ends as a success.
        done = _Done(
            task_id="done",
            reported=f"{{{{ {_pull(report)} is not none }}}}",
            trigger_rule="none_failed",
            retries=retries,
        )
        cancel >> wait >> done
        [find, *([approval] if approval else []), cancel, wait] >> report >> done
    return CancellationTasks(find, approval, cancel, wait, report, done)


class _ReportOfPlan(GraphCancelReportOperator):
    """The report, skipped if ``find`` failed."""

    def execute(self, context: Context) -> dict[str, Any]:
        if is_nothing(self.plan):
            raise AirflowSkipException("No plan was made, so there is nothing to report on.")
        return super().execute(context)


class _Done(BaseOperator):
    """The end of the group, which fails if a task before it failed.

    Some versions of Airflow skip ``none_failed_min_one_success`` in mapped task groups, so it has ``none_failed``
    (https://github.com/apache/airflow/pull/69377). That rule also lets it run in a group that a branch skips. It then
    skips itself, because tasks that follow it must not run.

    :param reported: ``True`` if there is a report. (templated)
    """

    template_fields: Sequence[str] = ("reported",)

    def __init__(self, *, reported: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reported = reported

    def execute(self, context: Context) -> None:
        if str(self.reported) != "True":
            raise AirflowSkipException("The task group was skipped: there is no report.")


def _pull(task: BaseOperator, key: str = "return_value") -> str:
    # Without map_indexes, a task in a mapped group gets the values of all instances.
    return f"ti.xcom_pull(task_ids='{task.task_id}', key='{key}', map_indexes=ti.map_index)"
