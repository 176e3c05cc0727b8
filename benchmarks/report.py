"""The results as a page of the reference documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.measure import Result

HEAD = """# Benchmarks

Written by `make bench`. Every comparison is between numbers of one run; a value is the median of its samples.
"""


def page(machine: Mapping[str, str], version: str, date: str, results: Sequence[Result]) -> str:
    """Markdown."""
    lines = [HEAD, "; ".join(machine.values()) + f". Atoll {version}, {date}.", ""]
    groups = dict.fromkeys(result.group for result in results)
    for group in groups:
        lines += [f"## {group}", "", "| what | value | samples | budget |", "|---|---|---|---|"]
        for each in results:
            if each.group == group:
                lines.append(
                    f"| {each.name} | {_number(each.value)} {each.unit} | {_spread(each)} | {_budget(each)} |"
                )
        lines.append("")
    return "\n".join(lines)


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _spread(result: Result) -> str:
    if len(result.samples) < 2:
        return str(len(result.samples) or "")
    return f"{len(result.samples)}: {_number(min(result.samples))} to {_number(max(result.samples))}"


def _budget(result: Result) -> str:
    if result.kept is None:
        return result.budget
    return f"{result.budget}: {'kept' if result.kept else 'missed'}"
