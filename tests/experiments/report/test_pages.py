import base64

import jinja2
import pytest

from experiments.report import pages


def test_backticks_become_code_and_markup_is_escaped() -> None:
    assert pages.code("use `--x` for <b>") == "use <code>--x</code> for &lt;b&gt;"


def test_a_template_escapes_what_it_is_given_and_refuses_a_name_it_is_not() -> None:
    template = pages.environment().from_string("{{ text }} {{ text | code }}")
    assert template.render(text="a<b `c`") == "a&lt;b `c` a&lt;b <code>c</code>"
    with pytest.raises(jinja2.UndefinedError, match="text"):
        template.render()


@pytest.mark.parametrize(
    ("images", "mime"),
    [
        ({"svg": b"<svg/>", "png": b"png"}, "image/svg+xml"),
        ({"svg": b"x" * pages.INLINE_SVG_UP_TO, "png": b"png"}, "image/png"),
        ({"svg": b"x" * pages.INLINE_SVG_UP_TO}, "image/svg+xml"),
        ({"png": b"png"}, "image/png"),
    ],
)
def test_a_figure_goes_into_the_page_as_svg_unless_it_is_large(images: dict[str, bytes], mime: str) -> None:
    head, _, content = pages.data_uri(images).partition(",")
    assert head == f"data:{mime};base64"
    assert base64.b64decode(content) in images.values()
