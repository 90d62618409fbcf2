# Softmax regression by stochastic gradient descent on a CSV file whose last column is the label. One part in five,
# chosen by the seed, is for the test. Prints "epoch <n> <loss> <accuracy>" for each epoch, then "result <accuracy>".

BEGIN {
  FS = ","
  if (lr !~ /^[0-9]*\.?[0-9]+$/ || lr <= 0) {
    print "softmax.awk: lr must be a positive number, not " lr >"/dev/stderr"
    failed = 2
    exit failed
  }
  state = seed + 1
}

FNR > 1 {
  rows++
  features = NF - 1
  for (j = 1; j <= features; j++) x[rows, j] = $j
  if (!($NF in class)) class[$NF] = ++classes
  label[rows] = class[$NF]
}

END {
  if (failed) exit failed
  if (rows == 0) {
    print "softmax.awk: no rows in " FILENAME >"/dev/stderr"
    exit 3
  }
  for (i = 1; i <= rows; i++) order[i] = i
  shuffle(rows)
  train = rows - int(rows / 5)
  standardize()
  for (epoch = 1; epoch <= epochs; epoch++) {
    shuffle(train)
    loss = 0
    for (i = 1; i <= train; i++) loss += step(order[i])
    printf "epoch %d %.6f %.6f\n", epoch, loss / train, accuracy(1, train)
    fflush()
  }
  printf "result %.6f\n", accuracy(train + 1, rows)
}

# The same numbers in every awk: rand() is not.
function random() {
  state = (state * 16807) % 2147483647
  return state / 2147483647
}

function shuffle(n,  i, k, kept) {
  for (i = n; i > 1; i--) {
    k = int(random() * i) + 1
    kept = order[i]
    order[i] = order[k]
    order[k] = kept
  }
}

# By mean and deviation of what is trained on.
function standardize(  i, j, sum, squares, mean, deviation) {
  for (j = 1; j <= features; j++) {
    sum = squares = 0
    for (i = 1; i <= train; i++) {
      sum += x[order[i], j]
      squares += x[order[i], j] ^ 2
    }
    mean = sum / train
    deviation = squares / train - mean ^ 2
    deviation = deviation > 1e-12 ? sqrt(deviation) : 1
    for (i = 1; i <= rows; i++) x[i, j] = (x[i, j] - mean) / deviation
  }
}

# The probabilities of the classes for a row -> p. Returns the likeliest class.
function predict(row,  c, j, top, sum) {
  for (c = 1; c <= classes; c++) {
    p[c] = w[c, 0]
    for (j = 1; j <= features; j++) p[c] += w[c, j] * x[row, j]
    if (c == 1 || p[c] > p[top]) top = c
  }
  sum = 0
  for (c = 1; c <= classes; c++) if (c != top) sum += p[c] = exp(p[c] - p[top])
  p[top] = 1
  sum += 1
  for (c = 1; c <= classes; c++) p[c] /= sum
  return top
}

function step(row,  c, j, slope) {
  predict(row)
  for (c = 1; c <= classes; c++) {
    slope = lr * (p[c] - (c == label[row]))
    w[c, 0] -= slope
    for (j = 1; j <= features; j++) w[c, j] -= slope * x[row, j]
  }
  return -log(p[label[row]] > 1e-12 ? p[label[row]] : 1e-12)
}

function accuracy(first, last,  i, right) {
  for (i = first; i <= last; i++) right += predict(order[i]) == label[order[i]]
  return right / (last - first + 1)
}
