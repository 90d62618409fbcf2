"""Logs training runs for runfold: event lines in files of their own on shared storage, no server, no dependencies.

    import runfold

    run = runfold.init(dataset="iris", method="mlp", seed=1, config={"lr": 0.01})
    for epoch in range(10):
        run.log({"loss": loss, "val/acc": acc}, epoch=epoch)
    run.finish(results={"test_acc": 0.93})

`init` raises for a bad key and nothing else; after it no call raises, whatever happens to the log: problems are said
once on stderr. All files are touched by one background thread, so a file system that hangs does not hold the training.
This file is the whole client: installed as the package `runfold`, or copied into a project as `runfold.py`.
"""

from __future__ import annotations

import atexit
import errno
import os
import signal as _signals
import stat as _stat
import sys
import threading
import time
from collections import deque
from json import encoder as _encoder
from queue import Empty, SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from types import FrameType, TracebackType
    from typing import (
        Any,
        Callable,
        Deque,
        Dict,
        Iterable,
        Iterator,
        List,
        Mapping,
        NoReturn,
        Optional,
        Sequence,
        Set,
        Tuple,
        Type,
        Union,
    )

    Env = Mapping[str, str]
    Line = Union[bytes, "_Deferred"]

__version__ = "0.1.0"
__all__ = [
    "Database",
    "Run",
    "RunfoldError",
    "finish",
    "init",
    "log",
    "log_error",
    "log_results",
    "read",
    "run_id",
]

_CLIENT = '{"name":"runfold-python","version":"' + __version__ + '"}'

# The same figures as those of the TypeScript writer.
_MAX_LINE_BYTES = 1_048_576
_GROUP_S = 1.0
_SYNC_S = 5.0
_RETRY_S = 1.0
_GROUP_BYTES = 262_144
_SYNC_BYTES = 1_048_576
_BUFFER_BYTES = 4 * 1_048_576
_SPOOL_BYTES = 256 * 1_048_576
_DRAIN_BYTES = 16 * 1_048_576

# How long the training may be held by a file system that does not answer.
_FLUSH_WAIT_S = 2.0
_SETTLE_WAIT_S = 0.2
_EXIT_WAIT_S = 10.0
_EXIT_WAIT_IF_HANGING_S = 1.0  # where it has hung for that long already
_GIT_WAIT_S = 1.0

# The search for the last step of a run that is resumed.
_SEARCH_S = 3.0
_SEARCH_BYTES = 64 * 1_048_576
_SEARCH_FILES = 2000
_SEARCH_TAIL_BYTES = 8 * 1_048_576

_SAFE_INTEGER = 2**53 - 1


class RunfoldError(Exception):
    """`code` is one of those in docs/errors.md, `hint` says what to do."""

    def __init__(self, code: str, message: str, hint: Optional[str] = None) -> None:
        super().__init__(message if hint is None else f"{message}. {hint}")
        self.code = code
        self.message = message
        self.hint = hint


# ---------------------------------------------------------------------------------------------------------------
# What is said to a person: one line each on stderr, once each, never an exception.


class _Notices:
    MAX = 40

    def __init__(self) -> None:
        self._said: Set[str] = set()

    def once(self, key: str, text: str) -> None:
        """Unless something was said under this key before, or too much in all."""
        if key in self._said or len(self._said) >= self.MAX:
            return
        self._said.add(key)
        self.always(text)

    def always(self, text: str) -> None:
        line = "".join(" " if _is_control(char) else char for char in f"runfold: {text}") + "\n"
        try:
            # not sys.stderr, which a program may have replaced by something that logs in turn
            os.write(2, line.encode("utf-8", "replace"))
        except OSError:
            pass  # a closed or full stderr is no reason to disturb the training


def _is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029"


_notices = _Notices()


# ---------------------------------------------------------------------------------------------------------------
# Any value of Python as JSON that a line can carry.

_MAX_DEPTH = 60
_MAX_NODES = 300_000
_MAX_TEXT = 1_048_576
_MAX_STR_OF_OBJECT = 10_000
_MAX_ARRAY = 1000

_dumps: Callable[[Any], str] = _encoder.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
# of a str: escapes what has to be, and nothing else
_quote: Callable[[str], str] = getattr(_encoder, "encode_basestring")


def _well_formed(text: str) -> str:
    """Pairs of surrogates as the character that they are, lone ones as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return _well_formed(text).encode("utf-8")


def _number_name(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


class _JsonSafe:
    """One walk over a value. Never raises and never takes long, whatever it is given."""

    def __init__(self) -> None:
        self._path: Set[int] = set()
        self._nodes = 0

    def convert(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return value if len(value) <= _MAX_TEXT else "[too large]"
        if value is None or kind is bool:
            return value
        if kind is int:
            # a reader takes numbers as doubles: what those cannot hold keeps its digits as text
            return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else _int_text(value)
        if kind is float:
            return value if value - value == 0.0 else _number_name(value)
        if id(value) in self._path:
            return "[circular]"
        if len(self._path) >= _MAX_DEPTH:
            return "[too deep]"
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            return "[too large]"
        self._path.add(id(value))
        try:
            return self._object(value)
        except Exception:
            return "[unreadable]"  # somebody else's property or __str__; the rest is still worth having
        finally:
            self._path.discard(id(value))

    def _object(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.convert(str.__str__(value))
        if isinstance(value, dict):
            return self._mapping(value.items())
        if isinstance(value, (list, tuple)):
            names = getattr(value, "_fields", None)
            if isinstance(names, tuple):
                return self._mapping(zip(names, value))
            return self._array(value)
        if isinstance(value, (set, frozenset)):
            # their order changes from process to process
            return sorted(self._array(value), key=_dumps)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return "[binary]"
        if isinstance(value, BaseException):
            return self.convert(": ".join(part for part in (type(value).__name__, str(value)) if part))
        if _class_in_bases(value, "enum", "Enum"):
            inner = value.value
            return self.convert(inner) if isinstance(inner, (str, int, float)) else value.name
        if isinstance(value, type) or callable(value) and hasattr(value, "__qualname__"):
            return f"{getattr(value, '__module__', '')}.{value.__qualname__}".lstrip(".")
        if isinstance(value, int):
            return self.convert(int(value))
        if isinstance(value, float):
            return self.convert(float(value))
        if hasattr(value, "dtype") and hasattr(value, "shape"):
            return self._numeric_array(value)
        if _class_in_bases(value, "datetime", "date") or _class_in_bases(value, "datetime", "time"):
            return value.isoformat()
        if _class_in_bases(value, "decimal", "Decimal") or _class_in_bases(value, "fractions", "Fraction"):
            return str(value)
        fields = _fields_of(value)
        if fields is not None:
            return self._mapping(fields)
        if hasattr(value, "__iter__") and hasattr(value, "__len__") and hasattr(value, "__getitem__"):
            return self._array(value)
        return self._text_of(value)

    def _array(self, values: Iterable[Any]) -> List[Any]:
        array: List[Any] = []
        for value in values:
            self._nodes += 1
            if self._nodes > _MAX_NODES:
                break
            array.append(self.convert(value))
        return array

    def _mapping(self, items: Iterable[Tuple[Any, Any]]) -> Dict[str, Any]:
        mapping: Dict[str, Any] = {}
        for key, value in items:
            self._nodes += 1
            if self._nodes > _MAX_NODES:
                break
            mapping[key if type(key) is str else self._key(key)] = self.convert(value)
        return mapping

    def _key(self, key: Any) -> str:
        safe = self.convert(key)
        return safe if isinstance(safe, str) else _dumps(safe)

    def _numeric_array(self, value: Any) -> Any:
        """Of numpy, torch, jax and the like, by its shape alone."""
        shape = tuple(int(length) for length in value.shape)
        if shape == () and hasattr(value, "item"):
            item = value.item()
            return self.convert(item) if isinstance(item, (str, int, float)) else str(item)
        size = 1
        for length in shape:
            size *= length
        if size > _MAX_ARRAY:
            return f"[{type(value).__name__} {value.dtype} {list(shape)}]"
        return self.convert(value.tolist())

    def _text_of(self, value: Any) -> str:
        kind: Any = type(value)
        if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
            # its text would be an address, another one in each process
            return f"{kind.__module__}.{kind.__qualname__}"
        return str(value)[:_MAX_STR_OF_OBJECT]


def _int_text(value: int) -> str:
    # str() of a number of more than some thousand digits raises
    return str(value) if abs(value) < 10**300 else hex(value)[:1000]


def _class_in_bases(value: object, module: str, name: str) -> bool:
    """`isinstance` without importing: where the module was never imported there are no instances of its classes."""
    loaded = sys.modules.get(module)
    wanted = None if loaded is None else getattr(loaded, name, None)
    return isinstance(wanted, type) and isinstance(value, wanted)


def _fields_of(value: Any) -> Optional[Iterable[Tuple[Any, Any]]]:
    """Names and values of what is a record of some kind, None if it is none."""
    kind = type(value)
    names = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "model_fields", None)
    if isinstance(names, dict):
        return [(name, _attribute(value, name)) for name in names]
    attrs = getattr(kind, "__attrs_attrs__", None)
    if attrs is not None:
        return [(field.name, _attribute(value, field.name)) for field in attrs]
    if callable(getattr(value, "flag_values_dict", None)):  # absl
        return list(value.flag_values_dict().items())
    if callable(getattr(value, "keys", None)) and hasattr(value, "__getitem__"):
        return [(key, _item(value, key)) for key in value.keys()]
    if kind.__name__ in ("Namespace", "SimpleNamespace") and hasattr(value, "__dict__"):
        return list(vars(value).items())
    return None


def _attribute(value: object, name: str) -> Any:
    try:
        return getattr(value, name)
    except Exception:
        return "[unreadable]"  # one bad property costs itself only


def _item(value: Any, key: Any) -> Any:
    try:
        return value[key]
    except Exception:
        return "[unreadable]"  # as OmegaConf does for a value that is missing


def _json_safe(value: Any) -> Any:
    return _JsonSafe().convert(value)


def _json_object(value: Any) -> Optional[Dict[str, Any]]:
    """None if it is not an object with names. The public attributes of an object of any class are taken, too."""
    safe = _json_safe(value)
    if isinstance(safe, dict):
        return safe
    if isinstance(safe, str) and not isinstance(value, (str, bytes)) and hasattr(value, "__dict__"):
        if callable(value) and not isinstance(value, type):
            return None
        public = {name: inner for name, inner in vars(value).items() if not name.startswith("_")}
        plain = {name: inner for name, inner in public.items() if not callable(inner)}
        return _JsonSafe()._mapping(plain.items())
    return None


def _canonical(value: Any) -> str:
    """RFC 8785 of a value that `_json_safe` gave."""
    if isinstance(value, dict):
        names = sorted(value, key=_utf16)
        return "{" + ",".join(f"{_quote(name)}:{_canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, float):
        return _ecmascript_number(value)
    return _quote(value) if isinstance(value, str) else _dumps(value)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be")


def _ecmascript_number(value: float) -> str:
    """A finite double as JavaScript writes it. Both take the shortest digits, and lay them out differently."""
    if value == 0:
        return "0"
    if value < 0:
        return "-" + _ecmascript_number(-value)
    mantissa, _, exponent_text = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent_text or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return (digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}") + exponent


# ---------------------------------------------------------------------------------------------------------------
# Secrets do not belong into a log that a whole group reads.

_MASK = "***"
_SECRET_ENDS = (
    "password", "passwd", "passphrase", "secret", "apikey", "accesskey", "secretkey", "privatekey", "credential",
    "credentials", "accesstoken", "authtoken", "apitoken", "hftoken", "hubtoken", "githubtoken", "gitlabtoken",
    "bearertoken", "refreshtoken", "sessiontoken", "secrettoken",
)  # fmt: skip


def _names_secret(name: str) -> bool:
    """`api_key`, `--hub-token`, `db.password`; not `pad_token`, `max_tokens`, `tokenizer`."""
    plain = "".join(char for char in name.lower() if char.isalnum())
    last = name.lower().replace("-", "_").replace(".", "_").replace("/", "_").strip("_").rsplit("_", 1)[-1]
    return plain == "token" or last == "pwd" or plain.endswith(_SECRET_ENDS)


def _masked(value: Any) -> Any:
    """A copy in which the texts under names of secrets are masked."""
    if isinstance(value, dict):
        return {
            name: _MASK if isinstance(inner, str) and inner != "" and _names_secret(name) else _masked(inner)
            for name, inner in value.items()
        }
    return [_masked(inner) for inner in value] if isinstance(value, list) else value


def _masked_words(words: Sequence[str]) -> List[str]:
    masked: List[str] = []
    is_value_secret = False
    for word in words:
        name, equals, value = word.partition("=")
        if is_value_secret and not word.startswith("-"):
            masked.append(_MASK)
            is_value_secret = False
            continue
        is_option = word.startswith("-")
        is_secret = _names_secret(name.lstrip("-+"))
        is_value_secret = is_option and is_secret and equals == ""
        masked.append(f"{name}={_MASK}" if is_secret and value != "" else _without_url_password(word))
    return masked


def _without_url_password(word: str) -> str:
    scheme, separator, rest = word.partition("://")
    userinfo, at, host = rest.partition("@")
    if separator == "" or at == "" or ":" not in userinfo or "/" in userinfo:
        return word
    return f"{scheme}://{userinfo.partition(':')[0]}:{_MASK}@{host}"


# ---------------------------------------------------------------------------------------------------------------
# The key of a run, and ids.

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class _Key:
    """(experiment_number, dataset, method, subject, cl_info, seed), checked."""

    def __init__(
        self, experiment_number: Any, dataset: Any, method: Any, subject: Any, cl_info: Any, seed: Any
    ) -> None:
        self.experiment_number = _key_integer("experiment_number", experiment_number)
        self.dataset = _key_text("dataset", dataset)
        self.method = _key_text("method", method)
        self.subject = None if subject is None else _key_text("subject", subject, " or None")
        self.cl_info = None if cl_info is None else _key_text("cl_info", cl_info, " or None")
        self.seed = None if seed is None else _key_integer("seed", seed, " or None")

    def fields(self) -> Dict[str, Any]:
        return dict(vars(self))

    def text(self) -> str:
        return _dumps((self.experiment_number, self.dataset, self.method, self.subject, self.cl_info, self.seed))

    def run_id(self) -> str:
        import hashlib

        return _base32(hashlib.sha256(self.text().encode("utf-8")).digest())


def _base32(digest: bytes) -> str:
    number = int.from_bytes(digest[:10], "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(75, -1, -5))


def _key_integer(name: str, value: Any, or_what: str = "") -> int:
    number: Any = value
    if not isinstance(value, (bool, int, float, str)) and hasattr(value, "item"):
        number = _attempt(value.item)
    elif not isinstance(value, (int, float)) and hasattr(value, "__index__"):
        number = value.__index__()
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int) and not isinstance(number, bool) and -_SAFE_INTEGER <= number <= _SAFE_INTEGER:
        return int(number)
    shown = repr(value)[:100] if isinstance(value, (int, float)) else f"a {type(value).__name__}"
    raise RunfoldError("invalid_key", f"{name} must be a whole number within ±(2^53−1){or_what}, not {shown}")


def _key_text(name: str, value: Any, or_what: str = "") -> str:
    if not isinstance(value, str):
        raise RunfoldError("invalid_key", f"{name} must be a string{or_what}, not a {type(value).__name__}")
    text = value.encode("utf-16-le", "surrogatepass")
    try:
        return text.decode("utf-16-le")
    except UnicodeDecodeError:
        raise RunfoldError("invalid_key", f"{name} holds a lone surrogate, which UTF-8 cannot carry") from None


def run_id(
    dataset: str = "default",
    method: str = "",
    subject: Optional[str] = None,
    variant: Any = None,
    seed: Optional[int] = None,
    experiment_number: int = 1,
) -> str:
    """The id of the run with this key: 16 characters, the same for everybody. Raises RunfoldError `invalid_key`."""
    cl_info = _cl_info(variant, None, ())
    return _Key(experiment_number, dataset, method or _default_method(), subject, cl_info, seed).run_id()


def _started_key(env: Env) -> Tuple[Optional[_Key], Optional[str]]:
    """The key of the run that this program was started as, if RUNFOLD_KEY is of it, and what is wrong with that."""
    text = env.get("RUNFOLD_KEY")
    if not text:
        return None, None
    import hashlib
    import json

    try:
        fields = json.loads(text)
        if not isinstance(fields, list) or len(fields) != 6:
            raise ValueError("not six fields")
        key = _Key(*fields)
    except (ValueError, RecursionError, RunfoldError):
        names = "experiment_number, dataset, method, subject, cl_info and seed"
        return None, f"RUNFOLD_KEY is not used: it is no JSON array of {names}"
    # else it may be of a run further out
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return (key if _base32(digest) == env.get("RUNFOLD_RUN_ID") else None), None


def _two_runs_notice(env: Env, key: _Key) -> Optional[str]:
    """Where `exec` has started this program as another run. RUNFOLD_STARTED: below one that was begun otherwise."""
    started, _ = _started_key(env)
    if started is None or env.get("RUNFOLD_STARTED") or key.run_id() == started.run_id():
        return None
    return (
        f"this program logs run {key.run_id()} with the key {key.text()}, but was started as run {started.run_id()} with "
        f"the key {started.text()}: these are two runs. To have one, give it the same key, or leave the key out here"
    )


def _cl_info(given: Any, config: Optional[Mapping[str, Any]], names: Sequence[str]) -> Optional[str]:
    if not names:
        if given is None or isinstance(given, str):
            return given
        return _canonical_key(_cl_info_object(given))
    start: Dict[str, Any] = {}
    if isinstance(given, str):
        start = {"variant": given}
    elif given is not None:
        start = dict(_cl_info_object(given))
    for name in names:
        if config is None or name not in config:
            raise RunfoldError("invalid_key", f'key_from_config names "{name}", which config does not have')
        start[name] = config[name]
    return _canonical_key(start)


def _cl_info_object(given: Any) -> Dict[str, Any]:
    safe = _json_safe(given)
    if isinstance(safe, dict):
        return safe
    raise RunfoldError("invalid_key", f"variant must be a string or an object with names, not a {type(given).__name__}")


def _canonical_key(value: Dict[str, Any]) -> str:
    try:
        return _canonical(_paired(value))
    except UnicodeError:
        raise RunfoldError("invalid_key", "variant holds a lone surrogate, which UTF-8 cannot carry") from None


def _paired(value: Any) -> Any:
    """Raises UnicodeError for a lone surrogate."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    if isinstance(value, dict):
        return {_paired(name): _paired(inner) for name, inner in value.items()}
    return [_paired(inner) for inner in value] if isinstance(value, list) else value


