"""Time a command from a slim process of its own, since the peak of a child begins with what its parent held: `timing.py command …`."""

import json
import os
import subprocess
import sys
import time


def timed(command: list[str]) -> tuple[float, int, float, float]:
    """Run a command; return its seconds, exit code, the peak of its largest process in MB, and the seconds of all processors."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, process.returncode, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1:])))
