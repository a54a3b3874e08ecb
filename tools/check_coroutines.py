#!/usr/bin/env python3
"""Checks that co_await expressions keep to a spelling that every compiler gets right.

g++ 12 destroys aggregate temporaries and lambda captures inside a co_await expression twice, and
g++ 15 leaks a structured binding of one. So, between `co_await` and the end of its statement:
no `{`, no lambda; and no structured binding directly on a co_await. Name the argument first and
move it in. Usage: check_coroutines.py [ROOT]; prints file:line and exits 1 if there is any.
"""
import re
import sys
from pathlib import Path

from cpp_text import code_only, line_of

FOLDERS = ["src", "tests", "bench"]
OPENING = {")": "(", "]": "[", "}": "{"}

_AWAIT = re.compile(r"\bco_await\b")
_BINDING = re.compile(r"\bauto\s*&{0,2}\s*\[[^\]]*\]\s*[={(]\s*co_await\b")
_CONTROL = re.compile(r"\b(?:if|while|switch|for|constexpr)\s*$")
# What may stand before the [ of a subscript: a name, a call, a subscript, a literal.
_SUBSCRIPTED = re.compile(r'[\w)\]"]\s*$')
_KEYWORD = re.compile(r"\b(?:return|co_return|co_await|co_yield|case|else|throw)\s*$")


def open_brackets(code):
    """For each position of a co_await, the positions of the brackets open there."""
    awaits = {match.start() for match in _AWAIT.finditer(code)}
    stack, found = [], {}
    for position, char in enumerate(code):
        if position in awaits:
            found[position] = list(stack)
        if char in "([{":
            stack.append(position)
        elif char in ")]}" and stack:
            stack.pop()
    return found


def is_lambda(code, position):
    if code.startswith("[[", position) or code.startswith("[[", position - 1):
        return False
    before = code[max(0, position - 200):position]
    return not _SUBSCRIPTED.search(before) or bool(_KEYWORD.search(before))


def awaited_fault(code, start, stack):
    """(position, what) of the first thing forbidden after the co_await at `start`, or None."""
    stack = list(stack)
    for position in range(start, len(code)):
        char = code[position]
        if char == ";":
            return None
        if char == "{":
            return position, "a brace"
        if char == "[" and is_lambda(code, position):
            return position, "a lambda"
        if char in "([":
            stack.append(position)
        elif char in ")]}" and stack:
            opened = stack.pop()
            control = code[opened] == "(" and _CONTROL.search(code[max(0, opened - 40):opened])
            if opened < start and (char == "}" or control):
                return None
    return None


def check_text(text):
    """(line, message) of every finding in one file."""
    code = code_only(text)
    findings = []
    for start, stack in open_brackets(code).items():
        fault = awaited_fault(code, start, stack)
        if fault:
            position, what = fault
            findings.append((line_of(code, position),
                             f"{what} inside a co_await expression: name it before, then move it in"))
    for match in _BINDING.finditer(code):
        findings.append((line_of(code, match.start()),
                         "a structured binding on a co_await: name the result, then take it apart"))
    return sorted(findings)


def check(root):
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in (".cc", ".h"):
                for line, message in check_text(file.read_text(encoding="utf-8")):
                    yield f"{file.relative_to(root)}:{line}: {message}"


def main():
    findings = list(check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
    print("\n".join(findings) or "coroutines: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
