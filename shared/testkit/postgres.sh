#!/bin/sh
# Throw-away PostgreSQL clusters for tests: used by the test command and by the testkit, so that both do the same.
# A cluster listens on a loopback port and a unix socket of its own, with a random password, and touches nothing outside its directory.
#
#   postgres.sh find                  prints the directory of PostgreSQL's programs, or says what to install
#   postgres.sh start DIR [durable]   makes a cluster in DIR and prints its URL; fsync is off unless it is to be durable
#   postgres.sh stop DIR              ends the cluster in DIR and removes DIR
#   postgres.sh keep DIR LOCKS        waits until no process holds LOCKS/users for 15 seconds, then does what stop does
set -eu

fail() {
    echo "$*" >&2
    exit 1
}

has_programs() { [ -x "$1/initdb" ] && [ -x "$1/pg_ctl" ] && [ -x "$1/postgres" ]; }

find_programs() {
    for directory in \
        "${RAPPORT_POSTGRES_BIN:-}" \
        "$(dirname "$(readlink -f "$(command -v initdb || echo /nowhere/initdb)")")" \
        "$(pg_config --bindir 2>/dev/null || echo /nowhere)" \
        $(ls -d "$tools"/root/usr/lib/postgresql/*/bin /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -rV); do
        if [ -n "$directory" ] && has_programs "$directory"; then
            echo "$directory"
            return 0
        fi
    done
    fail "PostgreSQL was not found (initdb, pg_ctl and postgres, version 14 or later).
Install it, for example with: sudo apt-get install postgresql
or let the test command fetch it: ./test
or name the directory of its programs in RAPPORT_POSTGRES_BIN."
}

# PostgreSQL refuses to run as root: root runs it as the user postgres, or nobody.
owner() { if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi; }
as_owner() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif command -v setpriv >/dev/null; then
        setpriv --reuid "$(owner)" --regid "$(id -g "$(owner)")" --clear-groups -- "$@"
    elif command -v runuser >/dev/null; then
        runuser -u "$(owner)" -- "$@"
    else
        fail "PostgreSQL does not run as root, and neither setpriv nor runuser is here to change the user"
    fi
}

random_number() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }

start() {
    programs=$(find_programs)
    mkdir -p "$1"
    cd "$1"
    chmod 700 .
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >password
    mkdir socket
    if [ "$(id -u)" = 0 ]; then chown -R "$(owner)" .; fi
    if ! as_owner "$programs/initdb" -D "$1/data" -U rapport --pwfile="$1/password" --auth=md5 --encoding=UTF8 --locale=C.UTF-8 --no-sync >initdb.log 2>&1; then
        rm -rf data
        as_owner "$programs/initdb" -D "$1/data" -U rapport --pwfile="$1/password" --auth=md5 --encoding=UTF8 --locale=C --no-sync >>initdb.log 2>&1 ||
            fail "initdb failed: $(cat initdb.log)"
    fi
    {
        echo "listen_addresses = '127.0.0.1'"
        echo "unix_socket_directories = '$1/socket'"
        echo "max_connections = 1000"
        echo "shared_buffers = 64MB"
        echo "deadlock_timeout = 200ms"
        echo "autovacuum = off"
        echo "jit = off"
        echo "wal_level = minimal"
        echo "max_wal_senders = 0"
        if [ "$2" != durable ]; then
            echo "fsync = off"
            echo "synchronous_commit = off"
            echo "full_page_writes = off"
        fi
    } >>data/postgresql.conf
    for attempt in 1 2 3 4 5 6 7 8; do
        port=$((20000 + $(random_number) % 12000))
        if as_owner "$programs/pg_ctl" -D "$1/data" -o "-p $port" -l "$1/data/log" -w -t 60 -s start >pg_ctl.log 2>&1; then
            echo "postgres://rapport:$(cat password)@127.0.0.1:$port/postgres" >url
            cat url
            return 0
        fi
        grep -q 'in use' data/log || break
    done
    fail "PostgreSQL did not start: $(cat pg_ctl.log; tail -n 20 data/log)"
}

stop() {
    [ -d "$1/data" ] || fail "there is no cluster in $1"
    cd "$1"
    as_owner "$(find_programs)/pg_ctl" -D "$1/data" -m immediate -w -s stop >/dev/null 2>&1 || true
    cd /
    rm -rf "$1"
}

keep() {
    command -v flock >/dev/null || fail "flock (util-linux) is needed to know when the tests have ended"
    idle=0
    while [ "$idle" -lt 5 ]; do
        sleep 3
        if flock -n -x "$2/users" true; then idle=$((idle + 1)); else idle=0; fi
        if [ "$idle" -ge 5 ]; then
            # Under the lock that a process holds while it looks for the cluster: nobody can begin to use it now.
            (
                flock -x 9
                flock -n -x "$2/users" true || exit 3
                [ "$(cat "$2/cluster" 2>/dev/null)" != "$1" ] || rm -f "$2/cluster"
                stop "$1"
                rmdir "$(dirname "$1")" 2>/dev/null || true
            ) 9>"$2/lock" || idle=0
        fi
    done
}

# What the test command unpacked needs its libraries told.
tools=$(sh "$(dirname "$0")/tools.sh" directory)
if [ -d "$tools/root" ]; then
    LD_LIBRARY_PATH="$(sh "$(dirname "$0")/tools.sh" libraries)${LD_LIBRARY_PATH:-}"
    export LD_LIBRARY_PATH
fi

case "${1:-}" in
find) find_programs ;;
start) start "${2:?which directory?}" "${3:-}" ;;
stop) stop "${2:?which directory?}" ;;
keep) keep "${2:?which directory?}" "${3:?which directory of locks?}" ;;
*) fail "usage: postgres.sh find | start DIR [durable] | stop DIR | keep DIR LOCKS" ;;
esac
