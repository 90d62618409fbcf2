"""One way of writing metrics from Python: how long each call takes, as JSON of microseconds."""

import json
import logging
import math
import os
import sys
import time

way, calls, warm_up, directory, client = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
sys.path.insert(0, client)


def metrics_of(step):
    loss = 1 / (1 + step * 0.001) + math.sin(step) * 0.05
    return {
        "loss": loss,
        "f1": 1 - loss * 0.8,
        "gpu_memory_mb": 10240.5 + step % 64,
        "val/loss": loss * 1.1,
        "lr": 0.001 / (1 + step),
    }


def runfold_log():
    import runfold

    run = runfold.init(dataset="bench", method=way)
    return lambda metrics, step: run.log(metrics, step=step)


def logging_to_a_file():
    logger = logging.getLogger("bench")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler(os.path.join(directory, "logging-%d.log" % os.getpid()))
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    return lambda metrics, step: logger.info("step %d %s", step, metrics)


def json_dumps():
    return lambda metrics, step: json.dumps(dict(metrics, step=step))


MAKERS = {"log": runfold_log, "paced": runfold_log, "logging": logging_to_a_file, "dumps": json_dumps}
log = MAKERS[way]()
times = []
for step in range(warm_up + calls):
    metrics = metrics_of(step)
    began = time.perf_counter()
    log(metrics, step)
    ended = time.perf_counter()
    if step >= warm_up:
        times.append((ended - began) * 1e6)
    if way == "paced":
        time.sleep(0.002)
timer = []
for _ in range(1000):
    began = time.perf_counter()
    timer.append((time.perf_counter() - began) * 1e6)
overhead = sorted(timer)[500]
times.sort()
figures = {
    "median": times[len(times) // 2] - overhead,
    "p99": times[int(len(times) * 0.99)] - overhead,
    "max": times[-1] - overhead,
    "mean": sum(times) / len(times) - overhead,
}
print(json.dumps(figures))
