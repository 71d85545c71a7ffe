/** What the settings mean for the server. Nothing here knows VS Code. */

import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The settings of one folder. */
export interface Settings {
  /** The program: a path, or a name that is searched for in `PATH`. */
  readonly path: string;
  /** The build directory or compilation database; empty if cowrap finds it. */
  readonly buildDirectory: string;
  /** The packs; empty if cowrap.toml or the default decides. */
  readonly packs: readonly string[];
  readonly codeLens: boolean;
  readonly inlayHints: boolean;
}

/** What the server gets with `initialize`: what is set. */
export function initializationOptions(settings: Settings): object {
  const { buildDirectory, packs, codeLens, inlayHints } = settings;
  const build = buildDirectory === "" ? {} : { build: buildDirectory };
  return { ...build, ...(packs.length === 0 ? {} : { packs }), codeLens, inlayHints };
}

/**
 * Whether a folder has a tree that cowrap can read without being asked to look elsewhere: a cowrap.toml, or a
 * compilation database where cowrap searches for one.
 */
export function hasTree(folder: string, settings: Settings): boolean {
  const database = "compile_commands.json";
  if (settings.buildDirectory !== "") return true;
  if ([database, "cowrap.toml"].some((file) => existsSync(join(folder, file)))) return true;
  if (!existsSync(folder)) return false;
  const builds = readdirSync(folder).filter((name) => name.startsWith("build"));
  return builds.some((name) => existsSync(join(folder, name, database)));
}

/** The file of the program, or `undefined` if there is none that can be run. */
export function findProgram(path: string, folder: string, searchPath = process.env["PATH"] ?? ""): string | undefined {
  const isName = !path.includes("/");
  const directories = searchPath.split(delimiter).filter((directory) => isAbsolute(directory));
  const candidates = isName ? directories.map((directory) => join(directory, path)) : [absolute(path, folder)];
  return candidates.find(isProgram);
}

function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** What somebody reads whose cowrap is missing. */
export function missingProgram(path: string): string {
  const where = path.includes("/") ? `${path} is not a program` : `there is no ${path} in PATH`;
  return `cowrap was not started: ${where}. Install cowrap, or set "cowrap.path".`;
}
