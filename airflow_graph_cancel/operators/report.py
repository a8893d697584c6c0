"""Say afterwards what became of the meetings: a report for people, as files and as a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from airflow.sdk.bases.operator import BaseOperator

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.template_values import names
from airflow_graph_cancel.hooks.files import write_whole
from airflow_graph_cancel.operators.base import given_fields
from airflow_graph_cancel.operators.report_inputs import is_nothing, read_mapping, read_results
from airflow_graph_cancel.report import build_report, to_csv, to_html, to_markdown, to_summary
from airflow_graph_cancel.report.content import TAKEN_OUT

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from airflow_graph_cancel.report import CancellationReport

__all__ = ["GraphCancelReportOperator"]

Row = Mapping[str, object]
Format = Literal["html", "csv", "md"]
_RENDERERS: dict[str, Callable[[CancellationReport], str]] = {"html": to_html, "csv": to_csv, "md": to_markdown}


class GraphCancelReportOperator(BaseOperator):
    """Report what was cancelled, who was told, what was left and why, and what is not gone yet. Sends nothing.

    Works with whatever there is: a plan alone, as after a rejected approval; results alone; all of it. It is wanted
    most when something was skipped or failed, so give it a ``trigger_rule`` such as ``none_failed`` or ``all_done``.
    Returns ``{"total", "counts": {outcome: n}, "left": {reason: n}, "still_there": n, "people": n, "files": {format:
    path}, "summary"}``; ``summary`` is Markdown for a chat message: up to 2,000 characters, numbers and no names.

    :param plan: what ``GraphFindEventsOperator`` returned. (templated)
    :param result: what ``GraphCancelEventsOperator`` returned, a list of that if it was mapped, or the path of its
        report: a task that fails returns nothing, but has written its report. (templated)
    :param verification: what ``GraphEventsCancelledSensor`` returned. (templated)
    :param without: event ids that an approver took out of the plan, as the cancelling task was given them. (templated)
    :param title: heading, such as what was closed and when. (templated)
    :param note: a sentence that a reader must know, such as who approved it; None or blank for none. (templated)
    :param report_path: where the files go, anything that ``ObjectStoragePath`` takes; each format adds its own ending.
        None writes no files. (templated)
    :param formats: of ``html``, ``csv`` and ``md``.
    """

    template_fields: Sequence[str] = ("plan", "result", "verification", "without", "title", "note", "report_path")

    def __init__(
        self,
        *,
        plan: object = None,
        result: object = None,
        verification: object = None,
        without: Iterable[str] | str | None = None,
        title: str = "Cancelled meetings",
        note: str | None = None,
        report_path: str | None = None,
        formats: Sequence[Format] = ("html", "csv", "md"),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(formats, str) or not set(formats) <= set(get_args(Format)):
            raise ValueError(f"formats must be a list of {', '.join(get_args(Format))}, not {formats!r}")
        self.plan = plan
        self.result = result
        self.verification = verification
        self.without = without
        self.title = title
        self.note = note
        self.report_path = report_path
        self.formats = formats
        self._given = given_fields(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the report and return its headline.

        :raises InvalidInputError: if there is nothing to report on, or it is not what the other tasks return.
        """
        try:
            report = self._report(context)
        except InvalidInputError as error:
            # A report says what an earlier task sent; its own failure says nothing about that.
            raise InvalidInputError(error.message, nothing_sent=False) from error
        files = {}
        if "report_path" in self._given:
            for name in self.formats:
                files[name] = path = self._path(name)
                # A byte order mark, without which Excel takes UTF-8 for something else.
                write_whole(path, _RENDERERS[name](report).encode("utf-8-sig" if name == "csv" else "utf-8"))
        said = ", ".join(f"{outcome} {count}" for outcome, count in report.counts.items()) or "nothing to do"
        self.log.info("%d events (%s), %d left, files: %s", report.total, said, len(report.excluded), files or "none")
        return {
            "total": report.total,
            "counts": report.counts,
            "left": report.reasons,
            "still_there": report.not_gone,
            "people": report.people if report.decided else 0,
            "files": files,
            "summary": to_summary(report),
        }

    def _report(self, context: Context) -> CancellationReport:
        from airflow_graph_cancel.hooks.storage import load_plan

        if "report_path" in self._given and is_nothing(self.report_path):
            raise InvalidInputError("report_path is None: a template rendered nothing.")
        plan = None if is_nothing(self.plan) else load_plan(self.plan)
        results = read_results(self.result)
        verification = read_mapping("verification", self.verification)
        if plan is None and results.rows is None and verification is None:
            raise InvalidInputError(
                f"There is nothing to report on: neither a plan nor a result. {' '.join(results.notes)}".strip()
            )
        ti = context.get("ti")
        try:
            return build_report(
                plan
                if plan is None or is_nothing(self.without)
                else _shortened(plan, frozenset(names("without", self.without))),
                results.rows,
                verification,
                title=self.title,
                counts=results.counts,
                notes=(*([] if is_nothing(self.note) else [str(self.note)]), *results.notes),
                source=f"{ti.dag_id}, {ti.run_id}" if ti else None,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        except ValueError as error:
            raise InvalidInputError(f"There is no report to be made of this: {error}.") from error

    def _path(self, name: str) -> str:
        path = str(self.report_path)
        for ending in get_args(Format):
            path = path.removesuffix(f".{ending}")
        return f"{path}.{name}"


def _shortened(plan: Row, without: frozenset[str]) -> dict[str, object]:
    """Return the plan with what was taken out of it among what is left, for that takes place and nobody need look."""
    meetings, left = cast("list[Row]", plan["meetings"]), cast("list[Row]", plan.get("left") or [])
    taken_out = [{**row, "reason": TAKEN_OUT} for row in meetings if row.get("event_id") in without]
    kept = [row for row in meetings if row.get("event_id") not in without]
    return {**plan, "meetings": kept, "left": [*left, *taken_out]}
