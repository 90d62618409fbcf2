# shellcheck shell=sh
# runfold.sh: logs experiments from a job script, in any POSIX shell, without Node. See docs/shell.md.
#
#   . /path/to/runfold.sh
#   runfold_open --dataset iris --method mlp --seed 1 --config lr=0.01
#   runfold_metric --epoch 1 --loss 0.71 acc=0.66
#   runfold_results test_accuracy=0.93
#   runfold_close
#
# All functions and variables that begin with _runfold_ are private. Needs awk, od, date, sha256sum, sync or dd, and
# the small programs that every system has.

_runfold_version=0.1.0
_runfold_state=''      # open, off (nothing is logged: another rank, or wrong usage), or empty
_runfold_busy=''       # inside one of the functions: a signal waits
_runfold_pending=''
_runfold_said=' '
_runfold_owner=''      # the process that opened the run
_runfold_pid=''        # the process that has the file
_runfold_dir=''
_runfold_file=''
_runfold_made=''       # the file is there, and ours
_runfold_torn=''       # it may end in part of a line
_runfold_header=''
_runfold_seq=0
_runfold_waiting=''    # lines, each with its LF, that are not known to be on the disk
_runfold_spool=''      # file of lines that the log did not take
_runfold_spool_torn=''
_runfold_dropped=0
_runfold_id=''
_runfold_run=''
_runfold_attempt=''
_runfold_end_said=''
_runfold_signal=''
_runfold_before_exit='' # what the script had trapped itself
_runfold_before_term=''
_runfold_fsync=''
_runfold_folder_umask=''
_runfold_file_umask=''
_runfold_kept_term=''
_runfold_runs=' '      # that this script has opened
_runfold_out=''
_runfold_lf='
'

# Lines that can wait in memory while neither the log nor the spool takes them, and the longest line, in bytes.
_runfold_max_waiting=1048576
_runfold_max_line=1048576

# ---------------------------------------------------------------------------------------------------------------
# What a script calls. Each returns 0 whatever happens, save that runfold_open returns 2 if it is used wrongly.
# "|| …" keeps a script's set -e out of the bodies.

runfold_open() {
  _runfold_answer=0
  _runfold_busy=1
  _runfold_open "$@" || _runfold_answer=2
  _runfold_leave
  return "$_runfold_answer"
}

runfold_metric() { _runfold_logging _runfold_metric "$@"; }
runfold_sample() { _runfold_logging _runfold_sample "$@"; }
runfold_error() { _runfold_logging _runfold_error "$@"; }
runfold_results() { _runfold_logging _runfold_results "$@"; }
runfold_status() { _runfold_logging _runfold_status "$@"; }
runfold_close() { _runfold_logging _runfold_close "$@"; }

_runfold_logging() {
  case $_runfold_state in
    open) ;;
    off) return 0 ;;
    *)
      _runfold_say closed "${1#_} without a run: call runfold_open first" || :
      return 0
      ;;
  esac
  _runfold_busy=1
  "$@" || :
  _runfold_leave
}

_runfold_leave() {
  _runfold_busy=''
  if [ -n "$_runfold_pending" ]; then
    _runfold_pending=''
    _runfold_on_term
  fi
}

# ---------------------------------------------------------------------------------------------------------------
# Beginning a run.

_runfold_open() {
  if [ "$_runfold_state" = open ]; then
    _runfold_say reopened "runfold_open: run $_runfold_run was not closed; it is recorded as completed" || :
    _runfold_close
  fi
  _runfold_state=off
  _runfold_read_options "$@" || return 1
  _runfold_make_key || return 1
  _runfold_is_first_rank || return 0

  _runfold_now || return 0
  _runfold_say_of_key
  _runfold_keep_environment
  _runfold_find_log
  _runfold_started=$_runfold_ms
  _runfold_attempt=${_runfold_opt_attempt:-${RUNFOLD_ATTEMPT-}}
  [ -n "$_runfold_attempt" ] || _runfold_submitted_attempt
  case ${RUNFOLD_RUN_ID-} in
    # where the environment names another run, its attempt is that run's alone
    '' | "$_runfold_run") ;;
    *) _runfold_attempt=$_runfold_opt_attempt ;;
  esac
  case $_runfold_runs in
    # the same run once more is another execution of it
    *" $_runfold_run "*) _runfold_attempt=$_runfold_opt_attempt ;;
  esac
  _runfold_runs="$_runfold_runs$_runfold_run "
  _runfold_real_pid
  _runfold_owner=$_runfold_self
  _runfold_end_said=''
  _runfold_signal=''
  _runfold_find_fsync
  _runfold_new_file
  _runfold_state=open
  _runfold_begin
  export RUNFOLD_RUN_ID="$_runfold_run" RUNFOLD_ATTEMPT="$_runfold_attempt" RUNFOLD_DIR="$_runfold_dir"
  # a variable of 128 KiB would keep every program from being started; a character has at most 4 bytes
  [ "${#_runfold_hashed}" -le 32000 ] || _runfold_hashed=''
  _runfold_restore RUNFOLD_KEY "$_runfold_hashed"
  _runfold_restore RUNFOLD_INDEPENDENT "$_runfold_independent"
  export RUNFOLD_STARTED="${_runfold_started%???}.${_runfold_started#"${_runfold_started%???}"}"
  _runfold_set_traps
}

# What was recorded when the array was submitted, since one environment is given to all of its tasks. A task that is
# requeued begins another attempt; so does all that runs below a run that has begun.
_runfold_submitted_attempt() {
  case ${SLURM_RESTART_COUNT-} in
    *[!0]*) return 0 ;;
  esac
  case ${SLURM_ARRAY_TASK_ID-} in
    '' | *[!0-9]*) return 0 ;;
  esac
  if [ -n "${RUNFOLD_SUBMISSION-}" ] && [ -z "${RUNFOLD_RUN_ID-}${RUNFOLD_STARTED-}" ]; then
    _runfold_attempt=$RUNFOLD_SUBMISSION.$SLURM_ARRAY_TASK_ID
  fi
}

# Options -> _runfold_opt_*, and the members of config and the elements of tags as JSON.
_runfold_read_options() {
  _runfold_opt_experiment=''
  _runfold_opt_dataset=''
  _runfold_opt_has_dataset=''
  _runfold_opt_method=''
  _runfold_opt_has_method=''
  _runfold_opt_subject=''
  _runfold_opt_has_subject=''
  _runfold_opt_variant=''
  _runfold_opt_has_variant=''
  _runfold_opt_seed=''
  _runfold_opt_config=''
  _runfold_opt_has_config=''
  _runfold_opt_tags=''
  _runfold_opt_notes=''
  _runfold_opt_resume=''
  _runfold_opt_ledger=''
  _runfold_opt_attempt=''
  _runfold_opt_independent=''
  while [ "$#" -gt 0 ]; do
    case $1 in
      --*=*)
        _runfold_name=${1%%=*}
        _runfold_value=${1#*=}
        shift
        ;;
      --resume | --independent)
        _runfold_name=$1
        _runfold_value=true
        shift
        case ${1-} in true | false) _runfold_value=$1 && shift ;; esac
        ;;
      --*)
        _runfold_name=$1
        if [ "$#" -lt 2 ]; then
          _runfold_wrong "$1 needs a value"
          return 1
        fi
        _runfold_value=$2
        shift 2
        ;;
      *)
        _runfold_wrong "\"$1\" is no option"
        return 1
        ;;
    esac
    case $_runfold_name in
      --experiment-number | --exp)
        _runfold_whole "$_runfold_value" || {
          _runfold_wrong "$_runfold_name must be a whole number within ±(2^53−1), not \"$_runfold_value\""
          return 1
        }
        _runfold_opt_experiment=$_runfold_out
        ;;
      --seed)
        _runfold_whole "$_runfold_value" || {
          _runfold_wrong "--seed must be a whole number within ±(2^53−1), not \"$_runfold_value\""
          return 1
        }
        _runfold_opt_seed=$_runfold_out
        ;;
      --dataset) _runfold_opt_dataset=$_runfold_value _runfold_opt_has_dataset=1 ;;
      --method) _runfold_opt_method=$_runfold_value _runfold_opt_has_method=1 ;;
      --subject) _runfold_opt_subject=$_runfold_value _runfold_opt_has_subject=1 ;;
      --variant | --cl-info) _runfold_opt_variant=$_runfold_value _runfold_opt_has_variant=1 ;;
      --ledger) _runfold_opt_ledger=$_runfold_value ;;
      --attempt) _runfold_opt_attempt=$_runfold_value ;;
      --notes)
        _runfold_text "$_runfold_value" || :
        _runfold_opt_notes=$_runfold_out
        ;;
      --resume | --independent)
        case $_runfold_value in
          true | false) ;;
          *)
            _runfold_wrong "$_runfold_name is true or false, not \"$_runfold_value\""
            return 1
            ;;
        esac
        case $_runfold_name in
          --resume) _runfold_opt_resume=$_runfold_value ;;
          *) _runfold_opt_independent=$_runfold_value ;;
        esac
        ;;
      --tag)
        _runfold_text "$_runfold_value" || :
        _runfold_opt_tags=${_runfold_opt_tags:+$_runfold_opt_tags,}$_runfold_out
        ;;
      --tags)
        while :; do
          _runfold_text "${_runfold_value%%,*}" || :
          _runfold_opt_tags=${_runfold_opt_tags:+$_runfold_opt_tags,}$_runfold_out
          case $_runfold_value in *,*) _runfold_value=${_runfold_value#*,} ;; *) break ;; esac
        done
        ;;
      --config)
        _runfold_opt_has_config=1
        while :; do
          _runfold_member "$_runfold_value" || {
            _runfold_wrong "--config takes name=value or a JSON object, not \"$_runfold_value\""
            return 1
          }
          _runfold_opt_config=${_runfold_opt_config:+$_runfold_opt_config${_runfold_out:+,}}$_runfold_out
          case ${1-} in
            --* | '') break ;;
          esac
          _runfold_value=$1
          shift
        done
        ;;
      *)
        _runfold_wrong "there is no option $_runfold_name"
        return 1
        ;;
    esac
  done
}

