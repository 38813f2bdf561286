"""What all pages are made with: templates, and figures put into the page itself."""

import base64
import html
import re
from collections.abc import Mapping

import jinja2
from markupsafe import Markup

INLINE_SVG_UP_TO = 300_000
"""Bytes; a larger drawing is put into the page as PNG."""

_MIME = {"svg": "image/svg+xml", "png": "image/png"}


def environment() -> jinja2.Environment:
    """Return the environment of the package's templates: text is escaped, and a name that is not given is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("experiments.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["code"] = code
    return made


def code(paragraph: str) -> Markup:
    """Escape a paragraph and set what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(paragraph, quote=False)))


def data_uri(images: Mapping[str, bytes]) -> str:
    """Return a figure as a data URI: as SVG, as PNG where the drawing is large or there is no SVG.

    Args:
        images: format -> bytes, svg or png among them.

    Returns:
        data:…;base64,…
    """
    kind = "svg" if "svg" in images and (len(images["svg"]) < INLINE_SVG_UP_TO or "png" not in images) else "png"
    return f"data:{_MIME[kind]};base64,{base64.b64encode(images[kind]).decode()}"
