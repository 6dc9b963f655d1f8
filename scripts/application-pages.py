#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers
"""Writes the manual's page of each application, or with --check tells whether the pages are up to date.

application-pages.py [--check] DESCRIPTIONS PAGES

DESCRIPTIONS is the folder description/ of a build, with a NAME.json for each application; PAGES is doc/applications."""

import json
import pathlib
import sys

KINDS = {
    "image": "image",
    "images": "images",
    "file": "file",
    "files": "files",
    "output image": "image that is written",
    "output file": "file that is written",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "text": "text",
}


def limits(parameter):
    low, high = parameter.get("minimum"), parameter.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        return f", at least {low}"
    return f", at most {high}" if high is not None else ""


def default(parameter):
    value = parameter.get("default")
    if parameter["kind"] == "choice":
        value = parameter["choices"][value]
    if value is None:
        return "optional" if parameter["optional"] else "needed"
    return "default " + (str(value).lower() if isinstance(value, bool) else str(value))


def entry(parameter):
    kind = "one of these" if parameter["kind"] == "choice" else KINDS[parameter["kind"]] + limits(parameter)
    lines = [f"**`{parameter['key']}`** {parameter['name']} ({kind}; {default(parameter)}). {parameter['help']}", ""]
    for key, name in zip(parameter.get("choices", []), parameter.get("choiceNames", [])):
        lines.append(f"- `{key}`" + ("" if key == name else f": {name}"))
    return lines + [""] if "choices" in parameter else lines


def page(description):
    lines = [f"# {description['name']}", "", description["title"] + ".", "", description["help"], ""]
    if description["limitations"] not in ("", "None"):
        lines += [description["limitations"], ""]
    example = " ".join(f"-{key} {value}" for key, value in description["example"])
    lines += ["```", f"otbcli_{description['name']} {example}", "```", ""]
    for heading, advanced in (("Parameters", False), ("Advanced parameters", True)):
        entries = [parameter for parameter in description["parameters"] if parameter["advanced"] == advanced]
        if entries:
            lines += ["## " + heading, ""]
            for parameter in entries:
                lines += entry(parameter)
    lines += ["Each application also takes `ram`, the memory in MB for reading and writing images."]
    return "\n".join(lines) + "\n"


def main(arguments):
    check = arguments[:1] == ["--check"]
    if len(arguments) != 2 + check:
        sys.exit(__doc__)
    descriptions, pages = (pathlib.Path(argument) for argument in arguments[check:])
    expected = {}
    for path in sorted(descriptions.glob("*.json")):
        expected[path.stem + ".md"] = page(json.loads(path.read_text(encoding="utf-8")))
    if not expected:
        sys.exit(f"{descriptions}: no application is described there")
    if check:
        found = {path.name: path.read_text(encoding="utf-8") for path in pages.glob("*.md")}
        stale = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        if stale:
            sys.exit(f"{pages}: not up to date: {', '.join(stale)}. Run scripts/application-pages.py {descriptions} {pages}")
        return
    pages.mkdir(parents=True, exist_ok=True)
    for name, text in expected.items():
        (pages / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
