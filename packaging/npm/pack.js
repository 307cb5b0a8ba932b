// Makes the packages for npm: `node pack.js VERSION TARGET BINARY OUT`.
// One has the program of a platform; `tenantry` has the launcher, and asks for all of them as optional dependencies.
"use strict";
const { execFileSync } = require("node:child_process");
const { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { basename, join } = require("node:path");

// Rust's targets as npm's `os` and `cpu`.
const PLATFORMS = {
  "x86_64-unknown-linux": ["linux", "x64"],
  "aarch64-unknown-linux": ["linux", "arm64"],
  "x86_64-apple-darwin": ["darwin", "x64"],
  "aarch64-apple-darwin": ["darwin", "arm64"],
  "x86_64-pc-windows": ["win32", "x64"],
};
const names = Object.values(PLATFORMS).map(([os, cpu]) => `@tenantry/${os}-${cpu}`);

const [version, target, binary, out] = process.argv.slice(2);
const [, [os, cpu]] = Object.entries(PLATFORMS).find(([prefix]) => target.startsWith(prefix));

function pack(folder, fields) {
  const about = {
    version,
    description: "Compiles a repository of tenant, component and policy YAML into verified Kubernetes manifests",
    license: "MIT OR Apache-2.0",
    ...fields,
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(about, null, 2) + "\n");
  execFileSync("npm", ["pack", "--silent", "--pack-destination", out], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

const work = mkdtempSync(join(tmpdir(), "tenantry-npm-"));
const [platform, launcher] = ["platform", "launcher"].map((name) => {
  const folder = join(work, name);
  mkdirSync(join(folder, "bin"), { recursive: true });
  return folder;
});
const program = join(platform, "bin", os === "win32" ? "tenantry.exe" : "tenantry");
cpSync(binary, program);
chmodSync(program, 0o755);
pack(platform, { name: `@tenantry/${os}-${cpu}`, os: [os], cpu: [cpu], files: ["bin"], preferUnplugged: true });

const script = join(__dirname, "tenantry.js");
cpSync(script, join(launcher, "bin", basename(script)));
pack(launcher, {
  name: "tenantry",
  bin: { tenantry: "bin/tenantry.js" },
  engines: { node: ">=18" },
  optionalDependencies: Object.fromEntries(names.map((name) => [name, version])),
});
rmSync(work, { recursive: true });
