"""Reads a log back, strictly: what docs/events.md asks of a file with a header, written down once more."""

import json
import os
import re

import runfold

NAME = re.compile(r"^([0-7][0-9A-HJKMNP-TV-Z]{25})-([A-Za-z0-9._-]{1,64})\.ndjson$")
TS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
RUN_ID = re.compile(r"^[0-9a-hjkmnp-tv-z]{16}$")
STATUSES = ("pending", "running", "completed", "failed", "timeout")
KEY = ("experiment_number", "dataset", "method", "subject", "cl_info", "seed")
TEXT, INTEGER, NUMBER, OBJECT, LIST, BOOL, MEASURE = "text integer number object list bool measure".split()
FIELDS = {
    "writer_opened": {
        "format": INTEGER, "writer": TEXT, "origin": TEXT, "host": TEXT, "pid": INTEGER, "user": TEXT, "client": OBJECT,
    },
    "run_created": {"experiment_number": INTEGER, "dataset": TEXT, "method": TEXT},
    "status_changed": {"status": TEXT},
    "metric": {"elapsed_seconds": NUMBER},
    "result": {"results": OBJECT},
    "error": {"exception_type": TEXT, "message": TEXT},
    "slurm_info": {"job_id": TEXT, "source": TEXT},
    "resource_sample": {"elapsed_seconds": NUMBER},
    "writer_closed": {"events": INTEGER},
}  # fmt: skip
OPTIONAL = {
    "writer_opened": {"attempt": TEXT},
    "run_created": {
        "subject": TEXT, "cl_info": TEXT, "seed": INTEGER, "config": OBJECT, "tags": LIST, "notes": TEXT,
        "resume": BOOL, "code": OBJECT,
    },
    "status_changed": {"exit_code": INTEGER, "reason": TEXT},
    "metric": {
        "epoch": INTEGER, "step": INTEGER, "loss": MEASURE, "f1": MEASURE, "fitness": MEASURE,
        "behavioral_comparison": MEASURE, "gpu_memory_mb": MEASURE, "extra": OBJECT,
    },
    "result": {},
    "error": {"traceback": TEXT},
    "slurm_info": {
        "array_job_id": TEXT, "array_task_id": TEXT, "restart_count": INTEGER, "state": TEXT, "partition": TEXT,
        "account": TEXT, "node_list": TEXT, "cpus": INTEGER, "gpus": INTEGER, "memory_mb": NUMBER,
        "started_at": TEXT, "time_limit_seconds": NUMBER,
    },
    "resource_sample": {"cpu_percent": NUMBER, "rss_mb": NUMBER, "gpu_percent": NUMBER, "gpu_memory_mb": NUMBER},
    "writer_closed": {},
}  # fmt: skip


class BadLine(AssertionError):
    pass


def need(condition, text):
    if not condition:
        raise BadLine(text)


def no_constant(text):
    raise BadLine("not JSON: a bare " + text)


def no_duplicates(pairs):
    need(len({name for name, _ in pairs}) == len(pairs), "a name twice in %r" % (pairs,))
    return dict(pairs)


def is_a(kind, value):
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == TEXT:
        return isinstance(value, str)
    if kind == INTEGER:
        return isinstance(value, int) and is_number and abs(value) < 2**53
    if kind == NUMBER:
        return is_number and abs(value) < float("inf")
    if kind == MEASURE:
        return value in ("NaN", "Infinity", "-Infinity") if isinstance(value, str) else is_a(NUMBER, value)
    return isinstance(value, {OBJECT: dict, LIST: list, BOOL: bool}[kind])


def depth(value):
    if isinstance(value, dict):
        return 1 + max([0] + [depth(inner) for inner in value.values()])
    return 1 + max([0] + [depth(inner) for inner in value]) if isinstance(value, list) else 0


def parse(line):
    """One line of bytes without its LF."""
    need(len(line) <= 1048576, "too long")
    need(b"\0" not in line and not line.startswith(b"\xef\xbb\xbf"), "NUL or BOM")
    event = json.loads(line.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=no_duplicates)
    need(isinstance(event, dict) and depth(event) <= 64, "not an object, or too deep")
    kind = event.get("type")
    need(kind in FIELDS, "type %r" % (kind,))
    need(TS.match(event["ts"]), "ts %r" % (event["ts"],))
    need(is_a(INTEGER, event.get("seq")) and event["seq"] >= 1, "seq")
    known = dict(FIELDS[kind], **OPTIONAL[kind])
    for name in FIELDS[kind]:
        need(name in event, "%s without %s" % (kind, name))
    for name, value in event.items():
        if name in ("type", "ts", "seq", "run_id", "attempt") and name not in known:
            continue
        need(name in known and is_a(known[name], value), "%s: %s is %r" % (kind, name, value))
    if kind.startswith("writer_"):
        need("run_id" not in event, "run_id in " + kind)
    else:
        need(RUN_ID.match(event["run_id"]), "run_id %r" % (event.get("run_id"),))
    if kind == "metric":
        for name, value in event.get("extra", {}).items():
            need(is_a(MEASURE, value), "extra %s is %r" % (name, value))
    if kind == "status_changed":
        need(event["status"] in STATUSES, "status %r" % (event["status"],))
    if kind == "run_created":
        key = runfold._Key(*[event.get(name) for name in KEY])
        need(key.run_id() == event["run_id"], "key and run_id differ")
    return event


class EventFile:
    """What a reader makes of one file: rejected lines, repeats, events by seq."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            data = file.read()
        *lines, self.rest = data.split(b"\n")
        self.events, self.rejected, self.repeats, by_seq = [], [], 0, {}
        for line in lines:
            if line == b"":
                continue
            try:
                event = parse(line)
            except (BadLine, ValueError, KeyError, runfold.RunfoldError) as error:
                self.rejected.append((line[:200], repr(error)))
                continue
            if event["seq"] in by_seq:
                need(by_seq[event["seq"]] == line, "seq %d twice in %s" % (event["seq"], path))
                self.repeats += 1
                continue
            by_seq[event["seq"]] = line
            self.events.append(event)
        self.header = self.events[0] if self.events else {}
        need(self.header.get("type") == "writer_opened" and self.header["seq"] == 1, "no header in " + path)
        match = NAME.match(os.path.basename(path))
        need(match and match.groups() == (self.header["writer"], self.header["origin"]), "misplaced: " + path)
        need(os.path.basename(os.path.dirname(path)) == runfold._ulid_day(self.header["writer"]), "wrong day: " + path)
        self.seqs = sorted(by_seq)
        self.is_gapless = self.seqs == list(range(1, len(self.seqs) + 1))
        last = self.events[-1]
        self.is_closed = last["type"] == "writer_closed"
        need(not self.is_closed or last["events"] == last["seq"] - 1, "writer_closed says another number")

    def attempt_of(self, event):
        return event.get("attempt") or self.header.get("attempt") or self.header["writer"]

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]


def event_files(ledger):
    """All event files of a log, oldest first. Raises BadLine for what a reader would not take."""
    paths = []
    for folder, _, names in os.walk(os.path.join(ledger, "events")):
        paths += [os.path.join(folder, name) for name in names]
    files = [EventFile(path) for path in sorted(paths)]
    need(len({file.header["writer"] for file in files}) == len(files), "two files of one writer")
    return files
