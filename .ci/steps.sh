# Sourced by .ci/run: `step NAME COMMAND…` runs one step, prints its time and ends the run when the step fails. At the
# end the times of all steps are printed, and what the steps started is stopped.
set -euo pipefail
set -m # each step gets a process group of its own

# Each of the many processes that tests start would compile all modules again.
unset PYTHONDONTWRITEBYTECODE
export CI_SCRATCH
CI_SCRATCH=$(mktemp -d)
# Everything that a step starts inherits this, also what leaves the step's process group.
export CI_RUN="$$.$RANDOM$RANDOM"
BUDGET=1500
times=()
current=""
SECONDS=0

step() {
    local began=$SECONDS status=0
    current=$1
    shift
    printf '\n==== %s\n' "$current"
    "$@" </dev/null &
    wait "$!" || status=$?
    times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$current")")
    printf -- '---- %s: %d s\n' "$current" $((SECONDS - began))
    ((status == 0)) || exit 1
    current=""
    stop_processes
}

# Sets `processes` to the ids of all that the steps started and that still run. (`grep` itself is none of them.)
find_processes() {
    mapfile -t processes < <(env -u CI_RUN grep -lsxzF "CI_RUN=$CI_RUN" /proc/[0-9]*/environ)
    processes=("${processes[@]//[!0-9]/}")
}

# An interrupt lets pytest stop the servers that its tests started.
stop_processes() {
    local signal tries processes
    for signal in INT TERM KILL; do
        find_processes
        ((${#processes[@]})) || return 0
        printf 'Stopping what still runs with SIG%s: %s\n' "$signal" "${processes[*]}"
        kill -s "$signal" -- "${processes[@]}" 2>/dev/null || true
        for ((tries = 75; tries > 0; tries--)); do
            find_processes
            ((${#processes[@]})) || return 0
            sleep 0.2
        done
    done
}

finish() {
    local status=$?
    trap '' INT TERM
    stop_processes
    rm -rf -- "$CI_SCRATCH"
    printf '\n==== .ci/run: the time of each step\n'
    ((${#times[@]} == 0)) || printf '%s\n' "${times[@]}"
    printf '%5d s  in total\n' "$SECONDS"
    ((SECONDS <= BUDGET)) || printf 'That is more than the %d s that a quiet machine may take.\n' "$BUDGET"
    [[ -z $current ]] || printf '.ci/run: the step "%s" failed.\n' "$current" >&2
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
