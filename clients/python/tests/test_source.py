"""The client as a file: for Python 3.8, without dependencies, quick to import, typed."""

import ast
import os
import re
import shutil
import subprocess
import sys
import unittest

from base import CLIENT, LogTest

# Of the standard library, what came after 3.8, as (module or anything, name).
NEWER = {
    "removeprefix", "removesuffix", "cache", "lcm", "nextafter", "ulp", "pairwise", "batched", "to_thread", "zoneinfo",
    "tomllib", "graphlib", "is_relative_to", "with_stem", "randbytes", "orig_argv", "stdlib_module_names", "bit_count",
    "exception", "add_note", "ExceptionGroup", "BaseExceptionGroup", "aiter", "anext", "StrEnum", "UTC", "hash_file",
    "file_digest", "setprofile_all_threads", "KW_ONLY", "ParamSpec", "TypeAlias", "Self", "root_dir", "EncodingWarning",
    "get_annotations", "monitoring", "TypeAliasType", "unparse", "indent_tree", "delete_on_close",
}  # fmt: skip
OWN = ("runfold",)
FRAMEWORKS = ("lightning", "pytorch_lightning", "transformers", "pandas")


def sources():
    folder = os.path.join(CLIENT, "runfold")
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".py")]


class Source(LogTest):
    def test_python_3_8_can_parse_it(self):
        self.assertEqual(len(sources()), 2)
        for path in sources() + [
            os.path.join(CLIENT, "tests", name)
            for name in os.listdir(os.path.join(CLIENT, "tests"))
            if name.endswith(".py")
        ]:
            with open(path, encoding="utf-8") as file:
                ast.parse(file.read(), path, feature_version=(3, 8))

    def test_nothing_is_asked_of_the_library_that_is_newer(self):
        for path in sources():
            with open(path, encoding="utf-8") as file:
                tree = ast.parse(file.read(), path)
            for node in ast.walk(tree):
                name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
                self.assertNotIn(name, NEWER, "%s:%d" % (path, getattr(node, "lineno", 0)))
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    self.assertIn("future", ast.dump(tree), "annotations are not evaluated")

    def test_no_dependencies(self):
        known = getattr(sys, "stdlib_module_names", None)
        if known is None:
            self.skipTest("only newer releases of Python list their modules")
        for path in sources():
            with open(path, encoding="utf-8") as file:
                tree = ast.parse(file.read(), path)
            for node in ast.walk(tree):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) else []
                for name in names:
                    self.assertIn(name.split(".")[0], set(known) | set(OWN), path)

    def test_import_takes_little_along(self):
        code = "import sys; before = set(sys.modules); import runfold; print(' '.join(set(sys.modules) - before))"
        ended = self.ended(self.start("-c", code))
        self.assertEqual(ended.code, 0, ended.stderr)
        heavy = {
            "subprocess",
            "sqlite3",
            "typing",
            "dataclasses",
            "hashlib",
            "logging",
            "asyncio",
            "socket",
            "traceback",
            "inspect",
            "tempfile",
            "multiprocessing",
            "urllib.parse",
        }
        self.assertEqual(heavy & set(ended.stdout.split()), set())

    def test_import_does_nothing_to_the_program(self):
        code = "import signal, sys; hook, end = sys.excepthook, sys.exit; import runfold; assert (hook, end) == (sys.excepthook, sys.exit); assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL; runfold.log({'x': 1})"
        ended = self.ended(self.start("-c", code))
        self.assertEqual(ended.code, 0, ended.stderr)
        self.assertIn("call runfold.init() first", ended.stderr)
        self.assertEqual(self.files(), [])

    def test_the_example_of_the_readme(self):
        with open(os.path.join(CLIENT, "README.md"), encoding="utf-8") as file:
            source = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)[0]
        ended = self.run_program(source)
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        file = self.one_file()
        self.assert_whole(file)
        self.assertEqual((len(file.of("metric")), file.of("result")[0]["results"]), (10, {"test_acc": 0.93}))

    def test_types(self):
        mypy = shutil.which("mypy")
        if mypy is None:
            self.skipTest("mypy is not installed")
        done = subprocess.run([mypy, "--config-file", "pyproject.toml", "--cache-dir", os.path.join(self.directory, "mypy")], cwd=CLIENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
