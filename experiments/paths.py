"""Where the project keeps its files, from a checkout and from a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""The Hydra config folder: beside the package in a checkout, inside it in a wheel."""