def _new_ulid() -> str:
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5)).upper()


def _ulid_day(ulid: str) -> str:
    milliseconds = 0
    for char in ulid[:10].lower():
        milliseconds = milliseconds * 32 + _CROCKFORD.index(char)
    return time.strftime("%Y-%m-%d", time.gmtime(milliseconds / 1000))


def _timestamp_of(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{whole}.{milliseconds % 1000:03d}Z"


# ---------------------------------------------------------------------------------------------------------------
# What the environment says: origin, user, SLURM, ranks, code.


def _attempt(action: Callable[[], Any]) -> Any:
    """None where it raises: for what is worth knowing and not worth an error."""
    try:
        return action()
    except Exception:
        return None


def _host_name() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename or "host"
    import platform

    return platform.node() or "host"


def _plain(text: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in text)


def _job_origin(env: Env) -> Optional[str]:
    """Without the count of restarts."""
    array_job, task = env.get("SLURM_ARRAY_JOB_ID"), env.get("SLURM_ARRAY_TASK_ID")
    job = f"{array_job}_{task}" if array_job and task else env.get("SLURM_JOB_ID")
    return _plain(f"slurm{job}") if job else None


def _origin(env: Env, host: str, pid: int) -> str:
    job = _job_origin(env)
    if job is not None:
        restarts = _whole(env.get("SLURM_RESTART_COUNT")) or 0
        return (job + (f"r{restarts}" if restarts > 0 else ""))[:64]
    end = f"-{pid}"
    return _plain(host or "host")[: 64 - len(end)] + end


def _user_name(env: Env) -> str:
    named = env.get("USER") or env.get("LOGNAME") or env.get("SLURM_JOB_USER")
    if named:
        return named
    uid = os.getuid() if hasattr(os, "getuid") else None
    try:
        import pwd

        return pwd.getpwuid(uid or 0).pw_name
    except (ImportError, KeyError):
        return env.get("USERNAME") or ("unknown" if uid is None else str(uid))  # as in many containers


def _whole(text: Optional[str]) -> Optional[int]:
    """A plain count; anything else is not guessed at."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 100:
        return None
    number = int(text)
    return number if number <= _SAFE_INTEGER else None


def _digits(text: Optional[str]) -> Optional[str]:
    return None if _whole(text) is None else text


def _slurm_info(env: Env) -> Optional[Dict[str, Any]]:
    """The payload of `slurm_info`, None outside of a job. What cannot be read is left out."""
    job = env.get("SLURM_JOB_ID")
    if not job or _whole(job) is None:
        return None
    nodes = _whole(env.get("SLURM_JOB_NUM_NODES"))
    cpus = _sum_of_repeats(env.get("SLURM_JOB_CPUS_PER_NODE"))
    started, ends = _whole(env.get("SLURM_JOB_START_TIME")), _whole(env.get("SLURM_JOB_END_TIME"))
    fields = {
        "job_id": job,
        "array_job_id": _digits(env.get("SLURM_ARRAY_JOB_ID")),
        "array_task_id": _digits(env.get("SLURM_ARRAY_TASK_ID")),
        "restart_count": _whole(env.get("SLURM_RESTART_COUNT")),
        "state": "RUNNING",
        "partition": env.get("SLURM_JOB_PARTITION") or None,
        "account": env.get("SLURM_JOB_ACCOUNT") or None,
        "node_list": env.get("SLURM_JOB_NODELIST") or None,
        "cpus": cpus,
        "gpus": _gpus(env, nodes),
        "memory_mb": _product(_whole(env.get("SLURM_MEM_PER_NODE")), nodes),
        "started_at": None if started is None else _timestamp_of(started),
        "time_limit_seconds": None if started is None or ends is None or ends <= started else ends - started,
        "source": "env",
    }
    # 0 is what SLURM writes where a job asked for all that a node has
    if not fields["memory_mb"]:
        fields["memory_mb"] = _product(_whole(env.get("SLURM_MEM_PER_CPU")), cpus) or None
    return {name: value for name, value in fields.items() if value is not None}


def _product(one: Optional[int], other: Optional[int]) -> Optional[int]:
    return None if one is None or other is None else _if_safe(one * other)


def _if_safe(number: int) -> Optional[int]:
    return number if number <= _SAFE_INTEGER else None


def _sum_of_repeats(text: Optional[str]) -> Optional[int]:
    """`4(x2),3` is 11."""
    if not text:
        return None
    total = 0
    for part in text.split(","):
        count, mark, times = part.partition("(x")
        each = _whole(count)
        factor = _whole(times[:-1]) if mark and times.endswith(")") else None if mark else 1
        if each is None or factor is None:
            return None
        total += each * factor
    return _if_safe(total)


def _gpus(env: Env, nodes: Optional[int]) -> Optional[int]:
    asked = env.get("SLURM_GPUS")
    if asked:
        counts = [_whole(part.rpartition(":")[2]) for part in asked.split(",")]
        known = [count for count in counts if count is not None]
        if len(known) == len(counts):
            return _if_safe(sum(known))
    return _product(_whole(env.get("SLURM_GPUS_ON_NODE")), nodes)


_RANK_VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")


class _Role:
    """`writes`: `all`, `points` (a rank above 0 that was asked to log) or `nothing`."""

    def __init__(self, writes: str, attempt: Optional[str] = None, problem: Optional[str] = None) -> None:
        self.writes = writes
        self.attempt = attempt
        self.problem = problem


def _inherited_attempt(env: Env, run_id: str) -> Optional[str]:
    """What a launcher gives to all below it. Where it names a run too, the attempt is that run's alone."""
    of_run = env.get("RUNFOLD_RUN_ID")
    return _environment_attempt(env) if not of_run or of_run == run_id else None


def _environment_attempt(env: Env) -> Optional[str]:
    return env.get("RUNFOLD_ATTEMPT") or _submitted_attempt(env)


def _submitted_attempt(env: Env) -> Optional[str]:
    """What was recorded when the array was submitted. A task that is requeued begins another; so does all below a run."""
    submission, task = env.get("RUNFOLD_SUBMISSION"), env.get("SLURM_ARRAY_TASK_ID") or ""
    is_first_start = (env.get("SLURM_RESTART_COUNT") or "").strip("0") == ""
    is_below = env.get("RUNFOLD_RUN_ID") or env.get("RUNFOLD_STARTED")
    if not submission or not (task.isascii() and task.isdigit()) or not is_first_start or is_below:
        return None
    return f"{submission}.{task}"


def _is_independent(env: Env) -> bool:
    """Whether it was said that the processes of this launch have a run each."""
    return env.get("RUNFOLD_INDEPENDENT", "") not in ("", "0")


def _role(env: Env, host: str, all_ranks: bool, independent: bool) -> _Role:
    ranks = [rank for rank in (_whole(env.get(name)) for name in _RANK_VARIABLES) if rank is not None]
    if independent or not ranks:
        return _Role("all")
    rank = max(ranks)
    if not all_ranks:
        return _Role("nothing" if rank > 0 else "all")
    attempt = _environment_attempt(env) or _launch_attempt(env, host)
    if rank == 0:
        return _Role("all", attempt)
    if attempt is not None:
        return _Role("points", attempt)
    return _Role(
        "nothing",
        None,
        f"rank {rank} logs nothing: nothing here tells this launch from others. Set RUNFOLD_ATTEMPT to a new value "
        "for each launch, the same on all ranks.",
    )


def _launch_attempt(env: Env, host: str) -> Optional[str]:
    """From what is the same on all ranks of this launch and on no other one's; as the TypeScript writer has it."""
    identity = _single_node_torch(env, host) or _mpi_launch(env, host) or _slurm_step(env)
    return None if identity is None else _short_hash(identity)


def _short_hash(parts: Sequence[str]) -> str:
    import hashlib

    return hashlib.sha256(_utf8(_dumps(list(parts)))).hexdigest()[:32]


def _single_node_torch(env: Env, host: str) -> Optional[List[str]]:
    sizes = env.get("LOCAL_WORLD_SIZE"), env.get("WORLD_SIZE")
    if "TORCHELASTIC_RUN_ID" not in env or sizes[0] is None or sizes[0] != sizes[1]:
        return None
    launcher = _launcher("RANK", host)
    return launcher and ["torch", *launcher, env.get("TORCHELASTIC_RESTART_COUNT", "0")]


def _mpi_launch(env: Env, host: str) -> Optional[List[str]]:
    if "OMPI_COMM_WORLD_RANK" not in env:
        return None
    local = env.get("OMPI_COMM_WORLD_LOCAL_SIZE")
    if local is not None and local == env.get("OMPI_COMM_WORLD_SIZE"):
        launcher = _launcher("OMPI_COMM_WORLD_RANK", host)
        if launcher is not None:
            return ["mpi", *launcher, *_torch_round(env)]
    mpirun = env.get("OMPI_MCA_orte_hnp_uri", env.get("PMIX_NAMESPACE"))
    if mpirun is None:
        return None
    return ["mpi", mpirun, env.get("SLURM_JOB_ID", ""), env.get("SLURM_RESTART_COUNT", "0"), *_torch_round(env)]


def _slurm_step(env: Env) -> Optional[List[str]]:
    job, step = env.get("SLURM_JOB_ID"), env.get("SLURM_STEP_ID")
    if not job or not step or env.get("SLURM_STEP_NUM_TASKS") == "1":
        return None
    restarts = env.get("SLURM_RESTART_COUNT") or "0"
    return ["slurm", env.get("SLURM_CLUSTER_NAME", ""), job, step, restarts, *_torch_round(env)]


def _torch_round(env: Env) -> List[str]:
    if "TORCHELASTIC_RUN_ID" not in env:
        return []
    return ["torch", env["TORCHELASTIC_RUN_ID"], env.get("MASTER_PORT", "")]


def _launcher(rank_variable: str, host: str) -> Optional[List[str]]:
    """Host, boot, pid and start time of the nearest process above this one that has no rank in its environment."""
    boot = _read_proc("/proc/sys/kernel/random/boot_id")
    pid = str(os.getppid())
    for _ in range(8):
        stat = _read_proc(f"/proc/{pid}/stat")
        if stat is None or boot is None:
            return None
        # the name in parentheses may hold anything
        fields = stat[stat.rindex(")") + 2 :].split(" ")
        if len(fields) < 20:
            return None
        environment = _read_proc(f"/proc/{pid}/environ") or ""
        if f"\0{rank_variable}=" not in f"\0{environment}":
            return [host, boot.strip(), pid, fields[19]]
        pid = fields[1]
    return None


def _read_proc(path: str) -> Optional[str]:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return None  # not Linux, or another user's process


_MAX_COMMAND = 8192


def _code_info(cwd: str) -> Dict[str, Any]:
    """Commit, whether tracked files differ from it, arguments (never the environment), working directory."""
    commit = _git_commit(cwd)
    return {
        "git_commit": commit,
        "git_dirty": None if commit is None else _git_dirty(cwd),
        "command": _command(),
        "cwd": cwd,
    }


def _main_module() -> Any:
    return sys.modules.get("__main__")


def _command() -> str:
    words = list(getattr(sys, "argv", None) or [""])
    spec = getattr(_main_module(), "__spec__", None)
    name = getattr(spec, "name", None)
    if isinstance(name, str):
        words[0:1] = ["-m", name[: -len(".__main__")] if name.endswith(".__main__") else name]
    program = os.path.basename(sys.executable or "python")
    return " ".join(_shell_word(str(word)) for word in [program, *_masked_words(words)])[:_MAX_COMMAND]


def _shell_word(word: str) -> str:
    if word != "" and all(char.isalnum() or char in "_@%+=:,./-*" for char in word):
        return word
    return _shell_quoted(word)


def _shell_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _default_method() -> str:
    """The stem of the script."""
    script = (getattr(sys, "argv", None) or [""])[0]
    if script in ("", "-c", "-", "-m"):
        return "python"
    stem = os.path.splitext(os.path.basename(script))[0]
    if stem == "__main__":
        stem = os.path.basename(os.path.dirname(os.path.abspath(script)))
    if stem in ("ipykernel_launcher", "colab_kernel_launcher"):
        return "notebook"
    return _well_formed(stem) or "python"


def _git_commit(cwd: str) -> Optional[str]:
    """What HEAD names, or None: no repository, no commit yet, or a form of it that is not known here."""
    folder = _git_folder(cwd)
    head = None if folder is None else _read_small(os.path.join(folder, "HEAD"))
    if folder is None or head is None:
        return None
    if not head.startswith("ref: "):
        return _object_id(head)
    ref = head[len("ref: ") :]
    # a work tree has a HEAD of its own and shares the branches
    shared = _read_small(os.path.join(folder, "commondir"))
    common = folder if shared is None else os.path.normpath(os.path.join(folder, shared))
    return _object_id(_read_small(os.path.join(common, ref))) or _packed_ref(common, ref)


def _git_folder(cwd: str) -> Optional[str]:
    folder = os.path.abspath(cwd)
    while True:
        candidate = os.path.join(folder, ".git")
        if os.path.isdir(candidate):
            return candidate
        if os.path.isfile(candidate):
            link = _read_small(candidate)
            if link is None or not link.startswith("gitdir: "):
                return None
            return os.path.normpath(os.path.join(folder, link[len("gitdir: ") :]))
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)


def _packed_ref(common: str, ref: str) -> Optional[str]:
    packed = _read_small(os.path.join(common, "packed-refs"), 8 * 1_048_576)
    for line in (packed or "").split("\n"):
        if line.endswith(f" {ref}"):
            return _object_id(line.split(" ")[0])
    return None


def _object_id(text: Optional[str]) -> Optional[str]:
    if text is None or len(text) not in (40, 64) or not all(char in "0123456789abcdef" for char in text):
        return None
    return text


