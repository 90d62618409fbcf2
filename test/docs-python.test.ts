// docs/python.md, played from its first block to its last.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { partsOf, readDocument, ROOT } from './helpers/documents.ts';
import { Home } from './helpers/home.ts';
import { playNotebook } from './helpers/notebook.ts';
import { pythonWith } from './helpers/python.ts';

const PAGE = readDocument('docs/python.md');
const PYTHON = pythonWith('sqlite3');
const WITH_PANDAS = pythonWith('sqlite3', 'pandas');
/** The whole page is some forty processes. */
const LIMIT_MS = 600_000;

/** They call what the real ones call; those are too large for this. */
const STAND_INS: Readonly<Record<string, string>> = {
  'lightning/__init__.py': '',
  'lightning/pytorch/__init__.py': `
class Trainer:
    def __init__(self, max_epochs, logger):
        self.max_epochs, self.logger = max_epochs, logger
    def fit(self, model):
        self.logger.log_hyperparams({"lr": 0.1})
        for epoch in range(self.max_epochs):
            self.logger.log_metrics({"loss": 1 / (epoch + 1), "epoch": float(epoch)}, step=10 * epoch)
        self.logger.finalize("success")
`,
  'lightning/pytorch/loggers.py': 'class Logger:\n    pass\n',
  'lightning/pytorch/utilities.py': 'def rank_zero_only(call): return call\n',
  'lightning/pytorch/demos/boring_classes.py': 'class BoringModel: pass\n',
  'my_task.py': 'model, train_dataset = None, None\n',
  'transformers.py': `
from types import SimpleNamespace
class TrainerCallback:
    pass
def TrainingArguments(folder):
    return SimpleNamespace(to_sanitized_dict=lambda: {"output_dir": folder}, resume_from_checkpoint=None)
class Trainer:
    def __init__(self, model, args, train_dataset, callbacks):
        self.args, [self.callback] = args, callbacks
    def train(self):
        state = SimpleNamespace(is_world_process_zero=True, global_step=0)
        self.callback.on_train_begin(self.args, state, None)
        for state.global_step in (10, 20):
            self.callback.on_log(self.args, state, None, logs={"loss": 0.5, "epoch": state.global_step / 20})
        self.callback.on_train_end(self.args, state, None)
`,
};
/** What the programs of the page that use a framework have logged. */
const OF_FRAMEWORKS = `$ runfold runs --dataset imdb --dataset random --select dataset,method,status,points --format csv --sort dataset
as of 2026-11-23T10:16:12.000Z
dataset,method,status,points
imdb,distilbert,completed,2
random,boring,completed,3
`;

async function expectPlayed(python: string, without: readonly string[]): Promise<void> {
  const home = new Home();
  fs.symlinkSync(ROOT, path.join(home.path, 'runfold'));
  for (const [name, text] of Object.entries(STAND_INS)) {
    const folder = home.folder(path.join('iris', path.dirname(name)));
    fs.writeFileSync(path.join(folder, path.basename(name)), text);
  }
  const played = await playNotebook(PAGE, home, python, without);
  expect(home.normal(played)).toBe(home.normal(PAGE));
  expect(home.normal(home.play(OF_FRAMEWORKS, home.folder('iris')))).toBe(home.normal(OF_FRAMEWORKS));
}

test.skipIf(PYTHON === undefined)(
  'docs/python.md shows what happens, without pandas',
  async () => await expectPlayed(PYTHON ?? '', ['DataFrames']),
  LIMIT_MS,
);

test.skipIf(WITH_PANDAS === undefined)(
  'docs/python.md shows what happens, with pandas',
  async () => await expectPlayed(WITH_PANDAS ?? '', []),
  LIMIT_MS,
);

test('only the part on DataFrames needs pandas', () => {
  const needing = partsOf(PAGE).filter(
    ({ language, content }) => language === 'python' && content.includes('as_frame'),
  );
  expect(new Set(needing.map(({ heading }) => heading))).toEqual(new Set(['DataFrames']));
});