_runfold_wrong() {
  _runfold_say '' "runfold_open: $1. Nothing is logged."
}

# The text that is hashed -> _runfold_hashed and _runfold_run; the members of the key as they stand in run_created ->
# _runfold_key. What was not given is that of the run that this script was started as, else the default.
_runfold_make_key() {
  _runfold_read_started_key
  if [ -z "$_runfold_opt_has_method$_runfold_left_method" ]; then
    _runfold_script_name
    _runfold_opt_has_method=1
  fi
  _runfold_out=${_runfold_opt_experiment:-$_runfold_left_experiment}
  _runfold_hashed=[$_runfold_out
  _runfold_key=\"experiment_number\":$_runfold_out
  _runfold_add_text dataset "$_runfold_opt_has_dataset" "$_runfold_opt_dataset" "$_runfold_left_dataset" || return 1
  _runfold_add_text method "$_runfold_opt_has_method" "$_runfold_opt_method" "$_runfold_left_method" || return 1
  _runfold_add_text subject "$_runfold_opt_has_subject" "$_runfold_opt_subject" "$_runfold_left_subject" || return 1
  _runfold_add_text variant "$_runfold_opt_has_variant" "$_runfold_opt_variant" "$_runfold_left_variant" || return 1
  _runfold_out=${_runfold_opt_seed:-$_runfold_left_seed}
  _runfold_add_field seed
  _runfold_hashed=$_runfold_hashed]
  _runfold_hash "$_runfold_hashed"
  _runfold_run=$_runfold_out
  case $_runfold_run in
    ????????????????) ;;
    *)
      _runfold_say '' "runfold_open: sha256sum or awk does not work here. Nothing is logged."
      return 1
      ;;
  esac
}

# The option $1: its value $3 if it was given ($2), else the JSON $4.
_runfold_add_text() {
  _runfold_out=$4
  if [ -n "$2" ]; then
    _runfold_text "$3" || {
      _runfold_wrong "--$1 is not valid UTF-8"
      return 1
    }
  fi
  case $1 in
    variant) _runfold_add_field cl_info ;;
    *) _runfold_add_field "$1" ;;
  esac
}

_runfold_add_field() {
  _runfold_hashed=$_runfold_hashed,$_runfold_out
  [ "$_runfold_out" = null ] || _runfold_key="$_runfold_key,\"$1\":$_runfold_out"
}

_runfold_hash() {
  _runfold_out=$(printf '%s' "$1" | sha256sum | LC_ALL=C awk "$_runfold_awk_base32") || _runfold_out=''
}

# The key of the run that this script was started as -> _runfold_left_*, as JSON, and _runfold_is_started. Where
# RUNFOLD_KEY is not of RUNFOLD_RUN_ID it may be of a run further out, and these are the defaults.
_runfold_read_started_key() {
  _runfold_is_started=''
  _runfold_is_bad_key=''
  _runfold_left_experiment=1
  _runfold_left_dataset='"default"'
  _runfold_left_method=''
  _runfold_left_subject=null
  _runfold_left_variant=null
  _runfold_left_seed=null
  [ -n "${RUNFOLD_KEY-}" ] || return 0
  _runfold_json "$RUNFOLD_KEY" key || {
    _runfold_is_bad_key=1
    return 0
  }
  _runfold_rest=${_runfold_out#"$_runfold_lf"}
  for _runfold_number in "${_runfold_rest%%"$_runfold_lf"*}" "${_runfold_rest##*"$_runfold_lf"}"; do
    [ "$_runfold_number" != null ] || continue
    if ! _runfold_whole "$_runfold_number" || [ "$_runfold_out" != "$_runfold_number" ]; then
      _runfold_is_bad_key=1
      return 0
    fi
  done
  _runfold_hash "$RUNFOLD_KEY"
  [ "$_runfold_out" = "${RUNFOLD_RUN_ID-}" ] || return 0
  _runfold_is_started=1
  _runfold_take_line && _runfold_left_experiment=$_runfold_out
  _runfold_take_line && _runfold_left_dataset=$_runfold_out
  _runfold_take_line && _runfold_left_method=$_runfold_out
  _runfold_take_line && _runfold_left_subject=$_runfold_out
  _runfold_take_line && _runfold_left_variant=$_runfold_out
  _runfold_left_seed=$_runfold_rest
}

_runfold_take_line() {
  _runfold_out=${_runfold_rest%%"$_runfold_lf"*}
  _runfold_rest=${_runfold_rest#*"$_runfold_lf"}
}

# Two runs surprise whoever meant one. Not below a run that a script has begun, which may well begin others.
_runfold_say_of_key() {
  if [ -n "$_runfold_is_bad_key" ]; then
    _runfold_say bad_key "RUNFOLD_KEY is not used: it is no JSON array of experiment_number, dataset, method, subject, cl_info and seed"
  fi
  if [ -n "$_runfold_is_started" ] && [ -z "${RUNFOLD_STARTED-}" ] && [ "$_runfold_run" != "$RUNFOLD_RUN_ID" ]; then
    _runfold_say two_runs "this program logs run $_runfold_run with the key $_runfold_hashed, but was started as run $RUNFOLD_RUN_ID with the key $RUNFOLD_KEY: these are two runs. To have one, give it the same key, or leave the key out here"
  fi
}

# The name of the script without its ending. SLURM runs a copy that is called slurm_script; the job has its name.
_runfold_script_name() {
  _runfold_opt_method=${0##*/}
  [ "$_runfold_opt_method" != slurm_script ] || _runfold_opt_method=${SLURM_JOB_NAME:-slurm_script}
  case $_runfold_opt_method in
    ?*.*) _runfold_opt_method=${_runfold_opt_method%.*} ;;
  esac
}

# Of the processes of one launch rank 0 logs alone, unless each is said to have a run of its own.
_runfold_is_first_rank() {
  _runfold_independent=''
  case $_runfold_opt_independent in
    true) _runfold_independent=1 ;;
    '') case ${RUNFOLD_INDEPENDENT-} in '' | 0) ;; *) _runfold_independent=1 ;; esac ;;
  esac
  [ -z "$_runfold_independent" ] || return 0
  for _runfold_value in "${RANK-}" "${SLURM_PROCID-}" "${OMPI_COMM_WORLD_RANK-}"; do
    case $_runfold_value in
      '' | *[!0-9]*) ;;
      *[!0]*) return 1 ;;
    esac
  done
}

# Outer values of what is exported come back when the run is closed.
_runfold_keep_environment() {
  _runfold_outer_run=${RUNFOLD_RUN_ID-}
  _runfold_outer_attempt=${RUNFOLD_ATTEMPT-}
  _runfold_outer_started=${RUNFOLD_STARTED-}
  _runfold_outer_dir=${RUNFOLD_DIR-}
  _runfold_outer_key=${RUNFOLD_KEY-}
  _runfold_outer_independent=${RUNFOLD_INDEPENDENT-}
}

_runfold_restore_environment() {
  _runfold_restore RUNFOLD_RUN_ID "$_runfold_outer_run"
  _runfold_restore RUNFOLD_ATTEMPT "$_runfold_outer_attempt"
  _runfold_restore RUNFOLD_STARTED "$_runfold_outer_started"
  _runfold_restore RUNFOLD_DIR "$_runfold_outer_dir"
  _runfold_restore RUNFOLD_KEY "$_runfold_outer_key"
  _runfold_restore RUNFOLD_INDEPENDENT "$_runfold_outer_independent"
}

