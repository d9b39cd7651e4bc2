"""Prints the table that stands in docs/operations.md after the fault suite has run."""

import pytest

HEADER = (
    "| scenario | database | reviews | lost | duplicated | wrong | dead letters | all well after |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the lines that tests left as their property `fault`."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [
        value
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == "fault"
    ]
    if lines:
        terminalreporter.section("faults")
        for line in (*HEADER, *lines):
            terminalreporter.write_line(line)
