"""The language-neutral cases of conformance/, without Node."""

import json
import os
import unittest

from base import ROOT, LogTest, decoded, runfold

CASES = os.path.join(ROOT, "conformance")
VOLATILE = ("ts", "writer", "origin", "host", "pid", "user", "client", "elapsed_seconds", "code", "attempt")
DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "conformance_driver.py")


def cases(name):
    with open(os.path.join(CASES, name), encoding="utf-8") as file:
        return json.load(file, object_hook=decoded)


def without_nulls(event):
    return {
        name: value
        for name, value in event.items()
        if name not in VOLATILE and value is not None and not (name == "resume" and value is False)
    }


@unittest.skipUnless(os.path.isdir(CASES), "the cases are not here: only the client was copied")
class Conformance(LogTest):
    def test_keys(self):
        for case in cases("keys.json"):
            with self.subTest(case["name"]):
                if case.get("error"):
                    with self.assertRaises(runfold.RunfoldError) as caught:
                        runfold._Key(*case["key"])
                    self.assertEqual(caught.exception.code, "invalid_key")
                else:
                    self.assertEqual(runfold._Key(*case["key"]).run_id(), case["run_id"])

    def test_variants(self):
        for case in cases("cl-info.json"):
            with self.subTest(case["name"]):
                options = {name: case[name] for name in ("variant", "config", "key_from_config") if name in case}
                if case.get("error"):
                    with self.assertRaises(runfold.RunfoldError):
                        runfold.init(dataset="d", method="m", ledger=self.ledger, **options)
                else:
                    run = runfold.init(dataset="d", method="m", ledger=self.ledger, mode="disabled", **options)
                    self.assertEqual(run._key.cl_info, case["cl_info"])

    def test_hostile_texts(self):
        for case in cases("hostile.json"):
            with self.subTest(case["name"]):
                line = runfold._utf8(runfold._quote(case["text"])).decode("utf-8")
                self.assertEqual(json.loads(line), json.loads(case["json"]))

    def test_slurm(self):
        for case in cases("slurm-env.json"):
            with self.subTest(case["name"]):
                self.assertEqual(runfold._slurm_info(case["env"]), case["slurm_info"])

    def test_calls(self):
        names = sorted(os.listdir(os.path.join(CASES, "calls")))
        self.assertGreater(len(names), 20)
        for name in names:
            case = cases(os.path.join("calls", name))
            if "python" in case.get("not_for", ()):
                continue
            with self.subTest(name):
                self.new_ledger()
                with open(os.path.join(CASES, "calls", name), encoding="utf-8") as file:
                    ended = self.run_script(DRIVER, stdin=file.read(), **case.get("env", {}))
                self.assertEqual(ended.code, 0)
                self.assertEqual(ended.stderr.count("\n"), 1 if "says" in case else 0, ended.stderr)
                for part in case.get("says", ()):
                    self.assertIn(part, ended.stderr)
                files = self.files()
                expected = [without_nulls(line) for line in case["lines"]]
                if not expected:
                    self.assertEqual(files, [])
                    continue
                (file,) = files
                self.assertEqual(file.rejected, [])
                self.assertEqual([without_nulls(event) for event in file.events], expected)
                self.assertTrue(file.is_gapless)
                attempts = {file.attempt_of(event) for event in file.events if "run_id" in event}
                self.assertEqual(attempts, {case.get("attempt", *attempts)})


if __name__ == "__main__":
    unittest.main()
