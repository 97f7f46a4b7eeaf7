"""What commands take beside a job's options: ids, numbers, and how to print."""

from __future__ import annotations

from typing import Annotated

import typer

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)]
PriorityNumber = Annotated[
    int, typer.Argument(metavar="N", min=-100, max=100, help="-100 to 100.", show_default=False)
]
WorkerName = Annotated[
    str,
    typer.Argument(metavar="WORKER", help="A worker's name, from `farm status`.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
