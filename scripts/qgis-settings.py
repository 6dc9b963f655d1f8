# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Reads or writes settings of QGIS; every line of other settings stays as it is.
#   qgis-settings.py get QGIS3.ini GROUP/KEY
#   qgis-settings.py set QGIS3.ini GROUP/KEY=VALUE...
import os
import re
import shutil
import sys

from qgis.PyQt.QtCore import QSettings


def escaped(value):
    """Returns a value as QSettings writes it."""
    text = ""
    for character in value:
        # A hexadecimal digit behind an escape would be taken for a part of it.
        behind = re.search(r"\\x[0-9a-f]+$", text) and character in "0123456789abcdefABCDEF"
        if ord(character) > 126 or ord(character) < 32 or behind:
            units = character.encode("utf-16-be")
            text += "".join("\\x{:x}".format(units[i] * 256 + units[i + 1]) for i in range(0, len(units), 2))
        else:
            text += "\\" + character if character in '\\"' else character
    return '"' + text + '"' if re.search(r"[;,=\"]|^\s|\s$", text) else text


def with_setting(lines, group, key, value):
    """Returns the lines of a file with one setting changed or added."""
    lines = list(lines)
    entry = key.replace("/", "\\") + "=" + escaped(value)
    if "[" + group + "]" not in lines:
        return lines + ([""] if lines else []) + ["[" + group + "]", entry]
    begin = lines.index("[" + group + "]") + 1
    end = next((i for i in range(begin, len(lines)) if lines[i].startswith("[")), len(lines))
    for i in range(begin, end):
        if lines[i].startswith(entry.split("=")[0] + "="):
            return lines[:i] + [entry] + lines[i + 1:]
    return lines[:begin] + [entry] + lines[begin:]


def read(path, name):
    value = QSettings(path, QSettings.IniFormat).value(name, "")
    return ";".join(value) if isinstance(value, list) else value


command, path, *entries = sys.argv[1:]
if command == "get":
    print(read(path, entries[0]))
    sys.exit()

lines = []
if os.path.exists(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        lines = file.read().splitlines()
for name, value in (entry.split("=", 1) for entry in entries):
    if read(path, name) == value:
        print("kept     {}: {} = {}".format(path, name, value))
        continue
    lines = with_setting(lines, *name.split("/", 1), value)
    before = read(path, name)
    print("wrote    {}: {} = {}{}".format(path, name, value, " (was: {})".format(before) if before else ""))
target = os.path.realpath(path)
staged = target + ".incomplete"
try:
    with open(staged, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n".join(lines) + "\n")
    if os.path.exists(target):
        shutil.copymode(target, staged)
    os.replace(staged, target)
finally:
    if os.path.exists(staged):
        os.remove(staged)
wrong = [entry for entry in entries if read(path, entry.split("=", 1)[0]) != entry.split("=", 1)[1]]
if wrong:
    sys.exit("qgis-settings: {} does not hold {}".format(path, ", ".join(wrong)))
