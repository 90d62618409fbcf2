"""docs/wandb.md: every row of its table is done, and what it says becomes of it is looked for in the log."""

import os
import re
import unittest

from base import ROOT, LogTest

PAGE = os.path.join(ROOT, "docs", "wandb.md")

# What must be in the log after a row that says "kept", as an expression over the one file's events.
KEPT = {
    'wandb.init(project="p")': "created['tags'] == ['p']",
    'wandb.init(group="g")': "created['tags'] == ['g']",
    'wandb.init(job_type="train")': "created['tags'] == ['train']",
    'wandb.init(tags=["a"], notes="n")': "(created['tags'], created['notes']) == (['a'], 'n')",
    'wandb.init(name="fold 2")': "created['cl_info'] == 'fold 2'",
    'wandb.init(id="x1")': "created['cl_info'] == 'x1'",
    'wandb.init(config={"lr": 0.1})': "config == {'lr': 0.1}",
    'wandb.init(resume="allow")': "created['resume'] is True",
    "wandb.config.lr = 0.2": "config['lr'] == 0.2",
    'wandb.config["lr"] = 0.2': "config['lr'] == 0.2",
    'wandb.config.update({"lr": 0.2}, allow_val_change=True)': "config['lr'] == 0.2",
    'wandb.config.setdefaults({"momentum": 0.9})': "config == {'lr': 0.1, 'momentum': 0.9}",
    'wandb.config = {"lr": 0.2}': "config['lr'] == 0.2",
    'wandb.log({"loss": 0.5})': "points == [{'step': 0, 'loss': 0.5}]",
    'wandb.log({"loss": 0.5}, step=3)': "points == [{'step': 3, 'loss': 0.5}]",
    'wandb.log({"epoch": 2, "loss": 0.5})': "points == [{'epoch': 2, 'loss': 0.5}]",
    'wandb.log({"val": {"acc": 0.5}})': "points == [{'step': 0, 'extra': {'val/acc': 0.5}}]",
    'wandb.log({"loss": 0.5}, commit=False)': "points == [{'step': 0, 'loss': 0.5}]",
    'wandb.summary["best"] = 0.9': "results == {'best': 0.9}",
    'wandb.summary.update({"best": 0.9})': "results == {'best': 0.9}",
    'wandb.run.summary["best"] = 0.9': "results == {'best': 0.9}",
    "wandb.run.summary.best = 0.9": "results == {'best': 0.9}",
    "wandb.finish()": "end == ('completed', None, None)",
    "wandb.finish(exit_code=1)": "end == ('failed', 1, None)",
    'wandb.run.name = "new"': "tags[-1] == 'new' and created.get('cl_info') is None",
    'wandb.run.tags = wandb.run.tags + ("b",)': "tags[-1] == 'b'",
    'wandb.run.notes = "n"': "file.of('run_created')[-1]['notes'] == 'n'",
    'wandb.run.log({"loss": 0.5})': "points == [{'step': 0, 'loss': 0.5}]",
    "wandb.run.finish()": "end == ('completed', None, None)",
}
# What a row that gives a value gives.
VALUES = {
    'wandb.login(key="secret")': "got is True",
    "wandb.config.lr": "got == 0.1",
    'wandb.config["lr"]': "got == 0.1",
    'wandb.config.get("momentum", 0.9)': "got == 0.9",
    "dict(wandb.config)": "got == {'lr': 0.1}",
    "wandb.run": "isinstance(got, wandb.Run)",
    "wandb.run.id": "len(got) == 16",
    "wandb.run.name": "got == wandb.run.id",
    "wandb.run.url": "got is None",
    "wandb.run.dir": "os.path.isdir(got) and got == os.path.join(os.getcwd(), 'runfold-files', wandb.run.id)",
    "wandb.run.step": "got == 0",
    "wandb.util.generate_id()": "len(got) == 8",
}
# Rows with a test of their own below.
APART = (
    "wandb.init(reinit=True)",
    'wandb.init(mode="disabled")',
    'wandb.init(dir="out")',
    'wandb.log({"image": wandb.Image("x.png"), "loss": 0.5})',
)

PROGRAM = """
import os, sys
import runfold as wandb
call, check = sys.argv[1:]
if not call.startswith("wandb.init"):
    wandb.init(config={"lr": 0.1}, project="")
if check:
    got = eval(call)
    assert eval(check), repr(got)
else:
    exec(call)
"""


def rows():
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    table = text[text.index("## What is supported") :]
    return re.findall(r"^\| `(.+?)` +\| (.+?) *\|$", table, re.MULTILINE)


