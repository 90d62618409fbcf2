"""However a program ends, it ends as it would without logging, and what was flushed is in the log."""

import os
import shutil
import subprocess
import unittest

from base import CLIENT, LogTest, signal, until

BEGIN = """
import os, signal, sys, threading, time
import runfold
run = runfold.init(dataset="iris", method="mlp", seed=1)
run.log({"loss": 1.0}, step=0)
"""


class Ends(LogTest):
    def end(self, rest, **more):
        ended = self.run_program(BEGIN + rest, **more)
        return ended, self.one_file()

    def check(self, rest, code, end, errors=(), closed=True):
        ended, file = self.end(rest)
        self.assertEqual(ended.code, code, ended.stderr)
        self.assertEqual((file.rejected, file.is_gapless, file.is_closed), ([], True, closed))
        self.assertEqual(self.end_of(file), end)
        self.assertEqual([error["exception_type"] for error in file.of("error")], list(errors))
        self.assertEqual(len(file.of("metric")), 1)
        self.assertEqual(self.spooled(), [])
        return ended, file

    def test_runs_to_its_end(self):
        self.check("", 0, ("completed", 0, None))

    def test_finish(self):
        _, file = self.check("run.finish(results={'acc': 0.5})\n", 0, ("completed", None, None))
        self.assertEqual(file.of("result")[0]["results"], {"acc": 0.5})

    def test_sys_exit(self):
        self.check("sys.exit(3)\n", 3, ("failed", 3, None))
        self.new_ledger()
        self.check("sys.exit()\n", 0, ("completed", 0, None))
        self.new_ledger()
        self.check("sys.exit('no data')\n", 1, ("failed", 1, None))
        self.new_ledger()
        self.check("def main():\n    sys.exit(-1)\nmain()\n", 255, ("failed", 255, None))

    def test_a_sys_exit_that_is_caught_ends_nothing(self):
        rest = "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass\n"
        self.check(rest, 0, ("completed", 0, None))
        self.new_ledger()
        self.check(rest + "run.set_status('running')\nsys.exit(4)\n", 4, ("failed", 4, None))

    def test_sys_exit_of_a_thread_ends_the_thread(self):
        rest = "t = threading.Thread(target=sys.exit, args=(5,))\nt.start()\nt.join()\n"
        self.check(rest, 0, ("completed", 0, None))

    def test_logging_while_sys_exit_is_on_its_way(self):
        self.check("try:\n    sys.exit(3)\nfinally:\n    run.set_status('running')\n", 3, ("failed", 3, None))

    def test_raise_system_exit_is_never_guessed_at(self):
        ended, _ = self.check("raise SystemExit(3)\n", 3, ("running", None, None))
        self.assertEqual(ended.stderr.count("stays running"), 1)

    def test_exception(self):
        ended, file = self.check("class Boom(Exception): pass\nraise Boom('x')\n", 1, ("failed", 1, None), ["Boom"])
        self.assertIn("Boom: x", ended.stderr)
        self.assertIn("in <module>", file.of("error")[0]["traceback"])

    def test_the_excepthook_that_was_there_runs_too(self):
        source = "import sys\nsys.excepthook = lambda *_: print('mine')\n" + BEGIN + "1 / 0\n"
        ended = self.run_program(source)
        self.assertEqual((ended.code, ended.stdout), (1, "mine\n"))
        self.assertEqual(self.end_of(self.one_file()), ("failed", 1, None))

    def test_an_excepthook_of_others_that_hides_the_exception(self):
        rest = "sys.excepthook = lambda *_: print('mine')\n1 / 0\n"
        self.check(rest, 1, ("failed", 1, None), ["ZeroDivisionError"])

    def test_exception_of_a_thread_does_not_end_the_run(self):
        rest = "t = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()\n"
        ended, _ = self.check(rest, 0, ("completed", 0, None), ["ZeroDivisionError"])
        self.assertIn("ZeroDivisionError", ended.stderr)

    def test_context_manager(self):
        self.check("with run:\n    1 / 0\n", 1, ("failed", None, None), ["ZeroDivisionError"])
        self.new_ledger()
        self.check("with run:\n    pass\n", 0, ("completed", None, None))
        self.new_ledger()
        self.check("with run:\n    sys.exit(7)\n", 7, ("failed", 7, None))

    def test_keyboard_interrupt(self):
        rest = "os.kill(os.getpid(), signal.SIGINT)\nthreading.Event().wait(60)\n"
        self.check(rest, -signal.SIGINT, ("failed", None, "SIGINT"))

    def test_sigterm(self):
        ended, _ = self.check("os.kill(os.getpid(), signal.SIGTERM)\n", -signal.SIGTERM, ("failed", None, "SIGTERM"))
        self.assertEqual(ended.stderr, "")

    def test_sigterm_with_a_handler_of_the_program(self):
        handler = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: (print('mine'), sys.exit(9)))\n"
        ended = self.run_program(handler + BEGIN + "os.kill(os.getpid(), signal.SIGTERM)\nthreading.Event().wait(60)\n")
        self.assertEqual((ended.code, ended.stdout), (9, "mine\n"))
        self.assertEqual(self.end_of(self.one_file()), ("failed", 9, "SIGTERM"))

    def test_sigterm_that_is_ignored_stays_so(self):
        source = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + BEGIN
        ended = self.run_program(source + "os.kill(os.getpid(), signal.SIGTERM)\n")
        self.assertEqual(ended.code, 0)
        self.assertEqual(self.end_of(self.one_file()), ("completed", 0, None))

    def test_sigterm_while_it_logs(self):
        source = BEGIN + "print('on', flush=True)\nn = 0\nwhile True:\n    n += 1\n    run.log({'n': n})\n"
        for _ in range(5):
            self.new_ledger()
            child = self.start(self.program(source))
            self.assertEqual(child.stdout.readline(), "on\n")
            child.send_signal(signal.SIGTERM)
            self.assertEqual(self.ended(child).code, -signal.SIGTERM)
            file = self.one_file()
            self.assertEqual((file.rejected, file.is_closed), ([], True))
            self.assertEqual(self.end_of(file), ("failed", None, "SIGTERM"))
            values = [point["extra"]["n"] for point in file.of("metric")[1:]]
            self.assertEqual(values, list(range(1, len(values) + 1)))

    def test_other_signals_where_asked(self):
        source = BEGIN.replace("seed=1", "seed=1, signals=['SIGUSR1']") + "os.kill(os.getpid(), signal.SIGUSR1)\n"
        ended = self.run_program(source)
        self.assertEqual(ended.code, -signal.SIGUSR1)
        self.assertEqual(self.end_of(self.one_file()), ("failed", None, "SIGUSR1"))

    def test_sigkill(self):
        child = self.start(self.program(BEGIN + "run.flush()\nprint('on', flush=True)\ntime.sleep(60)\n"))
        self.assertEqual(child.stdout.readline(), "on\n")
        child.kill()
        self.assertEqual(self.ended(child).code, -signal.SIGKILL)
        file = self.one_file()
        self.assertEqual((file.rejected, file.is_gapless, file.is_closed), ([], True, False))
        self.assertEqual((self.end_of(file), len(file.of("metric"))), (("running", None, None), 1))

    def test_sigkill_after_a_second_takes_nothing_that_was_logged_before(self):
        child = self.start(self.program(BEGIN + "print('on', flush=True)\ntime.sleep(60)\n"))
        self.assertEqual(child.stdout.readline(), "on\n")
        until(lambda: self.one_file().of("metric"), "the point is written without a flush")
        child.kill()
        self.ended(child)
        self.assertEqual(self.one_file().rejected, [])

    def test_os_exit_takes_what_was_not_flushed(self):
        self.check("run.flush()\nos._exit(4)\n", 4, ("running", None, None), closed=False)

    def test_what_the_program_logs_at_its_end(self):
        rest = "import atexit\natexit.register(lambda: run.log_results({'last': 1}))\n"
        _, file = self.check(rest, 0, ("completed", 0, None))
        self.assertEqual(file.of("result")[0]["results"], {"last": 1})

    def test_a_finished_run_takes_nothing_more(self):
        ended, _ = self.check("run.finish()\nfor _ in range(9): run.log({'x': 1})\n", 0, ("completed", None, None))
        self.assertEqual(ended.stderr.count("is closed"), 1)

    def test_a_program_without_a_script(self):
        ended = self.ended(self.start("-c", BEGIN.replace('method="mlp", ', "") + "sys.exit(2)"))
        self.assertEqual(ended.code, 2)
        file = self.one_file()
        self.assertEqual(file.of("run_created")[0]["method"], "python")
        self.assertEqual(self.end_of(file), ("failed", 2, None))

    def test_as_a_module(self):
        with open(os.path.join(self.work, "training.py"), "w") as file:
            file.write(BEGIN.replace('method="mlp", ', "") + "sys.exit(2)\n")
        ended = self.ended(self.start("-m", "training", "--lr", "0.1", "--api-key", "hunter2", "--token=hunter2"))
        self.assertEqual(ended.code, 2)
        created = self.one_file().of("run_created")[0]
        self.assertEqual(created["method"], "training")
        self.assertRegex(created["code"]["command"], r"^\S+ -m training --lr 0.1 --api-key \*+ --token=\*+$")
        self.assertEqual(self.end_of(self.one_file()), ("failed", 2, None))

    def test_copied_into_a_project(self):
        shutil.copy(os.path.join(CLIENT, "runfold", "__init__.py"), os.path.join(self.directory, "runfold.py"))
        ended = self.run_program(BEGIN + "assert 'tmp' in runfold.__file__, runfold.__file__\n", PYTHONPATH="")
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        self.assertEqual(self.end_of(self.one_file()), ("completed", 0, None))

    def test_threads(self):
        rest = """
import concurrent.futures
def work(worker):
    for n in range(200):
        run.log({"worker": worker, "n": n})
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    list(pool.map(work, range(16)))
"""
        ended, file = self.end(rest)
        self.assertEqual(ended.code, 0)
        self.assert_whole(file)
        points = file.of("metric")
        self.assertEqual(sorted(point["step"] for point in points), list(range(3201)))
        pairs = {(point["extra"]["worker"], point["extra"]["n"]) for point in points[1:]}
        self.assertEqual(len(pairs), 3200)


