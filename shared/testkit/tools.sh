#!/bin/sh
# Gets programs that some tests need, without installing anything: Debian's packages are downloaded and unpacked into a
# directory of their own, Python's into a virtual environment. Nothing is started and no file of the system is changed.
#
#   tools.sh directory            prints where the tools are kept
#   tools.sh debian PACKAGE       unpacks PACKAGE and what it needs and the system lacks; prints the root it was unpacked into
#   tools.sh libraries            prints what LD_LIBRARY_PATH must hold for the unpacked programs; nothing if none are there
#   tools.sh python REQUIREMENTS  makes a virtual environment with these packages and prints its python
set -eu

fail() {
    echo "$*" >&2
    exit 1
}

# PostgreSQL never runs as root, so what root unpacks must lie where another user may read it.
directory() {
    if [ "$(id -u)" = 0 ]; then echo /var/cache/rapport-test-tools; else echo "$(cd "$(dirname "$0")/../.." && pwd)/target/test-tools"; fi
}

# apt with lists and a cache of its own, so that it works for every user and leaves the system's alone.
apt() {
    apt-get -qq -o Dir::State::lists="$tools/lists" -o Dir::Cache="$tools/cache" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 "$@"
}

unpack() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "$1 can be fetched on Debian and Ubuntu only: install it by hand"
    root="$tools/root"
    mkdir -p "$root" "$tools/lists/partial" "$tools/cache/archives/partial" "$tools/packages"
    apt update >&2 || fail "apt-get update failed: $1 cannot be fetched"
    plan=$(apt install --simulate --no-install-recommends "$1") || fail "apt finds no way to $1"
    # PostgreSQL's compiler for queries (120 MB) is off in tests.
    needed=$(echo "$plan" | sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -v -e '^libllvm' -e '^libz3' || true)
    (cd "$tools/packages" && apt download $needed "$1" >&2)
    for package in "$tools/packages/"*.deb; do dpkg-deb -x "$package" "$root"; done
    rm -rf "$tools/packages" "$tools/cache" "$tools/lists"
    chmod 755 "$tools" "$root"
    echo "$root"
}

libraries() {
    for library in "$tools/root/usr/lib" "$tools/root/usr/lib/postfix" "$tools"/root/usr/lib/*-linux-gnu "$tools"/root/lib/*-linux-gnu; do
        if [ -d "$library" ]; then printf '%s:' "$library"; fi
    done
    # Some packages keep what only their own programs share in a directory of its own: libpulsecommon, for example.
    for library in "$tools"/root/usr/lib/*-linux-gnu/*/lib*.so; do
        if [ -f "$library" ]; then printf '%s:' "${library%/*}"; fi
    done
}

python() {
    command -v python3 >/dev/null || fail "python3 is not installed"
    environment="$tools/python"
    if ! cmp -s "$1" "$environment/requirements.txt"; then
        rm -rf "$environment"
        python3 -m venv "$environment" >&2 || fail "python3 -m venv does not work: install python3-venv"
        "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$1" >&2 || fail "pip could not install $1"
        cp "$1" "$environment/requirements.txt"
    fi
    echo "$environment/bin/python"
}

tools=$(directory)
case "${1:-}" in
directory) echo "$tools" ;;
debian) unpack "${2:?which package?}" ;;
libraries) libraries ;;
python) python "${2:?which requirements?}" ;;
*) fail "usage: tools.sh directory | debian PACKAGE | libraries | python REQUIREMENTS" ;;
esac
