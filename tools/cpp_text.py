"""C++ source without its comments and literals, for the lints."""
import re

_TOKEN = re.compile(
    r"""
    (?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")
  | (?P<line>//[^\n]*)
  | (?P<block>/\*.*?\*/)
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<char>(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*')
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(match):
    quote = '"' if match.lastgroup in ("raw", "mark", "string", "char") else " "
    text = re.sub(r"[^\n]", " ", match.group())
    return quote + text[1:-1] + quote if len(text) > 1 else text


def code_only(text):
    """Same length and same lines as `text`; comments become spaces, literals empty quotes."""
    return _TOKEN.sub(_blank, text)


def line_of(text, position):
    """The number, from 1, of the line that holds `position`."""
    return text.count("\n", 0, position) + 1
