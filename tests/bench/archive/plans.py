"""Write query plans: `python -m tests.bench.archive.plans QUESTIONS.json FOLDER`, a file for each question.

Each is asked in this process, and what it asked of the database is explained with what it cost.
"""

import json
import re
import sys
from pathlib import Path

import django
from django.db import connection
from django.http import SimpleCookie
from django.test import Client
from django.test.utils import CaptureQueriesContext


def main(asked: Path, folder: Path) -> None:
    django.setup()
    folder.mkdir(parents=True, exist_ok=True)
    questions = json.loads(asked.read_text())
    for name, cookie, address in questions:
        client = Client(headers={"host": "localhost"})
        client.cookies = SimpleCookie(cookie)
        client.get(address)  # the caches of the process fill
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code} {answer.content[:500]!r}")
        statements = [one["sql"] for one in captured.captured_queries if _is_of_rows(one["sql"])]
        text = "\n\n".join(f"{one}\n\n{_plan(one)}" for one in statements)
        (folder / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.txt").write_text(
            f"{name}\n{address}\n\n{text}\n"
        )


def _is_of_rows(sql: str) -> bool:
    return sql.lstrip().startswith(("SELECT", "WITH")) and any(
        table in sql
        for table in ("streams_segment", "streams_gap", "inference_", "recordings_recording", "dialects_")
    )


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql)
        return "\n".join(line for (line,) in cursor.fetchall())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