_runfold_restore() {
  if [ -n "$2" ]; then export "$1=$2"; else unset "$1"; fi
}

# Where the log is -> _runfold_dir: named, RUNFOLD_DIR, else the nearest .runfold upwards, else a new one here.
_runfold_find_log() {
  _runfold_dir=${_runfold_opt_ledger:-${RUNFOLD_DIR-}}
  if [ -n "$_runfold_dir" ]; then
    case $_runfold_dir in /*) ;; *) _runfold_dir=$PWD/$_runfold_dir ;; esac
    return 0
  fi
  _runfold_folder=$PWD
  while :; do
    _runfold_dir=${_runfold_folder%/}/.runfold
    [ ! -d "$_runfold_dir" ] || return 0
    case $_runfold_folder in '' | /) break ;; esac
    _runfold_folder=${_runfold_folder%/*}
  done
  _runfold_dir=${PWD%/}/.runfold
  _runfold_make_log || :
}

# Of several that make one at the same time one succeeds: a link fails where there is a ledger.json.
_runfold_make_log() {
  _runfold_uuid=$(od -An -v -N16 -tx1 /dev/urandom | tr -d ' \n' |
    sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)/\1-\2-4\3-a\4-/')
  _runfold_value="{\"format\":\"runfold\",\"version\":1,\"ledger_id\":\"$_runfold_uuid\",\"created_at\":\"$_runfold_ts\"}"
  mkdir -p "$_runfold_dir/events" 2>/dev/null || return 1
  _runfold_real_pid
  _runfold_folder=$_runfold_dir/ledger.json.$_runfold_self-${_runfold_uuid%%-*}.tmp
  (set -C && printf '%s\n' "$_runfold_value" >"$_runfold_folder") 2>/dev/null || return 1
  if ln "$_runfold_folder" "$_runfold_dir/ledger.json" 2>/dev/null; then
    _runfold_say '' "made $_runfold_dir"
  elif [ ! -e "$_runfold_dir/ledger.json" ]; then
    # a file system without hard links
    (set -C && printf '%s\n' "$_runfold_value" >"$_runfold_dir/ledger.json") 2>/dev/null || :
  fi
  rm -f "$_runfold_folder"
}

_runfold_find_fsync() {
  # an old sync takes no file, and would write out everything the machine has
  case $(sync --help 2>&1 || :) in
    *FILE*) _runfold_fsync=sync ;;
    *) _runfold_fsync='dd' ;;
  esac
}

# run_created, what SLURM says, running: in one write.
_runfold_begin() {
  _runfold_code_info
  _runfold_payload=,$_runfold_key
  [ -z "$_runfold_opt_has_config" ] || _runfold_payload="$_runfold_payload,\"config\":{$_runfold_opt_config}"
  _runfold_payload=$_runfold_payload${_runfold_opt_tags:+,\"tags\":[$_runfold_opt_tags]}
  _runfold_payload=$_runfold_payload${_runfold_opt_notes:+,\"notes\":$_runfold_opt_notes}
  [ "$_runfold_opt_resume" != true ] || _runfold_payload="$_runfold_payload,\"resume\":true"
  if _runfold_is_long "$_runfold_payload"; then
    # a run must not be missing because its config is a megabyte
    _runfold_say config "config, tags and notes make the line longer than $_runfold_max_line bytes; left out"
    _runfold_payload=,$_runfold_key
  fi
  _runfold_append run_created "$_runfold_payload,\"code\":{$_runfold_code}"
  _runfold_slurm_info
  [ -z "$_runfold_payload" ] || _runfold_append slurm_info "$_runfold_payload"
  _runfold_append status_changed ',"status":"running"'
  _runfold_flush
}

# The commit, the arguments of this script (never its environment, where secrets are) and the directory.
_runfold_code_info() {
  _runfold_text "$PWD" || :
  _runfold_code="\"cwd\":$_runfold_out"
  _runfold_value=$(tr '\0\n' '\n ' <"/proc/$$/cmdline" 2>/dev/null | while IFS= read -r _runfold_word; do
    _runfold_quoted "$_runfold_word"
    printf '%s ' "${_runfold_out:-"''"}"
  done | head -c 8192) || _runfold_value=''
  _runfold_value=${_runfold_value% }
  _runfold_text "${_runfold_value:-$0}" || :
  _runfold_code="$_runfold_code,\"command\":$_runfold_out"
  _runfold_value=$(git rev-parse --verify HEAD 2>/dev/null) || _runfold_value=''
  case $_runfold_value in
    '' | *[!0-9a-f]*) ;;
    *) _runfold_code="$_runfold_code,\"git_commit\":\"$_runfold_value\"" ;;
  esac
}

# ---------------------------------------------------------------------------------------------------------------
# What SLURM tells a job by its environment -> _runfold_payload, empty outside of a job. What cannot be read is left
# out, never guessed.

_runfold_slurm_info() {
  _runfold_payload=''
  _runfold_is_digits "${SLURM_JOB_ID-}" || return 0
  _runfold_payload=",\"job_id\":\"$SLURM_JOB_ID\""
  _runfold_is_digits "${SLURM_ARRAY_JOB_ID-}" && _runfold_payload="$_runfold_payload,\"array_job_id\":\"$SLURM_ARRAY_JOB_ID\""
  _runfold_is_digits "${SLURM_ARRAY_TASK_ID-}" && _runfold_payload="$_runfold_payload,\"array_task_id\":\"$SLURM_ARRAY_TASK_ID\""
  _runfold_amount "${SLURM_RESTART_COUNT-}" && _runfold_payload="$_runfold_payload,\"restart_count\":$_runfold_out"
  _runfold_payload="$_runfold_payload,\"state\":\"RUNNING\""
  _runfold_slurm_text partition "${SLURM_JOB_PARTITION-}"
  _runfold_slurm_text account "${SLURM_JOB_ACCOUNT-}"
  _runfold_slurm_text node_list "${SLURM_JOB_NODELIST-}"

  _runfold_nodes=''
  _runfold_amount "${SLURM_JOB_NUM_NODES-}" && _runfold_nodes=$_runfold_out
  _runfold_cpus=''
  _runfold_sum _runfold_cpus_of_part "${SLURM_JOB_CPUS_PER_NODE-}" && _runfold_cpus=$_runfold_out
  _runfold_payload="$_runfold_payload${_runfold_cpus:+,\"cpus\":$_runfold_cpus}"
  if _runfold_amount "${SLURM_GPUS-}" || _runfold_sum _runfold_gpus_of_part "${SLURM_GPUS-}" ||
    _runfold_times "${SLURM_GPUS_ON_NODE-}" "$_runfold_nodes"; then
    _runfold_payload="$_runfold_payload,\"gpus\":$_runfold_out"
  fi
  # a memory of 0 asks for all that a node has, which is no amount
  if { _runfold_times "${SLURM_MEM_PER_NODE-}" "$_runfold_nodes" && [ "$_runfold_factor" != 0 ]; } ||
    { _runfold_times "${SLURM_MEM_PER_CPU-}" "$_runfold_cpus" && [ "$_runfold_factor" != 0 ]; }; then
    _runfold_payload="$_runfold_payload,\"memory_mb\":$_runfold_out"
  fi
  if _runfold_amount "${SLURM_JOB_START_TIME-}" && [ "$_runfold_out" -le 253402300799 ]; then
    _runfold_start=$_runfold_out
    _runfold_utc "$_runfold_start"
    _runfold_payload="$_runfold_payload,\"started_at\":\"$_runfold_out\""
    if _runfold_amount "${SLURM_JOB_END_TIME-}" && [ "$_runfold_out" -gt "$_runfold_start" ]; then
      _runfold_payload="$_runfold_payload,\"time_limit_seconds\":$((_runfold_out - _runfold_start))"
    fi
  fi
  _runfold_payload="$_runfold_payload,\"source\":\"env\""
}

_runfold_slurm_text() {
  [ -n "$2" ] || return 0
  _runfold_text "$2" || :
  _runfold_payload="$_runfold_payload,\"$1\":$_runfold_out"
}

_runfold_is_digits() {
  case $1 in
    '' | *[!0-9]*) return 1 ;;
  esac
}

# A number of digits alone -> _runfold_out.
_runfold_amount() {
  _runfold_is_digits "$1" && _runfold_whole "$1"
}

# $1 times $2 -> _runfold_out, $1 as a number -> _runfold_factor.
_runfold_times() {
  _runfold_amount "$2" || return 1
  _runfold_factor2=$_runfold_out
  _runfold_amount "$1" || return 1
  _runfold_factor=$_runfold_out
  # the quotient first: the product could be more than the shell can count
  [ "$_runfold_factor2" = 0 ] || [ "$_runfold_factor" -le "$((9007199254740991 / _runfold_factor2))" ] || return 1
  _runfold_out=$((_runfold_factor * _runfold_factor2))
}

# Of a list such as 4(x2),3, which is 11.
_runfold_cpus_of_part() {
  case $1 in
    *'(x'*')')
      _runfold_value=${1#*"(x"}
      _runfold_times "${1%%"(x"*}" "${_runfold_value%")"}"
      ;;
    *) _runfold_amount "$1" ;;
  esac
}

# Of a list such as a100:2,v100:1, which is 3.
_runfold_gpus_of_part() {
  case $1 in
    ?*:*:* | :*) return 1 ;;
    *:*) _runfold_amount "${1#*:}" ;;
    *) return 1 ;;
  esac
}

# Of what the function $1 makes of each part of the list $2.
_runfold_sum() {
  _runfold_list=$2,
  _runfold_total=0
  while [ -n "$_runfold_list" ]; do
    _runfold_part=${_runfold_list%%,*}
    _runfold_list=${_runfold_list#*,}
    "$1" "$_runfold_part" || return 1
    _runfold_total=$((_runfold_total + _runfold_out))
    [ "$_runfold_total" -le 9007199254740991 ] || return 1
  done
  _runfold_out=$_runfold_total
}

# Seconds since 1970 as UTC. Counted here: there is no option of date for it that every system has.
_runfold_utc() {
  _runfold_day=$(($1 / 86400 + 719468))
  _runfold_second=$(($1 % 86400))
  # of a calendar whose years begin in March: eras of 400 years, the year in the era, the day in the year
  _runfold_era=$((_runfold_day / 146097))
  _runfold_day=$((_runfold_day % 146097))
  _runfold_year=$(((_runfold_day - _runfold_day / 1460 + _runfold_day / 36524 - _runfold_day / 146096) / 365))
  _runfold_day=$((_runfold_day - (365 * _runfold_year + _runfold_year / 4 - _runfold_year / 100)))
  _runfold_month=$(((5 * _runfold_day + 2) / 153))
  _runfold_day=$((_runfold_day - (153 * _runfold_month + 2) / 5 + 1))
  _runfold_month=$((_runfold_month < 10 ? _runfold_month + 3 : _runfold_month - 9))
  _runfold_year=$((_runfold_year + _runfold_era * 400 + (_runfold_month <= 2)))
  _runfold_out=$(printf '%04d-%02d-%02dT%02d:%02d:%02d.000Z' "$_runfold_year" "$_runfold_month" "$_runfold_day" \
    "$((_runfold_second / 3600))" "$((_runfold_second / 60 % 60))" "$((_runfold_second % 60))")
}

# ---------------------------------------------------------------------------------------------------------------
# The events of a run.

_runfold_metric() {
  _runfold_columns=''
  _runfold_extra=''
  _runfold_elapsed=''
  _runfold_options=1
  while [ "$#" -gt 0 ]; do
    if [ -n "$_runfold_options" ]; then
      case $1 in
        --)
          _runfold_options=''
          shift
          continue
          ;;
        --extra)
          shift
          continue
          ;;
        --*=*)
          _runfold_name=${1%%=*}
          _runfold_name=${_runfold_name#--}
          _runfold_value=${1#*=}
          shift
          _runfold_column "$_runfold_name" "$_runfold_value"
          continue
          ;;
        --*)
          _runfold_name=${1#--}
          if [ "$#" -lt 2 ]; then
            _runfold_say "metric $_runfold_name" "runfold_metric: $1 has no value"
            shift
            continue
          fi
          _runfold_column "$_runfold_name" "$2"
          shift 2
          continue
          ;;
      esac
    fi
    case $1 in
      *=*) _runfold_point "${1%%=*}" "${1#*=}" ;;
      *) _runfold_say "metric $1" "runfold_metric: \"$1\" is not name=value and is left out" ;;
    esac
    shift
  done
  case $_runfold_columns in
    *'"loss"'* | *'"f1"'* | *'"fitness"'* | *'"behavioral_comparison"'* | *'"gpu_memory_mb"'*) ;;
    *)
      [ -n "$_runfold_extra" ] || {
        _runfold_say 'empty metric' 'runfold_metric: no value to log'
        return 0
      }
      ;;
  esac
  _runfold_payload=$_runfold_columns
  [ -z "$_runfold_extra" ] || _runfold_payload="$_runfold_payload,\"extra\":{$_runfold_extra}"
  _runfold_append metric "$_runfold_payload" elapsed && _runfold_flush
}

# --gpu-memory-mb 3 and the like.
_runfold_column() {
  case $1 in
    loss | f1 | fitness | epoch | step) _runfold_point "$1" "$2" ;;
    behavioral-comparison) _runfold_point behavioral_comparison "$2" ;;
    gpu-memory-mb) _runfold_point gpu_memory_mb "$2" ;;
    elapsed-seconds) _runfold_point elapsed_seconds "$2" ;;
    *) _runfold_say "metric --$1" "runfold_metric: there is no option --$1; a metric of any name is name=value" ;;
  esac
}

# The exact names of columns are columns, everything else is extra.
_runfold_point() {
  case $1 in
    epoch | step)
      if _runfold_whole "$2"; then
        _runfold_columns="$_runfold_columns,\"$1\":$_runfold_out"
        return 0
      fi
      ;;
    elapsed_seconds)
      if _runfold_measure "$2"; then
        case $_runfold_out in \"*) ;; *) _runfold_elapsed=$_runfold_out && return 0 ;; esac
      fi
      _runfold_say "metric $1" "runfold_metric: elapsed_seconds is not \"$2\""
      return 0
      ;;
  esac
  _runfold_measure "$2" || {
    _runfold_say "metric $1" "runfold_metric: $1 is no number but \"$2\", and is left out"
    return 0
  }
  case $1 in
    loss | f1 | fitness | behavioral_comparison | gpu_memory_mb)
      _runfold_columns="$_runfold_columns,\"$1\":$_runfold_out"
      ;;
    *)
      _runfold_number=$_runfold_out
      _runfold_text "$1" || :
      _runfold_extra=${_runfold_extra:+$_runfold_extra,}$_runfold_out:$_runfold_number
      ;;
  esac
}

_runfold_sample() {
  _runfold_columns=''
  _runfold_elapsed=''
  while [ "$#" -gt 0 ]; do
    case $1 in
      --*=*)
        _runfold_name=${1%%=*}
        _runfold_value=${1#*=}
        shift
        ;;
      --*)
        _runfold_name=$1
        _runfold_value=${2-}
        shift
        [ "$#" -eq 0 ] || shift
        ;;
      *)
        _runfold_name=$1
        _runfold_value=''
        shift
        ;;
    esac
    case $_runfold_name in
      --cpu-percent) _runfold_name=cpu_percent ;;
      --rss-mb) _runfold_name=rss_mb ;;
      --gpu-percent) _runfold_name=gpu_percent ;;
      --gpu-memory-mb) _runfold_name=gpu_memory_mb ;;
      *)
        _runfold_say "sample $_runfold_name" "runfold_sample: there is no option $_runfold_name"
        continue
        ;;
    esac
    _runfold_measure "$_runfold_value" || _runfold_out=\"
    case $_runfold_out in
      \"*) _runfold_say "sample $_runfold_name" "runfold_sample: $_runfold_name is no number but \"$_runfold_value\"" ;;
      *) _runfold_columns="$_runfold_columns,\"$_runfold_name\":$_runfold_out" ;;
    esac
  done
  _runfold_append resource_sample "$_runfold_columns" elapsed && _runfold_flush
}

_runfold_error() {
  if [ "$#" -lt 2 ] || [ "$#" -gt 3 ]; then
    _runfold_say error 'runfold_error takes a type, a message and perhaps a traceback'
    [ "$#" -gt 0 ] || return 0
  fi
  _runfold_text "$1" || :
  _runfold_payload=",\"exception_type\":$_runfold_out"
  _runfold_end_of "${2-}" 16384
  _runfold_text "$_runfold_out" || :
  _runfold_payload="$_runfold_payload,\"message\":$_runfold_out"
  if [ -n "${3-}" ]; then
    _runfold_end_of "$3" 65536
    _runfold_text "$_runfold_out" || :
    _runfold_payload="$_runfold_payload,\"traceback\":$_runfold_out"
  fi
  _runfold_append error "$_runfold_payload" && _runfold_flush
}

# The last bytes of a text, where the news is.
_runfold_end_of() {
  _runfold_out=$1
  [ "${#1}" -le "$2" ] || _runfold_out=$(printf '%s' "$1" | tail -c "$2")
}

_runfold_results() {
  _runfold_members=''
  for _runfold_value in "$@"; do
    if _runfold_member "$_runfold_value"; then
      _runfold_members=${_runfold_members:+$_runfold_members${_runfold_out:+,}}$_runfold_out
    else
      _runfold_say results "runfold_results takes name=value or a JSON object, not \"$_runfold_value\", which is left out"
    fi
  done
  [ "$#" -gt 0 ] || return 0
  _runfold_append result ",\"results\":{$_runfold_members}" && _runfold_flush
}

_runfold_status() {
  _runfold_read_outcome runfold_status "$@"
  [ -n "$_runfold_outcome" ] || {
    _runfold_say status 'runfold_status takes pending, running, completed, failed or timeout'
    return 0
  }
  _runfold_append_status
  _runfold_flush
}

_runfold_close() {
  _runfold_read_outcome runfold_close "$@"
  if [ -z "$_runfold_outcome" ]; then
    case $_runfold_exit_code in
      '' | 0) [ -n "$_runfold_end_said" ] || _runfold_outcome=completed ;;
      *) _runfold_outcome=failed ;;
    esac
  fi
  [ -z "$_runfold_outcome" ] || _runfold_append_status
  _runfold_finish
}

# Of what runfold_status and runfold_close are given -> _runfold_outcome, _runfold_exit_code, _runfold_reason.
_runfold_read_outcome() {
  _runfold_caller=$1
  shift
  _runfold_outcome=''
  _runfold_exit_code=''
  _runfold_reason=''
  while [ "$#" -gt 0 ]; do
    case $1 in
      --*=*)
        _runfold_name=${1%%=*}
        _runfold_value=${1#*=}
        ;;
      --*)
        _runfold_name=$1
        _runfold_value=${2-}
        [ "$#" -eq 1 ] || shift
        ;;
      *)
        _runfold_name=$_runfold_caller
        _runfold_value=$1
        ;;
    esac
    shift
    case $_runfold_name in
      --status | runfold_status)
        case $_runfold_value in
          pending | running | completed | failed | timeout) _runfold_outcome=$_runfold_value ;;
          *) _runfold_say status "$_runfold_caller: there is no status \"$_runfold_value\"" ;;
        esac
        ;;
      --exit-code | runfold_close)
        if _runfold_whole "$_runfold_value"; then
          _runfold_exit_code=$_runfold_out
        else
          _runfold_say 'exit code' "$_runfold_caller: an exit code is a number, not \"$_runfold_value\""
        fi
        ;;
      --reason)
        _runfold_end_of "$_runfold_value" 1000
        _runfold_text "$_runfold_out" || :
        _runfold_reason=$_runfold_out
        ;;
      *) _runfold_say "$_runfold_name" "$_runfold_caller: there is no option $_runfold_name" ;;
    esac
  done
}

_runfold_append_status() {
  case $_runfold_outcome in
    completed | failed | timeout) _runfold_end_said=1 ;;
  esac
  _runfold_payload=",\"status\":\"$_runfold_outcome\"${_runfold_exit_code:+,\"exit_code\":$_runfold_exit_code}"
  _runfold_append status_changed "$_runfold_payload${_runfold_reason:+,\"reason\":$_runfold_reason}"
}

# The end of the file. In a subshell that is the end of the subshell's file alone.
_runfold_finish() {
  _runfold_append writer_closed ''
  _runfold_flush
  if [ -n "$_runfold_waiting" ] || [ "$_runfold_dropped" -gt 0 ]; then
    _runfold_say lost "lines of run $_runfold_run are lost: neither $_runfold_dir nor $(_runfold_spool_name) could be written"
  fi
  if [ -n "$_runfold_spool" ]; then
    _runfold_say '' "lines of run $_runfold_run wait in a file; when the log is there: $(_runfold_mend)"
  fi
  _runfold_state=''
  _runfold_restore_environment
}

# ---------------------------------------------------------------------------------------------------------------
# How the script ends.

# Before the script's own traps, which run after ours. The list is written into a file: in $(trap) a shell may have
# none. Without that file the traps that are there stay, and nothing is trapped.
_runfold_set_traps() {
  [ "$_runfold_owner" = "$$" ] || return 0
  _runfold_value=$(mktemp "${TMPDIR:-/tmp}/runfold-traps-XXXXXX" 2>/dev/null) || {
    _runfold_say traps "no end is recorded when the script ends: no file can be made in ${TMPDIR:-/tmp}. Call runfold_close"
    return 0
  }
  trap >|"$_runfold_value"
  _runfold_is_term_ignored=''
  _runfold_before_exit=''
  _runfold_before_term=''
  # lines that begin an entry become calls of _runfold_take_trap
  eval "$(sed "$_runfold_sed_traps" "$_runfold_value")"
  rm -f "$_runfold_value"
  case $_runfold_before_exit in
    _runfold_on_exit*) ;;
    *) trap "_runfold_on_exit \"\$?\" && :$_runfold_lf$_runfold_before_exit" EXIT ;;
  esac
  case $_runfold_before_term in
    _runfold_on_term*) _runfold_before_term=$_runfold_kept_term ;;
    *)
      _runfold_kept_term=$_runfold_before_term
      [ -n "$_runfold_is_term_ignored" ] || trap '_runfold_on_term' TERM
      ;;
  esac
}

# a line within a quoted command, as bash writes it, and as dash and busybox do
_runfold_sed_traps="/^trap -- '\\\\''/b
/^trap -- '\"'\"'/b
s/^trap -- /_runfold_take_trap /"

_runfold_take_trap() {
  case $2 in
    EXIT | 0) _runfold_before_exit=$1 ;;
    TERM | SIGTERM | 15)
      _runfold_before_term=$1
      [ -n "$1" ] || _runfold_is_term_ignored=1
      ;;
  esac
}

# Returns the exit code, for the script's own trap, which comes after.
_runfold_on_exit() {
  if [ "$_runfold_state" = open ]; then
    _runfold_real_pid
    if [ "$_runfold_self" = "$_runfold_owner" ]; then
      _runfold_busy=1
      _runfold_record_end "$1" || :
    fi
  fi
  return "$1"
}

_runfold_record_end() {
  if [ -z "$_runfold_end_said" ]; then
    _runfold_outcome=failed
    [ "$1" != 0 ] || [ -n "$_runfold_signal" ] || _runfold_outcome=completed
    _runfold_exit_code=$1
    _runfold_reason=${_runfold_signal:+\"$_runfold_signal\"}
    _runfold_append_status
  fi
  _runfold_finish
}

_runfold_on_term() {
  if [ -n "$_runfold_busy" ]; then
    _runfold_pending=1
    return 0
  fi
  _runfold_signal=SIGTERM
  if [ -n "$_runfold_before_term" ]; then
    # the script decides what becomes of it; if it exits, that is the end that is recorded
    eval "$_runfold_before_term"
    return 0
  fi
  if [ "$_runfold_state" = open ]; then
    _runfold_busy=1
    _runfold_record_end '' || :
    _runfold_busy=''
  fi
  trap - TERM
  kill -s TERM "$$"
}

# ---------------------------------------------------------------------------------------------------------------
# Lines, and their way to the disk.

# Adds a line: its type, the rest of its members, and "elapsed" if it has elapsed_seconds.
_runfold_append() {
  _runfold_own_file || return 1
  _runfold_now || return 1
  if [ -n "${3-}" ]; then
    if [ -z "$_runfold_elapsed" ]; then
      _runfold_elapsed=$((_runfold_ms - _runfold_started))
      [ "$_runfold_elapsed" -ge 0 ] || _runfold_elapsed=0
      _runfold_value=000$((_runfold_elapsed % 1000))
      _runfold_elapsed=$((_runfold_elapsed / 1000)).${_runfold_value#"${_runfold_value%???}"}
    fi
    _runfold_rest=",\"elapsed_seconds\":$_runfold_elapsed$2"
  else
    _runfold_rest=$2
  fi
  if [ "$1" = writer_closed ]; then
    _runfold_rest=",\"events\":$_runfold_seq"
  else
    _runfold_rest=",\"run_id\":\"$_runfold_run\"$_runfold_rest"
  fi
  if _runfold_is_long "$_runfold_rest"; then
    _runfold_say long "an event of type $1 is longer than $_runfold_max_line bytes; it is left out, as any more of the kind will be"
    return 1
  fi
  # in one command: a trap comes between commands
  _runfold_waiting="$_runfold_waiting{\"type\":\"$1\",\"ts\":\"$_runfold_ts\",\"seq\":$((_runfold_seq + 1))$_runfold_rest}$_runfold_lf" \
    _runfold_seq=$((_runfold_seq + 1))
}

_runfold_is_long() {
  # characters may be up to four bytes
  [ "${#1}" -gt "$((_runfold_max_line / 4 - 1024))" ] &&
    [ "$(printf '%s' "$1" | wc -c)" -gt "$((_runfold_max_line - 1024))" ]
}

# One process, one file: a subshell that logs gets its own, in the same attempt.
_runfold_own_file() {
  _runfold_real_pid
  [ "$_runfold_self" != "$_runfold_pid" ] || return 0
  _runfold_now || return 1
  _runfold_new_file
}

# The process that executes this, in a subshell too, where $$ is the script's. Without a fork on Linux.
_runfold_real_pid() {
  if [ -r /proc/self/stat ]; then
    IFS=' ' read -r _runfold_self _runfold_rest </proc/self/stat
  else
    # shellcheck disable=SC2016 # of the sh that takes the place of the subshell
    _runfold_self=$(exec sh -c 'echo "$PPID"')
  fi
}

# Now -> _runfold_ms since 1970, _runfold_ts, _runfold_today.
_runfold_now() {
  _runfold_value=$(date -u '+%s %N %Y-%m-%dT%H:%M:%S') || {
    _runfold_say date 'date does not work here: nothing is logged'
    return 1
  }
  _runfold_ms=${_runfold_value%% *}
  _runfold_ts=${_runfold_value##* }
  _runfold_today=${_runfold_ts%%T*}
  _runfold_value=${_runfold_value#* }
  _runfold_value=${_runfold_value%% *}
  case $_runfold_value in
    # not every date knows %N
    ?????????) case $_runfold_value in *[!0-9]*) _runfold_value=000 ;; *) _runfold_value=${_runfold_value%??????} ;; esac ;;
    *) _runfold_value=000 ;;
  esac
  _runfold_ms=$_runfold_ms$_runfold_value
  _runfold_ts=$_runfold_ts.${_runfold_value}Z
}

# The header of a new file -> _runfold_waiting. The file itself is made by the first flush.
_runfold_new_file() {
  _runfold_pid=$_runfold_self
  _runfold_made=''
  _runfold_torn=''
  _runfold_spool=''
  _runfold_dropped=0
  _runfold_origin
  _runfold_new_id
  _runfold_waiting=''
  _runfold_seq=1
  _runfold_attempt=${_runfold_attempt:-$_runfold_id}
  _runfold_write_header
}

_runfold_new_id() {
  _runfold_id=$(od -An -v -N10 -tx1 /dev/urandom |
    LC_ALL=C awk -v ms="$_runfold_ms" "$_runfold_awk_base32")
  # the day of the time in the id
  _runfold_file=$_runfold_dir/events/$_runfold_today/$_runfold_id-$_runfold_origin.ndjson
}

_runfold_write_header() {
  _runfold_header="{\"type\":\"writer_opened\",\"ts\":\"$_runfold_ts\",\"seq\":1,\"format\":1,\"writer\":\"$_runfold_id\",\"origin\":\"$_runfold_origin\""
  if [ "$_runfold_attempt" != "$_runfold_id" ]; then
    _runfold_text "$_runfold_attempt" || :
    _runfold_header="$_runfold_header,\"attempt\":$_runfold_out"
  fi
  _runfold_text "$(uname -n)" || :
  _runfold_header="$_runfold_header,\"host\":$_runfold_out,\"pid\":$_runfold_pid"
  _runfold_text "${USER:-${LOGNAME:-${SLURM_JOB_USER:-$(id -un 2>/dev/null || id -u)}}}" || :
  _runfold_header="$_runfold_header,\"user\":$_runfold_out,\"client\":{\"name\":\"runfold-sh\",\"version\":\"$_runfold_version\"}}$_runfold_lf"
}

# For people: the job, else host and process. A-Z a-z 0-9 . _ - and at most 64 of them.
_runfold_origin() {
  _runfold_value=${SLURM_JOB_ID-}
  if [ -n "${SLURM_ARRAY_JOB_ID-}" ] && [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then
    _runfold_value=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  fi
  if [ -n "$_runfold_value" ]; then
    _runfold_value=slurm$_runfold_value
    if _runfold_amount "${SLURM_RESTART_COUNT-}" && [ "$_runfold_out" != 0 ]; then
      _runfold_value=${_runfold_value}r$_runfold_out
    fi
    _runfold_origin=$(printf '%s' "$_runfold_value" | LC_ALL=C tr -c 'A-Za-z0-9._-' '-' | cut -c 1-64)
  else
    _runfold_origin=$(uname -n | tr -d '\n' | LC_ALL=C tr -c 'A-Za-z0-9._-' '-' | cut -c "1-$((63 - ${#_runfold_pid}))")
    _runfold_origin=${_runfold_origin:-host}-$_runfold_pid
  fi
}

# Everything that waits onto the disk: into the log, else into the spool file, else it goes on waiting.
_runfold_flush() {
  [ -z "$_runfold_spool" ] || _runfold_drain || :
  if [ -z "$_runfold_spool" ] && _runfold_deliver; then
    _runfold_waiting=''
    return 0
  fi
  if _runfold_keep_in_spool; then
    _runfold_waiting=''
  elif _runfold_is_beyond "$_runfold_max_waiting"; then
    _runfold_say dropped "neither $_runfold_dir nor ${TMPDIR:-/tmp} can be written, and too much waits: lines are lost"
    _runfold_waiting=''
    _runfold_dropped=$((_runfold_dropped + 1))
  fi
}

_runfold_is_beyond() {
  [ "${#_runfold_waiting}" -gt "$1" ]
}

# The header stands before the first line; the file is made anew only if it never was there.
_runfold_deliver() {
  _runfold_has_log || return 1
  if [ -z "$_runfold_made" ]; then
    _runfold_make_file
    return
  fi
  if [ ! -f "$_runfold_file" ] || [ -L "$_runfold_file" ]; then
    _runfold_fail "$_runfold_file is gone"
    return 1
  fi
  _runfold_value=${_runfold_torn:+$_runfold_lf}
  _runfold_torn=1
  { printf '%s%s' "$_runfold_value" "$_runfold_waiting" >>"$_runfold_file"; } 2>/dev/null || {
    _runfold_fail "$_runfold_file cannot be written"
    return 1
  }
  _runfold_torn=''
  _runfold_to_disk "$_runfold_file" || {
    _runfold_fail "$_runfold_file cannot be brought onto the disk"
    return 1
  }
}

_runfold_has_log() {
  if [ ! -r "$_runfold_dir/ledger.json" ]; then
    _runfold_fail "no log at $_runfold_dir: there is no ledger.json that can be read. If it is on a file system that is not mounted, mount it; to make one: runfold init $_runfold_dir"
    return 1
  fi
  [ -z "$_runfold_made" ] || return 0
  case $(tr -d ' \t\r\n' <"$_runfold_dir/ledger.json" 2>/dev/null) in
    *'"format":"runfold"'*'"version":1'[!0-9]* | *'"version":1'[!0-9]*'"format":"runfold"'*) ;;
    *)
      _runfold_fail "$_runfold_dir/ledger.json is not that of a log of version 1"
      return 1
      ;;
  esac
}

# In a log that a group shares (events/ is setgid, and the group may write) others work with what is made here, whatever
# the umask of the script.
_runfold_make_folder() {
  _runfold_folder_umask=$(umask)
  _runfold_file_umask=$_runfold_folder_umask
  case $(ls -ldn "$_runfold_dir/events" 2>/dev/null) in
    d????ws??[xt]*) _runfold_folder_umask=002 _runfold_file_umask=022 ;;
    d????ws*) _runfold_folder_umask=007 _runfold_file_umask=027 ;;
  esac
  (umask "$_runfold_folder_umask" && mkdir -p "${_runfold_file%/*}") 2>/dev/null
}

# Exclusively: a name that is taken is not ours. An id that is in a spool file stays as it is.
_runfold_make_file() {
  _runfold_make_folder || {
    _runfold_fail "${_runfold_file%/*} cannot be made"
    return 1
  }
  if ! (umask "$_runfold_file_umask" && set -C &&
    printf '%s%s' "$_runfold_header" "$_runfold_waiting" >"$_runfold_file") 2>/dev/null; then
    # made, but not all written: the rest follows, after an LF
    [ ! -s "$_runfold_file" ] || _runfold_made=1
    _runfold_torn=1
    _runfold_fail "$_runfold_file cannot be written"
    return 1
  fi
  _runfold_made=1
  _runfold_to_disk "$_runfold_file" || {
    _runfold_fail "$_runfold_file cannot be brought onto the disk"
    return 1
  }
  # not every file system can do that with a directory; the file itself is safe
  _runfold_to_disk "${_runfold_file%/*}" || :
}

_runfold_to_disk() {
  case $_runfold_fsync in
    sync) sync "$1" 2>/dev/null ;;
    *) [ -d "$1" ] || dd if=/dev/null of="$1" conv=notrunc,fsync 2>/dev/null ;;
  esac
}

_runfold_fail() {
  _runfold_torn=1
  _runfold_say "log" "$1. The script goes on, its lines are kept in $(_runfold_spool_name)"
  return 0
}

_runfold_spool_name() {
  printf '%s' "${TMPDIR:-/tmp}/runfold-spool-$(id -u)/${_runfold_file##*/}"
}