class Forks(LogTest):
    def check_children(self, files, parent_points, child_points):
        """The parent's file first: it is made before any child is."""
        parent, children = files[0], files[1:]
        self.assert_whole(parent)
        self.assertEqual(len(parent.of("metric")), parent_points)
        (created,) = parent.of("run_created")
        attempt = parent.attempt_of(created)
        for child in children:
            self.assertEqual((child.rejected, child.is_gapless), ([], True))
            kinds = {event["type"] for event in child.events}
            self.assertLessEqual(kinds, {"writer_opened", "metric", "error", "writer_closed"})
            self.assertEqual({child.attempt_of(event) for event in child.of("metric")}, {attempt})
            self.assertNotEqual(child.header["pid"], parent.header["pid"])
        self.assertEqual(sum(len(child.of("metric")) for child in children), child_points)
        return children

    def test_fork_after_init(self):
        ended = self.run_program(
            BEGIN
            + """
for n in range(1000):
    run.log({"n": n})
pid = os.fork()
if pid == 0:
    run.log({"child": 1})
    run.set_status("failed")
    run.finish()
    sys.exit(3)
_, status = os.waitpid(pid, 0)
run.log({"child_code": os.WEXITSTATUS(status)})
"""
        )
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        files = self.files()
        self.assertEqual(len(self.check_children(files, 1002, 1)), 1)
        self.assertEqual(files[0].of("metric")[-1]["extra"], {"child_code": 3})
        self.assertEqual(self.end_of(files[0]), ("completed", 0, None))

    def test_a_child_that_logs_nothing_makes_no_file(self):
        rest = """
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    os.waitpid(pid, 0)
"""
        self.assertEqual(self.run_program(BEGIN + rest).code, 0)
        self.assert_whole(self.one_file())

    def test_a_child_dies_of_sigterm_as_ever(self):
        ended = self.run_program(
            BEGIN
            + """
pid = os.fork()
if pid == 0:
    if sys.argv[1] == "logs":
        run.log({"child": 1})
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
_, status = os.waitpid(pid, 0)
print(os.WTERMSIG(status))
""",
            "logs",
        )
        self.assertEqual((ended.code, ended.stdout), (0, "15\n"))
        (child,) = self.check_children(self.files(), 1, 1)
        self.assertFalse(child.is_closed)

    def test_a_pool_that_is_ended_by_sigterm(self):
        """As at the end of `with Pool()`: no worker hangs, and what it has logged is there."""
        for _ in range(6):
            self.new_ledger()
            ended = self.run_program(
                "import multiprocessing\n"
                + BEGIN
                + """
def load(job):
    run, shard = job
    run.log({"shard": shard}, step=shard)
    return shard

with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sum(pool.map(load, [(run, shard) for shard in range(4)])))
""",
            )
            self.assertEqual((ended.code, ended.stdout), (0, "6\n"))
            files = self.files()
            self.check_children(files, 1, 4)

    def test_sigterm_while_the_end_is_written(self):
        """The handler does not pass the end by that is under way."""
        ended = self.run_program(
            BEGIN
            + """
for n in range(1000):
    run.log({"n": n})
kills = []
put = runfold._Writer.append
def append(self, kind, *args):
    done = put(self, kind, *args)
    if kind == "writer_closed" and not kills.append(1) and len(kills) == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    return done
runfold._Writer.append = append
"""
        )
        self.assertEqual(ended.code, -15)
        self.assert_whole(self.one_file())
        self.assertEqual(len(self.one_file().of("metric")), 1001)

    def test_fork_while_other_threads_log(self):
        ended = self.run_program(
            BEGIN
            + """
done = threading.Event()
def work():
    while not done.is_set():
        run.log({"thread": 1})
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for n in range(30):
    pid = os.fork()
    if pid == 0:
        run.log({"child": n})
        run.flush()
        os._exit(0)
    os.waitpid(pid, 0)
done.set()
for thread in threads: thread.join()
"""
        )
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        files = self.files()
        self.assertEqual(len(files), 31)
        self.check_children(files, len(files[0].of("metric")), 30)

    def test_pool_of_processes(self):
        for method in ("fork", "spawn"):
            self.new_ledger()
            ended = self.run_program(
                """
import multiprocessing, os, sys
import runfold
def work(task):
    run, n = task
    run.log({"n": n})
    return os.getpid()
if __name__ == "__main__":
    run = runfold.init(dataset="iris", method="mlp", seed=1)
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(3) as pool:
        pool.map(work, [(run, n) for n in range(30)], chunksize=1)
        pool.close()
        pool.join()
""",
                method,
            )
            self.assertEqual((ended.code, ended.stderr), (0, ""), method)
            files = self.files()
            children = self.check_children(files, 0, 30)
            self.assertTrue(all(child.is_closed for child in children), method)
            self.assertEqual(self.end_of(files[0]), ("completed", 0, None))

    def test_runs_of_workers_are_their_own(self):
        ended = self.run_program(
            """
import multiprocessing
import runfold
def fold(n):
    with runfold.init(dataset="iris", method="cv", variant="fold %d" % n) as run:
        run.log({"loss": n})
        if n == 2:
            raise ValueError("fold 2")
runfold.init(dataset="iris", method="whole")
workers = [multiprocessing.get_context("fork").Process(target=fold, args=(n,)) for n in range(4)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print([worker.exitcode for worker in workers])
"""
        )
        self.assertEqual((ended.code, ended.stdout), (0, "[0, 0, 1, 0]\n"))
        files = self.files()
        self.assertEqual(len(files), 5)
        ends = {}
        for file in files:
            self.assert_whole(file)
            ends[file.of("run_created")[0].get("cl_info")] = self.end_of(file)[0]
        self.assertEqual(ends.pop("fold 2"), "failed")
        self.assertEqual(set(ends.values()), {"completed"})

    def test_a_worker_that_does_not_finish_its_run(self):
        ended = self.run_program(
            """
import multiprocessing, sys
import runfold
def fold(how):
    runfold.init(dataset="iris", method="cv", variant=how).log({"loss": 1})
    if how == "exit": sys.exit(3)
    if how == "raise": raise ValueError("x")
for how in ("return", "exit", "raise"):
    worker = multiprocessing.get_context("fork").Process(target=fold, args=(how,))
    worker.start()
    worker.join()
"""
        )
        self.assertEqual(ended.code, 0)
        ends = {}
        for file in self.files():
            self.assert_whole(file)
            ends[file.of("run_created")[0]["cl_info"]] = self.end_of(file)
        expected = {"return": ("completed", 0, None), "exit": ("failed", 3, None), "raise": ("failed", 1, None)}
        self.assertEqual(ends, expected)


