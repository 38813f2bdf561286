"""What an error quotes of what was typed: enough to know it again, never so much that it fills the screen."""

import os
import re
from typing import Any

MOST_QUOTED = 80
"""Characters, at most, of what was typed."""

_HEAD = 52
"""Characters that are kept of the beginning; the end is often what tells two values apart."""


def shortened(text: str, most: int = MOST_QUOTED) -> str:
    """Return a text on one line, the middle left out if it is long.

    Args:
        text: as typed.
        most: characters.

    Returns:
        At most so many characters.
    """
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    head = round(most * _HEAD / MOST_QUOTED)
    return f"{text[:head]}…{text[len(text) - (most - head - 1) :]}"


def quote(value: Any) -> str:
    """Write a value into an error, as Python would show it: 'deep', 3.0, [1, 2].

    Args:
        value: whatever was given.

    Returns:
        At most MOST_QUOTED characters.
    """
    if isinstance(value, int) and abs(value) >= 10**MOST_QUOTED:  # Python refuses to write integers of thousands of digits
        return f"an integer of more than {MOST_QUOTED} digits"
    return shortened(repr(value))


def condensed(message: str, arguments: "list[str] | tuple[str, ...]" = ()) -> str:
    """Shorten in a message whatever it repeats of the command line, and words too long to be any.

    It is for messages of other hands, such as argparse, Hydra and the operating system. A path that is there is left
    whole, so that it can be copied.

    Args:
        message: of an error, of one line or several.
        arguments: of the command line.

    Returns:
        The message.
    """
    for argument in arguments:
        for part in (argument, argument.partition("=")[2]):
            for written in (part, repr(part)[1:-1], " ".join(part.split())):
                if len(written) > MOST_QUOTED and not _is_there(written):
                    message = message.replace(written, shortened(written))
    return re.sub(rf"\S{{{MOST_QUOTED + 1},}}", _word, message)


def _word(match: "re.Match[str]") -> str:
    return match[0] if _is_there(match[0].strip("`'\"(),:;")) else shortened(match[0])


def _is_there(text: str) -> bool:
    """Tell whether a text names a file or folder, or a new one in a folder that is there."""
    return os.path.lexists(text) or (os.sep in text and len(os.path.basename(text)) <= MOST_QUOTED and os.path.isdir(os.path.dirname(text)))
