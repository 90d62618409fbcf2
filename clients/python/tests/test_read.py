"""runfold.read(), on a database with the tables of docs/schema.md."""

import math
import os
import re
import unittest

from base import ROOT, LogTest, runfold

try:
    import sqlite3
except ImportError:
    sqlite3 = None

SCHEMA = os.path.join(ROOT, "src", "db", "schema.ts")


def schema():
    with open(SCHEMA, encoding="utf-8") as file:
        return "\n".join(re.findall(r"CREATE (?:TABLE|UNIQUE INDEX|INDEX) [^;`]+;", file.read()))


@unittest.skipUnless(sqlite3 is not None and os.path.isfile(SCHEMA), "without sqlite3 or the schema beside the client")
class Reading(LogTest):
    def make(self, path):
        db = sqlite3.connect(path)
        tables = schema()
        self.assertIn("CREATE TABLE run_metrics", tables)
        db.executescript(tables)
        db.execute("PRAGMA application_id = %d" % 0x72756E66)
        db.execute("PRAGMA user_version = %d" % runfold._SCHEMA_VERSION)

        def insert(table, **values):
            names = ", ".join('"%s"' % name for name in values)
            marks = ", ".join("?" * len(values))
            db.execute("INSERT INTO %s (%s) VALUES (%s)" % (table, names, marks), tuple(values.values()))

        ts = "2026-11-23T10:00:00.000Z"
        insert("experiment_runs", run_id="r1", experiment_number=1, dataset="iris", method="mlp", seed=1, status="completed",
               config='{"lr":0.1}', tags='["a"]', hidden=0, attempt_count=2, created_at=ts)  # fmt: skip
        insert("experiment_runs", run_id="r2", experiment_number=1, dataset="iris", method="cnn", seed=1, status="failed",
               config="{}", tags="[]", hidden=1, attempt_count=1, created_at=ts)  # fmt: skip
        insert(
            "run_results",
            run_id="r1",
            best_loss=0.1,
            points=3,
            results='{"acc":0.9}',
            extra='{"acc":{"min":1,"max":1,"final":1}}',
        )
        insert(
            "run_errors",
            run_id="r2",
            writer="W",
            seq=5,
            ts=ts,
            attempt="a",
            exception_type="E",
            message="m",
            traceback="t",
        )
        insert("slurm_jobs", run_id="r2", job_id="7", restart_count=0, attempt="a", state="FAILED")
        # two attempts, the second resumed at step 2; and an earlier one that is out of the view
        for position, attempt, resume, in_view in ((0, "old", 0, 0), (1, "first", 0, 1), (2, "second", 1, 1)):
            insert("_attempts", run_id="r1", position=position, attempt=attempt, resume=resume, in_view=in_view,
                   created_at=ts, status="completed", config="{}")  # fmt: skip
        for writer, attempt, cut in (("W3", "old", None), ("W2", "first", 2), ("W1", "second", None)):
            insert(
                "_series",
                run_id="r1",
                writer=writer,
                attempt=attempt,
                is_default=1,
                min_step=0,
                cut_step=cut,
                summary="{}",
            )
        point = dict(run_id="r1", ts=ts, elapsed_seconds=1.5)
        insert("run_metrics", writer="W3", seq=1, step=0, loss=9.0, **point)
        for seq, step, loss in ((1, 0, 0.5), (2, 1, 0.4), (3, 2, 0.3), (4, 3, 0.2)):
            insert("run_metrics", writer="W2", seq=seq, step=step, loss=loss, **point)
        insert("run_metrics", writer="W1", seq=1, step=2, loss=None, extra='{"acc":0.5}',
               nonfinite='{"loss":"NaN","extra.grad":"Infinity"}', **point)  # fmt: skip
        db.commit()
        db.close()

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "a b?.db")
        self.make(self.path)

    def test_runs(self):
        with runfold.read(self.path) as db:
            (run,) = db.runs()
            self.assertEqual((run["run_id"], run["config"], run["tags"]), ("r1", {"lr": 0.1}, ["a"]))
            self.assertEqual((run["best_loss"], run["results"]), (0.1, {"acc": 0.9}))
            self.assertEqual(len(db.runs(hidden=True)), 2)
            self.assertEqual(db.results()[0]["extra"], {"acc": {"min": 1, "max": 1, "final": 1}})

    def test_metrics(self):
        with runfold.read(self.path) as db:
            points = db.metrics("r1")
            self.assertEqual(
                [(point["attempt"], point["step"]) for point in points], [("first", 0), ("first", 1), ("second", 2)]
            )
            last = points[-1]
            self.assertTrue(math.isnan(last["loss"]))
            self.assertEqual((last["acc"], last["grad"]), (0.5, math.inf))
            every = db.metrics("r1", view="all")
            self.assertEqual([point["superseded"] for point in every], [True, False, False, True, True, False])
            self.assertEqual([point["step"] for point in db.metrics(names=["acc"])], [2])
            long = db.metrics(["r1"], names=["acc", "grad"], long=True)
            self.assertEqual([(row["metric"], row["value"]) for row in long], [("acc", 0.5), ("grad", math.inf)])
            self.assertEqual(db.metrics("nobody"), [])

    def test_metrics_that_are_named_as_columns_are(self):
        db = sqlite3.connect(self.path)
        db.execute(
            "UPDATE run_metrics SET extra = ?, nonfinite = ? WHERE writer = 'W1'",
            ('{"loss":7,"run_id":3,"epoch":0.33,"extra.x":1}', '{"loss":"NaN","extra.f1":"Infinity"}'),
        )
        db.commit()
        db.close()
        with runfold.read(self.path) as db:
            points = db.metrics("r1")
            self.assertEqual({point["run_id"] for point in points}, {"r1"})
            last = points[-1]
            self.assertTrue(math.isnan(last["loss"]))
            self.assertEqual(last["epoch"], None)
            named = [last["extra." + name] for name in ("loss", "run_id", "epoch", "extra.x", "f1")]
            self.assertEqual(named, [7, 3, 0.33, 1, math.inf])
            self.assertEqual(len(db.metrics("r1", names=["extra.loss"])), 1)

    def test_the_version_is_that_of_the_schema(self):
        with open(SCHEMA, encoding="utf-8") as file:
            (version,) = re.findall(r"SCHEMA_VERSION = (\d+)", file.read())
        self.assertEqual(int(version), runfold._SCHEMA_VERSION)

    def test_the_rest(self):
        with runfold.read(self.path) as db:
            self.assertEqual(db.errors()[0]["message"], "m")
            self.assertEqual(db.errors("r1"), [])
            self.assertEqual(db.slurm_jobs("r2")[0]["state"], "FAILED")
            (row,) = db.sql("SELECT count(*) AS n FROM run_metrics WHERE step > ?", (1,))
            self.assertEqual((row["n"], row[0]), (3, 3))
            with self.assertRaises(runfold.RunfoldError) as caught:
                db.sql("SELECT nothing FROM nowhere")
            self.assertEqual(caught.exception.code, "query_failed")
            with self.assertRaises(runfold.RunfoldError):
                db.sql("DELETE FROM run_metrics")

    def test_frames(self):
        try:
            import pandas  # noqa: F401
        except ImportError:
            with runfold.read(self.path) as db, self.assertRaises(runfold.RunfoldError) as caught:
                db.runs(as_frame=True)
            self.assertIn("pandas", str(caught.exception))
            return
        with runfold.read(self.path) as db:
            self.assertEqual(list(db.metrics("r1", as_frame=True)["step"]), [0, 1, 2])
            self.assertEqual(list(db.runs(as_frame=True)["run_id"]), ["r1"])
            self.assertEqual(db.sql("SELECT 1 AS one", as_frame=True)["one"][0], 1)

    def code_of(self, *arguments, **more):
        with self.assertRaises(runfold.RunfoldError) as caught:
            runfold.read(*arguments, **more)
        return caught.exception.code, str(caught.exception)

    def test_where_it_is(self):
        os.environ["RUNFOLD_DB"] = self.path
        self.assertEqual(runfold.read().path, self.path)
        del os.environ["RUNFOLD_DB"]
        code, text = self.code_of(ledger=self.ledger)
        self.assertEqual(code, "database_missing")
        self.assertIn("runfold sync", text)
        snapshot = os.path.join(self.ledger, "snapshot.db")
        self.make(snapshot)
        os.environ["RUNFOLD_DIR"] = self.ledger
        with runfold.read() as db:
            self.assertEqual((db.path, len(db.runs())), (snapshot, 1))
        ledger_id = runfold._read_ledger(self.ledger)
        default = "/var/tmp/runfold-%d/%s.db" % (os.getuid(), ledger_id)
        os.makedirs(os.path.dirname(default), 0o700, exist_ok=True)
        self.make(default)
        self.addCleanup(os.unlink, default)
        with runfold.read() as db:
            self.assertEqual(db.path, default)

    def test_what_is_no_database(self):
        self.assertEqual(self.code_of(os.path.join(self.directory, "none.db"))[0], "database_missing")
        self.assertEqual(self.code_of(ledger=self.directory)[0], "ledger_not_found")
        other = os.path.join(self.directory, "other.db")
        with open(other, "wb") as file:
            file.write(b"no database at all" * 100)
        self.assertEqual(self.code_of(other)[0], "database_corrupt")
        db = sqlite3.connect(self.path)
        db.execute("PRAGMA user_version = 99")
        db.close()
        self.assertEqual(self.code_of(self.path)[0], "database_newer")


if __name__ == "__main__":
    unittest.main()