_runfold_mend() {
  _runfold_quoted "${_runfold_file%/*}"
  _runfold_value="mkdir -p $_runfold_out"
  _runfold_quoted "$_runfold_spool"
  _runfold_value="$_runfold_value && cat $_runfold_out"
  _runfold_quoted "$_runfold_file"
  printf '%s >> %s' "$_runfold_value" "$_runfold_out"
}

# A word of a shell command.
_runfold_quoted() {
  case $1 in
    *[!A-Za-z0-9_@%+=:,./-]*) _runfold_out="'$(printf '%s' "$1" | sed "s/'/'\\\\''/g")'" ;;
    *) _runfold_out=$1 ;;
  esac
}

# Its first byte is LF and its first line the header, so that it can be appended to the event file, or be it.
_runfold_keep_in_spool() {
  if [ -n "$_runfold_spool" ]; then
    _runfold_value=${_runfold_spool_torn:+$_runfold_lf}
    _runfold_spool_torn=1
    { printf '%s%s' "$_runfold_value" "$_runfold_waiting" >>"$_runfold_spool"; } 2>/dev/null || return 1
    _runfold_spool_torn=''
    _runfold_to_disk "$_runfold_spool"
    return
  fi
  _runfold_value=$(_runfold_spool_name)
  mkdir -m 700 "${_runfold_value%/*}" 2>/dev/null || :
  # a directory of ours alone, and no link
  case $(ls -ldn "${_runfold_value%/*}" 2>/dev/null | awk '{ print $1 " " $3 }') in
    drwx------*" $(id -u)") ;;
    *) return 1 ;;
  esac
  (umask 077 && set -C && printf '\n%s%s' "$_runfold_header" "$_runfold_waiting" >"$_runfold_value") 2>/dev/null || return 1
  _runfold_spool=$_runfold_value
  _runfold_to_disk "$_runfold_spool"
}

