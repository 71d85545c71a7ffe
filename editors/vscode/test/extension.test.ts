/** The packaged code in a stand-in for VS Code; with a stand-in for cowrap, and with cowrap itself. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { unzipSync } from "fflate";

import { load, Window } from "./vscode";

let folder: string;
let window: Window;
let extension: ReturnType<typeof load>;
const subscriptions: { dispose(): unknown }[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "cowrap-vscode-")));
  const code = unzipSync(readFileSync("cowrap.vsix"))["extension/dist/extension.js"];
  writeFileSync(join(folder, "extension.js"), code ?? "");
  process.env["COWRAP_TEST_LOG"] = join(folder, "log");
  writeFileSync(join(folder, "log"), "");
  window = new Window(folder);
  extension = load(join(folder, "extension.js"), window);
});

afterEach(async () => {
  await extension.deactivate();
  subscriptions.splice(0).forEach((subscription) => subscription.dispose());
  rmSync(folder, { recursive: true });
});

const activate = () => extension.activate({ subscriptions });
const stand_in = resolve("test/server.mjs");

/** What the stand-in for cowrap noted. */
function notes(): unknown[] {
  const lines = readFileSync(join(folder, "log"), "utf8").trim().split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as unknown);
}

async function until(what: string, isSo: () => boolean, seconds = 10): Promise<void> {
  const end = Date.now() + 1000 * seconds;
  while (!isSo()) {
    ok(Date.now() < end, `not in ${seconds} s: ${what}\n${window.log.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a folder with a database gets a server, which gets the settings", async () => {
  writeFileSync(join(folder, "compile_commands.json"), "[]");
  window.set("cowrap.path", stand_in);
  window.set("cowrap.packs", ["qemu", "signal"]);
  window.set("cowrap.codeLens", true);
  const document = window.open(join(folder, "a.c"), "int a;\n");
  await activate();
  await until("a diagnostic", () => window.diagnostics.size > 0);
  const shown = window.diagnostics.get(document.uri.toString());
  deepEqual(shown?.map(({ message, severity }) => [message, severity]), [["opened c", 0]]);
  deepEqual(notes(), [
    { started: ["server"], in: folder },
    { options: { packs: ["qemu", "signal"], codeLens: true, inlayHints: false } },
  ]);
  deepEqual(window.errors, []);
});

test("the command and a changed setting restart the server", async () => {
  writeFileSync(join(folder, "cowrap.toml"), "");
  window.set("cowrap.path", stand_in);
  await activate();
  await window.commands.get("cowrap.restart")?.();
  window.set("cowrap.buildDirectory", "out");
  const options = () => notes().filter((note) => Object.hasOwn(Object(note), "options"));
  await until("three starts", () => options().length === 3);
  deepEqual(options()[2], { options: { build: "out", codeLens: false, inlayHints: false } });
  await until("two ends", () => notes().filter((note) => note === "shutdown").length === 2);
});

test("a folder without a tree gets a server once it is one", async () => {
  window.set("cowrap.path", stand_in);
  await activate();
  deepEqual(notes(), []);
  writeFileSync(join(folder, "compile_commands.json"), "[]");
  window.create(join(folder, "compile_commands.json"));
  await until("a start", () => notes().length === 2);
});

test("a missing program is a message, and the settings help", async () => {
  writeFileSync(join(folder, "compile_commands.json"), "[]");
  window.set("cowrap.path", join(folder, "nothing"));
  await activate();
  equal(window.errors.length, 1);
  match(window.errors[0] ?? "", /nothing is not a program.*"cowrap\.path"/);
  window.set("cowrap.path", stand_in);
  await until("a start", () => notes().length === 2);
});

/** The program that `COWRAP` names. */
const cowrap = process.env["COWRAP"];

test("cowrap shows findings of files that are not open", { skip: !cowrap && "COWRAP names no program" }, async () => {
  const tree = join(folder, "tree");
  cpSync("../../testdata/miniblock", tree, { recursive: true });
  window = new Window(tree);
  extension = load(join(folder, "extension.js"), window);
  window.set("cowrap.path", resolve(cowrap ?? ""));
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  const file = join(tree, "block.c");
  const document = window.open(file, readFileSync(file, "utf8"));
  await activate();
  const of = (name: string) => [...window.diagnostics].find(([uri]) => uri.endsWith(`/${name}`))?.[1] ?? [];
  await until("a finding in mini-img.c", () => of("mini-img.c").length > 0, 60);
  ok(of("mini-img.c").some(({ message }) => message.includes("`bdrv_co_flush`")));
  const line = document.getText().split("\n").findIndex((text) => /^\w.*\bbdrv_\w+\(/.test(text));
  const column = (document.getText().split("\n")[line] ?? "").indexOf("bdrv_");
  ok(JSON.stringify(await window.hover(document, line, column)).includes("bdrv_"));
});
