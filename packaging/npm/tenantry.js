#!/usr/bin/env node
// Runs the program of the platform package that npm chose for this machine.
"use strict";
const { spawnSync } = require("node:child_process");

const name = `@tenantry/${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "tenantry.exe" : "tenantry";
let program;
try {
  program = require.resolve(`${name}/bin/${file}`);
} catch {
  console.error(
    `tenantry: the package ${name} is not installed.\n` +
      "Install without --omit=optional; if there is no such package, see docs/install.md for other ways.",
  );
  process.exit(1);
}
const { status, signal, error } = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (error) {
  console.error(`tenantry: ${program} cannot be run: ${error.message}`);
  process.exit(1);
}
if (signal) {
  process.kill(process.pid, signal);
}
process.exit(status);
