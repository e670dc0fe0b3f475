"""Markdown: what is written shows as meant, and nothing harmful survives."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.forum.markdown import (
    MARKS_MAX,
    Mention,
    Renderer,
    mentions,
    render,
    summary,
    with_pictures,
)
from lichen.web.addresses import Addresses

ADDRESSES = Addresses("https://here.example")

TAGS = {
    "a", "blockquote", "br", "code", "del", "details", "em", "h3", "h4", "h5", "h6", "hr", "img",
    "li", "ol", "p", "pre", "s", "section", "strong", "sub", "summary", "sup", "table", "tbody",
    "td", "th", "thead", "tr", "ul",
}
ATTRIBUTES = {"href", "title", "id", "src", "alt", "start", "class", "loading", "rel"}


def rendered(text: str) -> str:
    return render(text, ADDRESSES).strip()


@pytest.mark.parametrize(("text", "html"), [
    ("a *b* **c**", "<p>a <em>b</em> <strong>c</strong></p>"),
    ("~~gone~~", "<p><s>gone</s></p>"),
    ("H~2~O, x^2^", "<p>H<sub>2</sub>O, x<sup>2</sup></p>"),
    ("a & b < c", "<p>a &amp; b &lt; c</p>"),
    ("one\ntwo", "<p>one\ntwo</p>"),
    ("`a_b_c`", "<p><code>a_b_c</code></p>"),
    ("", ""),
])
def test_marks_become_html(text: str, html: str) -> None:
    assert rendered(text) == html


def test_a_table_is_aligned_by_class_since_no_inline_style_is_allowed() -> None:
    html = rendered("|a|b|\n|:-:|-:|\n|1|2|")

    assert '<th class="align-center">a</th>' in html
    assert '<td class="align-right">2</td>' in html
    assert "style" not in html


def test_a_spoiler_becomes_details_with_its_title() -> None:
    html = rendered("::: spoiler The <i>end</i>\nHe **dies**.\n:::\nafter")

    assert html == (
        "<details><summary>The &lt;i&gt;end&lt;/i&gt;</summary>\n"
        "<p>He <strong>dies</strong>.</p>\n</details>\n<p>after</p>"
    )


def test_footnotes_of_two_texts_on_one_page_have_different_ids() -> None:
    first, second = rendered("a[^1]\n\n[^1]: one"), rendered("b[^1]\n\n[^1]: one")

    ids = [set(re.findall(r' id="([^"]+)"', html)) for html in (first, second)]
    assert len(ids[0]) == len(ids[1]) == 2
    assert not ids[0] & ids[1]


def test_headings_begin_below_the_headings_of_the_page() -> None:
    html = rendered("# one\n\n## two\n\n###### six")

    assert html == "<h3>one</h3>\n<h4>two</h4>\n<h6>six</h6>"


def test_a_picture_loads_lazily() -> None:
    html = rendered("![a cat](https://pictures.example/cat.png)")

    assert html == '<p><img src="https://pictures.example/cat.png" alt="a cat" loading="lazy"></p>'


def test_links_carry_the_marks_of_foreign_content() -> None:
    html = rendered("[a](https://a.example)")

    assert html == '<p><a href="https://a.example" rel="nofollow ugc noopener">a</a></p>'


@pytest.mark.parametrize(("text", "href", "shown"), [
    ("see https://a.example/b_c_d.", "https://a.example/b_c_d", "https://a.example/b_c_d"),
    ("(http://a.example/x)", "http://a.example/x", "http://a.example/x"),
    ("https://a.example/x_(y)", "https://a.example/x_(y)", "https://a.example/x_(y)"),
    ("https://a.example/~user/*x*", "https://a.example/~user/*x", "https://a.example/~user/*x"),
])
def test_a_bare_address_becomes_a_link(text: str, href: str, shown: str) -> None:
    assert f'<a href="{href}" rel="nofollow ugc noopener">{shown}</a>' in rendered(text)


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script>",
    "[a](javascript:alert(1))",
    "[a](data:text/html;base64,x)",
    "![a](javascript:alert(1))",
    '<img src=x onerror="alert(1)">',
    "<style>*{}</style>",
])
def test_nothing_that_runs_is_left(text: str) -> None:
    html = rendered(text)

    assert_safe(html)
    assert "<a " not in html and "<img" not in html


@pytest.mark.parametrize(("text", "href"), [
    ("@ada@here.example", "/u/ada"),
    ("@ada@Far.example:8536", "/u/ada@far.example:8536"),
    ("!rocks@here.example", "/c/rocks"),
    ("hello (!rocks@far.example)", "/c/rocks@far.example"),
    ("@Ольга@here.example", "/u/%D0%9E%D0%BB%D1%8C%D0%B3%D0%B0"),
])
def test_a_name_with_its_host_becomes_a_link(text: str, href: str) -> None:
    assert f'<a href="{href}" class="mention"' in rendered(text)


@pytest.mark.parametrize("text", ["@ada", "!rocks", "mail ada@here.example", "`@ada@here.example`"])
def test_no_other_name_becomes_a_link(text: str) -> None:
    assert "<a" not in rendered(text)
    assert mentions(text) == []


def test_mentions_are_each_named_once_in_the_order_of_the_text() -> None:
    text = "@b@here.example, @a@far.example. @b@HERE.example; !c@here.example [@d@x](https://y.example)"

    found = mentions(text)

    assert found == [Mention("b", "here.example"), Mention("a", "far.example")]


def test_a_summary_has_words_only_and_ends_at_one() -> None:
    text = "# Title\n\nA **bold** [link](https://a.example) and `code`.\n\n- item"

    assert summary(text, 100) == "Title A bold link and code. item"
    assert summary(text, 20) == "Title A bold link…"


def test_a_text_of_too_many_marks_is_shown_as_typed() -> None:
    text = "[" * (MARKS_MAX + 1) + "<b>"

    assert rendered(text) == f"<p>{'[' * (MARKS_MAX + 1)}&lt;b&gt;</p>"
    assert mentions(text) == []
    assert summary(text, 3) == "[[…"


def test_what_was_rendered_is_forgotten_when_it_grows_too_large() -> None:
    renderer = Renderer(ADDRESSES, bytes_max=100)

    for number in range(50):
        renderer.render(f"text {number}")

    assert renderer.render("text 49") == "<p>text 49</p>\n"
    assert 0 < renderer.kept_bytes <= 100


PIECES = st.sampled_from([
    "<", ">", "script", "</", "[", "]", "(", ")", "javascript:", "![", "`", "```\n", "\n",
    "\n\n",
    "> ", "- ", "1. ", "|", "|-|\n", "::: spoiler x\n", ":::\n", "[^1]", "[^1]: ", "~", "^",
    "@a@b.c",
    "!a@b",
    "https://", "http://a.b/", "&", "&#0;", "&#x3c;", "\\", "*", "_", "#", " ", "\t",
    "    ",
    "\"",
    "'", "onerror=", "<img src=x ", "style=", "data:", "//", "\u202e", "\u0000", "\ud800", "é",
])


@given(st.lists(PIECES | st.text(max_size=8), max_size=60).map("".join))
def test_no_text_raises_and_none_leaves_anything_that_runs(text: str) -> None:
    html = render(text, ADDRESSES)

    assert_safe(html)
    assert all(mention.domain for mention in mentions(text))
    assert len(summary(text, 40)) <= 40


def assert_safe(html: str) -> None:
    """Read the HTML as a browser would, and look at every tag and attribute."""
    reader = _Reader()
    reader.feed(html)
    assert reader.tags <= TAGS
    for name, value in reader.attributes:
        assert name in ATTRIBUTES
        if name in ("href", "src"):
            scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", value.lower())
            assert scheme is None or scheme[1] in ("http", "https", "mailto")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


PICTURED = st.sampled_from((
    "![", "[", "](", "]", ")", "(", "<", ">", "]: ", "[x]", "![x]", "\n", "\n\n", "`", "\\", " ", "!",
    "https://a.example/x.png", "//b.example/(1).png", "https://c.example/ü", '"t"', "> ", "- ",
    "&amp;", "%28",
))


@given(st.lists(PICTURED, max_size=30).map("".join))
def test_no_picture_of_a_text_stays_where_it_was(text: str) -> None:
    """Whatever stands around it: a picture is shown from here, or is a link."""
    def shown(url: str) -> str:
        return "https://us.example/p?n=" + str(len(url)) if "//" in url else url

    html = render(with_pictures(text, shown), ADDRESSES)

    sources = re.findall(r'<img src="([^"]*)"', html)
    assert all(one.startswith("https://us.example/") for one in sources if "//" in one), html


@pytest.mark.parametrize("text", [
    "No picture, [a link](https://a.example/x.png).", "![ours](/pictrs/image/a.png)",
    "`![code](https://a.example/x.png)`",
])
def test_a_text_without_a_picture_from_elsewhere_stays_as_it_is(text: str) -> None:
    assert text == with_pictures(text, lambda url: url if url[0] == "/" else "https://us.example")
