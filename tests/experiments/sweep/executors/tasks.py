"""What the tests let workers do; the module is light, so that a worker starts fast."""

import os
import signal
import time


def write(path, text):
    """Write a file."""
    path.write_text(text)


def write_pid(path):
    """Write the number of this process into a file."""
    path.write_text(str(os.getpid()))


def fail(error):
    """Raise an error."""
    raise error


def write_and_die(path):
    """Write a file, and end this process as the kernel does when memory is short."""
    path.write_text("whole")
    os.kill(os.getpid(), signal.SIGKILL)


def linger(path):
    """Write the number of this process into a file and go on for ten minutes."""
    write_pid(path)
    time.sleep(600)
