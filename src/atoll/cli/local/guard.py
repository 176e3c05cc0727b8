"""Starts another program so that it cannot outlive `atoll up`.

Run as a script of its own: `guard.py PARENT PROGRAM ARGUMENTS...`. It asks the kernel to end this process
when the parent ends for whatever reason, then becomes the program. Only Linux can do this; elsewhere it only
starts the program. It is kept free of other imports because it runs before every child.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ties this process to its parent and becomes the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the kernel refused prctl(PR_SET_PDEATHSIG)")
    # The parent may have ended before the kernel was asked.
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - becoming the program is its task


if __name__ == "__main__":
    main()