# What is in the spool into the log, and away with it.
_runfold_drain() {
  _runfold_has_log || return 1
  if [ -z "$_runfold_made" ]; then
    [ ! -e "$_runfold_file" ] || _runfold_made=1
    [ -n "$_runfold_made" ] || _runfold_make_folder || return 1
  elif [ ! -f "$_runfold_file" ] || [ -L "$_runfold_file" ]; then
    return 1
  fi
  (umask "${_runfold_file_umask:-$(umask)}" && cat "$_runfold_spool" >>"$_runfold_file") 2>/dev/null || return 1
  _runfold_to_disk "$_runfold_file" || return 1
  _runfold_made=1
  _runfold_torn=''
  rm -f "$_runfold_spool"
  _runfold_spool=''
  _runfold_say '' "$_runfold_dir can be written again; nothing waits"
}

# ---------------------------------------------------------------------------------------------------------------
# Values as JSON -> _runfold_out.

# A text, with its quotes. Returns 1 if it was not valid UTF-8: what was not is U+FFFD then.
_runfold_text() {
  case $1 in
    *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=+,@%\(\)~\ -]*) ;;
    *)
      _runfold_out=\"$1\"
      return 0
      ;;
  esac
  _runfold_is_valid=0
  _runfold_out=$(printf '%s' "$1" | od -An -v -tx1 | LC_ALL=C awk -v mode=text "$_runfold_awk_json") || _runfold_is_valid=1
  # awk writes bytes in octal: no two of them agree on how else
  # shellcheck disable=SC2059 # a format it is
  _runfold_out=$(printf "$_runfold_out")
  return "$_runfold_is_valid"
}

