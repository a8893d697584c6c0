"""Report afterwards what was cancelled, for people: as files, and as a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from airflow.sdk.bases.operator import BaseOperator

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.template_values import is_nothing, names, parse_mapping, parse_text
from airflow_graph_cancel.hooks.storage import load_plan, read_report, write_whole
from airflow_graph_cancel.operators.base import given_fields
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
    """Report what was cancelled, who was told, what was left alone and why, and what is not gone yet. Sends nothing.

    Works with whatever there is: a plan alone, as after a rejected approval; results alone; or both. It is needed most
    when something was skipped or failed, so give it a ``trigger_rule`` such as ``none_failed`` or ``all_done``.
    Returns ``{"total", "counts": {outcome: n}, "left": {reason: n}, "still_there": n, "people": n, "files": {format:
    path}, "summary"}``; ``summary`` is Markdown for a chat message: up to 2,000 characters, numbers and no names.

    :param plan: what ``GraphFindEventsOperator`` returned. (templated)
    :param result: what ``GraphCancelEventsOperator`` returned, a list of that if it was mapped, or the path of its
        report: a task that fails returns nothing, but has written its report. (templated)
    :param verification: what ``GraphEventsCancelledSensor`` returned. (templated)
    :param without: event ids that an approver took out of the plan, as the cancelling task was given them. (templated)
    :param title: heading, such as what was closed and when. (templated)
    :param note: a sentence that a reader must know, such as who approved it; None or blank for none. (templated)
    :param report_path: path of the files without extension, anything that ``ObjectStoragePath`` takes. None writes no
        files. (templated)
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
        excluded = len(report.excluded)
        self.log.info(
            "Reported %d events (%s); left alone: %d; files: %s", report.total, said, excluded, files or "none"
        )
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
        if "report_path" in self._given and is_nothing(self.report_path):
            raise InvalidInputError("report_path is None: its template rendered nothing.")
        plan = None if is_nothing(self.plan) else load_plan(self.plan)
        results = _read_results(self.result)
        verification = parse_mapping("verification", self.verification)
        if plan is None and results.rows is None and verification is None:
            notes = " ".join(results.notes)
            raise InvalidInputError(
                f"There is nothing to report on: neither a plan, nor a result, nor a verification. {notes}".strip()
            )
        if plan is not None and not is_nothing(self.without):
            plan = _shortened(plan, frozenset(names("without", self.without)))
        ti = context.get("ti")
        try:
            return build_report(
                plan,
                results.rows,
                verification,
                title=self.title,
                counts=results.counts,
                notes=(*([] if is_nothing(self.note) else [str(self.note)]), *results.notes),
                source=f"{ti.dag_id}, {ti.run_id}" if ti else None,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        except ValueError as error:
            raise InvalidInputError(f"This cannot be reported: {error}.") from error

    def _path(self, name: str) -> str:
        path = str(self.report_path)
        for ending in get_args(Format):
            path = path.removesuffix(f".{ending}")
        return f"{path}.{name}"


def _shortened(plan: Row, without: frozenset[str]) -> dict[str, object]:
    """Return the plan with the meetings that were taken out of it among the excluded ones, because they take place."""
    meetings, left = cast("list[Row]", plan["meetings"]), cast("list[Row]", plan.get("left") or [])
    taken_out = [{**row, "reason": TAKEN_OUT} for row in meetings if row.get("event_id") in without]
    kept = [row for row in meetings if row.get("event_id") not in without]
    return {**plan, "meetings": kept, "left": [*left, *taken_out]}


@dataclass(frozen=True, slots=True)
class _Results:
    """What the cancelling tasks reported.

    :param rows: None if there is no result at all, as after a rejected approval; then ``counts`` is None too.
    :param counts: how many events have each outcome, including those without rows.
    :param notes: sentences about what is missing.
    """

    rows: list[Row] | None = None
    counts: Mapping[str, int] | None = None
    notes: tuple[str, ...] = ()


def _read_results(value: object) -> _Results:
    """Return the rows and counts of one cancelling task, or of all mapped ones.

    :param value: what the task returned, a list of that, or the text of either; or the path of the task's report, or a
        list of paths, because a task that fails returns nothing but has written its report.
    :raises InvalidInputError: if it is anything else, or a report that a result names cannot be read.
    """
    rows: list[Row] = []
    counts: Counter[str] = Counter()
    notes: list[str] = []
    read: set[str] = set()
    parts = _parts(value)
    for part in parts:
        # Only a result starts like a mapping.
        if isinstance(part, str) and part.lstrip()[:1] != "{":
            path = part.strip()
            if (found := _read_report_if_there(path)) is None:
                notes.append(f"There is no file {path}: cancelling was skipped, or ended before it wrote its report.")
            else:
                rows += found
                counts.update(str(row.get("outcome")) for row in found)
            continue
        result = parse_mapping("result", part)
        if result is None or not isinstance(result.get("counts"), Mapping):
            raise InvalidInputError("result must be what GraphCancelEventsOperator returned; this has no counts.")
        counts.update(cast("Mapping[str, int]", result["counts"]))
        path = str(result.get("report") or "")
        if not path:
            rows += cast("list[Row]", result.get("unsettled") or [])
        elif path not in read:
            # Mapped tasks that share a path have overwritten each other's rows. Read once, so that this shows.
            read.add(path)
            rows += read_report(path)
    missing = len(notes) == len(parts)
    return _Results(None if missing else rows, None if missing else counts, tuple(notes))


def _parts(value: object) -> list[object]:
    if isinstance(value, str) and value.lstrip()[:1] in {"[", "("}:
        value = parse_text("result", value)
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    parts = list(cast("Sequence[object]", value)) if several else [value]
    return [part for part in parts if not is_nothing(part)]


def _read_report_if_there(path: str) -> Sequence[Row] | None:
    try:
        return read_report(path)
    except InvalidInputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise
