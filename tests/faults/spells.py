"""Spells: texts that try to become script, and the look that finds out whether one did.

Each is cast with a mark of its own, so that a page which shows it is known by the mark. Whatever a
spell would bring into being is named after it: an element, an attribute, an id, a script, a host. A
page is parsed by Chromium itself, which is the parser that spells are written for.
"""

import itertools
import re
from collections.abc import Iterator

MARK = re.compile(r"zqx\d{3}")
HOST = "zqx.example"  # nothing may ever be fetched from there

# Out of an attribute of either quote, out of the elements whose text is raw, out of a template.
LINE = """'"></title></textarea></style><zqx-e onzqx=1><img src=x onerror=zqx()><script>zqx()</script>{{7*7}}${7*7}"""
SHORT = """'"></title><zqx-e><img src=x onerror=zqx()>"""  # where 50 characters fit
TINY = """'"><b onzqx=1>"""  # where 20 do
ADDRESS = """https://zqx.example/{mark}'"><img/src=x/onerror=zqx()>"""
PICTURE = "https://zqx.example/{mark}'onerror=zqx()//&quot;/onload=zqx()`${{7*7}}{{{{7*7}}}}"
SCHEMES = (
    "javascript:zqx()", "JaVaScRiPt:zqx()", " javascript:zqx()", "java\tscript:zqx()",
    "javascript://zqx.example/%0azqx()", "vbscript:zqx()", "data:text/html,<script>zqx()</script>",
    "data:image/svg+xml,<svg onload=zqx()>", "//zqx.example/x", "blob:https://zqx.example/1",
)
HTML = (
    LINE,
    "<svg/onload=zqx()><style>@import'//zqx.example'</style><script>zqx()</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 "
    "onerror=zqx()&gt;'>",
    "<iframe srcdoc='<script>parent.zqx()</script>'></iframe><object data=javascript:zqx()>",
    "<details open ontoggle=zqx()><summary id=zqx>x</summary></details>",
    "<a href='jav&#x09;ascript:zqx()'>a</a><base href=//zqx.example/>",
    "<form action=//zqx.example><button formaction=javascript:zqx()>b</button></form>",
    "<b hx-on:click='zqx()' hx-get=/zqx hx-trigger=load style='background:url(//zqx.example)'>x</b>",
    "<meta http-equiv=refresh content='0;url=javascript:zqx()'><link rel=stylesheet href=//zqx>",
    "<scr<script>ipt>zqx()</scr</script>ipt>", "<!--><img src=x onerror=zqx()>-->",
    "]]><script>zqx()</script><![CDATA[<img src=x onerror=zqx()>]]>",
    "&lt;img src=x onerror=zqx()&gt; &#60;script&#62;zqx()&#60;/script&#62;",
    "x\r\nx-zqx: 1\r\n\r\n<script>zqx()</script>", "{%zqx%} #{7*7} <%= 7*7 %> \u2028zqx()\u2029",
)
MARKDOWN = (
    *(f"[a]({scheme})" for scheme in SCHEMES), *(f"![a]({scheme})" for scheme in SCHEMES),
    "[a](javascript&colon;zqx()) [a](&#106;avascript:zqx()) <javascript:zqx()>",
    "[a][zqx] ![a][zqx]\n\n[zqx]: javascript:zqx() \"' onclick=zqx() x='\"",
    """[a](https://zqx.example "' onmouseover=zqx() '><img src=x onerror=zqx()>")""",
    """![' onerror=zqx() '"><img src=x onerror=zqx()>](/zqx.png "x' onload='zqx()")""",
    "[![a](javascript:zqx())](javascript:zqx()) [<img src=x onerror=zqx()>](/zqx)",
    "::: spoiler <img src=x onerror=zqx()> \" onclick=zqx()\n<script>zqx()</script>\n:::",
    "word[^zqx] and^[<img src=x onerror=zqx()> [a](javascript:zqx())]\n\n"
    "[^zqx]: <script>zqx()</script> [a](javascript:zqx())",
    "{<img src=x onerror=zqx()>|<script>zqx()</script>} ~<b onclick=zqx()>~ ^<i onload=zqx()>^",
    "```x\"><img src=x onerror=zqx()>\n</code></pre><script>zqx()</script>\n```",
    "| <img src=x onerror=zqx()> |\n|---|\n| [a](javascript:zqx()) `</code><script>zqx()</script>` |",
    "https://zqx.example/\"onmouseover=zqx()<img src=x onerror=zqx()> www.\"onclick=zqx().example",
    "@zqx\"onclick=zqx()@lichen.example !town'><img/src=x/onerror=zqx()>@lichen.example :zqx\"o=1:",
    "<details><summary>x</summary>\n\n[a](javascript:zqx())\n\n</details>",
)


