"""Follows a guide as a reader would, and fails where the guide is wrong.

Usage: tutorial.py GUIDE.md DIRECTORY

A fenced block whose first line reads ```yaml PATH (or any language and a path) becomes that file below DIRECTORY.
A block ```console holds commands after "$ ", continued on lines after "> ", and below each what it prints. All
commands run in one shell. Every printed line must be there, in its order; "…" stands for anything, also for whole
lines. A command is to succeed unless its last line of output reads "(exit status N)".
"""
import os
import subprocess
import sys

MARK = "--- end of command ---"


class Shell:
    def __init__(self, directory):
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=directory, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command):
        self.process.stdin.write(f"{command}\nprintf '\\n%s %d\\n' '{MARK}' $?\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"the shell ended at: {command}")
            if line.startswith(MARK):
                return lines, int(line.split()[-1])
            lines.append(line.rstrip("\n"))


def blocks(text):
    language, body = None, []
    for number, line in enumerate(text.splitlines(), 1):
        if language is None and line.startswith("```"):
            language, body, start = line[3:].split(), [], number
        elif language is not None and line == "```":
            yield start, language, body
            language = None
        elif language is not None:
            body.append(line)


def commands(body):
    """Each command with the lines it is said to print."""
    command, printed = None, []
    for line in body:
        if line.startswith("$ "):
            if command is not None:
                yield command, printed
            command, printed = line[2:], []
        elif line.startswith("> ") and not printed:
            command += "\n" + line[2:]
        else:
            printed.append(line)
    if command is not None:
        yield command, printed


def fits(expected, actual):
    """Whether a line is as printed, with … for anything."""
    parts = expected.split("…")
    if len(parts) == 1:
        return expected.rstrip() == actual.rstrip()
    if not actual.startswith(parts[0]) or not actual.rstrip().endswith(parts[-1].rstrip()):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        at = actual.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def check(printed, actual, where):
    at = 0
    for expected in printed:
        if expected.strip() in ("", "…"):
            continue
        while at < len(actual) and not fits(expected, actual[at]):
            at += 1
        if at == len(actual):
            raise SystemExit(f"{where}: not printed: {expected}\nbut:\n" + "\n".join(actual))
        at += 1


def main():
    guide, directory = sys.argv[1:3]
    shell = Shell(directory)
    count = 0
    for number, language, body in blocks(open(guide, encoding="utf-8").read()):
        if len(language) == 2:
            path = os.path.join(directory, language[1])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(body) + "\n")
        if language[:1] != ["console"]:
            continue
        for command, printed in commands(body):
            where = f"{os.path.basename(guide)}:{number}: $ {command}"
            wanted = 0
            if printed and printed[-1].startswith("(exit status "):
                wanted = int(printed.pop()[len("(exit status "):-1])
            actual, status = shell.run(command)
            if os.environ.get("TUTORIAL_SHOW"):
                print(f"$ {command}", *actual, f"(exit status {status})", sep="\n")
            if status != wanted:
                raise SystemExit(f"{where}: exit status {status}\n" + "\n".join(actual))
            check(printed, actual, where)
            count += 1
    print(f"{count} commands did what the guide says")


main()
