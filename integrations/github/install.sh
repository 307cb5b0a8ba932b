#!/usr/bin/env bash
# Installs the Tenantry that TENANTRY_VERSION asks for into TENANTRY_HOME, unless a cache has brought it there.
#   1.2.3 or nothing   the wheel of that version, or of the action's own
#   source             compiled from the action's own source
#   path               what is on the PATH already
# With --say it only prints `wanted=…`, by which caches are told apart.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
own=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/Cargo.toml" | head -n 1)
: "${TENANTRY_VERSION:=$own}"
if [ "${1:-}" = --say ]; then
    [ "$TENANTRY_VERSION" != source ] ||
        TENANTRY_VERSION=source-$(cd "$source" && find . -type f -not -path './.git/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
    echo "wanted=$TENANTRY_VERSION"
    exit 0
fi
case $TENANTRY_VERSION in
path)
    tenantry --version
    exit 0
    ;;
source)
    [ -x "$TENANTRY_HOME/bin/tenantry" ] ||
        cargo install --locked --quiet --path "$source" --root "$TENANTRY_HOME"
    ;;
*)
    [ -x "$TENANTRY_HOME/bin/tenantry" ] || {
        python3 -m venv "$TENANTRY_HOME"
        "$TENANTRY_HOME/bin/python" -m pip install --quiet --disable-pip-version-check "tenantry==$TENANTRY_VERSION"
    }
    ;;
esac
"$TENANTRY_HOME/bin/tenantry" --version
# Only the program: a virtual environment has a python of its own.
mkdir -p "$TENANTRY_HOME/only"
ln -sf "$TENANTRY_HOME/bin/tenantry" "$TENANTRY_HOME/only/tenantry"
echo "$TENANTRY_HOME/only" >>"$GITHUB_PATH"
