#!/usr/bin/env bash
# Five pull requests to this platform, each a branch of a scratch repository, and the comment that
# `tenantry diff` makes of each: reviews/*.md. Run it after any change of the example:
#
#   TENANTRY=target/release/tenantry examples/acme/reviews/make.sh [FOLDER FOR THE COMMENTS]
set -euo pipefail
acme=$(cd "$(dirname "$0")/.." && pwd)
out=$(mkdir -p "${1:-$acme/reviews}" && cd "${1:-$acme/reviews}" && pwd)
tenantry=$(realpath "$(command -v "${TENANTRY:-tenantry}")")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The same files make the same commits, whoever runs this.
export GIT_AUTHOR_NAME=acme GIT_AUTHOR_EMAIL=acme@acme.example GIT_AUTHOR_DATE=2026-06-01T00:00:00Z
export GIT_COMMITTER_NAME=acme GIT_COMMITTER_EMAIL=acme@acme.example GIT_COMMITTER_DATE=2026-06-01T00:00:00Z
export GIT_CONFIG_GLOBAL=/dev/null TENANTRY_AS_OF=2026-06-01
unset GITHUB_BASE_REF CI_MERGE_REQUEST_TARGET_BRANCH_NAME GIT_DIR GIT_WORK_TREE 2>/dev/null || true

tar -C "$acme" --exclude=./rendered --exclude=./reviews -c . | tar -C "$scratch" -x
cd "$scratch"
git init --quiet --initial-branch=main
git add --all
git commit --quiet --message="Acme's platform"

# replace FILE OLD NEW: replaces a text that occurs once, or fails.
replace() {
    text=$(OLD="$2" NEW="$3" perl -0pe 'BEGIN { $n = 0 } $n += s/\Q$ENV{OLD}\E/$ENV{NEW}/; END { exit($n == 1 ? 0 : 1) }' "$1") || {
        echo "$1 has no: $2" >&2
        exit 1
    }
    printf '%s\n' "$text" > "$1"
}

# review NAME MESSAGE: commits what was changed to a branch, reviews it, and goes back.
review() {
    git checkout --quiet -b "$1"
    git add --all
    git commit --quiet --message="$2"
    "$tenantry" diff --quiet --head "$1" -o markdown="$out/$1.md" || [ $? -eq 3 ]
    git checkout --quiet main
}

replace components/query-api.yaml 'tag: 2.0.1' 'tag: 2.1.0'
replace components/query-api.yaml 'version: 2.0.1' 'version: 2.1.0'
review bump-an-image "query-api 2.1.0"

replace tenants/supply-chain.yaml 'tier: professional' 'tier: enterprise'
review raise-a-tier "Supply chain moves to tier enterprise"

replace tenants/finance.yaml '      with: [supply-chain]' '      with: [supply-chain, marketing]'
review open-a-share "Marketing may query finance's tables"

git rm --quiet tenants/hooli-health.yaml
replace clusters/us-prod-1.yaml '    - name: hooli-health
      labels: {acme.example/pool: hooli-health}
      taints: [{key: acme.example/tenant, value: hooli-health, effect: NoSchedule}]
      tenant: hooli-health
' ''
review remove-a-tenant "Hooli Health has left"

replace contexts/global.yaml '    - security.runAsNonRoot
' ''
replace tenants/globex.yaml '        resources: {cpu: 2, memory: 6Gi}' '        security: {runAsNonRoot: false, runAsUser: 0, runAsGroup: 0}
        resources: {cpu: 2, memory: 6Gi}'
review weaken-a-rule "query-api runs as root for globex"