# name=value as a member, or the members of a JSON object. Returns 1 if it is neither.
_runfold_member() {
  case $1 in
    '{'*) if _runfold_json "$1" members; then return 0; fi ;;
  esac
  case $1 in
    *=*) ;;
    *) return 1 ;;
  esac
  _runfold_any "${1#*=}"
  _runfold_number=$_runfold_out
  _runfold_text "${1%%=*}" || :
  _runfold_out=$_runfold_out:$_runfold_number
}

# JSON where it is JSON, else text.
_runfold_any() {
  case $1 in
    true | false | null)
      _runfold_out=$1
      return 0
      ;;
    [0-9-]*)
      if _runfold_is_number "$1"; then
        _runfold_out=$1
        return 0
      fi
      ;;
    [\{\[\"]*)
      if _runfold_json "$1" json; then return 0; fi
      ;;
  esac
  _runfold_text "$1" || :
}

# A JSON object, array or text ("json"), or the members of an object ("members"), without blanks. Returns 1 if it is
# not JSON.
_runfold_json() {
  _runfold_out=$(printf '%s' "$1" | od -An -v -tx1 | LC_ALL=C awk -v mode="$2" "$_runfold_awk_json") || return 1
  # shellcheck disable=SC2059 # a format it is
  _runfold_out=$(printf "$_runfold_out")
}

# A whole number within ±(2^53−1), without leading zeros.
_runfold_whole() {
  _runfold_sign=''
  _runfold_digits=$1
  case $1 in
    -*) _runfold_sign=- _runfold_digits=${1#-} ;;
    +*) _runfold_digits=${1#+} ;;
  esac
  _runfold_is_digits "$_runfold_digits" || return 1
  while :; do
    case $_runfold_digits in
      0?*) _runfold_digits=${_runfold_digits#0} ;;
      *) break ;;
    esac
  done
  [ "${#_runfold_digits}" -le 16 ] && [ "$_runfold_digits" -le 9007199254740991 ] || return 1
  [ "$_runfold_digits" != 0 ] || _runfold_sign=''
  _runfold_out=$_runfold_sign$_runfold_digits
}

# What a metric can be: a number, also as programs print it (.5, +1, 1.), or NaN or an infinity.
_runfold_measure() {
  case $1 in
    [Nn][Aa][Nn] | [+-][Nn][Aa][Nn])
      _runfold_out='"NaN"'
      return 0
      ;;
    [Ii][Nn][Ff] | +[Ii][Nn][Ff] | [Ii][Nn][Ff][Ii][Nn][Ii][Tt][Yy] | +[Ii][Nn][Ff][Ii][Nn][Ii][Tt][Yy])
      _runfold_out='"Infinity"'
      return 0
      ;;
    -[Ii][Nn][Ff] | -[Ii][Nn][Ff][Ii][Nn][Ii][Tt][Yy])
      _runfold_out='"-Infinity"'
      return 0
      ;;
  esac
  if _runfold_is_number "$1"; then
    _runfold_out=$1
    return 0
  fi
  _runfold_sign=''
  _runfold_digits=$1
  case $1 in
    -*) _runfold_sign=- _runfold_digits=${1#-} ;;
    +*) _runfold_digits=${1#+} ;;
  esac
  while :; do
    case $_runfold_digits in
      0[0-9]*) _runfold_digits=${_runfold_digits#0} ;;
      *) break ;;
    esac
  done
  case $_runfold_digits in
    .[0-9]*) _runfold_digits=0$_runfold_digits ;;
    *[0-9].) _runfold_digits=${_runfold_digits%.} ;;
    *[0-9].[eE]*) _runfold_digits=${_runfold_digits%%.*}${_runfold_digits#*.} ;;
  esac
  case $_runfold_digits in [+-]*) return 1 ;; esac
  if _runfold_is_number "$_runfold_sign$_runfold_digits"; then
    _runfold_out=$_runfold_sign$_runfold_digits
  elif [ -n "$_runfold_is_huge" ]; then
    _runfold_out="\"${_runfold_sign}Infinity\""
  else
    return 1
  fi
}

