"""What an analysis found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core.exceptions import ConflictError
from apps.core.models import TaskState
from apps.core.times import from_us
from apps.inference.analyses.models import Analysis
from apps.inference.analyses.progress import progress_of
from omma_engine.inference.offline.folders import work_folder
from omma_engine.inference.offline.keeping import BOXES, FINDINGS, read_lines

MOST_LINES = 5000


def result_of(analysis: Analysis) -> dict[str, Any]:
    """Return what was found, in all and by analytic, as `AnalysisResult` in the API has it.

    Raises `ConflictError` (`no_result_yet`) before it is done.
    """
    state = progress_of(analysis).state
    if state != TaskState.DONE:
        raise ConflictError(f"There is no result: the analysis is {state}.", code="no_result_yet")
    return dict(analysis.result)


def findings_of(analysis: Analysis, *, kinds: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Yield tracks, matches and counts as the engine tells them: `track_close`, `match`, `result`."""
    for finding in read_lines(_folder(analysis), FINDINGS):
        if not kinds or finding["kind"] in kinds:
            yield finding


def boxes_of(analysis: Analysis, *, start_us: int, end_us: int) -> list[dict[str, Any]]:
    """Return what each picture of a range shows, the first `MOST_LINES` pictures that show anything."""
    found: list[dict[str, Any]] = []
    for line in read_lines(_folder(analysis), BOXES):
        if line["at_us"] >= end_us or len(found) >= MOST_LINES:
            break
        if line["at_us"] >= start_us:
            found.append({**line, "at": from_us(line["at_us"]).isoformat().replace("+00:00", "Z")})
    return found


def every_box_of(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """Yield what each picture shows, in order."""
    return read_lines(_folder(analysis), BOXES)


def _folder(analysis: Analysis) -> Path:
    return work_folder(Path(settings.OMMA_DATA_DIR), analysis.pk)
