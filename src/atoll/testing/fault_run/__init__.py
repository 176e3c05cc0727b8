"""Runs in which faults come at random while people work, and what is to be said of them.

`faults` chooses, injects and notes; `requests` keeps what became of each request, and whose fault it was;
`report` is what is printed and kept. `python -m atoll.testing.fault_run` makes the page of the documentation
out of kept reports.
"""

from atoll.testing.fault_run.faults import Fault, FaultLog, Happened, faults_until
from atoll.testing.fault_run.report import Report
from atoll.testing.fault_run.requests import Requests

__all__ = ["Fault", "FaultLog", "Happened", "Report", "Requests", "faults_until"]
