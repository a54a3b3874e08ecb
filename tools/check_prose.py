#!/usr/bin/env python3
"""Checks all text in the tree for what only one machine understands, and for unfinished marks.

Finds absolute paths of somebody's machine, registry addresses in lock files, and words that mark
work left undone. Usage: check_prose.py [ROOT]; prints file:line and exits 1 if there is any.
"""
import re
import subprocess
import sys
from pathlib import Path

RULES = [
    (re.compile(r"(?<![\w.$}/-])/(?:work|root)(?:/|\b)"), "a path of one machine"),
    (re.compile(r"(?<![\w.$}/-])/home/\w"), "a path of one machine"),
    (re.compile(r"\.\./shared\b"), "a path outside the repository"),
    (re.compile(r"\b(?:TODO|FIXME|XXX)\b"), "a mark of unfinished work"),
]
LOCK_RULE = (re.compile(r'"resolved"\s*:'), "a download address in a lock file")
# They quote what they look for.
EXEMPT = ("tools/check_prose.py", "tests/tools/test_check_prose.py")
SKIPPED_FOLDERS = {".git", "build", "node_modules", "__pycache__", ".cache"}
# Answers of models and data sets may say anything.
SKIPPED_SUFFIXES = {".gguf", ".gz", ".jsonl", ".png", ".db"}


def files_of(root):
    """Files that are or would be committed; every file where git is not there."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False) if (root / ".git").exists() else None
    if listed and listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
        return sorted(root / name for name in names)
    return sorted(file for file in root.rglob("*")
                  if not SKIPPED_FOLDERS & set(file.relative_to(root).parts))


def check_text(name, text):
    """(line, message) of every finding in a file called `name`."""
    rules = RULES + [LOCK_RULE] if name.endswith("lock.json") else RULES
    for number, line in enumerate(text.split("\n"), start=1):
        for pattern, what in rules:
            match = pattern.search(line)
            if match:
                yield number, f"{what}: {match.group().strip()}"


def check(root):
    for file in files_of(root):
        name = file.relative_to(root).as_posix()
        if not file.is_file() or name in EXEMPT or file.suffix in SKIPPED_SUFFIXES:
            continue
        if name.startswith("tests/fuzz/corpus/"):
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for line, message in check_text(name, text):
            yield f"{name}:{line}: {message}"


def main():
    findings = list(check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
    print("\n".join(findings) or "prose: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
