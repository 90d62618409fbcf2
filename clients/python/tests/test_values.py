"""What is handed to init, log, log_error and log_results, and what comes of it in the lines."""

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import os
import pathlib
import random
import types
import unittest

from base import LogTest, runfold


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Inner:
    rate: float = 0.1


@dataclasses.dataclass
class Settings:
    name: str = "a"
    inner: Inner = dataclasses.field(default_factory=Inner)


class Scalar:
    """As numpy and torch have it: .item() gives the number."""

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


class Array:
    def __init__(self, values, shape):
        self.values, self.shape, self.dtype = values, shape, "float32"

    def tolist(self):
        return self.values

    def item(self):
        raise ValueError("only arrays of one element")


class Wicked:
    """Everything that it is asked raises."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __str__(self):
        raise RuntimeError("str")

    def __float__(self):
        raise RuntimeError("float")

    def __iter__(self):
        raise RuntimeError("iter")


class OmegaConfLike:
    def __init__(self, **values):
        self.__dict__["_values"] = values

    def keys(self):
        return self._values.keys()

    def __getitem__(self, name):
        if self._values[name] == "???":
            raise KeyError("missing mandatory value")
        return self._values[name]


class Values(LogTest):
    def logged(self, *calls, **options):
        """The metric events of a run, one for each dict of arguments."""
        run = runfold.init(dataset="d", method="m", ledger=self.ledger, **options)
        for metrics, position in calls:
            run.log(metrics, **position)
        run.finish()
        self.end_runs()
        return self.one_file().of("metric")

    def config_of(self, config):
        self.new_ledger()
        runfold.init(dataset="d", method="m", ledger=self.ledger, config=config).finish()
        self.end_runs()
        return self.one_file().of("run_created")[0].get("config")

    def test_exact_names_have_columns(self):
        names = ["loss", "f1", "fitness", "behavioral_comparison", "gpu_memory_mb"]
        others = ["Loss", "loss ", "val/loss", "f1_score", "", "acc"]
        (point,) = self.logged(({name: 0.5 for name in names + others}, {"epoch": 1}))
        self.assertEqual([point[name] for name in names], [0.5] * 5)
        self.assertEqual(point["extra"], {name: 0.5 for name in others})

    def test_numbers(self):
        big = 2**53 - 1
        metrics = {
            "float": 0.1, "int": 3, "bool": True, "big": big, "bigger": 2**60, "huge": 10**400, "low": -(10**400),
            "nan": float("nan"), "inf": float("inf"), "ninf": float("-inf"), "item": Scalar(2.5), "item32": Scalar(7),
            "decimal": decimal.Decimal("0.25"), "fraction": fractions.Fraction(1, 4), "level": Level.HIGH,
            "none": None, "dnan": decimal.Decimal("NaN"),
        }  # fmt: skip
        (point,) = self.logged((metrics, {"step": 1}))
        expected = {
            "float": 0.1, "int": 3, "bool": 1, "big": big, "bigger": 2.0**60, "huge": "Infinity", "low": "-Infinity",
            "nan": "NaN", "inf": "Infinity", "ninf": "-Infinity", "item": 2.5, "item32": 7, "decimal": 0.25,
            "fraction": 0.25, "level": 3, "dnan": "NaN",
        }  # fmt: skip
        self.assertEqual(point["extra"], expected)

    def test_floats_come_back_as_they_were(self):
        source = random.Random(5)
        values = [source.uniform(-1, 1) * 10 ** source.randint(-308, 308) for _ in range(2000)]
        (point,) = self.logged(({str(n): value for n, value in enumerate(values)}, {"step": 0}))
        self.assertEqual([point["extra"][str(n)] for n in range(2000)], values)

    def test_what_is_no_number_is_left_out(self):
        metrics = {"loss": "0.5", "a": [1], "b": Wicked(), "c": object(), "d": Array([1, 2], (2,)), "e": 1j, "ok": 1}
        (point,) = self.logged((metrics, {"step": 1}), (metrics.copy() and {"loss": "x"}, {"step": 2}))
        self.assertEqual((point["extra"], "loss" in point), ({"ok": 1}, False))

    def test_nested_names(self):
        metrics = {"val": {"acc": 1, "by": {"class": {3: 0.5}}}, 7: 2, "loss": {"total": 1}, "extra": {"x": 1}}
        (point,) = self.logged((metrics, {"step": 1}))
        self.assertEqual(point["extra"], {"val/acc": 1, "val/by/class/3": 0.5, "7": 2, "loss/total": 1, "x": 1})

    def test_position(self):
        points = self.logged(
            ({"x": 1, "epoch": 2, "step": 3}, {}),
            ({"x": 1, "epoch": 2}, {"epoch": 5}),
            ({"x": 1}, {"epoch": 2.0, "step": Scalar(9)}),
            ({"x": 1}, {"epoch": 0.5, "step": 1}),
            ({"x": 1, "elapsed_seconds": 12.5}, {"step": 1}),
            ({}, {"step": 77}),
        )
        places = [(point.get("epoch"), point.get("step")) for point in points]
        self.assertEqual(places, [(2, 3), (5, None), (2, 9), (None, 1), (None, 1)])
        self.assertEqual(points[3]["extra"], {"x": 1, "epoch": 0.5})
        self.assertEqual(points[4]["elapsed_seconds"], 12.5)

    def test_steps_are_counted(self):
        calls = [({"x": 1}, {}), ({"x": 1}, {}), ({"x": 1}, {"epoch": 1}), ({"x": 1}, {"step": 10}), ({"x": 1}, {})]
        points = self.logged(*calls)
        self.assertEqual([point.get("step") for point in points], [0, 1, None, 10, 11])

    def steps_of_resumed(self, before, environment=(), **more):
        """Steps of a run that is resumed after the given calls in a process of its own."""
        source = """
