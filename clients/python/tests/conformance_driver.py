"""Does the calls of a conformance case that comes on stdin as JSON, in a process of its own."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import runfold


def number_of(value):
    return float(value["$number"]) if set(value) == {"$number"} else value


def main():
    case = json.load(sys.stdin, object_hook=number_of)
    if "script" in case:
        sys.argv = [case["script"]]
    run = None
    for call in case["calls"]:
        arguments = {name: value for name, value in call.items() if name != "call"}
        if call["call"] == "init":
            run = runfold.init(**arguments["options"])
        elif call["call"] == "log_error":
            kind = type(arguments["exception_type"], (Exception,), {"__module__": "__main__"})
            run.log_error(kind(arguments["message"]), traceback=arguments.get("traceback", ""))
        elif call["call"] == "log":
            run.log(arguments.pop("metrics"), **arguments)
        else:
            getattr(run, call["call"])(
                *[arguments.pop("results")] if call["call"] == "log_results" else [], **arguments
            )


main()
