"""What the tests share: a fresh log, programs as processes of their own, waiting for a condition."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT = os.path.dirname(HERE)
ROOT = os.path.dirname(os.path.dirname(CLIENT))
sys.path.insert(0, CLIENT)

import lines  # noqa: E402
import runfold  # noqa: E402

# what a launcher or a job around the tests may have set
FOREIGN = ("RUNFOLD", "SLURM", "OMPI", "PMIX", "TORCHELASTIC", "RANK", "LOCAL_", "WORLD_SIZE", "MASTER_")
LIMIT_S = 300


def decoded(value):
    return float(value["$number"]) if set(value) == {"$number"} else value


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def until(condition, what, limit=LIMIT_S):
    """Asks again and again until it is true, and gives what it was."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (limit, what))
        time.sleep(0.01)


class Ended:
    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr


class LogTest(unittest.TestCase):
    """`self.ledger` is a fresh log, `self.spool` where spool files of its programs would be."""

    maxDiff = None

    def setUp(self):
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="runfold-py-"))
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.children = []
        self.addCleanup(self.end_children)
        self.temporary = os.path.join(self.directory, "tmp")
        self.spool = os.path.join(self.temporary, "runfold-spool-%d" % os.getuid())
        os.mkdir(self.temporary)
        self.work = os.path.join(self.directory, "work")
        os.mkdir(self.work)
        self.count = 0
        self.new_ledger()
        # the runs of a test that are made in this very process end with it
        environment = dict(os.environ)
        os.environ.clear()
        os.environ.update(clean_environment(), TMPDIR=self.temporary)
        self.addCleanup(self.restore_environment, environment)
        self.addCleanup(self.end_runs)

    @staticmethod
    def restore_environment(environment):
        os.environ.clear()
        os.environ.update(environment)

    @staticmethod
    def end_runs():
        for run in list(runfold._process.runs):
            run.finish()
        runfold._close_writers()
        runfold._process.writers.clear()

    def end_children(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()

    def new_ledger(self):
        self.count += 1
        self.ledger = os.path.join(self.directory, "log-%d" % self.count)
        runfold._make_ledger(self.ledger)

    def environment(self, **more):
        ours = {"RUNFOLD_DIR": self.ledger, "TMPDIR": self.temporary, "PYTHONPATH": CLIENT}
        # newer releases warn of every fork of a process with threads
        ours["PYTHONWARNINGS"] = "ignore::DeprecationWarning"
        environment = {**clean_environment(), **ours, **more}
        return {name: value for name, value in environment.items() if value is not None}

    def start(self, *arguments, **more):
        cwd = more.pop("cwd", self.work)
        python = more.pop("python", sys.executable)
        child = subprocess.Popen(
            [python, *arguments],
            cwd=cwd,
            env=self.environment(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.children.append(child)
        return child

    def ended(self, child, stdin=None):
        stdout, stderr = child.communicate(stdin, timeout=LIMIT_S)
        return Ended(child.returncode, stdout, stderr)

    def program(self, source, name="train.py"):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(source))
        return path

    def run_script(self, path, *arguments, stdin=None, **more):
        return self.ended(self.start(path, *arguments, **more), stdin)

    def run_program(self, source, *arguments, **more):
        return self.run_script(self.program(source), *arguments, **more)

    def bring_in(self, stderr):
        """Does what stderr says is the mend: lines of sh."""
        for line in stderr.split("\n"):
            if "events are in " in line:
                subprocess.run(["sh", "-c", line[line.rindex("mkdir -p ") :]], check=True)

    def files(self, ledger=None):
        return lines.event_files(ledger or self.ledger)

    def one_file(self):
        (file,) = self.files()
        return file

    def assert_whole(self, file):
        self.assertEqual((file.rejected, file.rest, file.is_gapless, file.is_closed), ([], b"", True, True), file.path)

    def end_of(self, file):
        """(status, exit_code, reason) that the file says last."""
        last = file.of("status_changed")[-1]
        return last["status"], last.get("exit_code"), last.get("reason")

    def spooled(self):
        return sorted(os.listdir(self.spool)) if os.path.isdir(self.spool) else []


__all__ = ["Ended", "LogTest", "ROOT", "CLIENT", "decoded", "json", "lines", "runfold", "signal", "until"]
