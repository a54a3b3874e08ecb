#!/usr/bin/env python3
"""Checks that every include under src/ points to a lower layer, and what headers may include.

An include may name its own folder or a folder of a lower row. The exceptions stand in the tables
below. Usage: check_layers.py [ROOT]; prints file:line per finding and exits 1 if there is any.
"""
import re
import sys
from pathlib import Path

from cpp_text import code_only, line_of

# Row -> its folders under src/.
ROWS = {
    6: ["main.cc"],
    5: ["cli"],
    4: ["archive", "run"],
    3: ["engines", "gguf", "importers", "load", "mock", "registry", "reports",
         "store", "supervise", "telemetry"],
    2: ["net", "process", "stats"],
    1: ["model"],
    0: ["base"],
}
# Headers that a folder of the same row may include.
SAME_ROW = {"load": {"engines/engine.h"}, "registry": {"gguf/gguf_reader.h"}}
# Folders that use less than their row allows.
ONLY = {"gguf": {"base"}, "registry": {"base"}, "telemetry": {"base", "model", "process"}}
# Never in a header: each costs every file that includes it seconds of compile time.
NOT_IN_HEADERS = re.compile(r"boost/beast(/|\.hpp)|nlohmann/json\.hpp")

MAX_LINES = 500
CODE_FOLDERS = ["bench", "engine", "src", "tests", "tools"]
CODE_SUFFIXES = {".cc", ".h", ".mjs", ".py", ".sh"}

ROW_OF = {folder: row for row, folders in ROWS.items() for folder in folders}
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def includes(text):
    """(line, quoted or angled, path) of every include that is not in a comment."""
    code = code_only(text)
    for match in _INCLUDE.finditer(text):
        hash_at = text.index("#", match.start())
        if code[hash_at] == "#":
            yield line_of(text, hash_at), match.group(1) == '"', match.group(2)


def layer_fault(folder, path):
    """Why a file in `folder` may not include `path`, or None."""
    target = path.split("/")[0]
    if "/" not in path or target not in ROW_OF:
        return f'"{path}" is not folder/file.h with a folder of the table in {Path(__file__).name}'
    if target == folder or path in SAME_ROW.get(folder, ()):
        return None
    if folder in ONLY and target not in ONLY[folder]:
        return f'{folder} may only use {", ".join(sorted(ONLY[folder]))}, not {target} ("{path}")'
    if ROW_OF[target] < ROW_OF[folder]:
        return None
    relation = "the same" if ROW_OF[target] == ROW_OF[folder] else "a higher"
    return (f"{folder} (row {ROW_OF[folder]}) may not include {target} "
            f'(row {ROW_OF[target]}, {relation} row): "{path}"')


def check_source(root, file):
    relative = file.relative_to(root)
    folder = relative.parts[1]
    if folder not in ROW_OF:
        yield f"{relative}:1: folder {folder} is in no row of {Path(__file__).name}"
        return
    for line, quoted, path in includes(file.read_text(encoding="utf-8")):
        if file.suffix == ".h" and NOT_IN_HEADERS.match(path):
            yield f"{relative}:{line}: <{path}> belongs in a .cc file: it is slow to compile"
        fault = layer_fault(folder, path) if quoted else None
        if fault:
            yield f"{relative}:{line}: {fault}"


def check_lengths(root):
    for folder in CODE_FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in CODE_SUFFIXES or "node_modules" in file.parts:
                continue
            lines = file.read_text(encoding="utf-8").count("\n")
            if lines > MAX_LINES:
                yield f"{file.relative_to(root)}:{lines}: over {MAX_LINES} lines: split it by idea"


def check(root):
    findings = []
    for file in sorted((root / "src").rglob("*")):
        if file.suffix in (".cc", ".h"):
            findings += check_source(root, file)
    return findings + list(check_lengths(root))


def main():
    findings = check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(findings) or "layers: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