class Many(LogTest):
    def test_200_processes_at_once_make_one_log(self):
        """All begin without a log; they wait for a file so that they begin together."""
        go = os.path.join(self.directory, "go")
        source = """
import os, sys, time
import runfold
while not os.path.exists(sys.argv[1]): time.sleep(0.005)
run = runfold.init(dataset="iris", method="mlp", seed=int(sys.argv[2]))
for step in range(20): run.log({"loss": 1 / (step + 1)}, step=step)
run.finish()
"""
        path = self.program(source)
        children = [self.start(path, go, str(seed), RUNFOLD_DIR=None) for seed in range(200)]
        open(go, "w").close()
        said = []
        for child in children:
            ended = self.ended(child)
            self.assertEqual(ended.code, 0, ended.stderr)
            said += [line for line in ended.stderr.split("\n") if line]
        # 200 processes that fsync at once are slow on a small machine
        self.bring_in("\n".join(said))
        said = [line for line in said if "has not answered" not in line and "events are in " not in line]
        self.assertEqual(len(said), 1, said)
        self.assertIn("made a log in " + self.work, said[0])
        self.assertEqual(os.listdir(self.work), [".runfold"])
        files = self.files(os.path.join(self.work, ".runfold"))
        self.assertEqual(len(files), 200)
        for file in files:
            self.assert_whole(file)
            self.assertEqual(len(file.of("metric")), 20)
        self.assertEqual({file.of("run_created")[0]["seed"] for file in files}, set(range(200)))

    def ranks(self, source, count, **more):
        """As torchrun starts them: one agent without a rank, its children with one each."""
        agent = """
import os, subprocess, sys
count = int(sys.argv[2])
children = []
for rank in range(count):
    env = dict(os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count), LOCAL_WORLD_SIZE=str(count),
               TORCHELASTIC_RUN_ID="none", TORCHELASTIC_RESTART_COUNT="0", MASTER_PORT="29500")
    children.append(subprocess.Popen([sys.executable, sys.argv[1]], env=env))
sys.exit(max(child.wait() for child in children))
"""
        return self.run_script(self.program(agent, "agent.py"), self.program(source), str(count), **more)

    def test_8_ranks_give_one_file(self):
        ended = self.ranks(BEGIN, 8)
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        file = self.one_file()
        self.assert_whole(file)
        self.assertEqual((len(file.of("run_created")), len(file.of("metric"))), (1, 1))

    def test_ranks_that_are_independent_are_a_run_each(self):
        source = BEGIN.replace("seed=1", "seed=int(os.environ['RANK'])")
        for source, more in (source, {"RUNFOLD_INDEPENDENT": "1"}), (source.replace('"mlp"', '"mlp", independent=True'), {}):
            self.new_ledger()
            ended = self.ranks(source, 4, **more)
            self.assertEqual((ended.code, ended.stderr), (0, ""))
            files = self.files()
            for file in files:
                self.assert_whole(file)
                self.assertEqual(self.end_of(file), ("completed", 0, None))
            self.assertEqual(sorted(file.of("run_created")[0]["seed"] for file in files), [0, 1, 2, 3])

    def test_all_ranks_and_independent_exclude_each_other(self):
        for arguments, more in ("independent=True", {}), ("tags=[]", {"RUNFOLD_INDEPENDENT": "1"}):
            source = "import runfold\nrunfold.init(all_ranks=True, %s)" % arguments
            ended = self.run_program(source, RANK="1", **more)
            self.assertEqual(ended.code, 1)
            self.assertIn("all_ranks and independent", ended.stderr)
        self.assertEqual(self.files(), [])

    def test_8_ranks_that_all_log_are_one_attempt(self):
        ended = self.ranks(BEGIN.replace("seed=1", "seed=1, all_ranks=True"), 8)
        self.assertEqual((ended.code, ended.stderr), (0, ""))
        files = self.files()
        self.assertEqual(len(files), 8)
        for file in files:
            self.assert_whole(file)
        events = [(file, event) for file in files for event in file.events if "run_id" in event]
        self.assertEqual(len({file.attempt_of(event) for file, event in events}), 1)
        kinds = [event["type"] for _, event in events]
        self.assertEqual((kinds.count("run_created"), kinds.count("metric"), kinds.count("status_changed")), (1, 8, 2))
        first = self.files()[0].header["attempt"]
        self.new_ledger()
        self.assertEqual(self.ranks(BEGIN.replace("seed=1", "seed=1, all_ranks=True"), 2).code, 0)
        self.assertNotEqual(self.files()[0].header["attempt"], first, "another launch is another attempt")