class Spells:
    """Makes spells, each with a mark that nothing else has."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def line(self) -> str:
        """Return a spell for a field of one line."""
        return f"{self._mark()} {LINE}"

    def short(self) -> str:
        """Return a spell of at most 50 characters."""
        return self._mark() + SHORT

    def tiny(self) -> str:
        """Return a spell of at most 20 characters."""
        return self._mark() + TINY

    def address(self) -> str:
        """Return a spell that is an address all the same."""
        return ADDRESS.format(mark=self._mark())

    def picture(self) -> str:
        """Return a spell that is an address of a picture, which may hold less."""
        return PICTURE.format(mark=self._mark())

    def prose(self) -> str:
        """Return every spell there is, for a field of many lines."""
        return "\n\n".join((self._mark(), *HTML, *MARKDOWN))

    def _mark(self) -> str:
        return f"zqx{next(self._numbers):03d}"


def cast_in(asked: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every field of a message that holds a spell."""
    if isinstance(asked, dict):
        for name, value in asked.items():
            yield from cast_in(value, f"{path}.{name}" if path else name)
    elif isinstance(asked, list | tuple):
        for value in asked:
            yield from cast_in(value, f"{path}[]")
    elif isinstance(asked, str) and "zqx" in asked:
        yield path, asked


# Takes [{where, kind, text}] and returns for each what a spell brought into being, which addresses
# of ours it leads to, and which fields its forms ask for. Some texts of a feed are HTML to those who
# read it (RSS 2.0: descriptions; RFC 4287 §3.1.1: what says so), so they are parsed once more.
LOOK = r"""
(pages) => pages.map(({where, kind, text}) => {
  const bad = [], links = [], forms = [];
  const schemes = ["http:", "https:", "mailto:", "magnet:", "otpauth:"];
  const addresses = ["href", "src", "action", "formaction", "xlink:href", "poster", "background",
                     "data", "cite", "longdesc", "manifest", "ping", "srcset", "url", "template"];
  const foreign = ["iframe", "object", "embed", "base", "applet", "frame", "frameset",
                   "math", "portal", "foreignobject", "annotation-xml", "xmp", "marquee", "audio"];
  const address = (value) => {
    try { return new URL(value, where); } catch { return new URL("about:blank"); }
  };
  const look = (root, outer) => {
    for (const one of root.querySelectorAll("*")) {
      const name = one.localName.toLowerCase();
      const say = (what) => bad.push(`${outer}${what}: ${one.outerHTML.slice(0, 200)}`);
      if (name.includes("zqx") || foreign.includes(name)) say("element");
      if (name === "script" && (one.textContent || !/^\/static\/[\w.-]+$/.test(one.getAttribute("src"))))
        say("script");
      if (name === "style" && /zqx|import|url\(/.test(one.textContent)) say("style");
      if (name === "meta" && one.httpEquiv && !/^\d+$/.test(one.content)
          && one.httpEquiv !== "Content-Security-Policy") say("meta");
      for (const {name: key, value} of one.attributes) {
        const word = key.toLowerCase();
        if (word.startsWith("on") || word.includes("zqx") || word === "srcdoc") say("attribute");
        if (word.startsWith("hx-") && value.includes("zqx")) say("htmx");
        if (word === "style" && /zqx|url\(/.test(value)) say("style");
        if (["id", "class", "for"].includes(word) && value.includes("zqx")) say("name");
        if (addresses.includes(word)) {
          const to = address(value);
          const isPicture = name === "img" && /^data:image\/(png|webp|svg\+xml);/.test(value)
            && !value.includes("zqx");
          const isSound = name === "audio" && value.startsWith("data:audio/");
          if (!schemes.includes(to.protocol) && !isPicture && !isSound) say("address");
          if (["action", "formaction"].includes(word) && to.origin !== address("/").origin)
            say("form");
          if (name === "a" && to.origin === address("/").origin) links.push(to.pathname + to.search);
        }
      }
      if (name === "form" && (one.method || "get") === "post") {
        for (const field of one.elements) {
          const isText = field.localName === "textarea" || (field.localName === "input"
            && ["text", "search", "url", "email", "tel", "file"].includes(field.type));
          if (isText && field.name && !field.readOnly)
            forms.push([address(one.getAttribute("action") || where).pathname, field.name]);
        }
      }
      if (name === "template") look(one.content, "template ");
      if (kind === "xml" && (one.localName === "description" || one.getAttribute("type") === "html"))
        look(new DOMParser().parseFromString(one.textContent, "text/html"), `${name} `);
    }
  };
  const type = kind === "xml" ? "text/xml" : kind === "svg" ? "image/svg+xml" : "text/html";
  const parsed = new DOMParser().parseFromString(text, type);
  if (kind !== "html" && parsed.querySelector("parsererror")) bad.push("not well-formed");
  look(parsed, "");
  return {bad, links, forms};
})
"""
