/** What is in the package. `npm test` makes it before. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";

import { unzipSync } from "fflate";

const files = unzipSync(readFileSync("cowrap.vsix"));
const text = (name: string) => new TextDecoder().decode(files[`extension/${name}`]);

interface Manifest {
  readonly main: string;
  readonly activationEvents: readonly string[];
  readonly dependencies?: unknown;
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly configuration: { readonly properties: Record<string, { readonly default: unknown }> };
  };
}

const manifest = JSON.parse(text("package.json")) as Manifest;

test("the package has these files and no others", () => {
  deepEqual(Object.keys(files).sort(), [
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE.txt",
    "extension/dist/LICENSE-APACHE",
    "extension/dist/LICENSE-MIT",
    "extension/dist/THIRD-PARTY-NOTICES.txt",
    "extension/dist/extension.js",
    "extension/package.json",
    "extension/readme.md",
  ]);
});

test("the package is small", () => {
  const size = statSync("cowrap.vsix").size;
  ok(size < 200_000, `${size} bytes`);
});

test("the code is in one file, without a source map", () => {
  ok(existsSync(manifest.main));
  equal(manifest.dependencies, undefined);
  const code = text("dist/extension.js");
  ok(!code.includes("sourceMappingURL"));
  // What is required when it runs is VS Code and Node.js.
  const required = new Set([...code.matchAll(/\brequire\("([^"]+)"\)/g)].map((found) => found[1]));
  const builtin = (name: string) => process.getBuiltinModule(name) !== undefined;
  deepEqual([...required].filter((name) => name !== "vscode" && !builtin(name ?? "")), []);
});

test("every library in the code has its licence in the package", () => {
  const notices = text("dist/THIRD-PARTY-NOTICES.txt");
  for (const name of ["vscode-languageclient", "vscode-jsonrpc", "minimatch", "semver"]) {
    match(notices, new RegExp(`^${name} [0-9.]+ \\(.+\\)$`, "m"));
  }
  equal(text("dist/LICENSE-MIT"), readFileSync("../../LICENSE-MIT", "utf8"));
  equal(text("dist/LICENSE-APACHE"), readFileSync("../../LICENSE-APACHE", "utf8"));
});

test("what the manifest names is what the code and the page have", () => {
  const [code, page] = [text("dist/extension.js"), text("readme.md")];
  const commands = manifest.contributes.commands.map(({ command }) => command);
  for (const command of commands) ok(code.includes(`"${command}"`), command);
  for (const name of Object.keys(manifest.contributes.configuration.properties)) {
    ok(page.includes(`\`${name}\``), `the page lacks ${name}`);
    // The client library reads this one.
    if (name !== "cowrap.trace.server") ok(code.includes(`"${name.replace("cowrap.", "")}"`), name);
  }
  deepEqual(manifest.activationEvents, ["onLanguage:c", "onLanguage:cpp"]);
});
