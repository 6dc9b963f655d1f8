# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

import os
import re
import select
import shlex
import subprocess
import time

from qgis.PyQt.QtCore import QCoreApplication, QThread

PROGRESS = re.compile(r"(\d+)% \[")
# What OTB says before an application's own message.
CAUGHT = "Caught std::exception during application execution: "
# An application looks for the signal between two pieces of work.
SECONDS_TO_END = 60


class LaunchError(Exception):
    """An application gave no result; the message says why."""


def launch(arguments, environment, feedback):
    """Runs an application and tells feedback its lines and progress. When the user cancels it is asked to end, and killed if
    it does not.

    Raises LaunchError when it fails, with its own last message, or was cancelled."""
    feedback.pushCommandInfo(shlex.join(arguments))
    # OTB parses numbers with the locale's decimal point.
    environment = {**os.environ, "LC_ALL": "", "LC_NUMERIC": "C", **environment}
    try:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=environment)
    except OSError as error:
        raise LaunchError("{} cannot be started: {}".format(arguments[0], error.strerror)) from error
    with process:
        messages = _follow(process, feedback)
    if feedback.isCanceled():
        raise LaunchError("{} was cancelled".format(arguments[1]))
    if process.returncode < 0:
        raise LaunchError("{} was ended by signal {}".format(arguments[1], -process.returncode))
    if process.returncode > 0:
        raise LaunchError(messages[-1] if messages else "{} ended with status {}".format(arguments[1], process.returncode))


def _follow(process, feedback):
    """Hands a process's lines on until it has ended; returns its messages of errors."""
    messages = []
    pending = b""
    deadline = None
    application = QCoreApplication.instance()
    in_main_thread = application is not None and QThread.currentThread() == application.thread()
    while True:
        if in_main_thread:
            # As in qgis_process: the wish to cancel is an event.
            QCoreApplication.processEvents()
        if feedback.isCanceled() and deadline is None:
            process.terminate()
            deadline = time.monotonic() + SECONDS_TO_END
        if deadline is not None and time.monotonic() > deadline:
            process.kill()
        if not select.select([process.stdout], [], [], 0.2)[0]:
            continue
        block = os.read(process.stdout.fileno(), 65536)
        lines = (pending + block).replace(b"\r", b"\n").split(b"\n")
        pending = lines.pop() if block else b""
        for line in lines:
            message = _tell(line.decode(errors="replace").strip(), feedback)
            if message:
                messages.append(message)
        if not block:
            return messages


def _tell(line, feedback):
    """Hands a line on; returns the message of one that tells of a fatal error."""
    progress = PROGRESS.search(line)
    if progress:
        feedback.setProgress(int(progress.group(1)))
        feedback.setProgressText(line)
        return None
    for mark in ("(FATAL)", "(CRITICAL)", "ERROR"):
        # A folder may be called ERROR.
        if line.startswith(mark) if mark == "ERROR" else mark in line:
            feedback.reportError(line)
            return line.split(mark, 1)[1].replace(CAUGHT, "").lstrip(": ")
    if "(WARNING)" in line:
        feedback.pushWarning(line)
    elif line:
        feedback.pushConsoleInfo(line)
    return None
