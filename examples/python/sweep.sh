#!/bin/sh
# Trains each method on each data set with each seed, as many at once as there are processors.
#
#   sh sweep.sh                      all of them; SEEDS="1 2" DATASETS=iris METHODS="mlp svm" for some
#   sh sweep.sh list                 prints them instead, one a line, as arguments of train.py
#
# PYTHON is an interpreter that has scikit-learn (default python3), JOBS how many run at once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

list() {
  for dataset in ${DATASETS:-iris wine breast_cancer digits}; do
    for method in ${METHODS:-logistic mlp forest svm}; do
      for seed in ${SEEDS:-1 2 3}; do
        echo "--dataset $dataset --method $method --seed $seed"
      done
    done
  done
}

if [ "${1:-}" = list ]; then
  list
  exit
fi
# the client of this clone; not needed where it is installed
export PYTHONPATH="$here/../../clients/python${PYTHONPATH:+:$PYTHONPATH}"
# before the next line, since nproc looks at it
jobs=${JOBS:-$(nproc)}
# else each of the trainings wants all processors
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
list | xargs -L 1 -P "$jobs" "${PYTHON:-python3}" "$here/train.py"
