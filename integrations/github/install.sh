#!/usr/bin/env bash
# Builds the Tenantry of this action, unless the machine has one already.
set -euo pipefail
if command -v tenantry >/dev/null; then
    tenantry --version
    exit 0
fi
source=$(cd "$(dirname "$0")/../.." && pwd)
cargo install --locked --quiet --path "$source" --root "$RUNNER_TEMP/tenantry"
echo "$RUNNER_TEMP/tenantry/bin" >> "$GITHUB_PATH"
