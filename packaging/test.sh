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

# The Debian package holds what it says.
PATH=/usr/bin:/bin dpkg-deb --extract "$dist"/tenantry_*.deb "$work/deb"
begins "$work/of-deb" "$work/deb/usr/bin/tenantry" >/dev/null
for file in usr/share/man/man1/tenantry.1.gz usr/share/bash-completion/completions/tenantry \
    usr/share/zsh/vendor-completions/_tenantry usr/share/fish/vendor_completions.d/tenantry.fish; do
    [ -s "$work/deb/$file" ] || { echo "the Debian package has no $file" >&2 && exit 1; }
done
echo "Debian package: $("$work/deb/usr/bin/tenantry" --version)"

# The container: nothing but its root file system is there.
cp -r "$dist/container/rootfs" "$work/rootfs"
cp -r examples/quickstart "$work/rootfs/work"
PATH=/usr/sbin:/usr/bin:/sbin chroot "$work/rootfs" /usr/bin/tenantry check /work/quickstart

# pre-commit takes the hooks from a clone of this repository, and the wheel from dist/ as it will from PyPI.
git clone --quiet "$repository" "$work/hooks"
python3 -m venv "$work/pre-commit"
"$work/pre-commit/bin/pip" install --quiet pre-commit
mkdir "$work/platform"
cd "$work/platform"
git init --quiet .
"$work/venv/bin/tenantry" init >/dev/null 2>&1
cat >.pre-commit-config.yaml <<END
repos:
  - repo: $work/hooks
    rev: $(git -C "$work/hooks" rev-parse HEAD)
    hooks:
      - id: tenantry-check
END
git add .
export PIP_FIND_LINKS=$dist
within 30 "pre-commit, first run" "$work/pre-commit/bin/pre-commit" run --all-files
within 2 "pre-commit, next run" "$work/pre-commit/bin/pre-commit" run --all-files
printf 'kind: Tenant\n' >tenants/broken.yaml
git add .
if "$work/pre-commit/bin/pre-commit" run --all-files >"$work/log" 2>&1; then
    echo "the hook lets a broken document pass" >&2 && exit 1
fi
grep -q 'tenants/broken.yaml' "$work/log"
rm tenants/broken.yaml
sed -i 's/tenantry-check/tenantry-check-system/' .pre-commit-config.yaml
git add .
PATH=$work/venv/bin:$PATH within 5 "pre-commit, the program on the PATH" "$work/pre-commit/bin/pre-commit" run --all-files
