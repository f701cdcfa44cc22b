"""Run as a program: starts the program that is to be measured and writes what it used, as JSON, into a file.

A process's peak memory begins with that of the process which started it, and a benchmark that made its own source in
memory is large. So a program is started from here, where next to nothing is imported.
"""

import json
import os
import sys


def main() -> int:
    """Start the program, wait for it, and end as it ended."""
    report, command = sys.argv[1], sys.argv[2:]
    program = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, used = os.wait4(program, 0)
    with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123  # pathlib is as large as this program
        json.dump({"cpu": used.ru_utime + used.ru_stime, "peak_kib": used.ru_maxrss}, file)
    return abs(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit(main())