# A number of JSON that a double holds. _runfold_is_huge says that it is a number beyond that.
_runfold_is_number() {
  _runfold_is_huge=''
  # nobody writes a number so; and what follows is slow in bash for long texts
  [ "${#1}" -le 1000 ] || return 1
  _runfold_rest=${1#-}
  _runfold_exponent=0
  case $_runfold_rest in
    *[!0-9.eE+-]*) return 1 ;;
    *[eE]*)
      _runfold_exponent=${_runfold_rest#*[eE]}
      _runfold_rest=${_runfold_rest%%[eE]*}
      _runfold_is_digits "${_runfold_exponent#[+-]}" || return 1
      ;;
  esac
  case $_runfold_rest in
    *.*)
      _runfold_is_digits "${_runfold_rest#*.}" || return 1
      _runfold_rest=${_runfold_rest%%.*}
      ;;
  esac
  _runfold_is_digits "$_runfold_rest" || return 1
  case $_runfold_rest in 0?*) return 1 ;; esac
  # whether it overflows is worth a process only where it could
  case $_runfold_exponent in
    -*) [ "${#_runfold_rest}" -gt 300 ] || return 0 ;;
    ? | ?? | +??) [ "${#_runfold_rest}" -gt 200 ] || return 0 ;;
  esac
  printf '%s\n' "$1" | LC_ALL=C awk '{ x = $1 + 0; exit x > 1.7976931348623157e308 || x < -1.7976931348623157e308 }' || {
    _runfold_is_huge=1
    return 1
  }
}

