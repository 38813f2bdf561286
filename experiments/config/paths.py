"""Where the project keeps its files, from a checkout and from a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""The Hydra config folder: beside the package in a checkout, inside it in a wheel."""

REFERENCE = _PACKAGE / "reference" if (_PACKAGE / "reference").is_dir() else _PACKAGE.parent / "results" / "reference"
"""The committed verdicts that `gradstab reproduce` compares its own with: inside the package in a wheel."""
