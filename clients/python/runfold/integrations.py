"""A logger for PyTorch Lightning and a callback for the Trainer of Hugging Face.

from runfold.integrations import LightningLogger      # Trainer(logger=LightningLogger(dataset="iris", seed=1))
from runfold.integrations import TrainerCallback      # Trainer(..., callbacks=[TrainerCallback(dataset="iris")])

Each takes the arguments of `runfold.init`. The frameworks are imported when one of the names is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any, Callable, Dict, Optional, Tuple, TypeVar

import runfold

__all__ = ["LightningLogger", "TrainerCallback"]

_Method = TypeVar("_Method", bound=Callable[..., Any])


def __getattr__(name: str) -> Any:
    makers = {"LightningLogger": _lightning_logger, "TrainerCallback": _trainer_callback}
    if name not in makers:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = makers[name]()
    globals()[name] = made
    return made


def _first_of(modules: Tuple[str, ...]) -> Any:
    for module in modules[:-1]:
        try:
            return importlib.import_module(module)
        except ImportError:
            continue  # the older name of the same package
    return importlib.import_module(modules[-1])


def _lightning_logger() -> Any:
    loggers = _first_of(("lightning.pytorch.loggers", "pytorch_lightning.loggers"))
    utilities = _first_of(("lightning.pytorch.utilities", "pytorch_lightning.utilities"))
    only_rank_zero: Callable[[_Method], _Method] = utilities.rank_zero_only
    base: Any = loggers.Logger

    class LightningLogger(base):  # type: ignore[misc]
        """Begins the run when something is logged first, with the hyperparameters that it has by then as config."""

        def __init__(self, **init_arguments: Any) -> None:
            super().__init__()
            self._init_arguments = init_arguments
            self._run: Optional[runfold.Run] = None

        @property
        def experiment(self) -> runfold.Run:
            if self._run is None:
                self._run = runfold.init(**self._init_arguments)
            return self._run

        @property
        def name(self) -> str:
            return str(self._init_arguments.get("method") or "runfold")

        @property
        def version(self) -> str:
            return self.experiment.id

        @only_rank_zero
        def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
            if self._run is not None:
                self._run.config.update(params)
                return
            given = runfold._config_values(self._init_arguments.get("config")) or {}
            more = runfold._config_values(params) or {}
            self._init_arguments["config"] = {**more, **given}

        @only_rank_zero
        def log_metrics(self, metrics: Dict[str, Any], step: Optional[int] = None) -> None:
            values = dict(metrics)
            # Lightning puts the epoch among the metrics, as a float
            epoch = values.pop("epoch", None)
            self.experiment.log(values, step=step, epoch=None if epoch is None else int(epoch))

        @only_rank_zero
        def save(self) -> None:
            if self._run is not None:
                self._run.flush()

        @only_rank_zero
        def finalize(self, status: str) -> None:
            # fit() and test() each end with it, so success only writes what there is: the run goes on
            if self._run is None:
                return
            if status == "success":
                self._run.flush()
            else:
                self._run.finish(status="failed", reason=None if status == "failed" else status)

    return LightningLogger


# what the Trainer reports at the end of training, once
_FINAL = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "total_flos", "train_loss")


def _trainer_callback() -> Any:
    transformers = importlib.import_module("transformers")

    base: Any = transformers.TrainerCallback

    class TrainerCallback(base):  # type: ignore[misc]
        """Logs what the Trainer logs; its summary at the end of the training becomes results."""

        def __init__(self, **init_arguments: Any) -> None:
            self._init_arguments = init_arguments
            self._run: Optional[runfold.Run] = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self._begin(args, state)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if not state.is_world_process_zero or not logs:
                return
            self._begin(args, state)
            values = dict(logs)
            epoch = values.pop("epoch", None)
            results = {name: values.pop(name) for name in _FINAL if name in values}
            if self._run is None:
                return
            if results:
                self._run.log_results(results)
            # the epoch as the Trainer has it is a fraction
            self._run.log(values, step=state.global_step, epoch=None if epoch is None else int(epoch))

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            # evaluate() and predict() may come after it: the end of the process, or finish(), ends the run
            if self._run is not None:
                self._run.flush()

        def _begin(self, args: Any, state: Any) -> None:
            if self._run is not None or not state.is_world_process_zero:
                return
            arguments = dict(self._init_arguments)
            given = runfold._config_values(arguments.pop("config", None)) or {}
            of_trainer = args.to_sanitized_dict() if hasattr(args, "to_sanitized_dict") else {}
            if getattr(args, "resume_from_checkpoint", None):
                arguments.setdefault("resume", True)
            self._run = runfold.init(config={**of_trainer, **given}, **arguments)

    return TrainerCallback