def _read_small(path: str, max_bytes: int = 4096) -> Optional[str]:
    try:
        facts = os.stat(path)
        if not _stat.S_ISREG(facts.st_mode) or facts.st_size > max_bytes:
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(max_bytes).strip()
    except (OSError, ValueError):
        return None  # the commit is told where it can be; it is no reason to disturb a run


def _git_dirty(cwd: str) -> Optional[bool]:
    """None if git is not there or takes longer than a second."""
    import subprocess

    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no"]
    # "--ignore-submodules" would hide changes; a lock of the index would get into the way of other commands
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        child = subprocess.Popen(command, cwd=cwd, env=env, **pipes)  # type: ignore[call-overload]
    except (OSError, ValueError):
        return None
    try:
        output, _ = child.communicate(timeout=_GIT_WAIT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        if child.stdout is not None:
            child.stdout.close()
        return None  # not waited for: in a hanging mount it cannot even be killed
    return bool(output.strip()) if child.returncode == 0 else None


# ---------------------------------------------------------------------------------------------------------------
# The directory of event files.

_LEDGER_DIR = ".runfold"
_LEDGER_FILE = "ledger.json"
_NO_HARD_LINKS = (errno.EPERM, errno.ENOSYS, getattr(errno, "ENOTSUP", -1), errno.EOPNOTSUPP, errno.EMLINK)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/"  # programs do run in removed directories


def _find_ledger(explicit: Optional[str], env: Env, cwd: str) -> Optional[str]:
    """Named, `RUNFOLD_DIR`, else the nearest `.runfold/` upwards; a named one need not exist."""
    named = explicit or env.get("RUNFOLD_DIR")
    if named:
        return os.path.normpath(os.path.join(cwd, named))
    folder = cwd
    while True:
        candidate = os.path.join(folder, _LEDGER_DIR)
        if os.path.isdir(candidate):
            return candidate
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)


