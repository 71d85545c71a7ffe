import { deepEqual, equal, match } from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { findProgram, hasTree, initializationOptions, missingProgram } from "../src/settings";
import type { Settings } from "../src/settings";

const DEFAULT: Settings = { path: "cowrap", buildDirectory: "", packs: [], codeLens: false, inlayHints: false };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cowrap-vscode-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "[]");
  return file;
}

test("the server gets what is set", () => {
  deepEqual(initializationOptions(DEFAULT), { codeLens: false, inlayHints: false });
  const settings = { ...DEFAULT, buildDirectory: "out dir", packs: ["qemu", "signal"], codeLens: true };
  const expected = { build: "out dir", packs: ["qemu", "signal"], codeLens: true, inlayHints: false };
  deepEqual(initializationOptions(settings), expected);
});

test("a folder has a tree if cowrap finds one", () => {
  equal(hasTree(folder, DEFAULT), false);
  write("src/compile_commands.json");
  equal(hasTree(folder, DEFAULT), false, "cowrap does not search there");
  write("build-debug/compile_commands.json");
  equal(hasTree(folder, DEFAULT), true);
});

test("a database or settings at the root make a tree", () => {
  const file = write("compile_commands.json");
  equal(hasTree(folder, DEFAULT), true);
  rmSync(file);
  equal(hasTree(folder, DEFAULT), false);
  write("cowrap.toml");
  equal(hasTree(folder, DEFAULT), true);
});

test("whoever names a build directory has a tree", () => {
  equal(hasTree(folder, { ...DEFAULT, buildDirectory: "/elsewhere" }), true);
});

test("a program is found by name and by path", () => {
  const file = write("bin/cowrap");
  equal(findProgram("cowrap", folder, join(folder, "bin")), undefined, "not executable");
  chmodSync(file, 0o755);
  equal(findProgram("cowrap", folder, `/nonexistent:${join(folder, "bin")}`), file);
  equal(findProgram("bin/cowrap", folder, ""), file);
  equal(findProgram(file, "/", ""), file);
  equal(findProgram("bin", folder, folder), undefined, "a directory");
});

test("a name is not searched for in directories relative to the folder", () => {
  chmodSync(write("cowrap"), 0o755);
  equal(findProgram("cowrap", folder, ".:"), undefined);
});

test("the message for a missing program says what to do", () => {
  match(missingProgram("cowrap"), /no cowrap in PATH.*"cowrap\.path"/);
  match(missingProgram("/x/cowrap"), /\/x\/cowrap is not a program/);
});
