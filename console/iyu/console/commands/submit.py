"""`iyu submit`: submit a file of reviews for scoring."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.terminal.options import JsonOption

if TYPE_CHECKING:
    from iyu.console.operations.submit import SubmitReport
    from iyu.producer import Format
    from iyu.schemas.contract.message import Queue

EXIT_CODES = (
    "Exit code: 0 when everything accepted was scored (without --wait: accepted), 1 if nothing "
    "was accepted, 2 for wrong input, 3 if broker or database do not answer, 5 when --timeout "
    "is over, 6 if there are dead letters."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXIT_CODES)(submit)


def submit(
    file: Annotated[str, typer.Argument(help="CSV, TSV, JSON Lines, Parquet; - reads stdin.")],
    text_column: Annotated[str | None, typer.Option(help="Column of the reviews.")] = None,
    id_column: Annotated[
        str | None,
        typer.Option(help="Column of their ids; without one the id is a hash of the text."),
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(help="Column that says when each was written; trends go by it.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of times that state none, for example Asia/Seoul.")
    ] = None,
    source: Annotated[str, typer.Option(help="Where the reviews come from.")] = "default",
    queue: Annotated[str, typer.Option(help="live (somebody waits) or bulk.")] = "bulk",
    format: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(help="csv, tsv, jsonl or parquet; without it, detected.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="For example cp949.")] = "utf-8",
    quotes: Annotated[bool, typer.Option(help="Whether quotes enclose fields.")] = True,
    rejects: Annotated[
        Path | None, typer.Option(help="Write ids and reasons of rejected reviews, as CSV.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are scored.")] = False,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds to wait at most.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Submit the reviews of FILE for scoring."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations import submit as submission
    from iyu.console.terminal.output import print_json
    from iyu.producer import read_rows
    from iyu.schemas.contract.review import utc_now

    settings = load_settings()
    wanted_queue, kind = _queue(queue), _format(format)
    began = utc_now()
    rows = read_rows(
        file,
        text_column,
        id_column,
        format=kind,
        encoding=encoding,
        quotes=quotes,
        time_column=time_column,
        time_zone=time_zone,
    )
    origin = "stdin" if file == "-" else Path(file).name
    with submission.rejects_file(rejects) as rejected:
        receipt = submission.submit_rows(
            rows,
            settings,
            source=source,
            queue=wanted_queue,
            origin=origin,
            rejects=rejected,
            quiet=as_json,
        )
    waits = wait and receipt.accepted > 0
    outcome = (
        submission.wait_for_scores(settings, receipt, timeout, quiet=as_json) if waits else None
    )
    seconds = submission.seconds_since(began, outcome)
    report = submission.SubmitReport(source, receipt, rejected.first, outcome, seconds)
    if as_json:
        print_json(report.as_json())
    else:
        typer.echo(_text(report))
    raise typer.Exit(report.exit_code)


def _queue(name: str) -> "Queue":
    from iyu.schemas.contract.message import Queue

    named = {"live": Queue.LIVE, "bulk": Queue.BULK}
    if name not in named:
        raise typer.BadParameter("give live or bulk", param_hint="--queue")
    return named[name]


def _format(name: str | None) -> "Format | None":
    from iyu.producer import Format

    try:
        return Format(name) if name is not None else None
    except ValueError:
        raise typer.BadParameter("give csv, tsv, jsonl or parquet", param_hint="--format") from None


def _text(report: "SubmitReport") -> str:
    receipt = report.receipt
    lines = [
        f"{receipt.accepted:,} accepted in {receipt.chunks:,} chunks, "
        f"{receipt.rejected_total:,} rejected (batch {receipt.batch_id})"
    ]
    if receipt.repeated:
        lines.append(f"{receipt.repeated:,} were in it twice, word for word: they count once")
    if receipt.unpublished:
        lines.append(
            f"{receipt.unpublished:,} are safe, and will be published when the broker answers again"
        )
    lines += [f"  {reason}: {count:,}" for reason, count in receipt.rejected.items()]
    lines += [f"    {r.review_id or '(no id)'!r}: {r.reason}" for r in report.rejected]
    if len(report.rejected) < receipt.rejected_total:
        lines.append("    … (all of them: --rejects FILE)")
    return "\n".join([*lines, _speed(report)])


def _speed(report: "SubmitReport") -> str:
    outcome = report.outcome
    if outcome is None:
        return f"handed over in {report.seconds:,.1f} s ({report.rate:,.0f} reviews/s)"
    line = f"{outcome.scored:,} scored, {outcome.dead:,} dead letters"
    if not outcome.finished:
        return f"{line}, {outcome.pending:,} still waiting when the timeout was over"
    return f"{line}: {report.rate:,.0f} reviews/s from submit to the last row"
