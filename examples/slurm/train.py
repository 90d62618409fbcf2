"""Softmax regression on one of ../data, in plain Python: one cell of the sweep.

    python3 train.py --dataset iris --method momentum --seed 1
"""

import argparse
import csv
import math
import os
import pathlib
import pickle
import random
import signal
import sys

import runfold

parser = argparse.ArgumentParser()
parser.add_argument("--dataset", required=True)
parser.add_argument("--method", choices=["sgd", "momentum", "adagrad"], required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--copies", type=int, default=1, help="noisy copies of each row, kept in memory")
parser.add_argument("--checkpoint", type=pathlib.Path, help="SIGUSR1 saves it and ends; go on from it where it exists")
args = parser.parse_args()
rng = random.Random(args.seed)

data = pathlib.Path(__file__).parent.parent / "data" / f"{args.dataset}.csv"
rows = [([float(x) for x in row[:-1]], row[-1]) for row in list(csv.reader(data.open()))[1:]]
labels = sorted({label for _, label in rows})
means, spreads = zip(*((sum(c) / len(c), (max(c) - min(c)) / 4 or 1) for c in zip(*(x for x, _ in rows))))
rows = [([(v - m) / s for v, m, s in zip(x, means, spreads)] + [1.0], labels.index(label)) for x, label in rows]
rng.shuffle(rows)
test, train = rows[: len(rows) // 5], rows[len(rows) // 5 :]
train = [([v + rng.gauss(0, 0.1 * copy) for v in x], y) for copy in range(args.copies) for x, y in train]
weights = [[0.0] * len(rows[0][0]) for _ in labels]
memory = [[0.0] * len(rows[0][0]) for _ in labels]
done, is_told_to_stop = 0, False
if args.checkpoint and args.checkpoint.exists():
    done, weights, memory = pickle.loads(args.checkpoint.read_bytes())


def stop(*_):
    global is_told_to_stop
    is_told_to_stop = True


signal.signal(signal.SIGUSR1, stop)


def scores(x):
    logits = [sum(w * v for w, v in zip(row, x)) for row in weights]
    powers = [math.exp(logit - max(logits)) for logit in logits]
    return [power / sum(powers) for power in powers]


run = runfold.init(dataset=args.dataset, method=args.method, seed=args.seed, config=vars(args), resume=done > 0)
for epoch in range(done + 1, args.epochs + 1):
    loss = 0.0
    for x, y in rng.sample(train, len(train)):
        p = scores(x)
        loss -= math.log(p[y] + 1e-12) / len(train)
        for k, row in enumerate(weights):
            for i, v in enumerate(x):
                slope = (p[k] - (k == y)) * v
                if args.method == "momentum":
                    memory[k][i] = slope = 0.9 * memory[k][i] + 0.1 * slope
                elif args.method == "adagrad":
                    memory[k][i] += slope * slope
                    slope /= math.sqrt(memory[k][i]) + 1e-8
                row[i] -= args.lr * slope
    run.log({"loss": loss}, epoch=epoch)
    if is_told_to_stop and args.checkpoint:
        draft = args.checkpoint.with_suffix(".draft")
        draft.write_bytes(pickle.dumps((epoch, weights, memory)))
        os.replace(draft, args.checkpoint)
        sys.exit(75)  # not done, to be tried again
accuracy = sum(max(range(len(labels)), key=scores(x).__getitem__) == y for x, y in test) / len(test)
run.finish(results={"test_accuracy": accuracy})
print(f"{args.dataset} {args.method} {args.seed}: test accuracy {accuracy:.3f}")
