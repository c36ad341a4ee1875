#!/usr/bin/env python3
"""The house rules a compiler cannot check. Run by ctest; prints file:line: rule.

The levels of the folders are read from CMakeLists.txt (ho_folder), where they rule the link lines;
here they rule the includes."""
import re
import subprocess
import sys
from pathlib import Path

LINE_MAX, FUNCTION_MAX, FILE_MAX = 100, 70, 1000
LONG_FUNCTIONS = {}  # "folder/file.c:function": why it is better long
LONG_FILES = {}      # "folder/file.c": why it is better long

NOT_CORE = {"os", "kernel", "web", "cli"}  # these may call the system
ISO_C = {"assert", "ctype", "errno", "inttypes", "limits", "stdalign", "stdarg", "stdbool",
         "stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string"}

# Everywhere; then in the core only.
BANNED = {r"\b(sprintf|vsprintf|strcpy|strcat|gets|strtok|alloca|atoi|atol)\s*\(": "banned function",
          r"\b(rand|random|srand|srandom|drand48)\s*\(": "random numbers come from base/rng.h"}
BANNED_CORE = {
    r"\b(time|clock|clock_gettime|gettimeofday|localtime|gmtime)\s*\(":
        "clocks are read in src/os/ only",
    r"\b(fopen|freopen|printf|puts|putchar|fprintf|fputs|fwrite|fread|fgets|scanf|perror|getenv|"
    r"system|exit)\s*\(": "no I/O below src/os/",
    r"\b(float|double)\b": "no floating point in the core",
    r"__attribute__|__builtin_|\b__extension__\b|\btypeof\b": "a compiler extension in the core"}
LEFT_OVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Files that name the words above in order to find them.
OWN_WORDS = {"tools/tidy.py"}
MACHINE_PATH = re.compile(r"(?<![\w.])/(home|root|work|farm|Users|tmp)/\w")


def levels(root):
    text = (root / "CMakeLists.txt").read_text()
    return {m[1]: int(m[2]) for m in re.finditer(r"^ho_folder\((\w+) (\d+)\)$", text, re.M)}


def functions(path):
    out = subprocess.run(["ctags", "-f", "-", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f",
                          "--fields=+ne", "--excmd=number", str(path)],
                         capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        start, end = (re.search(rf"\t{k}:(\d+)", line) for k in ("line", "end"))
        if start and end:
            yield line.split("\t")[0], int(start[1]), int(end[1])


def without_comments(text):
    """The code alone: comments and strings blanked, line breaks kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def check_text(name, text, say):
    """Rules for every C file: length, comments, headers, banned functions."""
    lines, code = text.split("\n"), without_comments(text).split("\n")
    if len(lines) > FILE_MAX and name not in LONG_FILES:
        say(1, f"{len(lines)} lines in a file, at most {FILE_MAX}")
    if not re.match(r"/\*|#define _(GNU|POSIX_C|DEFAULT)_SOURCE", text):
        say(1, "a file starts with a comment: what it is, how it works, which standards")
    if name.endswith(".h") and not re.search(r"^#ifndef HO_\w+_H\n#define HO_\w+_H$", text, re.M):
        say(1, "a header has a guard HO_..._H")
    for n, (line, plain) in enumerate(zip(lines, code), 1):
        if len(line) > LINE_MAX:
            say(n, f"{len(line)} columns, at most {LINE_MAX}")
        if "\t" in line or line != line.rstrip():
            say(n, "a tab, or blanks at the end")
        if "//" in plain:
            say(n, "a // comment: left over from debugging?")
        for pattern, why in BANNED.items():
            if re.search(pattern, plain):
                say(n, why)
        if re.search(r"/\*\s*\*/", line):
            say(n, "an empty comment")


def check_src(folder, level, text, say):
    """Rules for src/: what a folder may include and, in the core, call."""
    lines, code = text.split("\n"), without_comments(text).split("\n")
    core = folder not in NOT_CORE
    for n, (line, plain) in enumerate(zip(lines, code), 1):
        if inc := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
            other = inc[1].split("/")[0]
            if "/" not in inc[1]:
                say(n, f'include it as "{folder}/{inc[1]}"')
            elif other not in level:
                if other != "halfopen":
                    say(n, f"{other}/ is no folder of src/")
            elif level[other] >= level[folder] and other != folder:
                say(n, f"{folder}/ (level {level[folder]}) may not use {other}/ "
                       f"(level {level[other]})")
        if (inc := re.match(r"\s*#\s*include\s+<([\w/.-]+)\.h>", line)) and core:
            if inc[1] not in ISO_C:
                say(n, f"<{inc[1]}.h> in the core: ISO C headers only")
        if core:
            for pattern, why in BANNED_CORE.items():
                if re.search(pattern, plain):
                    say(n, why)


def check_functions(name, path, say):
    for function, start, end in functions(path):
        if end - start + 1 > FUNCTION_MAX and f"{name}:{function}" not in LONG_FUNCTIONS:
            say(start, f"{function}() has {end - start + 1} lines, at most {FUNCTION_MAX}")


def tracked(root):
    """Every file that is or would be in the repository; without git, every file."""
    git = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"],
                         capture_output=True, text=True, check=False)
    if git.returncode == 0:
        return sorted(p for name in git.stdout.split("\0") if name and (p := root / name).is_file())
    return sorted(p for p in root.rglob("*")
                  if p.is_file() and not {".git", "build"} & set(p.relative_to(root).parts))


def check_any(text, say):
    """Rules for every text file: nothing left over, no path of one machine."""
    for n, line in enumerate(text.split("\n"), 1):
        if LEFT_OVER.search(line):
            say(n, "left over: do it or drop it")
        if MACHINE_PATH.search(line):
            say(n, "a path of one machine")


def main(root):
    root = Path(root).resolve()
    level, bad = levels(root), 0

    def sayer(name):
        def say(n, what):
            nonlocal bad
            bad += 1
            print(f"{name}:{n}: {what}")
        return say

    for folder in sorted(p.name for p in (root / "src").iterdir() if p.is_dir()):
        if folder not in level:
            sayer(f"src/{folder}")(1, "has no level: add it to CMakeLists.txt (ho_folder)")
    for path in tracked(root):
        name = path.relative_to(root).as_posix()
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        say = sayer(name)
        if name not in OWN_WORDS and name != "LICENSE":
            check_any(text, say)
        if path.suffix not in {".c", ".h", ".def"}:
            continue
        if path.suffix != ".def":
            check_text(name, text, say)
            check_functions(name, path, say)
        if name.startswith("src/") and path.parent.name in level:
            check_src(path.parent.name, level, text, say)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