class Trouble(LogTest):
    """The log cannot be written: the training goes on, ends with its own code, and its events are kept."""

    LOOP = BEGIN + "for n in range(50):\n    run.log({'n': n})\nrun.log_results({'acc': 1})\nsys.exit(3)\n"

    def check_spooled(self, ended):
        self.assertEqual(ended.code, 3)
        self.assertEqual(len(self.spooled()), 1, ended.stderr)
        self.assertIn("events are in " + self.spool, ended.stderr)

    def check_arrived(self):
        file = self.one_file()
        self.assertEqual((file.rejected, file.is_gapless, file.is_closed), ([], True, True))
        self.assertEqual(len(file.of("metric")), 51)
        self.assertEqual(self.end_of(file), ("failed", 3, None))

    def test_a_named_log_that_is_not_there_is_never_made(self):
        ledger, self.ledger = self.ledger, os.path.join(self.directory, "not-mounted")
        ended = self.run_program(self.LOOP)
        self.check_spooled(ended)
        self.assertFalse(os.path.exists(self.ledger))
        first = ended.stderr.split("\n")[0]
        self.assertIn("no log at " + self.ledger, first)
        self.assertIn("runfold init " + self.ledger, first)
        shutil.copytree(ledger, self.ledger)
        self.bring_in(ended.stderr)
        self.check_arrived()

    def test_a_log_that_comes_back(self):
        """Like a file system that is mounted late: the spool is brought in by the program itself."""
        away = self.ledger + "-away"
        os.rename(self.ledger, away)
        rest = "print('on', flush=True)\nsys.stdin.readline()\nrun.log({'n': 1})\nrun.finish()\n"
        child = self.start(self.program(BEGIN + rest))
        self.assertEqual(child.stdout.readline(), "on\n")
        until(self.spooled, "events are in the spool")
        os.rename(away, self.ledger)
        until(lambda: not self.spooled(), "the spool is in the log")
        ended = self.ended(child, "\n")
        self.assertEqual(ended.code, 0)
        self.assertIn("nothing was lost", ended.stderr)
        self.assert_whole(self.one_file())

    @unittest.skipIf(os.getuid() == 0 and not shutil.which("setpriv"), "root may write anywhere")
    def test_a_log_that_may_not_be_written(self):
        os.chmod(self.ledger, 0o555)
        os.chmod(os.path.join(self.ledger, "events"), 0o555)
        if os.getuid() != 0:
            return self.check_read_only(self.run_program(self.LOOP))
        for folder in (self.directory, self.temporary, self.work):
            os.chmod(folder, 0o777)
        path = self.program(self.LOOP)
        drop = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
        python = os.path.realpath("/usr/bin/python3")
        self.spool = os.path.join(self.temporary, "runfold-spool-65534")
        copy = os.path.join(self.directory, "client")
        shutil.copytree(os.path.join(CLIENT, "runfold"), os.path.join(copy, "runfold"))
        child = self.start(*drop, python, path, python=shutil.which("setpriv"))
        environment = dict(PYTHONPATH=copy)
        child.kill()
        child.wait()
        child = subprocess.Popen(
            [shutil.which("setpriv"), *drop, python, path],
            env=dict(self.environment(), **environment),
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.children.append(child)
        self.check_read_only(self.ended(child))

    def check_read_only(self, ended):
        self.check_spooled(ended)
        self.assertIn("Permission denied", ended.stderr)
        self.assertEqual(self.files(), [])
        os.chmod(os.path.join(self.ledger, "events"), 0o755)
        self.bring_in(ended.stderr)
        self.check_arrived()

    def test_nothing_at_all_can_be_written(self):
        self.ledger = os.path.join(self.directory, "not-mounted")
        ended = self.run_program(self.LOOP, TMPDIR="/proc/nothing")
        self.assertEqual(ended.code, 3)
        self.assertIn("57 events are lost", ended.stderr)

    @unittest.skipUnless(os.getuid() == 0 and shutil.which("mount"), "only root can mount a small disk")
    def test_disk_full(self):
        """A disk of 64 KiB fills, and is given room again while the program runs."""
        small = os.path.join(self.directory, "small")
        os.mkdir(small)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], stderr=subprocess.PIPE)
        if mounted.returncode != 0:
            self.skipTest("mount is refused here: " + mounted.stderr.decode())
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        self.ledger = os.path.join(small, "log")
        from base import runfold

        runfold._make_ledger(self.ledger)
        rest = """
for n in range(2000):
    run.log({"n": n})
print("on", flush=True)
sys.stdin.readline()
sys.exit(3)
"""
        child = self.start(self.program(BEGIN + rest))
        self.assertEqual(child.stdout.readline(), "on\n")
        line = child.stderr.readline()
        self.assertIn("cannot write " + self.ledger, line)
        subprocess.run(["mount", "-o", "remount,size=4m", small], check=True)
        ended = self.ended(child, "\n")
        self.assertEqual(ended.code, 3)
        self.assertIn("nothing was lost", ended.stderr)
        (file,) = self.files()
        self.assertLessEqual(len(file.rejected), 1, "at most the torn line")
        self.assertTrue(file.is_gapless and file.is_closed)
        self.assertEqual(len(file.of("metric")), 2001)
        self.assertEqual(self.spooled(), [])

    HANG = """
import os, threading
real = getattr(os, {call!r})
hangs, never = threading.Event(), threading.Event()
def hang(*arguments, **more):
    on_log = {on_log}
    if on_log and {when}:
        hangs.set()
        never.wait()
    return real(*arguments, **more)
os.{call} = hang
"""

    def hanging(self, call, on_log, when, rest):
        injected = self.HANG.format(call=call, on_log=on_log, when=when)
        ended = self.run_program(injected + BEGIN + rest)
        self.check_spooled(ended)
        self.assertEqual(ended.stderr.count("has not answered for"), 1, ended.stderr)
        return ended

    def test_a_log_that_hangs_when_it_is_opened(self):
        on_log = "str(arguments[0]).endswith('ledger.json')"
        ended = self.hanging("open", on_log, "True", self.LOOP[len(BEGIN) :])
        self.bring_in(ended.stderr)
        self.check_arrived()

    def test_a_log_that_hangs_when_it_is_written(self):
        on_log = "threading.current_thread().name == 'runfold' and len(arguments[1]) < 100000"
        ended = self.hanging("write", on_log, "True", self.LOOP[len(BEGIN) :])
        self.bring_in(ended.stderr)
        self.check_arrived()

    def test_a_log_that_hangs_in_fsync(self):
        on_log = "threading.current_thread().name == 'runfold'"
        rest = "run.flush()\nnow = True\n" + self.LOOP[len(BEGIN) :]
        ended = self.hanging("fsync", on_log, "'now' in globals()", rest)
        self.bring_in(ended.stderr)
        self.check_arrived()

    def test_a_log_that_hangs_on_sigterm(self):
        on_log = "threading.current_thread().name == 'runfold'"
        injected = self.HANG.format(call="fsync", on_log=on_log, when="True")
        ended = self.run_program(injected + BEGIN + "os.kill(os.getpid(), signal.SIGTERM)\n")
        self.assertEqual(ended.code, -signal.SIGTERM)
        self.bring_in(ended.stderr)
        self.assertEqual(self.end_of(self.one_file()), ("failed", None, "SIGTERM"))

    def test_much_is_logged_while_it_hangs(self):
        """More than memory may hold: what does not fit goes to the spool while the program runs."""
        on_log = "threading.current_thread().name == 'runfold'"
        rest = """
hangs.wait()
text = {("metric %03d" % n): 0.123456789 for n in range(400)}
while not run._writer._is_stuck(1.0): time.sleep(0.01)
for n in range(1500):
    run.log(text, step=n)
    time.sleep(0.0005)
sys.exit(3)
"""
        ended = self.hanging("fsync", on_log, "True", rest)
        self.assertNotIn("lost", ended.stderr)
        self.bring_in(ended.stderr)
        file = self.one_file()
        self.assertEqual(sorted(point["step"] for point in file.of("metric")[1:]), list(range(1500)))
        self.assertTrue(file.is_gapless)

    def test_a_failing_fsync_loses_nothing(self):
        """EIO once: the file is opened anew and everything since the last good fsync written again."""
        injected = """
import os, errno, threading
real, calls = os.fsync, []
def fsync(fd):
    if threading.current_thread().name == 'runfold':
        calls.append(fd)
        if len(calls) == 6: raise OSError(errno.EIO, "Input/output error")
    return real(fd)
os.fsync = fsync
"""
        ended = self.run_program(injected + BEGIN + "for n in range(5):\n    run.log_results({'n': n})\n")
        self.assertEqual(ended.code, 0)
        self.assertIn("nothing was lost", ended.stderr)
        file = self.one_file()
        self.assert_whole(file)
        self.assertGreater(file.repeats, 0)
        self.assertEqual(len(file.of("result")), 5)

    def test_short_writes(self):
        injected = """
import os, threading
real, count = os.write, [0]
def write(fd, data):
    if threading.current_thread().name == 'runfold':
        count[0] += 1
        if count[0] in (2, 3, 5): return real(fd, data[: len(data) // 2])
    return real(fd, data)
os.write = write
"""
        source = (
            injected
            + BEGIN
            + "for n in range(4):\n    run.log_results({'n': n})\n    while not run.flush(): time.sleep(0.01)\n"
        )
        ended = self.run_program(source)
        self.assertEqual(ended.code, 0, ended.stderr)
        file = self.one_file()
        self.assertTrue(file.is_gapless and file.is_closed)
        self.assertEqual(len(file.of("result")), 4)
        self.assertGreater(len(file.rejected), 0, "torn lines are lines by themselves")


if __name__ == "__main__":
    unittest.main()