@unittest.skipUnless(os.path.isfile(PAGE), "the page is not here: only the client was copied")
class Table(LogTest):
    def test_every_row(self):
        found = rows()
        self.assertGreater(len(found), 70)
        self.assertEqual(len({call for call, _ in found}), len(found))
        known = set(KEPT) | set(VALUES) | set(APART)
        self.assertEqual(known - {call for call, _ in found}, set())
        for call, becomes in found:
            if call in APART:
                continue
            with self.subTest(call):
                self.new_ledger()
                ended = self.run_program(PROGRAM, call, VALUES.get(call, ""))
                self.assertEqual(ended.code, 0, ended.stderr)
                file = self.one_file()
                self.assert_whole(file)
                if becomes == "nothing":
                    self.assertEqual(ended.stderr.count("nothing"), 1, ended.stderr)
                    continue
                self.assertEqual(ended.stderr, "")
                if call in VALUES:
                    continue
                self.assertTrue(becomes.startswith("kept"), becomes)
                config = {}
                for event in file.of("run_created"):
                    config.update(event.get("config", {}))
                results = {}
                for event in file.of("result"):
                    results.update(event["results"])
                apart = ("type", "ts", "seq", "run_id", "attempt", "elapsed_seconds")
                points = [{k: v for k, v in event.items() if k not in apart} for event in file.of("metric")]
                tags = file.of("run_created")[-1].get("tags")
                created, end = file.of("run_created")[0], self.end_of(file)
                names = dict(
                    file=file, created=created, config=config, results=results, points=points, end=end, tags=tags
                )
                self.assertTrue(eval(KEPT[call], names), (KEPT[call], names))

    def test_the_example_of_the_page(self):
        with open(PAGE, encoding="utf-8") as file:
            (source,) = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
        ended = self.run_program(source)
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        file = self.one_file()
        self.assert_whole(file)
        created = file.of("run_created")[0]
        key = [created.get(name) for name in ("dataset", "method", "seed", "cl_info")]
        self.assertEqual(key, ["iris", "mlp", 1, "fold 2"])
        self.assertEqual((created["tags"], len(file.of("metric"))), (["iris", "sweep-3"], 10))
        self.assertEqual(file.of("result")[0]["results"], {"test_acc": 0.93})

    def test_another_init_ends_the_run_before(self):
        source = """
import runfold as wandb
one = wandb.init(project="p", name="1", reinit=True)
two = wandb.init(project="p", name="2", reinit=True)
assert wandb.init(project="p", reinit="return_previous") is two
three = wandb.init(project="p", name="3", reinit="create_new")
two.log({"loss": 1})
"""
        ended = self.run_program(source)
        self.assertEqual(ended.code, 0, ended.stderr)
        file = self.one_file()
        self.assertEqual(len(file.of("run_created")), 3)
        by_run = {}
        for event in file.of("status_changed"):
            by_run.setdefault(event["run_id"], []).append((event["status"], event.get("exit_code")))
        ends = [said[-1] for said in by_run.values()]
        self.assertEqual(ends, [("completed", None), ("completed", 0), ("completed", 0)])
        self.assertEqual(len(file.of("metric")), 1)

    def test_disabled(self):
        source = "import runfold as wandb\nrun = wandb.init(mode='disabled', config={'lr': 1})\nwandb.log({'a': 1})\n"
        ended = self.run_program(
            source + "assert wandb.config.lr == 1 and run.disabled\nwandb.summary['a'] = 1\nwandb.finish()\n"
        )
        self.assertEqual((ended.code, ended.stderr, self.files()), (0, "", []))

    def test_directory(self):
        source = "import runfold as wandb\nwandb.init(project='p', dir='out')\nopen(wandb.run.dir + '/model.pt', 'w')\n"
        self.assertEqual(self.run_program(source).code, 0)
        self.assertEqual(os.listdir(self.work), ["out"])

    def test_pictures_among_the_metrics(self):
        source = "import runfold as wandb\nwandb.init(project='p')\nfor _ in range(3): wandb.log({'image': wandb.Image('x.png'), 'loss': 0.5})\n"
        ended = self.run_program(source)
        self.assertEqual(len(self.one_file().of("metric")), 3)
        self.assertEqual(ended.stderr.count("image is of the kind Image and is left out"), 1)

    def test_the_key_comes_from_the_config(self):
        source = """
import argparse
import runfold as wandb
wandb.config.batch = 32
wandb.init(project="p", config=argparse.Namespace(dataset={"name": "iris"}, model="mlp", seed=3, subject=7))
wandb.config.seed = 4
"""
        ended = self.run_program(source)
        self.assertIn("config.seed comes after init()", ended.stderr)
        created = self.one_file().of("run_created")[0]
        key = [created.get(name) for name in ("dataset", "method", "seed", "subject")]
        self.assertEqual(key, ["iris", "mlp", 3, "7"])
        self.assertEqual(created["config"]["batch"], 32)

    def test_what_is_not_there_says_what_to_do(self):
        source = "import runfold as wandb\ntry:\n    wandb.Api()\nexcept AttributeError as error:\n    print(error)\n"
        self.assertIn("runfold.read()", self.run_program(source).stdout)