import json, os, sys
import runfold
run = runfold.init(dataset="d", method="m", **json.loads(sys.argv[2]))
for position in json.loads(sys.argv[1]): run.log({"x": 1}, **position)
"""
        ended = self.run_program(source, json.dumps(before), json.dumps(more), **dict(environment))
        self.assertEqual(ended.code, 0, ended.stderr)
        ended = self.run_program(source, "[{}, {}]", json.dumps(dict(resume=True)), **dict(environment))
        self.assertEqual(ended.code, 0, ended.stderr)
        return [point.get("step") for point in self.files()[-1].of("metric")], ended.stderr

    def test_counting_goes_on_where_a_run_is_resumed(self):
        self.assertEqual(self.steps_of_resumed([{}] * 5), ([5, 6], ""))
        self.assertEqual(self.steps_of_resumed([], resume=True), ([7, 8], ""))
        self.new_ledger()
        self.assertEqual(self.steps_of_resumed([]), ([0, 1], ""))
        self.new_ledger()
        self.assertEqual(self.steps_of_resumed([{"step": 41}, {"epoch": 1}]), ([42, 43], ""))

    def test_counting_goes_on_in_a_job_that_is_requeued(self):
        job = {"SLURM_JOB_ID": "11"}
        self.assertEqual(self.steps_of_resumed([{}] * 3, environment=job)[0], [3, 4])

    def test_a_run_that_starts_over_counts_anew(self):
        self.steps_of_resumed([{}] * 5)
        self.assertEqual(self.steps_of_resumed([{}] * 2)[0], [2, 3])

    def test_no_step_is_counted_where_the_last_one_is_not_found(self):
        source = """
