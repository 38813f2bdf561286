"""The command line: finds the command, keeps stdout for results, turns bad input into one line and exit code 2."""

import argparse
import ast
import contextlib
import importlib
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from experiments import __version__, commands
from experiments.errors import UserError
from experiments.text.quoting import condensed, quote

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
STOPPING = (signal.SIGINT, signal.SIGTERM)


class Parser(argparse.ArgumentParser):
    """Report a wrong argument in one line, like every other error; gather what only the help says when it is asked for."""

    further: Callable[[], str] | None = None
    """Return what stands below the options."""

    def format_help(self) -> str:
        """Return the help text, with what stands below the options."""
        if self.further is not None:
            self.epilog = self.further()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise UserError(f"{message}; `{self.prog} --help` lists the options")


def names() -> list[str]:
    """Return the commands, which are the modules of `experiments.commands`."""
    return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))


def available() -> dict[str, str]:
    """Return each command with the first line of its module's docstring, without importing what it needs."""
    folder = Path(commands.__path__[0])
    sources = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in names()}
    return {name: (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0] for name, source in sources.items()}


def usage() -> str:
    """Return the help text of `gradstab` itself."""
    lines = ["usage: gradstab COMMAND [ARGUMENTS]", "", "Why gradients vanish or explode, measured.", ""]
    lines += [f"  {name:10s} {text}" for name, text in available().items()]
    return "\n".join([*lines, "", "`gradstab COMMAND --help` tells more; `gradstab --version` prints the version."])


def dispatch(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: without the program's name.

    Returns:
        Exit code.

    Raises:
        UserError: bad input.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return OK
    if arguments[0] == "--version":
        print(f"gradstab {__version__}")
        return OK
    if arguments[0] in ("-sc", "--shell-completion"):
        from experiments.compose.completion import complete

        return complete(arguments[1:])
    name, rest = arguments[0], arguments[1:]
    if name not in names():
        raise UserError(f"unknown command {quote(name)}; commands: {', '.join(names())}")
    module = importlib.import_module(f"{commands.__name__}.{name}")
    parser = Parser(prog=f"gradstab {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(parser)
    parser.further = getattr(module, "further_help", None)
    return int(module.execute(parser.parse_intermixed_args(rest)))


@contextlib.contextmanager
def interruptible() -> Iterator[list[int]]:
    """Let SIGINT and SIGTERM interrupt, as Ctrl-C does, also where they are ignored: a shell has its background jobs ignore SIGINT.

    SIGHUP stays as it is, so that `nohup` holds. Handlers of before are restored; in another thread than the main one none can be set.

    Yields:
        The signals that came.
    """
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {number: signal.signal(number, interrupt) for number in STOPPING}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not set from Python


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None for those of the process.

    Returns:
        0 done, 1 a finding, verification or run failed, 2 bad input, 130 interrupted, 143 by SIGTERM.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    with interruptible() as came:
        code = _answer(arguments)
    return 128 + came[0] if code == INTERRUPTED and came else code


def _answer(arguments: list[str]) -> int:
    """Run one command and return the exit code, whatever comes of it."""

    def tell(message: str) -> None:
        print(f"gradstab: {condensed(message, arguments)}", file=sys.stderr)

    try:
        return dispatch(arguments)
    except UserError as error:
        tell(f"error: {error}")
        return BAD_INPUT
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stdout = None  # or it would be flushed at exit, and fail again
        return OK
    except OSError as error:
        tell(f"error: {error.filename or ''}: {error.strerror or error}".replace(": : ", ": "))
        return BAD_INPUT
    except Exception as error:
        if os.environ.get("GRADSTAB_TRACEBACK"):
            raise
        reason = " ".join(str(error).split())
        tell(f"internal error: {type(error).__name__}: {reason}; GRADSTAB_TRACEBACK=1 shows where")
        return FAILED
