#!/usr/bin/env bash
# Installs what packaging/build.sh made, as users do, on a PATH without Rust: by pip, npm, pre-commit, from the Debian
# package and the container's root file system. Each must begin a repository and find nothing wrong with it.
# pip, npm and pre-commit may fetch what they need themselves.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD dist=$PWD/dist
python=$(python3 -c "import sys; print(sys.executable)")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The programs that users have, and no compiler.
mkdir "$work/bin"
for program in bash cat chmod cp dirname env git grep ln ls mkdir mktemp node npm rm sed sh timeout uname; do
    ln -s "$(command -v "$program")" "$work/bin/$program"
done
ln -s "$python" "$work/bin/python3"
export PATH=$work/bin HOME=$work/home
mkdir "$HOME"
! command -v cargo rustc >/dev/null

# within SECONDS WHAT COMMAND...
within() {
    local begun=$EPOCHREALTIME
    "${@:3}" >"$work/log" 2>&1 || { cat "$work/log" >&2 && echo "failed: $2" >&2 && exit 1; }
    local took=$(((${EPOCHREALTIME/./} - ${begun/./}) / 1000))
    echo "$2: $took ms, limit $1 s"
    [ "$took" -le "$(($1 * 1000))" ] || { echo "too slow: $2" >&2 && exit 1; }
}
# begins FOLDER PROGRAM...
begins() {
    "${@:2}" init "$1" && "${@:2}" check "$1"
}

by_pip() {
    python3 -m venv "$work/venv" &&
        "$work/venv/bin/pip" install --quiet --no-index "$dist"/tenantry-*.whl &&
        begins "$work/of-pip" "$work/venv/bin/tenantry"
}
within 10 "pip install, init, check" by_pip

by_npm() {
    npm install --silent --no-audit --no-fund --prefix "$work/npm" "$dist"/tenantry-linux-*.tgz "$dist"/tenantry-[0-9]*.tgz &&
        begins "$work/of-npm" "$work/npm/node_modules/.bin/tenantry"
}
within 10 "npm install, init, check" by_npm
# The launcher passes on what the program says.
code=0
"$work/npm/node_modules/.bin/tenantry" check "$work/nowhere" 2>/dev/null || code=$?
[ "$code" = 1 ]
