"""Trains one method of scikit-learn on one of its data sets, and logs the curve.

    python3 train.py --dataset iris --method mlp --seed 1
"""

import argparse
import sys

from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import runfold

METHODS = {
    "logistic": (SGDClassifier, {"loss": "log_loss", "alpha": 0.001}, 20),
    "mlp": (MLPClassifier, {"hidden_layer_sizes": 32, "batch_size": 16, "learning_rate_init": 0.01}, 20),
    "forest": (RandomForestClassifier, {"min_samples_leaf": 2, "warm_start": True}, 20),  # two more trees an epoch
    "svm": (SVC, {"C": 1.0, "probability": True}, 1),  # all at once: a curve of one point
}
parser = argparse.ArgumentParser()
parser.add_argument("--dataset", choices=["iris", "wine", "breast_cancer", "digits"], required=True)
parser.add_argument("--method", choices=METHODS, required=True)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()

x, y = getattr(datasets, f"load_{args.dataset}")(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=args.seed, stratify=y)
x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=args.seed, stratify=y)
scaler = StandardScaler().fit(x)
x, x_val, x_test = scaler.transform(x), scaler.transform(x_val), scaler.transform(x_test)

make, config, epochs = METHODS[args.method]
model = make(random_state=args.seed, **config)
run = runfold.init(dataset=args.dataset, method=args.method, seed=args.seed, config={**config, "epochs": epochs})
best_val = test_accuracy = 0.0
for epoch in range(1, epochs + 1):
    if hasattr(model, "partial_fit"):
        model.partial_fit(x, y, classes=sorted(set(y)))
    else:
        model.n_estimators = 2 * epoch
        model.fit(x, y)
    loss, guess = log_loss(y, model.predict_proba(x)), model.predict(x_val)
    val, f1 = accuracy_score(y_val, guess), f1_score(y_val, guess, average="macro")
    run.log({"loss": loss, "f1": f1, "val/acc": val}, epoch=epoch)
    if val > best_val:  # the test score is that of the best validation score, never the best test score
        best_val, test_accuracy = val, accuracy_score(y_test, model.predict(x_test))
run.finish(results={"test_accuracy": test_accuracy})
# one write, where print may make several: the lines of trainings that share an output stay whole
sys.stdout.write(
    f"{args.dataset} {args.method} {args.seed} epoch {epoch} loss {loss} test_accuracy {test_accuracy}\n"
)