import runfold
runfold._SEARCH_S = -1.0
run = runfold.init(dataset="d", method="m", resume=True)
run.log({"x": 1})
run.log({"x": 2})
"""
        ended = self.run_program(source)
        self.assertEqual((ended.code, ended.stderr.count("no steps are counted")), (0, 1))
        self.assertEqual(["step" in point for point in self.one_file().of("metric")], [False, False])

    def test_config(self):
        circular = {}
        circular["self"] = circular
        deep = current = {}
        for _ in range(100):
            current["a"] = {}
            current = current["a"]
        config = {
            "path": pathlib.Path("/data/x"), "date": datetime.date(2026, 11, 23), "colour": Colour.RED,
            "level": Level.HIGH, "set": {3, 1, 2}, "tuple": (1, 2), "named": collections.namedtuple("P", "x y")(1, 2),
            "dataclass": Settings(), "nan": float("nan"), "big": 2**64, "bytes": b"x", "class": Settings,
            "function": json.dumps, "array": Array([1.0, 2.0], (2,)), "large": Array([], (10**6,)), "zero": Scalar(1),
            "circular": circular, "wicked": Wicked(), "object": object(), "lone": "a\ud800b", 3: "int key",
            "error": ValueError("x"), "namespace": types.SimpleNamespace(a=1), "deep": deep, "none": None,
            "dec": decimal.Decimal("0.1"), "text": "x" * 2_000_000,
        }  # fmt: skip
        got = self.config_of(config)
        self.assertIn("[too deep]", json.dumps(got.pop("deep")))
        self.assertIn("Scalar", got.pop("zero"))
        self.assertIn("Array float32 [1000000]", got.pop("large"))
        self.assertEqual(
            got,
            {
                "path": "/data/x", "date": "2026-11-23", "colour": "red", "level": 3, "set": [1, 2, 3],
                "tuple": [1, 2], "named": {"x": 1, "y": 2}, "dataclass": {"name": "a", "inner": {"rate": 0.1}},
                "nan": "NaN", "big": str(2**64), "bytes": "[binary]", "class": Settings.__module__ + ".Settings",
                "function": "json.dumps", "array": [1.0, 2.0], "circular": {"self": "[circular]"},
                "wicked": "[unreadable]", "object": "builtins.object", "lone": "a\ufffdb", "3": "int key",
                "error": "ValueError: x", "namespace": {"a": 1}, "none": None, "dec": "0.1", "text": "[too large]",
            },
        )  # fmt: skip

    def test_configs_of_all_kinds(self):
        class Plain:
            lr = 1

            def __init__(self):
                self.rate, self._hidden = 0.5, 1

        self.assertEqual(self.config_of(argparse.Namespace(lr=0.1)), {"lr": 0.1})
        self.assertEqual(self.config_of(Settings()), {"name": "a", "inner": {"rate": 0.1}})
        self.assertEqual(self.config_of(OmegaConfLike(a=1, b="???")), {"a": 1, "b": "[unreadable]"})
        self.assertEqual(self.config_of(Plain()), {"rate": 0.5})
        self.assertEqual(self.config_of(Plain), {"lr": 1})
        self.assertEqual(self.config_of([1]), {})

    def test_secrets_are_masked(self):
        config = {
            "password": "hunter2", "api_key": "hunter2", "db": {"userPassword": "hunter2"}, "hub_token": "hunter2",
            "AWS_SECRET_ACCESS_KEY": "hunter2", "token": "hunter2", "list": [{"secret": "hunter2"}],
            "pad_token": "<pad>", "max_tokens": 9, "tokenizer": "bpe", "secret": None, "keyboard": "qwerty",
        }  # fmt: skip
        got = self.config_of(config)
        self.assertNotIn("hunter2", json.dumps(got))
        kept = {name: got[name] for name in ("pad_token", "max_tokens", "tokenizer", "secret", "keyboard")}
        self.assertEqual(kept, {name: config[name] for name in kept})

    def test_secrets_of_the_command_line_and_the_environment(self):
        source = "import runfold\nrunfold.init(dataset='d')\n"
        words = ["--password", "hunter2", "--lr=0.1", "wandb.api_key=hunter2", "--url", "https://me:hunter2@host/x"]
        ended = self.run_program(source, *words, MY_TOKEN="hunter2", DATABASE="hunter2")
        self.assertEqual(ended.code, 0)
        with open(self.one_file().path) as file:
            text = file.read()
        self.assertNotIn("hunter2", text)
        self.assertIn("--lr=0.1", text)
        self.assertIn("https://me:***@host/x", text)

    def test_a_config_that_is_too_long_does_not_hide_the_run(self):
        self.assertIsNone(self.config_of({str(n): "x" * 1000 for n in range(2000)}))
        self.assertEqual(self.end_of(self.one_file())[0], "completed")

    def test_a_line_that_is_too_long_is_refused(self):
        points = self.logged(({"x" * 2_000_000: 1}, {"step": 1}), ({"y": 1}, {"step": 2}))
        self.assertEqual([point["extra"] for point in points], [{"y": 1}])
        self.assert_whole(self.one_file())

    def test_errors(self):
        run = runfold.init(dataset="d", method="m", ledger=self.ledger)
        try:
            try:
                1 / 0
            except ZeroDivisionError as inner:
                raise KeyError("outer \ud800") from inner
        except KeyError as error:
            run.log_error(error)
        run.log_error("just a text")
        run.log_error(ValueError("x" * 100_000))
        run.log_error(type("Mute", (Exception,), {"__str__": lambda self: 1 / 0})())
        run.log_error({"a": 1})
        run.finish()
        self.end_runs()
        first, text, long, mute, other = self.one_file().of("error")
        self.assertEqual((first["exception_type"], first["message"]), ("KeyError", "'outer \\ud800'"))
        self.assertIn("ZeroDivisionError", first["traceback"])
        self.assertEqual((text["exception_type"], text["message"]), ("str", "just a text"))
        self.assertLess(len(long["message"]), 17_000)
        self.assertEqual(mute["message"], "[unreadable]")
        self.assertEqual((other["exception_type"], other["message"]), ("dict", '{"a":1}'))

    def test_nothing_raises(self):
        run = runfold.init(dataset="d", method="m", ledger=self.ledger, tags=5, notes=5)
        for value in (None, 5, "x", [1], Wicked(), {"a": Wicked()}, {Wicked: 1}, b"x", float("nan")):
            run.log(value)
            run.log({"a": value}, step=value, epoch=value)
            run.log_results(value)
            run.log_error(value)
            run.set_status(value, exit_code=value, reason=value)
            run.config.update(value)
            run.log_sample(value)
        run.finish(exit_code=Wicked())
        run.finish(status="no such")
        run.finish()
        self.end_runs()
        self.assert_whole(self.one_file())

    def test_bad_keys_raise(self):
        for options in (
            {"seed": 1.5},
            {"seed": True},
            {"seed": "1"},
            {"dataset": 3},
            {"seed": 2**53},
            {"variant": 5},
        ):
            with self.assertRaises(runfold.RunfoldError) as caught:
                runfold.init(ledger=self.ledger, **options)
            self.assertEqual(caught.exception.code, "invalid_key")
        with self.assertRaises(TypeError):
            runfold.init(datset="iris")
        self.assertEqual(self.files(), [])

    def test_seeds_of_numpy_are_seeds(self):
        one = runfold.init(dataset="d", method="m", seed=Scalar(3), ledger=self.ledger)
        self.assertEqual(one.id, runfold.run_id("d", "m", seed=3))

    def test_git(self):
        git = lambda *words: os.spawnlp(
            os.P_WAIT, "git", "git", "-C", self.work, "-c", "user.name=a", "-c", "user.email=a@b", *words
        )  # noqa: E731
        if git("init", "-q") != 0:
            self.skipTest("git is not here")
        path = os.path.join(self.work, "a.txt")
        with open(path, "w") as file:
            file.write("1")
        git("add", ".")
        git("commit", "-qm", "one")
        source = "import runfold\nrunfold.init(dataset='d')\n"
        self.run_program(source)
        with open(path, "w") as file:
            file.write("2")
        self.run_program(source)
        first, second = [file.of("run_created")[0]["code"] for file in self.files()]
        self.assertRegex(first["git_commit"], "^[0-9a-f]{40}$")
        self.assertEqual((first["git_dirty"], second["git_dirty"]), (False, True))

    def test_a_second_execution_in_one_process_is_another_attempt(self):
        attempts = []
        for _ in range(3):
            with runfold.init(dataset="d", method="m", ledger=self.ledger) as run:
                attempts.append(run.attempt)
        self.end_runs()
        self.assertEqual(len(set(attempts)), 3)
        self.assertEqual(len(self.one_file().of("run_created")), 3)


class Numpy(LogTest):
    def test_numpy(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed")
        run = runfold.init(
            dataset="d", method="m", seed=numpy.int64(3), ledger=self.ledger,
            config={"a": numpy.arange(3), "f": numpy.float32(0.5), "big": numpy.zeros(5000)},
        )  # fmt: skip
        run.log({"f32": numpy.float32(0.5), "f64": numpy.float64(0.1), "i": numpy.int32(4), "b": numpy.bool_(True),
                 "nan": numpy.float32("nan"), "one": numpy.array([2.0]), "many": numpy.arange(3)}, step=numpy.int64(5))  # fmt: skip
        run.finish()
        self.end_runs()
        (point,) = self.one_file().of("metric")
        self.assertEqual(point["extra"], {"f32": 0.5, "f64": 0.1, "i": 4, "b": 1, "nan": "NaN", "one": 2.0})
        self.assertEqual(point["step"], 5)
        config = self.one_file().of("run_created")[0]["config"]
        self.assertEqual((config["a"], config["f"]), ([0, 1, 2], 0.5))


if __name__ == "__main__":
    unittest.main()
