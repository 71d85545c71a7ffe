/** The extension: one `cowrap server` for each folder of the workspace that has a tree. */

import * as vscode from "vscode";
import { LanguageClient, RevealOutputChannelOn } from "vscode-languageclient/node";
import type { LanguageClientOptions } from "vscode-languageclient/node";

import { findProgram, hasTree, initializationOptions, missingProgram } from "./settings";
import type { Settings } from "./settings";

/** The running servers, by the URI of their folder. */
const clients = new Map<string, LanguageClient>();

/** Changes of the servers, one after the other. */
let changes: Promise<void> = Promise.resolve();

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("cowrap", { log: true });
  // Files that make a folder a tree may be made later, by a first build.
  const trees = vscode.workspace.createFileSystemWatcher("**/{compile_commands.json,cowrap.toml}", false, true, true);
  const startAll = () => change(() => startMissing(output));
  const restartAll = () => change(async () => {
    await stopAll();
    await startMissing(output);
  });
  context.subscriptions.push(
    output,
    trees,
    trees.onDidCreate(startAll),
    vscode.commands.registerCommand("cowrap.restart", restartAll),
    vscode.commands.registerCommand("cowrap.showOutput", () => output.show()),
    vscode.workspace.onDidGrantWorkspaceTrust(restartAll),
    vscode.workspace.onDidChangeWorkspaceFolders(restartAll),
    vscode.workspace.onDidChangeConfiguration((event) => {
      const names = ["path", "buildDirectory", "packs", "codeLens", "inlayHints"];
      if (names.some((name) => event.affectsConfiguration(`cowrap.${name}`))) void restartAll();
    }),
  );
  await startAll();
}

export async function deactivate(): Promise<void> {
  await change(stopAll);
}

/** Makes a change of the servers after those that are under way. */
function change(make: () => Promise<void>): Promise<void> {
  changes = changes.then(make, make);
  return changes;
}

async function stopAll(): Promise<void> {
  const stopping = [...clients.values()].map((client) => client.dispose());
  clients.clear();
  await Promise.allSettled(stopping);
}

/** Starts the servers of the folders that have a tree and no server. */
async function startMissing(output: vscode.LogOutputChannel): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const local = folders.filter((folder) => folder.uri.scheme === "file" && !clients.has(folder.uri.toString()));
  for (const folder of local) {
    const settings = settingsOf(folder);
    if (!hasTree(folder.uri.fsPath, settings)) continue;
    const program = findProgram(settings.path, folder.uri.fsPath);
    if (program === undefined) {
      output.error(missingProgram(settings.path));
      void offerSettings(missingProgram(settings.path));
      return;
    }
    const client = clientOf(folder, settings, program, output);
    clients.set(folder.uri.toString(), client);
    try {
      await client.start();
    } catch (error) {
      clients.delete(folder.uri.toString());
      output.error(`cowrap server did not start in ${folder.uri.fsPath}: ${String(error)}`);
    }
  }
}

async function offerSettings(message: string): Promise<void> {
  const open = "Open Settings";
  if ((await vscode.window.showErrorMessage(message, open)) === open) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "cowrap.path");
  }
}

function settingsOf(folder: vscode.WorkspaceFolder): Settings {
  const set = vscode.workspace.getConfiguration("cowrap", folder.uri);
  return {
    path: set.get<string>("path", "cowrap"),
    buildDirectory: set.get<string>("buildDirectory", ""),
    packs: set.get<string[]>("packs", []),
    codeLens: set.get<boolean>("codeLens", false),
    inlayHints: set.get<boolean>("inlayHints", false),
  };
}

function clientOf(
  folder: vscode.WorkspaceFolder,
  settings: Settings,
  program: string,
  output: vscode.LogOutputChannel,
): LanguageClient {
  const command = { command: program, args: ["server"], options: { cwd: folder.uri.fsPath } };
  // VS Code takes headers for C++.
  const pattern = { baseUri: folder.uri.toString(), pattern: "**/*" };
  const files = (language: string) => ({ scheme: "file", language, pattern });
  const options: LanguageClientOptions = {
    documentSelector: [files("c"), files("cpp")],
    workspaceFolder: folder,
    initializationOptions: initializationOptions(settings),
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
  };
  return new LanguageClient("cowrap", "cowrap", command, options);
}