def _read_ledger(folder: str) -> str:
    """The `ledger_id`. Raises RunfoldError `ledger_not_found` or `ledger_unreadable`."""
    path = os.path.join(folder, _LEDGER_FILE)
    try:
        text = _read_regular(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise RunfoldError(
                "ledger_not_found",
                f"no log at {folder}: there is no {_LEDGER_FILE} in it",
                "If it is on a file system that is not mounted, mount it; "
                f"to make a log there: runfold init {_shell_word(folder)}.",
            ) from error
        hint = "Mend its permissions or the file system."
        raise RunfoldError("ledger_unreadable", f"{path} cannot be read: {error.strerror or error}", hint) from error
    return _parse_ledger(text, path)


def _read_regular(path: str) -> bytes:
    # O_NONBLOCK, because opening a FIFO that bears the name would wait for ever
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        facts = os.fstat(fd)
        if not _stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.read(fd, 65_536)
    finally:
        os.close(fd)


def _parse_ledger(text: bytes, path: str) -> str:
    import json

    mend = (
        'Restore it from a backup: it must be {"format":"runfold","version":1,"ledger_id":"<uuid>","created_at":"…"}.'
    )
    try:
        value = json.loads(text.decode("utf-8"))
    except ValueError as error:
        raise RunfoldError("ledger_unreadable", f"{path} is not JSON: {error}", mend) from error
    if not isinstance(value, dict) or value.get("format") != "runfold":
        raise RunfoldError("ledger_unreadable", f'{path} has another format than "runfold"', mend)
    version, ledger_id = value.get("version"), value.get("ledger_id")
    if not isinstance(version, int) or version < 1:
        raise RunfoldError("ledger_unreadable", f"{path} has no version", mend)
    if version > 1:
        newer = f"{path} is of version {version}, this release knows version 1"
        raise RunfoldError("ledger_unreadable", newer, "Install a newer release of runfold.")
    parts = ledger_id.lower().split("-") if isinstance(ledger_id, str) else []
    is_hex = all(char in "0123456789abcdef" for part in parts for char in part)
    if [len(part) for part in parts] != [8, 4, 4, 4, 12] or not is_hex:
        raise RunfoldError("ledger_unreadable", f"{path} has a ledger_id that is not a UUID", mend)
    return "-".join(parts)


def _make_ledger(folder: str) -> bool:
    """Makes a log, whole or not at all: false if somebody else was faster. Raises OSError."""
    draft = f"{folder}.{os.getpid()}-{os.urandom(6).hex()}.tmp"
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    digits = raw.hex()
    uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    text = (
        f'{{"format":"runfold","version":1,"ledger_id":"{uuid}","created_at":"{_timestamp_of(time.time())}"}}\n'
    ).encode()
    os.mkdir(draft)
    try:
        os.mkdir(os.path.join(draft, "events"))
        fd = os.open(os.path.join(draft, _LEDGER_FILE), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.write(fd, text)
            os.fsync(fd)
        finally:
            os.close(fd)
        _sync_directory(draft)
        # of a directory over one that has something in it: fails, so that of many processes one wins
        os.rename(draft, folder)
    except OSError:
        if not os.path.isdir(folder):
            raise
        return False
    finally:
        _remove_draft(draft)
    _sync_directory(os.path.dirname(folder))
    return True


def _remove_draft(draft: str) -> None:
    for remove, name in ((os.unlink, _LEDGER_FILE), (os.rmdir, "events"), (os.rmdir, "")):
        try:
            remove(os.path.join(draft, name))
        except OSError:
            pass  # renamed, which is the usual case


def _sync_directory(path: str) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return  # some file systems cannot; the file itself is fsynced, and says so if it fails
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)


# ---------------------------------------------------------------------------------------------------------------
# Files of lines. All of it runs on the writer's own thread.

_O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_O_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_APPEND = os.O_WRONLY | os.O_APPEND | _O_NOFOLLOW | _O_CLOEXEC
_CREATE = _APPEND | os.O_CREAT | os.O_EXCL
_CREATE_SPOOL = os.O_RDWR | os.O_APPEND | _O_NOFOLLOW | _O_CLOEXEC | os.O_CREAT | os.O_EXCL


class _ShortWrite(Exception):
    def __str__(self) -> str:
        return "only a part of the data could be written"


class _LineFile:
    """Appends whole lines to an open file and knows which of them are wholly in it."""

    def __init__(self, fd: int, may_be_torn: bool) -> None:
        self.fd = fd
        self._may_be_torn = may_be_torn

    def write(self, lines: Sequence[bytes]) -> int:
        """How many of the lines, from the first on, are known to be in the file. After an error it may be any part."""
        start = b"\n" if self._may_be_torn else b""
        data = start + b"".join(lines)
        self._may_be_torn = True
        written = os.write(self.fd, data)
        if written == len(data):
            self._may_be_torn = False
            return len(lines)
        return _count_within(lines, written - len(start))

    def sync(self) -> None:
        os.fsync(self.fd)

    def close(self) -> None:
        try:
            os.close(self.fd)
        except OSError:
            pass  # what was fsynced is safe whatever close says; the rest is kept and written again


def _count_within(lines: Sequence[bytes], size: int) -> int:
    count = 0
    for line in lines:
        size -= len(line)
        if size < 0:
            break
        count += 1
    return count


class _OwnFile:
    """The one event file of a writer."""

    def __init__(self, ledger: str, writer: str, origin: str) -> None:
        self._ledger = ledger
        self.path = os.path.join(ledger, "events", _ulid_day(writer), f"{writer}-{origin}.ndjson")
        self._was_open = False

    def open(self) -> _LineFile:
        """The first time it makes the file, never where there is no log. Raises RunfoldError, OSError."""
        _read_ledger(self._ledger)
        file = self._reopen() if self._was_open else self._make()
        self._was_open = True
        return file

    def _make(self) -> _LineFile:
        day = os.path.dirname(self.path)
        events = os.path.dirname(day)
        _ensure_directory(events, 0o777)
        shared = _shared_mode(events)
        if _ensure_directory(day, 0o777) and shared is not None:
            _share_folder(day, shared)
        try:
            fd = os.open(self.path, _CREATE, 0o666)
        except FileExistsError:
            # Ours: made by an open whose answer got lost, or by the mend that was printed for the spool. Nobody
            # else has these 80 random bits.
            return self._reopen()
        if shared is not None:
            _change_mode(fd, 0o640 | (shared & 0o004))
        _sync_directory(day)
        _sync_directory(events)
        return _LineFile(fd, False)

    def _reopen(self) -> _LineFile:
        """Without O_CREAT: a file that somebody removed is not begun again without its first lines."""
        return _LineFile(os.open(self.path, _APPEND), True)


def _ensure_directory(path: str, mode: int) -> bool:
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return False
    return True


def _shared_mode(events: str) -> Optional[int]:
    """The mode of a log's `events` that a group shares: setgid, and the group may write. None if it is not shared."""
    mode = os.lstat(events).st_mode
    return _stat.S_IMODE(mode) if mode & 0o2020 == 0o2020 else None


def _share_folder(path: str, mode: int) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return  # as below
    try:
        _change_mode(fd, mode)
    finally:
        os.close(fd)


def _change_mode(fd: int, mode: int) -> None:
    """Whatever the umask, the group can work with what a writer makes in a shared log."""
    try:
        os.fchmod(fd, mode)
    except (OSError, AttributeError):
        pass  # the lines can be written all the same, and runfold doctor says who cannot read them


class _Spool:
    """Where lines wait on a local disk while the log cannot be written."""

    _READ_BYTES = 2 * 1_048_576

    def __init__(self, directory: str, uid: Optional[int], name: str, max_bytes: int = _SPOOL_BYTES) -> None:
        self.path = os.path.join(directory, name)
        # Two threads may use it: the writer's, and one that helps while that one hangs. Nobody who trains.
        self.lock = threading.RLock()
        self.lines = 0
        self.problem: Optional[str] = None
        self._directory = directory
        self._uid = uid
        self._max_bytes = max_bytes
        self._file: Optional[_LineFile] = None
        self._bytes = 0
        self._drained = 0

    def append(self, lines: Sequence[bytes], header: bytes) -> int:
        """How many, from the first on, it has taken. A new spool begins with the header. Never raises."""
        try:
            if self._file is None:
                self._file = self._make()
            preface = [header] if self._bytes == 0 and lines[:1] != [header] else []
            wanted = preface + list(lines)
            fitting = wanted[: _count_within(wanted, self._max_bytes - self._bytes)]
            whole = self._file.write(fitting) if len(fitting) > len(preface) else 0
            self._bytes += sum(map(len, fitting[:whole]))
            self.lines += whole
            is_full = len(fitting) < len(wanted)
            self.problem = "it is full" if is_full else "its disk is full" if whole < len(fitting) else None
            return max(0, whole - len(preface))
        except OSError as error:
            self.problem = error.strerror or str(error)
            return 0

    def _make(self) -> _LineFile:
        _ensure_directory(self._directory, 0o700)
        facts = os.lstat(self._directory)
        is_foreign = self._uid is not None and (facts.st_uid != self._uid or facts.st_mode & 0o077 != 0)
        if not _stat.S_ISDIR(facts.st_mode) or is_foreign:
            raise OSError(errno.EPERM, f"{self._directory} is not a directory that is yours alone")
        # Born torn: the first byte is LF, which ends a torn line of the event file if this is appended to it.
        return _LineFile(os.open(self.path, _CREATE_SPOOL, 0o600), True)

    def peek(self) -> Optional[Tuple[List[bytes], int]]:
        """The next waiting lines, and how many bytes of the file they are. Raises OSError."""
        if self._file is None:
            return None
        data = os.pread(self._file.fd, self._READ_BYTES, self._drained)
        size = data.rfind(b"\n") + 1
        if size == 0:
            return None
        return [line + b"\n" for line in data[:size].split(b"\n") if line != b""], size

    def drop(self, lines: int, size: int) -> None:
        self._drained += size
        self.lines = max(0, self.lines - lines)

    def clear(self) -> None:
        """Removes the file: nothing waits any more."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self._bytes = self._drained = self.lines = 0
        try:
            os.unlink(self.path)
        except OSError:
            pass  # an old spool file does no harm: all its lines are in the log, where they would be repeats

    def sync(self) -> bool:
        try:
            if self._file is not None:
                self._file.sync()
            return True
        except OSError as error:
            self.problem = error.strerror or str(error)
            return False


def _spool_directory(env: Env, uid: Optional[int]) -> str:
    temporary = env.get("TMPDIR") or env.get("TMP") or env.get("TEMP") or "/tmp"
    return os.path.join(temporary, f"runfold-spool-{_plain(env.get('USERNAME') or 'user') if uid is None else uid}")


# After these errors the open file is as good as before; after any other it is opened anew.
_FILE_IS_FINE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EINTR, errno.EAGAIN)


class _Outbox:
    """Lines on their way to the log: kept until an fsync has succeeded, whatever fails in between.

    Memory first, then the spool, then counted drops. The order of lines is kept, so that the header stays first.
    """

    def __init__(self, file: _OwnFile, spool: _Spool, notices: _Notices, header: bytes, max_bytes: int) -> None:
        self._own = file
        self._spool = spool
        self._notices = notices
        self._header = header
        self._max_bytes = max_bytes
        self._file: Optional[_LineFile] = None
        self.queued: Deque[bytes] = deque()
        self.queued_bytes = 0
        self.unsynced: List[bytes] = []
        self._unsynced_bytes = 0
        self.failure: Optional[Exception] = None
        self.retry_at = 0.0
        self._spool_retry_at = 0.0
        self.dropped = 0
        # since when it is inside of system calls on the log, by the monotonic clock
        self.busy_since: Optional[float] = None

    @property
    def is_all_written(self) -> bool:
        return not self.queued and self.failure is None

    @property
    def is_all_durable(self) -> bool:
        return self.is_all_written and not self.unsynced

    def add(self, line: bytes) -> None:
        self.queued.append(line)
        self.queued_bytes += len(line)
        if self.queued_bytes > self._max_bytes:
            self._spill()

    def deliver(self, durable: bool) -> bool:
        """True if all was written, and made durable if asked. A failing log is tried at most once a second."""
        if self.failure is None or time.monotonic() >= self.retry_at:
            return self._try(durable, _DRAIN_BYTES)
        self._spill_if_no_ledger()
        return False

    def finish(self) -> None:
        """The last attempt: what the log does not take goes to the spool, and where it is gets said."""
        is_done = (self.is_all_durable and self._spool.lines == 0) or self._try(True, sys.maxsize)
        if not is_done:
            self._give_up_file()
            self._spool_retry_at = 0.0
            self._spill()
            self._drop_beyond(0)
        if self._file is not None:
            self._file.close()
            self._file = None
        self.say_how_it_ended()

    def _try(self, durable: bool, drain_bytes: int) -> bool:
        self.busy_since = time.monotonic()
        try:
            if self._file is None:
                self._file = self._own.open()
            if not self._drain(self._file, drain_bytes):
                return False
            self._write(self._file)
            if durable or self._unsynced_bytes > _SYNC_BYTES:
                self._sync(self._file)
        except (OSError, RunfoldError, _ShortWrite) as error:
            self._fail(error)
            return False
        finally:
            self.busy_since = None
        self._recover()
        return True

    def _drain(self, file: _LineFile, max_bytes: int) -> bool:
        """Brings the spool in, before what was logged after it. True if nothing is left in it."""
        done = 0
        while True:
            with self._spool.lock:
                chunk = self._spool.peek()
                if chunk is None:
                    self._spool.clear()
                    return True
            if done >= max_bytes:
                return False
            lines, size = chunk
            if file.write(lines) < len(lines):
                raise _ShortWrite()
            self._sync(file)
            with self._spool.lock:
                self._spool.drop(len(lines), size)
            done += size

    def _write(self, file: _LineFile) -> None:
        while self.queued:
            # one write for all that waits
            lines = list(self.queued)
            whole = file.write(lines)
            for line in lines[:whole]:
                self.unsynced.append(line)
                self.queued.popleft()
            size = sum(map(len, lines[:whole]))
            self.queued_bytes -= size
            self._unsynced_bytes += size
            if whole < len(lines):
                raise _ShortWrite()

    def _sync(self, file: _LineFile) -> None:
        try:
            file.sync()
        except OSError:
            # The kernel may have thrown the pages away and will not say so again: they are written again.
            self._give_up_file()
            raise
        self.unsynced = []
        self._unsynced_bytes = 0

    def _give_up_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self.queued.extendleft(reversed(self.unsynced))
        self.queued_bytes += self._unsynced_bytes
        self.unsynced = []
        self._unsynced_bytes = 0

    def _fail(self, error: Exception) -> None:
        is_fine = isinstance(error, _ShortWrite) or isinstance(error, OSError) and error.errno in _FILE_IS_FINE
        if not is_fine:
            self._give_up_file()
        elif self._file is not None and self.unsynced:
            try:
                # a full disk takes no more lines, but the ones that it took have to become durable all the same
                self._sync(self._file)
            except OSError:
                pass  # they are in the queue again; the error that led here is the one that is said
        self.failure = error
        self.retry_at = time.monotonic() + _RETRY_S
        self._spill_if_no_ledger()
        if self.queued_bytes > self._max_bytes:
            self._spill()
        self._say_failure(error)

    def _recover(self) -> None:
        if self.failure is None:
            return
        self.failure = None
        lost = "nothing was lost" if self.dropped == 0 else f"{self.dropped} events were lost meanwhile"
        self._notices.once("recovered", f"{self._own.path} can be written again; {lost}")

    def _spill_if_no_ledger(self) -> None:
        """Without a log there is nothing to wait for: what a SIGKILL would take goes to the disk at once."""
        if isinstance(self.failure, RunfoldError):
            self._spill()

    def _spill(self) -> None:
        if self.queued and time.monotonic() >= self._spool_retry_at:
            with self._spool.lock:
                taken = self._spool.append(list(self.queued), self._header)
            for _ in range(taken):
                self.queued_bytes -= len(self.queued.popleft())
            if self._spool.problem is not None:
                self._spool_retry_at = time.monotonic() + _RETRY_S
        self._drop_beyond(self._max_bytes)

    def _drop_beyond(self, size: int) -> None:
        """The newest go: without the header, which is the oldest, all others would be worth nothing."""
        before = self.dropped
        while self.queued_bytes > size and self.queued:
            self.queued_bytes -= len(self.queued.pop())
            self.dropped += 1
        if self.dropped > before and size > 0:
            self.say_dropping()

    def _say_failure(self, error: Exception) -> None:
        if isinstance(error, RunfoldError):
            self._notices.once(
                "failing",
                f"{error.message}. The program goes on, its events are kept in {self._spool.path}. "
                f"{error.hint or ''} Then bring them in: {self._mend()}",
            )
            return
        kept = f"up to {self._max_bytes} bytes in memory, then in {self._spool.path}"
        self._notices.once(
            "failing",
            f"cannot write {self._own.path}: {_reason(error)}; events are kept ({kept}) and it is tried again every second",
        )

    def say_dropping(self) -> None:
        why = self._spool.problem or "not tried"
        self._notices.once(
            "dropping",
            f"the buffer is full and so is {self._spool.path} ({why}): new events are dropped and counted",
        )

    def say_how_it_ended(self, problem: Optional[str] = None) -> None:
        waiting = self._spool.lines
        is_durable = self._spool.sync()
        if waiting == 0 and self.dropped == 0:
            return
        parts: List[str] = []
        if problem is None and self.failure is not None:
            problem = _reason(self.failure)
        if problem is not None:
            parts.append(f"{self._own.path} could not be written ({problem})")
        if waiting > 0:
            doubt = "" if is_durable else f" (which could not be fsynced: {self._spool.problem})"
            parts.append(
                f"{waiting} events are in {self._spool.path}{doubt}; "
                f"when there is a log that can be written: {self._mend()}"
            )
        if self.dropped > 0:
            why = "" if self._spool.problem is None else f" ({self._spool.path}: {self._spool.problem})"
            parts.append(f"{self.dropped} events are lost{why}")
        self._notices.always("; ".join(parts))

    def _mend(self) -> str:
        into = self._own.path
        folder = _shell_quoted(os.path.dirname(into))
        return f"mkdir -p {folder} && cat {_shell_quoted(self._spool.path)} >> {_shell_quoted(into)}"


def _reason(error: Exception) -> str:
    if isinstance(error, RunfoldError):
        return error.message
    return (isinstance(error, OSError) and error.strerror) or str(error)


# ---------------------------------------------------------------------------------------------------------------
# The writer: one process, one file, one thread.


class _Deferred:
    """A line whose step is known only when the writer's thread has looked for the last one of a resumed run."""

    __slots__ = ("_before", "_after", "_offset", "_steps")

    def __init__(self, before: str, after: str, offset: int, steps: _ResumedSteps) -> None:
        self._before = before
        self._after = after
        self._offset = offset
        self._steps = steps

    def __len__(self) -> int:
        return len(self._before) + len(self._after)

    def line(self, may_search: bool) -> bytes:
        first = self._steps.first(may_search)
        step = "" if first is None else f'"step":{first + self._offset},'
        return _utf8(self._before + step + self._after)


class _Ticket:
    """Somebody waits for all that was logged before it. May be put more than once, and waited for by several."""

    __slots__ = ("is_last", "is_durable", "is_done", "_is_punched", "_lock")

    def __init__(self, is_last: bool, is_durable: bool = True) -> None:
        self.is_last = is_last
        self.is_durable = is_durable
        self.is_done = False
        self._is_punched = False
        # A plain lock of its own: a signal handler that waits in turn cannot meet one that is held.
        self._lock = threading.Lock()
        self._lock.acquire()

    def punch(self, is_done: bool) -> None:
        if not self._is_punched:
            self._is_punched = True
            self.is_done = is_done
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """False if the thread did not come to it in that time."""
        if not self._lock.acquire(timeout=seconds):
            return False
        self._lock.release()
        return True


class _Writer:
    """Numbers and dates events, and decides when they are written and fsynced.

    The header is waiting from the start, and nothing touches a file before the first event.
    """

    def __init__(self, ledger: str, attempt: Optional[str], env: Env) -> None:
        self.pid = os.getpid()
        self.ledger = ledger
        self.id = _new_ulid()
        self.notices = _Notices()
        self.is_closed = False
        self.is_hanging = False
        # Of a worker that logs to somebody else's run: it may be killed at any time, as at the end of a pool.
        self.is_guest = False
        given = attempt or None
        self.attempt = given or self.id
        host = _host_name()
        origin = _origin(env, host, self.pid)
        said = "" if given is None else f'"attempt":{_quote(given)},'
        self._header = _utf8(
            f'{{"type":"writer_opened","ts":"{_timestamp_of(time.time())}","seq":1,"format":1,"writer":"{self.id}",'
            f'"origin":"{origin}",{said}"host":{_quote(host)},"pid":{self.pid},"user":{_quote(_user_name(env))},'
            f'"client":{_CLIENT}}}\n'
        )
        own = _OwnFile(ledger, self.id, origin)
        self.path = own.path
        uid = os.getuid() if hasattr(os, "getuid") else None
        self._spool = _Spool(_spool_directory(env, uid), uid, os.path.basename(own.path))
        self._outbox = _Outbox(own, self._spool, self.notices, self._header, _BUFFER_BYTES)
        # Reentrant, since a signal handler may log while the program does; held for no system call.
        self.lock = threading.RLock()
        self._seq = 1
        self._inbox: Deque[Line] = deque([self._header])
        self._bytes_in = len(self._header)
        self._bytes_out = 0
        # Of the two threads that take lines out; held for no system call.
        self._take_lock = threading.Lock()
        self._is_idle = False
        self._is_nudged = False
        # put() of this queue may be interrupted by a signal handler that puts, unlike that of any with a lock
        self._wake: SimpleQueue[Optional[_Ticket]] = SimpleQueue()
        self._last: Optional[_Ticket] = None
        self._thread: Optional[threading.Thread] = None
        self._helper: Optional[threading.Thread] = None
        self._refused = 0
        self._stamp = (-1, "")
        self._queued_since: Optional[float] = None
        self._dirty_since: Optional[float] = None

    @property
    def events(self) -> int:
        return self._seq

    # -- on the caller's thread --

    def append(
        self, kind: str, of_run: str, payload: str, deferred: Optional[Tuple[int, _ResumedSteps]] = None
    ) -> bool:
        """Takes an event. `of_run` and `payload` are members of a JSON object, each with its comma in front of it.

        False means that it is lost: the writer is closed, the line too long, or there is no room.
        """
        now = time.time()
        second = int(now)
        stamp = self._stamp
        if second != stamp[0]:
            # one assignment, since several threads may be here
            self._stamp = stamp = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
        ts = f"{stamp[1]}.{int((now - second) * 1000):03d}Z"
        with self.lock:
            if self.is_closed:
                self.notices.once("closed", f"an event of type {kind} came after the end and is left out")
                return False
            head = f'{{"type":"{kind}","ts":"{ts}","seq":{self._seq + 1}{of_run}'
            line: Line
            if deferred is None:
                line = _utf8(f"{head}{payload}}}\n")
            else:
                line = _Deferred(f"{head},", f"{payload[1:]}}}\n", *deferred)
            size = len(line)
            if size - 1 > _MAX_LINE_BYTES:
                self._refuse(f"an event of type {kind} has {size - 1} bytes, more than {_MAX_LINE_BYTES}")
                return False
            self._seq += 1
            waiting = self._bytes_in - self._bytes_out
            if waiting + size > _BUFFER_BYTES:
                self._help()
                if waiting + size > 2 * _BUFFER_BYTES:
                    self._outbox.dropped += 1
                    self._outbox.say_dropping()
                    return False
            self._bytes_in += size
            self._inbox.append(line)
            if kind == "writer_closed":
                self.is_closed = True  # here, so that a signal handler finds an end that is there
        if self._is_idle or (waiting > _GROUP_BYTES and not self._is_nudged):
            self._is_idle = False
            self._is_nudged = True
            self._wake.put(None)
        if self._thread is None:
            self._start()
        return True

    def flush(self, seconds: float = _FLUSH_WAIT_S) -> bool:
        """True if all that was logged is on the disk. Waits for a bounded time, and not at all for what hangs."""
        if self._thread is None:
            return self._seq == 1 or self._deliver_without_thread(False)
        if self.is_closed:
            return self._outbox.is_all_durable
        if threading.current_thread() is self._thread:
            return False  # a __del__ of the program that logs, on the very thread that would have to write it
        ticket = _Ticket(False)
        self._wake.put(ticket)
        if self._is_stuck(seconds):
            return False
        if ticket.wait(seconds):
            return ticket.is_done
        self._say_hanging(seconds)
        return False

    def settle(self) -> None:
        """Waits until what was logged is written, though not fsynced: then a SIGKILL does not take it any more."""
        if self._thread is None or self.is_closed or threading.current_thread() is self._thread:
            return
        ticket = _Ticket(False, is_durable=False)
        self._wake.put(ticket)
        if not self._is_stuck(_SETTLE_WAIT_S):
            ticket.wait(_SETTLE_WAIT_S)

    def close(self, seconds: float = _EXIT_WAIT_S) -> None:
        """Ends the file with `writer_closed`. What the log does not take goes to the spool, which is said.

        A signal handler that interrupts it on the same thread does all of it, since the process ends with the handler.
        """
        with self.lock:
            if self._seq == 1:
                self.is_closed = True
                return
            ticket = self._last
            if ticket is None:
                ticket = self._last = _Ticket(True)
            is_first = not self.is_closed
            if is_first:
                self.append("writer_closed", "", f',"events":{self._seq}')
                self.is_closed = True
        if self._thread is None:
            if is_first:
                self._deliver_without_thread(True)
            return
        self._wake.put(ticket)
        if not ticket.wait(_EXIT_WAIT_IF_HANGING_S if self._is_stuck(seconds) else seconds):
            self.is_hanging = True
            self._rescue_all(ticket)

    def _start(self) -> None:
        with self.lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="runfold", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                # at the end of the interpreter, or at a limit of the system: then it is done where it is asked for
                self.notices.once("thread", f"no thread can be started ({error}); events are written at the next flush")
                return
            self._thread = thread

    def _deliver_without_thread(self, is_last: bool) -> bool:
        self._take()
        if is_last:
            self._outbox.finish()
            return self._outbox.is_all_durable
        return self._outbox.deliver(True)

    def _refuse(self, text: str) -> None:
        self._refused += 1
        self.notices.once("refused", f"{text}; it is left out, as any more of the kind will be")

    def _is_stuck(self, seconds: float) -> bool:
        since = self._outbox.busy_since
        return since is not None and time.monotonic() - since > seconds

    def _say_hanging(self, seconds: float) -> None:
        self.is_hanging = True
        self.notices.once(
            "hanging",
            f"{self.path} has not answered for {seconds:g} s; the program goes on, "
            f"events are kept in memory, then in {self._spool.path}",
        )

    def _help(self) -> None:
        """While the thread hangs in the log, another one brings what waits to the spool."""
        if self._helper is not None and self._helper.is_alive() or not self._is_stuck(_GROUP_S):
            return
        self._say_hanging(_GROUP_S)
        helper = threading.Thread(target=self._spill_inbox, name="runfold-spool", daemon=True)
        try:
            helper.start()
        except RuntimeError:
            return  # no room for a thread; what there is no room for in memory is dropped and counted
        self._helper = helper

    def _spill_inbox(self) -> None:
        lines = self._pop_inbox()
        with self._spool.lock:
            taken = self._spool.append(lines, self._header)
        if taken < len(lines):
            self._outbox.dropped += len(lines) - taken
            self._outbox.say_dropping()

    def _rescue_all(self, ticket: _Ticket) -> None:
        """At the end, with the thread hanging: everything that is not known to be on the disk goes to the spool."""
        lines = [*self._outbox.unsynced, *list(self._outbox.queued), *self._pop_inbox()]
        if self._spool.lock.acquire(timeout=_EXIT_WAIT_IF_HANGING_S):
            try:
                taken = self._spool.append(lines, self._header)
            finally:
                self._spool.lock.release()
        else:
            taken = 0
        self._outbox.dropped += len(lines) - taken
        if ticket.wait(0) and ticket.is_done:
            self._spool.clear()  # it has come back meanwhile, and written everything
            return
        self._outbox.say_how_it_ended("it does not answer")

    def _pop_inbox(self) -> List[bytes]:
        """All that waits, on another thread than the one that hangs. Nothing is looked up for it."""
        lines: List[bytes] = []
        with self._take_lock:
            while self._inbox:
                item = self._inbox.popleft()
                self._bytes_out += len(item)
                lines.append(item if isinstance(item, bytes) else item.line(False))
        return lines

    # -- on the writer's thread --

    def _run(self) -> None:
        try:
            while not self._turn():
                pass
        except BaseException as error:  # a thread that ends without a word would keep everything in memory for ever
            if not sys.is_finalizing():
                self.notices.once("broken", f"the writing thread ended by {type(error).__name__}: {error}")
                self._thread = None

    def _turn(self) -> bool:
        """One wait and what comes of it; true at the end."""
        due_at = self._due_at()
        timeout = None if due_at is None else max(0.0, due_at - time.monotonic())
        if timeout is None:
            self._is_idle = True
            if self._inbox:
                self._is_idle = False
                timeout = 0.0
        tickets: List[_Ticket] = []
        try:
            token = self._wake.get(timeout=timeout)
            while True:
                if token is not None:
                    tickets.append(token)
                token = self._wake.get_nowait()
        except Empty:
            pass
        self._is_idle = self._is_nudged = False
        self._take()
        if any(ticket.is_last for ticket in tickets):
            self._outbox.finish()
            for ticket in tickets:
                ticket.punch(self._outbox.is_all_durable)
            return True
        if tickets:
            done = self._deliver(any(ticket.is_durable for ticket in tickets))
            for ticket in tickets:
                ticket.punch(done)
        else:
            due_at = self._due_at()
            now = time.monotonic()
            if due_at is not None and (now >= due_at or self._outbox.queued_bytes > _GROUP_BYTES):
                is_sync_due = self._dirty_since is not None and now >= self._dirty_since + _SYNC_S
                self._deliver(is_sync_due or self._outbox.failure is not None)
        return False

    def _take(self) -> None:
        """From what callers have handed over to the outbox. Looking for the last step of a run may take a while."""
        self._outbox.busy_since = time.monotonic()
        while self._inbox:
            item = self._inbox[0]
            line = item if isinstance(item, bytes) else item.line(True)
            with self._take_lock:
                if not self._inbox or self._inbox[0] is not item:
                    continue  # the helper has brought it to the spool meanwhile
                self._inbox.popleft()
                self._bytes_out += len(item)
            if self._queued_since is None:
                self._queued_since = time.monotonic()
            if self._dirty_since is None:
                self._dirty_since = self._queued_since
            self._outbox.add(line)
        self._outbox.busy_since = None

    def _deliver(self, durable: bool) -> bool:
        done = self._outbox.deliver(durable)
        if self._outbox.is_all_written:
            self._queued_since = None
        if self._outbox.is_all_durable:
            self._dirty_since = None
        return done

    def _due_at(self) -> Optional[float]:
        if self._outbox.failure is not None:
            return self._outbox.retry_at
        due = [
            since + wait
            for since, wait in ((self._queued_since, _GROUP_S), (self._dirty_since, _SYNC_S))
            if since is not None
        ]
        return min(due) if due else None


# ---------------------------------------------------------------------------------------------------------------
# The last step of a run that is resumed, from the files of its earlier executions.


class _ResumedSteps:
    """Where counting goes on. Looked up once, on the writer's thread, within bounds of time and bytes."""

    def __init__(self, ledger: str, run_id: str, writer: str, env: Env, notices: _Notices) -> None:
        self._arguments = (ledger, run_id, writer, env)
        self._notices = notices
        self._run_id = run_id
        self._is_known = False
        self._first: Optional[int] = None

    def first(self, may_search: bool) -> Optional[int]:
        """The step after the last one, None if it could not be found out."""
        if self._is_known or not may_search:
            return self._first
        self._is_known = True
        try:
            self._first = _step_after(*self._arguments)
        except OSError as error:
            self._notices.once("search failed", f"the last step cannot be looked for: {error.strerror or error}")
        if self._first is None:
            self._notices.once(
                f"steps {self._run_id}",
                f"run {self._run_id} is resumed and its last step was not found within {_SEARCH_S:g} s: "
                "no steps are counted; give log() a step or an epoch",
            )
        return self._first


def _step_after(ledger: str, run_id: str, own: str, env: Env) -> Optional[int]:
    """0 if the run has no earlier points with a step, None if that is not certain. Raises OSError."""
    deadline = time.monotonic() + _SEARCH_S
    left = _SEARCH_BYTES
    highest: Optional[int] = None
    attempt: Optional[str] = None
    files, is_complete = _event_files(ledger, own, deadline)
    job = _job_origin(env)
    restarts = [] if job is None else [path for path in files if _is_restart_of(path, job)]
    others = [path for path in files if path not in set(restarts)]
    for index, path in enumerate(restarts + others):
        if restarts and index == len(restarts) and highest is not None:
            break  # what an earlier start of this very job has logged is what it goes on from
        if time.monotonic() > deadline or left <= 0 or index >= _SEARCH_FILES:
            return None if highest is None else highest + 1
        found = _steps_in(path, run_id, min(left, _SEARCH_TAIL_BYTES))
        left -= found.size
        if found.highest is not None:
            highest = found.highest if highest is None else max(highest, found.highest)
            attempt = attempt or found.attempt
        if found.created is not None and highest is not None and found.created == attempt:
            break  # the file that began the newest execution: older ones have been gone over again
    if highest is None:
        return 0 if is_complete else None
    return highest + 1


class _FoundSteps:
    def __init__(self) -> None:
        self.size = 0
        self.highest: Optional[int] = None
        self.attempt: Optional[str] = None
        self.created: Optional[str] = None


def _event_files(ledger: str, own: str, deadline: float) -> Tuple[List[str], bool]:
    """Newest first, as their names have it, and whether these are all."""
    events = os.path.join(ledger, "events")
    paths: List[str] = []
    for day in sorted(os.listdir(events), reverse=True):
        if time.monotonic() > deadline or len(paths) > _SEARCH_FILES:
            return paths, False
        folder = os.path.join(events, day)
        try:
            names = os.listdir(folder)
        except OSError:
            continue  # no folder, or one that may not be read
        paths += [
            os.path.join(folder, name)
            for name in sorted(names, reverse=True)
            if name.endswith(".ndjson") and not name.startswith((".", own))
        ]
    return paths, True


def _is_restart_of(path: str, job: str) -> bool:
    origin = os.path.basename(path)[27 : -len(".ndjson")]
    return origin == job or origin.startswith(f"{job}r") and origin[len(job) + 1 :].isdigit()


def _steps_in(path: str, run_id: str, max_bytes: int) -> _FoundSteps:
    """Of the head and the tail of a file: in between are lower steps."""
    import json

    found = _FoundSteps()
    try:
        with open(path, "rb") as file:
            data = file.read(65_536)
            end = file.seek(0, os.SEEK_END)
            if end > len(data):
                file.seek(max(len(data), end - max_bytes))
                data += file.read(max_bytes)
    except OSError:
        return found  # one file that cannot be read does not hide the others
    found.size = len(data)
    wanted = run_id.encode()
    default = os.path.basename(path)[:26]
    for index, line in enumerate(data.split(b"\n")):
        if index > 0 and wanted not in line:
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue  # torn, or cut by the bounds of what was read
        if not isinstance(event, dict):
            continue
        kind, step = event.get("type"), event.get("step")
        if kind == "writer_opened":
            default = event.get("attempt") or default
        elif event.get("run_id") != run_id:
            continue
        elif kind == "run_created":
            found.created = event.get("attempt") or default
        elif kind == "metric" and isinstance(step, (int, float)) and float(step).is_integer():
            found.attempt = event.get("attempt") or default
            found.highest = int(step) if found.highest is None else max(found.highest, int(step))
    return found


# ---------------------------------------------------------------------------------------------------------------
# What this process has: its writers, its runs, and how it ends.


class _Process:
    """One for each process: a forked child gets a fresh one."""

    def __init__(self, parent: Optional[_Process] = None) -> None:
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self.writers: Dict[str, _Writer] = {}
        self.executions: Dict[str, int] = {} if parent is None else dict(parent.executions)
        self.last_steps: Dict[str, int] = {}
        # those that were not closed; in a child also those of its parent, which it may log to and not end
        self.runs: List[Run] = [] if parent is None else list(parent.runs)
        self.current: Optional[Run] = None if parent is None else parent.current
        self.config_to_be: Dict[str, Any] = {}
        self.exit_code: Optional[int] = None
        self.is_dying = False
        self.has_hooks = False
        self.watched: Dict[int, Any] = {}


_process = _Process()


def _open_writer(ledger: str, attempt: Optional[str], env: Env) -> _Writer:
    """The writer of this process for a log: everything that logs in it shares one file."""
    with _process.lock:
        writer = _process.writers.get(ledger)
        if writer is None or writer.is_closed:
            writer = _process.writers[ledger] = _Writer(ledger, attempt, env)
        return writer


def _count_execution(run_id: str) -> int:
    with _process.lock:
        before = _process.executions.get(run_id, 0)
        _process.executions[run_id] = before + 1
        return before


def _after_fork_in_child() -> None:
    global _process
    watched = _process.watched
    _process = _Process(_process)
    for number, previous in watched.items():
        # a child that logs nothing ends as if this were not here
        if _signals.getsignal(number) is _on_signal:
            try:
                _signals.signal(number, previous)
            except ValueError:
                pass  # forked by a thread that is not taken for the main one


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


class _Hooks:
    """What was there before, which runs too."""

    exit: Optional[Callable[[Any], NoReturn]] = None
    excepthook: Optional[Callable[[Type[BaseException], BaseException, Optional[TracebackType]], Any]] = None
    thread_excepthook: Optional[Callable[[Any], Any]] = None
    main_frame: Optional[FrameType] = None


def _install_hooks(signals: Optional[Iterable[int]]) -> None:
    """`signals` are watched besides SIGTERM; None: none at all."""
    if _Hooks.exit is None:
        _Hooks.exit = sys.exit
        _Hooks.excepthook = sys.excepthook
        _Hooks.thread_excepthook = threading.excepthook
        sys.exit = _on_sys_exit
        sys.excepthook = _on_exception
        threading.excepthook = _on_thread_exception
    if _Hooks.main_frame is None:
        _Hooks.main_frame = _find_main_frame()
    for number in [] if signals is None else [_signals.SIGTERM, *signals]:
        _watch_signal(number)
    if not _process.has_hooks:
        _process.has_hooks = True
        _end_with_worker()


def _end_with_worker() -> None:
    """A worker of multiprocessing ends by os._exit, past atexit."""
    module = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if module is not None and util is not None and module.parent_process() is not None:
        util.Finalize(None, _at_worker_exit, exitpriority=-100)


def _watch_signal(number: int) -> None:
    if threading.current_thread() is not threading.main_thread() or number in _process.watched:
        return
    previous = _signals.getsignal(number)
    if previous is None or previous is _signals.SIG_IGN or previous is _on_signal:
        return  # a handler that is not Python's cannot be called, and what is ignored stays so
    try:
        _signals.signal(number, _on_signal)
    except (ValueError, OSError):
        return  # a subinterpreter, or a signal that cannot be caught
    _process.watched[number] = previous


def _signal_number(signal: Union[int, str]) -> int:
    if isinstance(signal, str):
        number = getattr(_signals, signal.upper(), None)
        if isinstance(number, int):
            return int(number)
        raise RunfoldError("usage", f'there is no signal "{signal}"')
    return int(signal)


def _on_signal(number: int, frame: Optional[FrameType]) -> None:
    process = _process
    name = _signals.Signals(number).name
    previous = process.watched.get(number, _signals.SIG_DFL)
    if callable(previous):
        # the program's own handler decides what happens
        for run in list(process.runs):
            run._signal = name
        for writer in list(process.writers.values()):
            writer.flush()
        previous(number, frame)
        return
    try:
        if not process.is_dying:
            process.is_dying = True
            for run in list(process.runs):
                run._end("failed", None, name)
            _close_writers()
    finally:
        _signals.signal(number, _signals.SIG_DFL)
        os.kill(os.getpid(), number)


def _on_sys_exit(status: Any = None) -> NoReturn:
    # in another thread it ends that thread only
    if threading.current_thread() is threading.main_thread():
        _process.exit_code = _exit_code_of(status)
    if _Hooks.exit is not None:
        _Hooks.exit(status)
    raise SystemExit(status)


def _exit_code_of(status: Any) -> int:
    if status is None:
        return 0
    return int(status) & 0xFF if isinstance(status, int) else 1


def _forget_exit() -> None:
    """The program goes on after a sys.exit() that somebody has caught."""
    if _process.exit_code is not None and not isinstance(sys.exc_info()[1], SystemExit):
        _process.exit_code = None


def _on_exception(kind: Type[BaseException], value: BaseException, trace: Optional[TracebackType]) -> None:
    try:
        # an interactive interpreter goes on after it
        _threw(value, not hasattr(sys, "ps1") and not sys.flags.interactive)
    except Exception as error:
        _notices.once("excepthook", f"the end cannot be recorded: {error}")
    finally:
        if _Hooks.excepthook is not None:
            _Hooks.excepthook(kind, value, trace)


def _on_thread_exception(args: Any) -> None:
    try:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            _threw(args.exc_value, False)
    except Exception as error:
        _notices.once("threading.excepthook", f"the error cannot be recorded: {error}")
    finally:
        if _Hooks.thread_excepthook is not None:
            _Hooks.thread_excepthook(args)


def _threw(error: BaseException, is_fatal: bool) -> None:
    for run in list(_process.runs):
        if isinstance(error, KeyboardInterrupt):
            if is_fatal:
                run._end("failed", None, "SIGINT")
            continue
        run.log_error(error)
        if is_fatal:
            run._end("failed", 1, run._signal)


def _find_main_frame() -> Optional[FrameType]:
    """That of the program's own code, from which can be seen later whether it ran to its end."""
    names = getattr(_main_module(), "__dict__", None)
    found: Optional[FrameType] = None
    frame: Optional[FrameType] = sys._getframe()
    while frame is not None:
        if frame.f_globals is names and frame.f_code.co_name == "<module>":
            found = frame
        frame = frame.f_back
    return found


_Hooks.main_frame = _find_main_frame()


def _has_main_returned() -> Optional[bool]:
    """None if the program's own frame is not known."""
    frame = _Hooks.main_frame
    if frame is None or frame.f_lasti < 0:
        return None
    from opcode import opname

    return opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN_")


def _at_exit() -> None:
    """Also where sys.exit was called: Python tells nobody with which code it ends, so calls of it are noted."""
    returned = _has_main_returned()
    code = 0 if returned is True else _process.exit_code
    if code is None and returned is False:
        uncaught = getattr(sys, "last_value", None)
        if uncaught is not None:
            _threw(uncaught, True)  # somebody else's excepthook has not passed it on
        else:
            _say_unknown_end()
    else:
        for run in list(_process.runs):
            run._exited(code or 0)
    _close_writers()


def _say_unknown_end() -> None:
    for run in list(_process.runs):
        if run._may_end() and not run._is_end_said:
            _notices.once(
                "unknown end",
                f"the program ends by `raise SystemExit`, and its exit code cannot be seen: run {run.id} stays "
                "running. Use sys.exit(code), or run.finish() before",
            )


def _at_worker_exit() -> None:
    """Called by multiprocessing: while an exception is on its way (to 3.12), or when it has been dealt with."""
    error = sys.exc_info()[1]
    if error is not None and not isinstance(error, SystemExit):
        _threw(error, True)
    code = _worker_code() if error is None else _exit_code_of(error.code) if isinstance(error, SystemExit) else 1
    for run in list(_process.runs):
        run._exited(code)
    _close_writers()


def _worker_code() -> int:
    """The code with which multiprocessing is about to call os._exit: it is in a variable of the caller alone."""
    frame: Optional[FrameType] = sys._getframe()
    while frame is not None and frame.f_code.co_name != "_bootstrap":
        if frame.f_globals.get("__name__") in ("multiprocessing.popen_fork", "multiprocessing.forkserver"):
            code = frame.f_locals.get("code")
            return code if isinstance(code, int) else 0
        frame = frame.f_back
    return 0


def _close_writers() -> None:
    for writer in list(_process.writers.values()):
        writer.close()


# At import, so that it is done after what the program registers, which may still log.
atexit.register(_at_exit)


# ---------------------------------------------------------------------------------------------------------------
# What a training loop hands to log() -> the members of a metric event.

_COLUMNS = frozenset(("loss", "f1", "fitness", "behavioral_comparison", "gpu_memory_mb"))
_APART = _COLUMNS | {"epoch", "step", "elapsed_seconds", "extra"}
_name_texts: Dict[str, str] = {}


def _name_text(name: str) -> str:
    """The name as a member of an object begins; kept, since a program has few names and logs them often."""
    text = f"{_quote(name)}:"
    if len(_name_texts) < 10_000:
        _name_texts[name] = text
    return text


def _measure(value: Any) -> Optional[str]:
    """JSON of a number of any library, None if it is none."""
    kind = type(value)
    if kind is float:
        return repr(value) if value - value == 0.0 else f'"{_number_name(value)}"'
    if kind is int:
        if -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
            return repr(value)
        return _measure(_float_of(value))
    if kind is bool:
        return "1" if value else "0"
    if value is None or isinstance(value, (str, bytes, complex)):
        return None
    number = _plain_number(value)
    return None if number is None else _measure(number)


def _float_of(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _plain_number(value: Any) -> Union[int, float, None]:
    """A bool, int or float of what behaves like one: scalars of numpy, torch and jax, Decimal, Fraction."""
    try:
        if hasattr(value, "item"):
            value = value.item()
            if type(value) in (float, int, bool):
                plain: Union[int, float] = value
                return plain
        if isinstance(value, int):
            return int(value)
        if isinstance(value, (str, bytes, complex)):
            return None
        if hasattr(value, "__index__"):
            return int(value.__index__())
        return float(value) if hasattr(value, "__float__") else None
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    except Exception:
        return None  # an array of several numbers, or somebody else's error: no number in any case


def _position(value: Any) -> Optional[int]:
    """The whole number that it is, else None."""
    if type(value) is not int:
        if isinstance(value, bool) or isinstance(value, (str, bytes)):
            return None
        number = value if type(value) is float else _plain_number(value)
        if number is None or isinstance(number, bool) or number != number or number - number != 0:
            return None
        if number != int(number):
            return None
        value = int(number)
    return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else None


class _Point:
    """The collected members of one metric event."""

    __slots__ = ("columns", "extra", "step", "epoch", "elapsed", "left_out")

    def __init__(self) -> None:
        self.columns = ""
        self.extra: List[str] = []
        self.step: Optional[int] = None
        self.epoch: Optional[int] = None
        self.elapsed: Optional[float] = None
        self.left_out: List[Tuple[str, Any]] = []

    def take_all(self, metrics: Any) -> None:
        extra = self.extra
        names = _name_texts
        for name, value in metrics.items():
            if name in _APART or type(name) is not str:
                self._take_apart(name, value)
            elif type(value) is float and value - value == 0.0:
                extra.append((names.get(name) or _name_text(name)) + repr(value))
            else:
                self._take_extra(name, value)

    def take_position(self, step: Any, epoch: Any, elapsed: Any) -> None:
        if step is not None:
            self._take_place("step", step)
        if epoch is not None:
            self._take_place("epoch", epoch)
        if elapsed is not None:
            self._take_elapsed(elapsed)

    def is_empty(self) -> bool:
        return not self.columns and not self.extra

    def payload(self, elapsed: float) -> str:
        text = f',"elapsed_seconds":{elapsed if self.elapsed is None else self.elapsed!r}'
        if self.step is not None:
            text += f',"step":{self.step}'
        if self.epoch is not None:
            text += f',"epoch":{self.epoch}'
        text += self.columns
        return text + f',"extra":{{{",".join(self.extra)}}}' if self.extra else text

    def _take_apart(self, name: Any, value: Any) -> None:
        if type(name) is not str:
            text = name if isinstance(name, str) else str(name)
            self._take_extra(str.__str__(text), value)
        elif name in _COLUMNS:
            self._take_column(name, value)
        elif name == "extra":
            if isinstance(value, dict):
                for inner_name, inner in value.items():
                    self._take_extra(str(inner_name), inner)
            else:
                self._take_extra("extra", value)
        elif name == "elapsed_seconds":
            self._take_elapsed(value)
        else:
            self._take_place(name, value)

    def _take_column(self, name: str, value: Any) -> None:
        text = _measure(value)
        if text is not None:
            self.columns += f',"{name}":{text}'
        elif isinstance(value, dict):
            self._take_extra(name, value)
        elif value is not None:
            self.left_out.append((name, value))

    def _take_extra(self, name: str, value: Any, depth: int = 0) -> None:
        if value is None:
            return
        text = _measure(value)
        if text is not None:
            self.extra.append((_name_texts.get(name) or _name_text(name)) + text)
        elif isinstance(value, dict) and depth < 20:
            for inner_name, inner in value.items():
                self._take_extra(f"{name}/{inner_name}", inner, depth + 1)
        else:
            self.left_out.append((name, value))

    def _take_place(self, name: str, value: Any) -> None:
        """A position that is not a whole number is kept as a metric: as a position its line would be rejected."""
        place = _position(value)
        if place is None:
            self._take_extra(name, value)
        elif name == "step":
            self.step = place
        else:
            self.epoch = place

    def _take_elapsed(self, value: Any) -> None:
        if value is None:
            return
        number = None if isinstance(value, (str, bytes, bool)) else _plain_number(value)
        if number is None or number - number != 0:
            self.left_out.append(("elapsed_seconds", value))
        else:
            self.elapsed = float(number)


# ---------------------------------------------------------------------------------------------------------------
# Errors as events.

_MAX_TYPE = 200
_MAX_MESSAGE = 16_384
_MAX_TRACEBACK = 65_536
_MAX_REASON = 1000


def _error_fields(error: Any, traceback: Optional[str] = None) -> Dict[str, Any]:
    """Never raises. Long texts keep their beginning and their end; causes are part of the traceback."""
    if not isinstance(error, BaseException):
        kind = "str" if isinstance(error, str) else type(error).__name__
        text = error if isinstance(error, str) else _dumps(_json_safe(error))
        return {"exception_type": kind, "message": _bounded(text, _MAX_MESSAGE), "traceback": traceback}
    try:
        message = str(error)
    except Exception:
        message = "[unreadable]"  # there was an error all the same
    if traceback is None:
        import traceback as formatter

        try:
            lines = formatter.format_exception(type(error), error, error.__traceback__)
            traceback = "".join(lines).rstrip("\n")
        except Exception:
            traceback = None  # its __str__ or a source that cannot be read; type and message are there
    return {
        "exception_type": _bounded(_class_name(type(error)), _MAX_TYPE),
        "message": _bounded(message, _MAX_MESSAGE),
        "traceback": None if not traceback else _bounded(traceback, _MAX_TRACEBACK),
    }


def _class_name(kind: type) -> str:
    """As the last line of a traceback has it."""
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )


def _bounded(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


# ---------------------------------------------------------------------------------------------------------------
# The run.

_IS_TERMINAL = {"pending": False, "running": False, "completed": True, "failed": True, "timeout": True}
_SAMPLE_FIELDS = ("cpu_percent", "rss_mb", "gpu_percent", "gpu_memory_mb")


class Run:
    """One execution of a run, made by `init`. No method raises, whatever happens to the log and whatever it is given.

    A run that is not finished gets its end from the end of the process: `completed` for exit code 0, else `failed`.
    As a context manager it records an exception as error and `failed`, and lets it go on.
    """

    def __init__(self, ledger: str, run_id: str, attempt: str, started: float, active: bool) -> None:
        self.id = run_id
        self.attempt = attempt
        """The id of this execution; empty if nothing is logged."""
        self.active = active
        """False in a rank that logs nothing, and with mode "disabled"."""
        self.project: Optional[str] = None
        self.group: Optional[str] = None
        self.job_type: Optional[str] = None
        self.entity: Optional[str] = None
        self.resumed = False
        self.url: Optional[str] = None
        self.sweep_id: Optional[str] = None
        self.offline = True
        self.disabled = not active
        self._ledger = ledger
        self._started = started
        self._start = time.monotonic() - max(0.0, time.time() - started)
        self._writer: Optional[_Writer] = None
        self._notices: _Notices = _notices
        self._owner = 0
        self._of_run = ""
        self._says_status = False
        self._key: Optional[_Key] = None
        self._name: Optional[str] = None
        self._tags: List[str] = []
        self._notes: Optional[str] = None
        self._directory: Optional[str] = None
        self._config = Config(self, {})
        self._summary = Summary(self)
        self._held: Optional[Dict[str, Any]] = None
        self._next_step = 0
        self._resumed_steps: Optional[_ResumedSteps] = None
        self._signal: Optional[str] = None
        self._is_end_said = False
        self._is_closed = False

    # -- logging --

    def log(
        self,
        metrics: Mapping[str, Any],
        step: Optional[int] = None,
        commit: Optional[bool] = None,
        sync: Optional[bool] = None,
        *,
        epoch: Optional[int] = None,
        elapsed_seconds: Optional[float] = None,
    ) -> None:
        """One point of the curves: numbers by name. Written within 1 s, on the disk within 5 s.

        `loss`, `f1`, `fitness`, `behavioral_comparison` and `gpu_memory_mb` have columns, any other name goes to
        `extra`; nested dicts become names with "/". NaN and the infinities are kept; what is no number is left out
        and said once. Without step and epoch, here or among the metrics, steps are counted: 0, 1, 2 …; a resumed run
        goes on after its last one. `commit=False` keeps the metrics for the next call.
        """
        if not self.active:
            return
        try:
            if commit is False or self._held is not None:
                held = metrics if self._held is None else {**self._held, **metrics}
                if commit is False:
                    if step is not None:
                        held = {**held, "step": step}
                    if epoch is not None:
                        held = {**held, "epoch": epoch}
                    self._held = dict(held)
                    return
                self._held = None
                metrics = held
            self._log(metrics, step, epoch, elapsed_seconds)
        except Exception as error:
            self._say_failed("log", error)

    def _log(self, metrics: Any, step: Any, epoch: Any, elapsed_seconds: Any) -> None:
        writer = self._writer
        if writer is None or writer.pid != _process.pid:
            writer = self._enter_process()
        if self._is_closed:
            self._say_closed()
            return
        if _process.exit_code is not None:
            _forget_exit()
        if not hasattr(metrics, "items"):
            self._notices.once("metrics", f"log: a dict is expected, not a {type(metrics).__name__}; it is left out")
            return
        point = _Point()
        point.take_all(metrics)
        point.take_position(step, epoch, elapsed_seconds)
        for name, value in point.left_out:
            self._say_left_out(name, value)
        if point.is_empty():
            return
        elapsed = round(time.monotonic() - self._start, 6)
        deferred: Optional[Tuple[int, _ResumedSteps]] = None
        with writer.lock:
            if point.step is not None:
                self._next_step = max(self._next_step, point.step + 1)
                self._resumed_steps = None
            elif point.epoch is None:
                if self._resumed_steps is None:
                    point.step = self._next_step
                else:
                    deferred = (self._next_step, self._resumed_steps)
                self._next_step += 1
            writer.append("metric", self._of_run, point.payload(elapsed), deferred)
        if writer.is_guest:
            writer.settle()

    def log_error(self, error: Any, traceback: Optional[str] = None) -> None:
        """Records an exception, or a text. It does not end the run."""
        self._do("log_error", lambda: self._append("error", _error_fields(error, traceback)))

    def log_results(self, results: Mapping[str, Any]) -> None:
        """Final values of the run: anything that becomes a JSON object. Later names win."""
        self._do("log_results", lambda: self._log_results(results, True))

    def _log_results(self, results: Any, is_urgent: bool) -> None:
        json = _json_object(results)
        if json is None:
            self._notices.once("results", "log_results: not an object with names, left out")
        else:
            self._append("result", {"results": json}, is_urgent)

    def log_sample(
        self,
        cpu_percent: Optional[float] = None,
        rss_mb: Optional[float] = None,
        gpu_percent: Optional[float] = None,
        gpu_memory_mb: Optional[float] = None,
    ) -> None:
        """What the process uses now, 100 % being one core; also a sign of life."""
        values = (cpu_percent, rss_mb, gpu_percent, gpu_memory_mb)

        def append() -> None:
            fields: Dict[str, Any] = {"elapsed_seconds": round(time.monotonic() - self._start, 6)}
            for name, value in zip(_SAMPLE_FIELDS, values):
                number = None if isinstance(value, (str, bool)) else _plain_number(value)
                if number is not None and number - number == 0:
                    fields[name] = number
            self._append("resource_sample", fields, False)

        self._do("log_sample", append)

    def set_status(self, status: str, exit_code: Optional[int] = None, reason: Optional[str] = None) -> None:
        """`pending`, `running`, `completed`, `failed` or `timeout`."""
        self._do("set_status", lambda: self._append_status(status, exit_code, reason))

    def flush(self) -> bool:
        """Waits until all that was logged is on the disk, at most 2 s. False if it is not: it is kept then."""
        writer = self._writer
        if not self.active or writer is None or writer.pid != _process.pid:
            return True
        return writer.flush()

    def finish(
        self,
        exit_code: Optional[int] = None,
        quiet: Optional[bool] = None,
        *,
        results: Optional[Mapping[str, Any]] = None,
        status: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> None:
        """Ends the run, once: `completed`, or `failed` for an exit code other than 0, unless `status` says otherwise.

        An end that was said before with `set_status` stays unless another one is given here. A process that is not
        the one that began the run only writes what it has.
        """
        self._do("finish", lambda: self._finish(results, status, exit_code, reason))
        if _process.current is self:
            _process.current = None

    def _finish(self, results: Any, status: Any, exit_code: Any, reason: Any) -> None:
        if self._is_closed:
            return
        self._let_go()
        if results is not None:
            self._log_results(results, True)
        if self._may_end():
            is_failure = exit_code is not None and exit_code != 0
            said = status if status is not None else "failed" if is_failure else None
            if said is not None or not self._is_end_said:
                # an unknown status ends nothing: then the exit code does
                if not self._append_status("completed" if said is None else said, exit_code, reason):
                    return
        self.flush()
        self._seal()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if error is None or isinstance(error, GeneratorExit):
            self.finish()
        elif isinstance(error, SystemExit):
            self.finish(_exit_code_of(error.code))
        elif isinstance(error, KeyboardInterrupt):
            self.finish(status="failed", reason="SIGINT")
        else:
            self.log_error(error)
            self.finish(status="failed")

    # -- what it is called by others --

    @property
    def run_id(self) -> str:
        return self.id

    @property
    def name(self) -> str:
        return self._name if self._name is not None else self.id

    @name.setter
    def name(self, value: str) -> None:
        # the key stands from the start, a name that comes later can only be a tag
        self._name = str(value)
        self.tags = (*self._tags, self._name)

    @property
    def tags(self) -> Tuple[str, ...]:
        return tuple(self._tags)

    @tags.setter
    def tags(self, value: Sequence[str]) -> None:
        self._tags = _texts(value) or []
        self._do("tags", lambda: self._append_created({"tags": self._tags}))

    @property
    def notes(self) -> Optional[str]:
        return self._notes

    @notes.setter
    def notes(self, value: Optional[str]) -> None:
        self._notes = None if value is None else str(value)
        self._do("notes", lambda: self._append_created({"notes": self._notes}))

    @property
    def config(self) -> Config:
        return self._config

    @config.setter
    def config(self, value: Any) -> None:
        self._config.update(value)

    @property
    def summary(self) -> Summary:
        return self._summary

    @property
    def step(self) -> int:
        """The step that is counted next."""
        return self._next_step

    @property
    def start_time(self) -> float:
        """Seconds since 1970."""
        return self._started

    @property
    def path(self) -> str:
        return self.id

    @property
    def dir(self) -> str:
        """A directory for files of this run, made when it is asked for: `runfold-files/<run_id>`."""
        path = os.path.join(self._directory or _working_directory(), "runfold-files", self.id)
        if self.active:
            try:
                os.makedirs(path, exist_ok=True)
            except OSError as error:
                self._notices.once("dir", f"{path} cannot be made: {error.strerror or error}")
        return path

    def get_url(self) -> Optional[str]:
        return self.url

    def log_code(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("log_code")

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("save")

    def restore(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("restore")

    def watch(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("watch")

    def unwatch(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("unwatch")

    def define_metric(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("define_metric")

    def log_artifact(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("log_artifact")

    def use_artifact(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("use_artifact")

    def log_model(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("log_model")

    def alert(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("alert")

    def mark_preempting(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing("mark_preempting")

    def __repr__(self) -> str:
        return f"<runfold.Run {self.id} in {self._ledger}>"

    def __reduce__(self) -> Any:
        """A worker that gets it logs points and errors to the same run, and does not end it."""
        return _join, (self._ledger, self.id, self.attempt, self._started, self.active)

    def __copy__(self) -> Run:
        return self

    def __deepcopy__(self, memo: Any) -> Run:
        return self

    # -- how it begins and ends --

    def _begin(self, created: Dict[str, Any], env: Env) -> None:
        self._says_status = True
        self._append("run_created", self._cut_to_size(created), False)
        info = _slurm_info(env)
        if info is not None:
            self._append("slurm_info", info, False)
        self._append("status_changed", {"status": "running"})

    def _enter_process(self) -> _Writer:
        """In a forked child, or where it came in pickled: its own file, with the attempt of the run."""
        with _process.lock:
            writer = self._writer
            if writer is not None and writer.pid == _process.pid:
                return writer
            writer = _open_writer(self._ledger, self.attempt, os.environ)
            writer.is_guest = not any(run._may_end() for run in _process.runs)
            self._attach(writer)
            self._says_status = False
            if self not in _process.runs and not self._is_closed:
                _process.runs.append(self)
        # No handler of signals: a pool ends its workers by SIGTERM, also while they wait in C for a lock, where no
        # handler of Python's would run.
        _install_hooks(None)
        return writer

    def _attach(self, writer: _Writer) -> None:
        self._writer = writer
        self._notices = writer.notices
        said = "" if self.attempt == writer.attempt else f',"attempt":{_quote(self.attempt)}'
        self._of_run = f',"run_id":"{self.id}"{said}'

    def _may_end(self) -> bool:
        return self.active and self._owner == _process.pid

    def _exited(self, code: int) -> None:
        self._end("completed" if code == 0 and self._signal is None else "failed", code, self._signal)

    def _end(self, status: str, exit_code: Optional[int], reason: Optional[str]) -> None:
        """The end that the process gives to a run that did not say one."""

        def end() -> None:
            if self._is_closed or not self._may_end():
                return
            self._let_go()
            if not self._is_end_said:
                self._append_status(status, exit_code, reason)
            self._seal()

        self._do("end", end)

    def _let_go(self) -> None:
        """What log(commit=False) has kept."""
        held, self._held = self._held, None
        if held:
            self._log(held, None, None, None)

    def _seal(self) -> None:
        self._is_closed = True
        with _process.lock:
            if self in _process.runs:
                _process.runs.remove(self)
            if self._resumed_steps is None:
                _process.last_steps[self.id] = self._next_step

    def _append_status(self, status: Any, exit_code: Any, reason: Any) -> bool:
        """False if there is no such status."""
        if not isinstance(status, str) or status not in _IS_TERMINAL:
            given = f'"{status[:100]}"' if isinstance(status, str) else f"of type {type(status).__name__}"
            self._notices.once("status", f"there is no status {given}; it is left out")
            return False
        if not self._may_end():
            return True
        if _IS_TERMINAL[status]:
            self._is_end_said = True
        if not self._says_status:
            return True
        fields = {
            "status": status,
            "exit_code": None if isinstance(exit_code, bool) else _position(exit_code),
            "reason": reason[:_MAX_REASON] if isinstance(reason, str) else None,
        }
        self._append("status_changed", fields)
        return True

    def _append_created(self, changed: Dict[str, Any]) -> None:
        """Several run_created of one attempt are merged: this one adds."""
        if self._key is not None and self._says_status and self._may_end():
            self._append("run_created", self._cut_to_size({**self._key.fields(), **changed}), False)

    def _cut_to_size(self, created: Dict[str, Any]) -> Dict[str, Any]:
        """A run must not be missing because its config is a megabyte."""
        cut = dict(created)
        for name in ("config", "notes", "tags", "code"):
            # some room for what a line has besides
            if len(_utf8(_dumps(cut))) < _MAX_LINE_BYTES - 1024:
                break
            if cut.pop(name, None) is not None:
                self._notices.once(
                    f"large {name}", f"{name} makes the line longer than {_MAX_LINE_BYTES} bytes, left out"
                )
        return cut

    def _append(self, kind: str, fields: Dict[str, Any], is_urgent: bool = True) -> None:
        writer = self._writer
        if writer is None or writer.pid != _process.pid:
            writer = self._enter_process()
        if self._is_closed:
            self._say_closed()
            return
        _forget_exit()
        members = _dumps({name: value for name, value in fields.items() if value is not None})[1:-1]
        writer.append(kind, self._of_run, f",{members}" if members else "")
        if is_urgent:
            writer.flush()
        elif writer.is_guest:
            writer.settle()

    def _do(self, what: str, action: Callable[[], Any]) -> None:
        if not self.active:
            return
        try:
            action()
        except Exception as error:
            self._say_failed(what, error)

    def _say_failed(self, what: str, error: Exception) -> None:
        self._notices.once(f"{what} failed", f"{what}: {type(error).__name__}: {error}; it is left out")

    def _say_closed(self) -> None:
        self._notices.once(f"closed {self.id}", f"run {self.id} is closed, what is logged after that is left out")

    def _say_left_out(self, name: str, value: Any) -> None:
        what = f"of the kind {value._name}" if isinstance(value, _Nothing) else "no number"
        self._notices.once(f"metric {name}", f"log: {name} is {what} and is left out")


def _join(ledger: str, run_id: str, attempt: str, started: float, active: bool) -> Run:
    """A run that was pickled, in another process or in the same one."""
    for run in list(_process.runs):
        if run.id == run_id and run.attempt == attempt and run._ledger == ledger:
            return run
    return Run(ledger, run_id, attempt, started, active)


def _texts(values: Any) -> Optional[List[str]]:
    if isinstance(values, str):
        return [values]
    if values is None or not hasattr(values, "__iter__"):
        return None
    return [str.__str__(value) for value in values if isinstance(value, str)]


class _Named:
    """Values of a run that scripts reach by name or attribute. Setting one is an `update`."""

    _values: Dict[str, Any]

    def update(self, values: Any = None) -> None:
        raise NotImplementedError

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def keys(self) -> Any:
        return self._values.keys()

    def items(self) -> Any:
        return self._values.items()

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__.lower()} has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return repr(self._values)


class Config(_Named):
    """The config of a run, by attribute and by name. What is set later is logged, too; it cannot change the key."""

    def __init__(self, run: Optional[Run], values: Dict[str, Any]) -> None:
        self.__dict__["_run"] = run
        self.__dict__["_values"] = values

    def update(self, values: Any = None, allow_val_change: Optional[bool] = None, **more: Any) -> None:
        names = _config_values(values)
        if names is None:
            _notices.once("config.update", f"config.update: a {type(values).__name__} has no names, left out")
            names = {}
        names.update(more)
        self._values.update(names)
        run = self._run
        if run is not None and names:
            changed = _masked(_json_safe(names))
            run._do("config", lambda: run._append_created({"config": changed}))
            late = [name for name in names if run.project is not None and name in _CONFIG_KEYS]
            if late:
                _notices.once(
                    "late key",
                    f"config.{late[0]} comes after init() and is not part of the run's key: give config to init()",
                )

    def setdefaults(self, values: Any) -> None:
        names = _config_values(values) or {}
        self.update({name: value for name, value in names.items() if name not in self._values})

    def values(self) -> Any:
        return self._values.values()

    def as_dict(self) -> Dict[str, Any]:
        return dict(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Summary(_Named):
    """Results of a run as wandb's scripts set them, by name or attribute."""

    def __init__(self, run: Run) -> None:
        self.__dict__["_run"] = run
        self.__dict__["_values"] = {}

    def update(self, values: Any = None, **more: Any) -> None:
        names = {**(_config_values(values) or {}), **more}
        self._values.update(names)
        run: Run = self._run
        run._do("summary", lambda: run._log_results(names, False))


def _config_values(config: Any) -> Optional[Dict[str, Any]]:
    """The named values as they are, None if there are no names."""
    if config is None:
        return {}
    if isinstance(config, Config):
        return config.as_dict()
    if isinstance(config, dict):
        return {name if isinstance(name, str) else str(name): value for name, value in config.items()}
    try:
        fields = _fields_of(config)
    except Exception:
        fields = None  # it is tried once more as JSON, and said if that fails
    if fields is not None:
        return {str(name): value for name, value in fields}
    return _json_object(config)


# ---------------------------------------------------------------------------------------------------------------
# The module as it is called.

_CONFIG_KEYS = ("dataset", "method", "model", "subject", "seed")


def init(
    *,
    dataset: Optional[str] = None,
    method: Optional[str] = None,
    subject: Optional[str] = None,
    variant: Any = None,
    cl_info: Any = None,
    seed: Optional[int] = None,
    experiment_number: Optional[int] = None,
    key_from_config: Optional[Sequence[str]] = None,
    config: Any = None,
    tags: Optional[Sequence[str]] = None,
    notes: Optional[str] = None,
    resume: Union[bool, str, None] = None,
    ledger: Optional[str] = None,
    all_ranks: bool = False,
    independent: Optional[bool] = None,
    attempt: Optional[str] = None,
    signals: Sequence[Union[int, str]] = (),
    project: Optional[str] = None,
    entity: Optional[str] = None,
    group: Optional[str] = None,
    name: Optional[str] = None,
    job_type: Optional[str] = None,
    id: Optional[str] = None,
    mode: Optional[str] = None,
    reinit: Union[bool, str, None] = None,
    dir: Optional[str] = None,
    save_code: Optional[bool] = None,
    settings: Any = None,
    magic: Any = None,
    anonymous: Any = None,
    force: Any = None,
    tensorboard: Any = None,
    sync_tensorboard: Any = None,
    monitor_gym: Any = None,
    allow_val_change: Any = None,
    config_exclude_keys: Optional[Sequence[str]] = None,
    config_include_keys: Optional[Sequence[str]] = None,
    fork_from: Any = None,
    resume_from: Any = None,
) -> Run:
    """Begins an execution of a run and returns it. Writes `run_created` and the status `running`.

    The key, which tells runs apart: `experiment_number` (default 1), `dataset` ("default"), `method` (the name of the
    script without its ending), `subject`, `variant` (or `cl_info`: whatever else makes it a different run, a text or
    an object), `seed`. `key_from_config` names values of `config` that belong to the variant: without them a sweep
    would be one run. Below `runfold exec` or `runfold_open` what is left out of the key is that of the run there.

    `config` is anything with names: a dict, a dataclass, an argparse.Namespace. `resume=True` goes on from a
    checkpoint; by default a run starts over. `ledger` is the log's directory: default `RUNFOLD_DIR`, else the nearest
    `.runfold/` upwards, else a new `./.runfold`. `all_ranks=True` logs from all ranks of a parallel launch, by default
    only rank 0 does; `independent=True` (or `RUNFOLD_INDEPENDENT=1`) says that each of its processes has a run of its
    own. `attempt` is the id of this execution. `signals` are recorded as the end besides SIGTERM.

    The other arguments are those of `wandb.init`: docs/wandb.md says what becomes of them.

    Raises RunfoldError `invalid_key` or `usage`, and nothing else: without a log that can be written the events are
    kept in a spool file, and stderr says where.
    """
    foreign = {
        "entity": entity, "save_code": save_code, "settings": settings, "magic": magic, "anonymous": anonymous,
        "force": force, "tensorboard": tensorboard, "sync_tensorboard": sync_tensorboard, "monitor_gym": monitor_gym,
        "fork_from": fork_from, "resume_from": resume_from,
    }  # fmt: skip
    given = [argument for argument, value in foreign.items() if value is not None]
    ours = (dataset, method, subject, variant, cl_info, seed, experiment_number, key_from_config)
    theirs = (project, group, name, job_type, id, mode, reinit, dir, config_exclude_keys, config_include_keys)
    is_wandb = bool(given) or any(value is not None for value in theirs)
    if given:
        _notices.once("init arguments", f"init: nothing is done with {', '.join(given)}")
    values = _config_to_begin_with(config, config_include_keys, config_exclude_keys)
    json = _JsonSafe()._mapping(values.items())
    if is_wandb or all(value is None for value in ours):
        dataset = dataset if dataset is not None else _key_from("dataset", json)
        method = method if method is not None else _key_from("method", json) or _key_from("model", json)
        subject = subject if subject is not None else _key_from("subject", json)
        seed = seed if seed is not None else _seed_from(json)
    if variant is not None and cl_info is not None and variant != cl_info:
        raise RunfoldError("invalid_key", "cl_info and variant are the same and have different values")
    chosen = variant if variant is not None else cl_info
    if chosen is None and is_wandb:
        chosen = name if name is not None else id
    json = _masked(json)
    names = [key_from_config] if isinstance(key_from_config, str) else list(key_from_config or ())
    env = os.environ
    left, key_problem = _started_key(env)
    if left is None:
        left = _Key(1, "default", _default_method() if method is None else "", None, None, None)
    key = _Key(
        left.experiment_number if experiment_number is None else experiment_number,
        left.dataset if dataset is None else dataset,
        left.method if method is None else method,
        left.subject if subject is None else subject,
        left.cl_info if chosen is None and not names else _cl_info(chosen, json, names),
        left.seed if seed is None else seed,
    )
    if independent is None:
        independent = _is_independent(env)
    if all_ranks and independent:
        raise RunfoldError(
            "usage",
            "all_ranks and independent (or RUNFOLD_INDEPENDENT) exclude each other",
            "The ranks of a launch log one run together, or each its own.",
        )
    run_id = key.run_id()
    numbers = [_signal_number(signal) for signal in signals]
    before = _process.current
    if is_wandb and before is not None and before.project is not None and before._may_end():
        if reinit == "return_previous":
            return before
        if reinit != "create_new":
            _notices.once("reinit", f"init: run {before.id} ends here, since another one begins")
            before.finish()
    words = [word for word in (project, group, job_type) if isinstance(word, str) and word]
    listed = _texts(tags)
    labels = [*(listed or []), *words]
    created: Dict[str, Any] = {
        **key.fields(),
        "config": json if config is not None or values else None,
        "tags": labels if listed is not None or words else None,
        "notes": notes if isinstance(notes, str) else None,
        "resume": True if _is_resume(resume) else None,
    }
    try:
        run = _begin_run(run_id, created, ledger, all_ranks, independent, attempt, numbers, mode == "disabled")
    except Exception as error:
        _notices.once("init failed", f"init: {type(error).__name__}: {error}; nothing is logged")
        run = Run("", run_id, "", time.time(), False)
    if run._says_status:
        if key_problem is not None:
            run._notices.once("RUNFOLD_KEY", key_problem)
        two_runs = _two_runs_notice(env, key)
        if two_runs is not None:
            run._notices.once("two runs", two_runs)
    run._key = key
    run._tags = labels
    run._notes = created["notes"]
    run._name = chosen if isinstance(chosen, str) else None
    run._directory = dir
    run._config.__dict__["_values"] = values
    run.project = project if project is not None else "" if is_wandb else None
    run.group, run.job_type, run.entity = group, job_type, entity
    run.resumed = created["resume"] is True
    _process.current = run
    return run


def _begin_run(
    run_id: str,
    created: Dict[str, Any],
    ledger: Optional[str],
    all_ranks: bool,
    independent: bool,
    attempt: Optional[str],
    signals: Sequence[int],
    is_disabled: bool,
) -> Run:
    env = os.environ
    host = _host_name()
    role = _role(env, host, all_ranks, independent)
    if role.problem is not None:
        _notices.once("rank", role.problem)
    if is_disabled or role.writes == "nothing":
        return Run("", run_id, "", time.time(), False)
    cwd = _working_directory()
    inherited = _inherited_attempt(env, run_id)
    writer = _open_writer(_ledger_directory(ledger, env, cwd), role.attempt or inherited, env)
    nth = _count_execution(run_id)
    shared = role.attempt
    if shared is not None and nth > 0:
        shared = _short_hash([shared, str(nth)])
    is_fresh = nth == 0 and not any(guest.attempt == writer.attempt and not guest._may_end() for guest in _process.runs)
    # The file may have been opened by a run that the attempt of the environment is of.
    of_file = _new_ulid() if writer.attempt == _environment_attempt(env) else writer.attempt
    own = attempt or shared or ((inherited or of_file) if is_fresh else _new_ulid())
    run = Run(writer.ledger, run_id, own, time.time(), True)
    run._owner = _process.pid
    run._attach(writer)
    if created["resume"]:
        last = _process.last_steps.get(run_id)
        if last is None:
            run._resumed_steps = _ResumedSteps(writer.ledger, run_id, writer.id, env, writer.notices)
        else:
            run._next_step = last
    with _process.lock:
        _process.runs.append(run)
    _install_hooks(signals)
    if role.writes == "all":
        created["code"] = {name: value for name, value in _code_info(cwd).items() if value is not None}
        run._begin(created, env)
    return run


def _ledger_directory(explicit: Optional[str], env: Env, cwd: str) -> str:
    """Where the log is or would be. Where none is named and none is found, one is made."""
    found = _find_ledger(None if explicit is None else os.fspath(explicit), env, cwd)
    if found is not None:
        return found
    folder = os.path.join(cwd, _LEDGER_DIR)
    try:
        if _make_ledger(folder):
            _notices.always(f"made a log in {folder}, since RUNFOLD_DIR is not set and there is none here or above")
    except OSError:
        pass  # the writer finds no log there, spools, and says so with the mend
    return folder


def _config_to_begin_with(
    config: Any, include: Optional[Sequence[str]], exclude: Optional[Sequence[str]]
) -> Dict[str, Any]:
    values = _config_values(config)
    if values is None:
        _notices.once("config", f"init: config is a {type(config).__name__} without names, left out")
        values = {}
    early, _process.config_to_be = _process.config_to_be, {}
    values = {**early, **values}
    return {
        name: value
        for name, value in values.items()
        if (include is None or name in include) and (exclude is None or name not in exclude)
    }


def _key_from(name: str, config: Mapping[str, Any]) -> Optional[str]:
    value = config.get(name)
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _ecmascript_number(float(value)) if isinstance(value, float) else str(value)
    return _well_formed(value) if isinstance(value, str) and value != "" else None


def _seed_from(config: Mapping[str, Any]) -> Optional[int]:
    value = config.get("seed")
    return None if isinstance(value, bool) else _position(value) if isinstance(value, (int, float)) else None


def _is_resume(resume: Union[bool, str, None]) -> bool:
    return resume is True or isinstance(resume, str) and resume not in ("", "never")


def _current(what: str) -> Optional[Run]:
    run = _process.current
    if run is None:
        _notices.once(f"no run {what}", f"{what}: call runfold.init() first; it is left out")
    return run


def log(
    metrics: Mapping[str, Any],
    step: Optional[int] = None,
    commit: Optional[bool] = None,
    sync: Optional[bool] = None,
    *,
    epoch: Optional[int] = None,
    elapsed_seconds: Optional[float] = None,
) -> None:
    """`Run.log` of the run that `init` began last."""
    run = _current("log")
    if run is not None:
        run.log(metrics, step, commit, sync, epoch=epoch, elapsed_seconds=elapsed_seconds)


def log_error(error: Any, traceback: Optional[str] = None) -> None:
    """`Run.log_error` of the run that `init` began last."""
    run = _current("log_error")
    if run is not None:
        run.log_error(error, traceback)


def log_results(results: Mapping[str, Any]) -> None:
    """`Run.log_results` of the run that `init` began last."""
    run = _current("log_results")
    if run is not None:
        run.log_results(results)


def finish(
    exit_code: Optional[int] = None,
    quiet: Optional[bool] = None,
    *,
    results: Optional[Mapping[str, Any]] = None,
    status: Optional[str] = None,
    reason: Optional[str] = None,
) -> None:
    """`Run.finish` of the run that `init` began last, if there is one."""
    run = _process.current
    if run is not None:
        run.finish(exit_code, quiet, results=results, status=status, reason=reason)


# ---------------------------------------------------------------------------------------------------------------
# The rest of what scripts call of wandb: accepted, and said once to do nothing.


class _Nothing:
    """Takes any call, attribute and `with`, and does nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _do_nothing(self._name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(f"{self._name}.{name}")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: Any) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __setitem__(self, name: Any, value: Any) -> None:
        return None


def _do_nothing(name: str) -> Any:
    _notices.once(f"nothing {name.partition('.')[0]}", f"{name} is accepted and does nothing")
    return _Nothing(name)


save = _Nothing("save")
restore = _Nothing("restore")
watch = _Nothing("watch")
unwatch = _Nothing("unwatch")
define_metric = _Nothing("define_metric")
log_artifact = _Nothing("log_artifact")
use_artifact = _Nothing("use_artifact")
log_code = _Nothing("log_code")
log_model = _Nothing("log_model")
alert = _Nothing("alert")
mark_preempting = _Nothing("mark_preempting")
termwarn = _Nothing("termwarn")
termlog = _Nothing("termlog")
require = _Nothing("require")
setup = _Nothing("setup")
teardown = _Nothing("teardown")
plot = _Nothing("plot")
Image = _Nothing("Image")
Table = _Nothing("Table")
Histogram = _Nothing("Histogram")
Html = _Nothing("Html")
Video = _Nothing("Video")
Audio = _Nothing("Audio")
Plotly = _Nothing("Plotly")
Object3D = _Nothing("Object3D")
Molecule = _Nothing("Molecule")
Graph = _Nothing("Graph")
Classes = _Nothing("Classes")
Artifact = _Nothing("Artifact")
AlertLevel = _Nothing("AlertLevel")
Error = RunfoldError


def Settings(**settings: Any) -> Dict[str, Any]:
    """Taken by `init`, which does nothing with it."""
    return settings


def login(*args: Any, **kwargs: Any) -> bool:
    """There is nothing to log in to: true. The key is not looked at."""
    return True


class util:
    """What scripts call of `wandb.util`."""

    @staticmethod
    def generate_id(length: int = 8) -> str:
        return _new_ulid()[-length:].lower()


class _Module(type(sys)):  # type: ignore[misc]
    """`runfold.run`, `.config` and `.summary` are those of the run that `init` began last."""

    @property
    def run(self) -> Optional[Run]:
        return _process.current

    @property
    def config(self) -> Config:
        run = _process.current
        return Config(None, _process.config_to_be) if run is None else run.config

    @config.setter
    def config(self, value: Any) -> None:
        self.config.update(value)

    @property
    def summary(self) -> Any:
        run = _process.current
        return {} if run is None else run.summary

    def __getattr__(self, name: str) -> Any:
        if name in ("Api", "sweep", "agent", "controller"):
            hint = "runfold.read() reads what was logged" if name == "Api" else "start one job for each run"
            raise AttributeError(f"runfold has no {name}: {hint}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if TYPE_CHECKING:
    run: Optional[Run]
    config: Config
    summary: Any
else:
    sys.modules[__name__].__class__ = _Module


# ---------------------------------------------------------------------------------------------------------------
# Reading.


def read(db: Optional[str] = None, ledger: Optional[str] = None) -> Database:
    """Opens what `runfold sync` has made of the log, read-only.

    `db` is a file; else `RUNFOLD_DB`, else `/var/tmp/runfold-<uid>/<ledger_id>.db` of the log, else the snapshot that
    was published in it. `ledger` is the log's directory, as for `init`. Raises RunfoldError `ledger_not_found`,
    `ledger_unreadable`, `database_missing`, `database_corrupt` or `database_newer`.
    """
    named = db or os.environ.get("RUNFOLD_DB")
    if named:
        path = os.path.abspath(os.fspath(named))
        if not os.path.isfile(path):
            raise RunfoldError("database_missing", f"there is no database {path}", "Type: runfold sync.")
        return Database(path)
    folder = _find_ledger(None if ledger is None else os.fspath(ledger), os.environ, _working_directory())
    if folder is None:
        raise RunfoldError(
            "ledger_not_found",
            "no log: RUNFOLD_DIR is not set, and there is no .runfold directory here or above",
            "Name it: runfold.read(ledger=…).",
        )
    ledger_id = _read_ledger(folder)
    uid = os.getuid() if hasattr(os, "getuid") else 0
    candidates = (f"/var/tmp/runfold-{uid}/{ledger_id}.db", os.path.join(folder, "snapshot.db"))
    if os.path.isfile(candidates[0]):
        return Database(candidates[0])
    if _is_trusted_snapshot(candidates[1], folder, uid):
        return Database(candidates[1])
    raise RunfoldError(
        "database_missing",
        f"there is no database of {folder} yet: neither {candidates[0]} nor {candidates[1]}",
        f"Type: runfold sync --ledger {_shell_word(folder)}.",
    )


def _is_trusted_snapshot(path: str, folder: str, uid: int) -> bool:
    """A regular file of the log's owner, of oneself or of root, which no others can write."""
    try:
        found, owner = os.lstat(path), os.stat(folder).st_uid
    except OSError:
        return False
    return _stat.S_ISREG(found.st_mode) and found.st_uid in (owner, uid, 0) and not found.st_mode & 0o022


_APPLICATION_ID = 0x72756E66
_SCHEMA_VERSION = 4
_MEASURES = ("loss", "f1", "fitness", "behavioral_comparison", "gpu_memory_mb")
_PLACES = ("run_id", "attempt", "ts", "elapsed_seconds", "epoch", "step")
_TAKEN_NAMES = frozenset((*_MEASURES, *_PLACES, "superseded"))


def _extra_name(name: str) -> str:
    """A metric without a column, with `extra.` before it where its name alone would be taken for another."""
    return f"extra.{name}" if name in _TAKEN_NAMES or name.startswith("extra.") else name


_POINTS_SQL = """
SELECT m.run_id, m.writer, m.seq, m.ts, ifnull(p.attempt, d.attempt) AS attempt, m.elapsed_seconds, m.epoch, m.step,
  m.loss, m.f1, m.fitness, m.behavioral_comparison, m.gpu_memory_mb, m.extra, m.nonfinite,
  CASE WHEN a.position IS NOT NULL AND a.in_view = 0 THEN 1
    ELSE ifnull(CASE WHEN m.step IS NOT NULL THEN m.step >= s.cut_step ELSE m.epoch >= s.cut_epoch END, 0)
  END AS superseded
FROM run_metrics m
LEFT JOIN _point_attempts p ON p.run_id = m.run_id AND p.writer = m.writer AND p.seq = m.seq
LEFT JOIN _series d ON d.run_id = m.run_id AND d.writer = m.writer AND d.is_default = 1
LEFT JOIN _series s ON s.run_id = m.run_id AND s.writer = m.writer AND s.attempt = ifnull(p.attempt, d.attempt)
LEFT JOIN _attempts a ON a.run_id = m.run_id AND a.attempt = ifnull(p.attempt, d.attempt)
{where}
ORDER BY m.run_id, a.position IS NULL, a.position, m.writer, m.seq"""


class Database:
    """The tables as docs/schema.md has them. Every method takes `as_frame=True` for a pandas DataFrame.

    Rows are sqlite3.Row or, where values are worked out, dicts: both are asked by name. Use it as a context manager,
    or close it.
    """

    def __init__(self, path: str) -> None:
        import sqlite3

        self.path = path
        self._connection = _open_database(path)
        self._connection.row_factory = sqlite3.Row
        try:
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            self.close()
            raise RunfoldError("database_corrupt", f"{path}: {error}", "Type: runfold sync --rebuild.") from error
        if application != _APPLICATION_ID:
            self.close()
            raise RunfoldError("database_corrupt", f"{path} is not a database of runfold")
        if version > _SCHEMA_VERSION:
            self.close()
            raise RunfoldError(
                "database_newer",
                f"{path} is of schema {version}, this release knows {_SCHEMA_VERSION}",
                "Install a newer release of the Python client.",
            )

    def runs(self, hidden: bool = False, as_frame: bool = False) -> Any:
        """Runs with their results, newest first: the columns of experiment_runs and run_results.

        `config`, `tags`, `extra` and `results` are decoded. `hidden=True`: also those that were put aside.
        """
        rows = self.sql(
            "SELECT r.*, t.* FROM experiment_runs r LEFT JOIN run_results t ON t.run_id = r.run_id "
            "WHERE r.hidden = 0 OR ? ORDER BY r.created_at DESC, r.run_id",
            (hidden,),
        )
        decoded = [_decoded(row, ("config", "tags", "extra", "results"), ("run_id",)) for row in rows]
        return _frame(decoded) if as_frame else decoded

    def results(self, as_frame: bool = False) -> Any:
        """run_results, `extra` and `results` decoded."""
        rows = self.sql("SELECT * FROM run_results ORDER BY run_id")
        decoded = [_decoded(row, ("extra", "results")) for row in rows]
        return _frame(decoded) if as_frame else decoded

    def errors(self, run: Optional[str] = None, as_frame: bool = False) -> Any:
        """run_errors, oldest first."""
        where, values = ("WHERE run_id = ?", (run,)) if run is not None else ("", ())
        return self.sql(f"SELECT * FROM run_errors {where} ORDER BY ts, writer, seq", values, as_frame)

    def slurm_jobs(self, run: Optional[str] = None, as_frame: bool = False) -> Any:
        """slurm_jobs."""
        where, values = ("WHERE run_id = ?", (run,)) if run is not None else ("", ())
        return self.sql(f"SELECT * FROM slurm_jobs {where} ORDER BY job_id, restart_count, run_id", values, as_frame)

    def metrics(
        self,
        run: Union[str, Sequence[str], None] = None,
        names: Optional[Sequence[str]] = None,
        long: bool = False,
        view: str = "view",
        as_frame: bool = False,
    ) -> Any:
        """The points of a run, of several or of all, in order.

        Wide: one dict a point with run_id, attempt, ts, elapsed_seconds, epoch, step and each metric by its name.
        Long: one dict for each point and metric, with `metric` and `value`. What was not finite is a float nan, inf
        or -inf. `view="view"` gives the curve without what a restarted run went over again, `"all"` every point, with
        `superseded`. `names` keeps these metrics only, and points that have one of them. A metric that is named as one
        of these columns is, but is none, has `extra.` before its name.
        """
        if view not in ("view", "all"):
            raise RunfoldError("usage", f'view is "view" or "all", not {view!r}')
        runs = [run] if isinstance(run, str) else None if run is None else list(run)
        wanted = None if names is None else [names] if isinstance(names, str) else list(names)
        points = list(self._points(runs, wanted, view))
        if long:
            rows = [
                {**place, "metric": name, "value": value} for place, values in points for name, value in values.items()
            ]
            return _frame(rows) if as_frame else rows
        columns = wanted
        if columns is None:
            columns = [name for name in _MEASURES if any(name in values for _, values in points)]
            columns += sorted({name for _, values in points for name in values}.difference(columns))
        wide = [{**place, **{name: values.get(name) for name in columns}} for place, values in points]
        return _frame(wide) if as_frame else wide

    def _points(
        self, runs: Optional[Sequence[str]], names: Optional[Sequence[str]], view: str
    ) -> Iterator[Tuple[Dict[str, Any], Dict[str, float]]]:
        import json

        where = "" if runs is None else f"WHERE m.run_id IN ({','.join('?' * len(runs))})"
        for row in self._connection.execute(_POINTS_SQL.format(where=where), tuple(runs or ())):
            if view == "view" and row["superseded"]:
                continue
            values: Dict[str, float] = {name: row[name] for name in _MEASURES if row[name] is not None}
            if row["extra"] is not None:
                for name, value in json.loads(row["extra"]).items():
                    values[_extra_name(name)] = value
            if row["nonfinite"] is not None:
                for name, text in json.loads(row["nonfinite"]).items():
                    is_extra = name.startswith("extra.")
                    values[_extra_name(name[len("extra.") :]) if is_extra else name] = float(text)
            if names is not None:
                values = {name: values[name] for name in names if name in values}
                if not values:
                    continue
            place = {name: row[name] for name in _PLACES}
            if view == "all":
                place["superseded"] = bool(row["superseded"])
            yield place, values

    def sql(self, query: str, parameters: Any = (), as_frame: bool = False) -> Any:
        """Rows of a query of your own. Raises RunfoldError `query_failed`."""
        import sqlite3

        try:
            rows = self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise RunfoldError("query_failed", f"{error}: {query.strip()[:200]}") from error
        return _frame([dict(row) for row in rows]) if as_frame else rows

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *args: Any) -> None:
        self.close()


def _open_database(path: str) -> sqlite3.Connection:
    import sqlite3
    from urllib.parse import quote

    # A directory that may not be written, as that of somebody else's snapshot, has no room for what WAL needs:
    # then the file is taken as one that nobody changes.
    for more in ("", "&immutable=1"):
        try:
            connection = sqlite3.connect(f"file:{quote(path)}?mode=ro{more}", uri=True, timeout=5.0)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return connection
        except sqlite3.OperationalError as error:
            if more or os.access(os.path.dirname(path), os.W_OK):
                raise RunfoldError("database_corrupt", f"{path} cannot be opened: {error}") from error
        except sqlite3.DatabaseError as error:
            hint = "Type: runfold sync --rebuild."
            raise RunfoldError("database_corrupt", f"{path} cannot be read: {error}", hint) from error
    raise AssertionError("unreachable")


def _decoded(row: sqlite3.Row, columns: Sequence[str], once: Sequence[str] = ()) -> Dict[str, Any]:
    import json

    values: Dict[str, Any] = {}
    for name, value in zip(row.keys(), tuple(row)):
        if name in once and name in values:
            continue
        values[name] = json.loads(value) if name in columns and value is not None else value
    return values


def _frame(rows: List[Dict[str, Any]]) -> Any:
    try:
        pandas: Any = __import__("pandas")
    except ImportError as error:
        hint = "Install pandas, or leave as_frame out."
        raise RunfoldError("usage", "as_frame needs pandas, which is not installed", hint) from error
    return pandas.DataFrame(rows)
