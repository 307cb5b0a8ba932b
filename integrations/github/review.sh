#!/usr/bin/env bash
# Reviews a pull request: annotations, the job's summary, one comment that is kept up to date, and
# files for later steps. The last exit code that is not 0 is the job's.
set -uo pipefail
out=$(mktemp -d "${RUNNER_TEMP:-/tmp}/tenantry.XXXXXX")
cd "${TENANTRY_PATH:-.}" || exit 1

# An empty setting is none.
[ -n "${TENANTRY_BASE:-}" ] || unset TENANTRY_BASE
[ -n "${TENANTRY_FAIL_ON:-}" ] || unset TENANTRY_FAIL_ON

code=0
tenantry diff --quiet -o github -o "markdown=$out/review.md" -o "html=$out/review.html" -o "sarif=$out/review.sarif"
reviewed=$?
if [ ! -s "$out/review.md" ]; then
    exit "$reviewed"
fi
[ "$reviewed" -eq 0 ] || code=$reviewed

if [ -n "${RENDERED:-}" ]; then
    tenantry render --quiet --out "$RENDERED" --check -o github || code=$?
fi

echo "review=$out/review.html" >> "$GITHUB_OUTPUT"
echo "sarif=$out/review.sarif" >> "$GITHUB_OUTPUT"
cat "$out/review.md" >> "$GITHUB_STEP_SUMMARY"

# The comment begins with a mark, by which the next run finds it, among those of bots: anybody can
# write the mark. A pull request from a fork may
# not be commented on; that is no failure of the review.
if [ "${COMMENT:-true}" = true ] && [ -n "${PULL_REQUEST:-}" ]; then
    comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
    known=$(gh api --paginate "$comments" --jq '.[] | select(.user.type == "Bot") | select(.body | startswith("<!-- tenantry review -->")) | .id' | head -n 1)
    if [ -n "$known" ]; then
        gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --field "body=@$out/review.md" --silent
    else
        gh api --method POST "$comments" --field "body=@$out/review.md" --silent
    fi || echo "::warning::the pull request could not be commented on: does the job have the permission \`pull-requests: write\`?"
fi
exit "$code"
