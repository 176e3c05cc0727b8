"""`python -m atoll.testing.fault_run <folder>`: writes `<folder>.md`, the page of the reports in a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from atoll.testing.fault_run.report import Page, Report

if len(sys.argv) != 2:
    sys.exit("Name the folder of the reports, as docs/explanation/fault-runs")
folder = Path(sys.argv[1])
reports = [Report.load(file) for file in sorted(folder.glob("*.json"))]
if not reports:
    sys.exit(f"There are no reports in {folder}")
folder.with_suffix(".md").write_text(Page(reports).text(), "utf-8")