# ---------------------------------------------------------------------------------------------------------------
# What is said to a person, on stderr, each thing once; without a key it is said always.

_runfold_say() {
  if [ -n "$1" ]; then
    _runfold_shown=$(printf '%s' "$1" | tr -c 'A-Za-z0-9_.-' '_')
    case $_runfold_said in *" $_runfold_shown "*) return 0 ;; esac
    _runfold_said="$_runfold_said$_runfold_shown "
  fi
  # one line without control characters: names and values come from anywhere
  _runfold_shown=$(printf '%s' "$2" | tr '[:cntrl:]' ' ')
  printf 'runfold: %s\n' "$_runfold_shown" >&2 || :
}

# ---------------------------------------------------------------------------------------------------------------
# Programs for awk: any awk, also one that knows bytes alone or characters alone. They read bytes in hexadecimal.

# 80 bits as 16 digits of Crockford's base32; with ms before them 10 digits of the time, all in capitals: a ULID.
_runfold_awk_base32='
  { for (i = 1; i <= NF; i++) bytes = bytes $i }
  END {
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    bytes = substr(bytes, 1, 20)
    if (bytes !~ /^[0-9a-f]+$/ || length(bytes) != 20) exit 1
    for (i = 1; i <= 20; i += 5) {
      n = 0
      for (j = i; j < i + 5; j++) n = n * 16 + index("0123456789abcdef", substr(bytes, j, 1)) - 1
      part = ""
      for (j = 0; j < 4; j++) { part = substr(digits, n % 32 + 1, 1) part; n = int(n / 32) }
      text = text part
    }
    if (ms != "") {
      n = ms + 0
      for (j = 0; j < 10; j++) { time = substr(digits, n % 32 + 1, 1) time; n = int(n / 32) }
      text = toupper(time text)
    }
    print text
  }'

# mode text: bytes as a JSON string; exits with 3 if they were not UTF-8. mode json: a JSON value without its blanks,
# mode members: a JSON object without that and its braces, mode key: the fields of a key, each after LF; exits with 1 if it is
# none. Written in octal, as a format of printf.
_runfold_awk_json='
  BEGIN {
    digits = "0123456789abcdef"
    for (i = 0; i < 256; i++) {
      value_of[substr(digits, int(i / 16) + 1, 1) substr(digits, i % 16 + 1, 1)] = i
      octal[i] = sprintf("\\%03o", i)
    }
    for (i = 0; i < 10; i++) sign[48 + i] = i
    sign[43] = "+"; sign[45] = "-"; sign[46] = "."; sign[69] = "E"; sign[101] = "e"
  }
  { for (i = 1; i <= NF; i++) byte[++n] = value_of[$i] }
  END {
    at = 1
    if (mode == "text") {
      put(34)
      while (at <= n) {
        if (byte[at] == 34 || byte[at] == 92) { put(92); put(byte[at++]) }
        else if (byte[at] < 32) control(byte[at++])
        else character()
      }
      put(34)
      exit bad ? 3 : 0
    }
    blanks()
    good = mode == "members" ? byte[at] == 123 && group(1, 125) : mode == "key" ? key() : json(0)
    blanks()
    exit good && at > n ? 0 : 1
  }
  function put(b) { printf "%s", octal[b] }
  function control(b) {
    put(92)
    if (b == 8) put(98)
    else if (b == 9) put(116)
    else if (b == 10) put(110)
    else if (b == 12) put(102)
    else if (b == 13) put(114)
    else printf "u00%s%s", substr(digits, int(b / 16) + 1, 1), substr(digits, b % 16 + 1, 1)
  }
  # one character of UTF-8; of what is none the longest part that could have become one is U+FFFD
  function character(  b, more, low, high, text) {
    b = byte[at++]
    if (b < 128) { put(b); return }
    more = b >= 194 && b <= 223 ? 1 : b >= 224 && b <= 239 ? 2 : b >= 240 && b <= 244 ? 3 : 0
    low = b == 224 ? 160 : b == 240 ? 144 : 128
    high = b == 237 ? 159 : b == 244 ? 143 : 191
    text = octal[b]
    if (more == 0) text = ""
    for (; more > 0; more--) {
      if (at > n || byte[at] < low || byte[at] > high) { text = ""; break }
      text = text octal[byte[at++]]
      low = 128; high = 191
    }
    if (text == "") { bad = 1; text = octal[239] octal[191] octal[189] }
    printf "%s", text
  }
  function blanks() { while (at <= n && (byte[at] == 32 || byte[at] == 9 || byte[at] == 10 || byte[at] == 13)) at++ }
  function json(depth,  b) {
    blanks()
    if (at > n || depth > 60) return 0
    b = byte[at]
    if (b == 123) return group(depth + 1, 125)
    if (b == 91) return group(depth + 1, 93)
    if (b == 34) return string()
    if (b == 45 || b >= 48 && b <= 57) return number()
    if (b == 116) return word("74727565")
    if (b == 102) return word("66616c7365")
    if (b == 110) return word("6e756c6c")
    return 0
  }
  function group(depth, last,  bare) {
    bare = mode == "members" && depth == 1
    if (!bare) put(byte[at])
    at++
    blanks()
    if (at <= n && byte[at] == last) { if (!bare) put(last); at++; return 1 }
    for (;;) {
      if (last == 125) {
        blanks()
        if (at > n || byte[at] != 34 || !string()) return 0
        blanks()
        if (at > n || byte[at] != 58) return 0
        put(byte[at++])
      }
      if (!json(depth)) return 0
      blanks()
      if (at > n) return 0
      if (byte[at] == last) { if (!bare) put(last); at++; return 1 }
      if (byte[at] != 44) return 0
      put(byte[at++])
    }
  }
  function string(  b, i) {
    put(byte[at++])
    while (at <= n) {
      b = byte[at]
      if (b == 34) { put(byte[at++]); return 1 }
      if (b < 32) return 0
      if (b != 92) { character(); continue }
      put(byte[at++])
      if (at > n) return 0
      b = byte[at]
      put(byte[at++])
      if (b == 117) {
        for (i = 0; i < 4; i++) {
          if (at > n) return 0
          b = byte[at]
          if (!(b >= 48 && b <= 57 || b >= 65 && b <= 70 || b >= 97 && b <= 102)) return 0
          put(byte[at++])
        }
      } else if (b != 34 && b != 92 && b != 47 && b != 98 && b != 102 && b != 110 && b != 114 && b != 116) return 0
    }
    return 0
  }
  # two numbers around four texts; the last three can be null
  function key(  i, b) {
    if (byte[at++] != 91) return 0
    for (i = 1; i <= 6; i++) {
      # first, since a format must not begin with a dash
      put(10)
      blanks()
      b = byte[at]
      if (b == 110 ? i < 4 : b == 34 ? i == 1 || i == 6 : i > 1 && i < 6) return 0
      if (!json(1)) return 0
      blanks()
      if (byte[at++] != (i < 6 ? 44 : 93)) return 0
    }
    return 1
  }
  function number(  text, x) {
    while (at <= n && (byte[at] in sign)) text = text sign[byte[at++]]
    if (text !~ /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/) return 0
    x = text + 0
    if (x > 1.7976931348623157e308 || x < -1.7976931348623157e308) return 0
    printf "%s", text
    return 1
  }
  function word(hex,  i) {
    for (i = 1; i < length(hex); i += 2) {
      if (at > n || byte[at] != value_of[substr(hex, i, 2)]) return 0
      put(byte[at++])
    }
    return 1
  }'