FRAMEWORKS = {
    "lightning": ("lightning/pytorch/__init__.py", ""),
    "lightning.pytorch.loggers": ("lightning/pytorch/loggers.py", "class Logger:\n    def __init__(self): pass\n"),
    "lightning.pytorch.utilities": ("lightning/pytorch/utilities.py", "def rank_zero_only(fn): return fn\n"),
    "transformers": ("transformers.py", "class TrainerCallback: pass\n"),
}


class Integrations(LogTest):
    """Against stand-ins that have what the real base classes ask for and give; the real ones are not small."""

    def setUp(self):
        super().setUp()
        for path, text in FRAMEWORKS.values():
            os.makedirs(os.path.dirname(os.path.join(self.work, path)), exist_ok=True)
            with open(os.path.join(self.work, path), "w") as file:
                file.write(text)
        open(os.path.join(self.work, "lightning", "__init__.py"), "w").close()

    def run_here(self, source):
        ended = self.run_program("import sys\nsys.path.insert(0, %r)\n" % self.work + source)
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        file = self.one_file()
        self.assert_whole(file)
        return file

    def test_lightning(self):
        file = self.run_here(
            """
from runfold.integrations import LightningLogger
logger = LightningLogger(dataset="iris", method="mlp", seed=1, config={"lr": 0.1})
logger.log_hyperparams({"layers": 3, "lr": 9})
logger.log_metrics({"loss": 0.5, "epoch": 0.0, "val/acc": 0.5}, step=10)
logger.log_hyperparams({"late": 1})
logger.save()
logger.finalize("success")
assert logger.version == logger.experiment.id and logger.name == "mlp"
"""
        )
        self.assertEqual(file.of("run_created")[0]["config"], {"lr": 0.1, "layers": 3})
        self.assertEqual(file.of("run_created")[1]["config"], {"late": 1})
        (point,) = file.of("metric")
        self.assertEqual((point["epoch"], point["step"], point["loss"]), (0, 10, 0.5))
        self.assertEqual(self.end_of(file), ("completed", 0, None))

    def test_lightning_that_fails(self):
        file = self.run_here(
            """
from runfold.integrations import LightningLogger
logger = LightningLogger(dataset="iris")
logger.log_metrics({"loss": 0.5})
logger.finalize("failed")
"""
        )
        self.assertEqual(self.end_of(file), ("failed", None, None))

    def test_trainer(self):
        file = self.run_here(
            """
from types import SimpleNamespace as N
from runfold.integrations import TrainerCallback
callback = TrainerCallback(dataset="iris", seed=1, config={"mine": 1})
args = N(to_sanitized_dict=lambda: {"learning_rate": 0.1, "hub_token": "hunter2"}, resume_from_checkpoint=None)
state = N(is_world_process_zero=True, global_step=10)
callback.on_train_begin(args, state, None, model=None)
callback.on_log(args, state, None, logs={"loss": 0.5, "epoch": 0.33})
callback.on_log(args, N(is_world_process_zero=False, global_step=11), None, logs={"loss": 0.5})
callback.on_log(args, state, None, logs={"train_runtime": 3.5, "train_loss": 0.4, "epoch": 1.0})
callback.on_train_end(args, state, None)
"""
        )
        config = file.of("run_created")[0]["config"]
        self.assertEqual(config, {"learning_rate": 0.1, "hub_token": "***", "mine": 1})
        (point,) = file.of("metric")
        self.assertEqual((point["epoch"], point["step"], point["loss"]), (0, 10, 0.5))
        self.assertEqual(file.of("result")[0]["results"], {"train_runtime": 3.5, "train_loss": 0.4})

    def test_a_framework_that_is_not_there(self):
        source = "import runfold.integrations\ntry:\n    runfold.integrations.TrainerCallback\nexcept ImportError:\n    print('missing')\n"
        ended = self.run_program(source)
        self.assertEqual((ended.code, ended.stdout), (0, "missing\n"), ended.stderr)


if __name__ == "__main__":
    unittest.main()
