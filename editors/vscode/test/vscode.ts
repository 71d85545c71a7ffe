/**
 * A stand-in for VS Code: as much of its interface as the extension and the client library use, in one process and
 * without a window. What it does not have is a class without contents.
 */

import { EventEmitter as NodeEmitter } from "node:events";
import Module from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

type Listener = (event: never) => unknown;

class Disposable {
  constructor(readonly dispose: () => unknown) {}

  static from(...all: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => all.forEach((one) => one.dispose()));
  }
}

class EventEmitter<T> {
  private readonly emitter = new NodeEmitter().setMaxListeners(0);

  readonly event = (listener: (event: T) => unknown, self?: unknown): Disposable => {
    const bound = listener.bind(self);
    this.emitter.on("event", bound);
    return new Disposable(() => this.emitter.off("event", bound));
  };

  fire(event: T): void {
    this.emitter.emit("event", event);
  }

  dispose(): void {
    this.emitter.removeAllListeners();
  }
}

class CancellationTokenSource {
  private readonly cancelled = new EventEmitter<void>();
  readonly token = { isCancellationRequested: false, onCancellationRequested: this.cancelled.event };

  cancel(): void {
    this.token.isCancellationRequested = true;
    this.cancelled.fire();
  }

  dispose(): void {}
}

export class Uri {
  private constructor(readonly scheme: string, readonly path: string, private readonly text: string) {}

  get fsPath(): string {
    return this.scheme === "file" ? fileURLToPath(this.text) : this.path;
  }

  static file(path: string): Uri {
    return Uri.parse(pathToFileURL(path).href);
  }

  static parse(text: string): Uri {
    const url = new URL(text);
    return new Uri(url.protocol.slice(0, -1), decodeURIComponent(url.pathname), text);
  }

  toString(): string {
    return this.text;
  }
}

class Position {
  constructor(readonly line: number, readonly character: number) {}
}

class Range {
  constructor(readonly start: Position, readonly end: Position) {}
}

class CodeActionKind {
  constructor(readonly value: string) {}

  append(part: string): CodeActionKind {
    return new CodeActionKind([this.value, part].filter(Boolean).join("."));
  }
}

/** A class that keeps what its constructor gets. */
function record(...names: string[]): new (...values: unknown[]) => object {
  return class {
    constructor(...values: unknown[]) {
      names.forEach((name, index) => Object.assign(this, { [name]: values[index] }));
    }
  };
}

export interface Document {
  readonly uri: Uri;
  readonly fileName: string;
  readonly languageId: string;
  readonly version: number;
  readonly isDirty: boolean;
  getText(): string;
}

export interface Shown {
  readonly message: string;
  readonly severity: number;
  readonly range: Range;
}

interface Provider {
  provideHover(document: Document, position: Position, token: unknown): Promise<unknown>;
}

/** What a test sees of the window, and does in it. */
export class Window {
  readonly documents: Document[] = [];
  readonly settings = new Map<string, unknown>();
  readonly commands = new Map<string, (...values: unknown[]) => unknown>();
  readonly diagnostics = new Map<string, readonly Shown[]>();
  readonly hovers: Provider[] = [];
  readonly errors: string[] = [];
  readonly log: string[] = [];
  private readonly opened = new EventEmitter<Document>();
  private readonly configured = new EventEmitter<{ affectsConfiguration(name: string): boolean }>();
  private readonly created = new EventEmitter<Uri>();

  constructor(private readonly folder: string) {}

  open(path: string, text: string): Document {
    const uri = Uri.file(path);
    const document = { uri, fileName: path, languageId: "c", version: 1, isDirty: false, getText: () => text };
    this.documents.push(document);
    this.opened.fire(document);
    return document;
  }

  set(name: string, value: unknown): void {
    this.settings.set(name, value);
    this.configured.fire({ affectsConfiguration: (asked) => name === asked });
  }

  /** Says that a file was made. */
  create(path: string): void {
    this.created.fire(Uri.file(path));
  }

  hover(document: Document, line: number, character: number): Promise<unknown> {
    const none = new CancellationTokenSource().token;
    return this.hovers[0]?.provideHover(document, new Position(line, character), none) ?? Promise.resolve(undefined);
  }

  /** The module `vscode` of this window. */
  module(): object {
    const none = new EventEmitter<never>().event;
    const never = (_listener: Listener) => new Disposable(() => undefined);
    const register = () => new Disposable(() => undefined);
    const folder = { uri: Uri.file(this.folder), name: "folder", index: 0 };
    const say = (text: string) => void this.log.push(text);
    const channel = { append: say, appendLine: say, error: say, warn: say, info: say, debug: say, trace: say };
    const output = { ...channel, name: "cowrap", logLevel: 3, onDidChangeLogLevel: none, show() {}, dispose() {} };
    const shown = (message: string) => Promise.resolve(void this.errors.push(message));
    const of = (section: string, name: string) => this.settings.get([section, name].filter(Boolean).join("."));
    const watcher = { onDidCreate: this.created.event, onDidChange: none, onDidDelete: none, dispose() {} };
    const parts = {
      version: "1.91.0",
      env: { language: "en", appName: "a stand-in" },
      Disposable, EventEmitter, CancellationTokenSource, Uri, Position, Range,
      Diagnostic: record("range", "message", "severity"),
      Location: record("uri", "range"),
      DiagnosticRelatedInformation: record("location", "message"),
      Hover: record("contents", "range"),
      MarkdownString: record("value"),
      RelativePattern: record("base", "pattern"),
      CancellationError: class extends Error {},
      DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
      CodeActionKind: { Empty: new CodeActionKind(""), QuickFix: new CodeActionKind("quickfix") },
      LogLevel: { Off: 0, Trace: 1, Debug: 2, Info: 3, Warning: 4, Error: 5 },
      commands: {
        registerCommand: (name: string, run: (...values: unknown[]) => unknown) => {
          this.commands.set(name, run);
          return new Disposable(() => this.commands.delete(name));
        },
        executeCommand: (name: string) => Promise.resolve(this.commands.get(name)?.()),
      },
      window: group({
        createOutputChannel: () => output,
        showErrorMessage: shown,
        visibleTextEditors: [],
        tabGroups: { all: [], onDidChangeTabs: none },
        withProgress: (_options: unknown, run: (report: unknown, token: unknown) => unknown) =>
          run({ report() {} }, new CancellationTokenSource().token),
      }, never, register),
      workspace: group({
        workspaceFolders: [folder],
        textDocuments: this.documents,
        notebookDocuments: [],
        getWorkspaceFolder: () => folder,
        createFileSystemWatcher: () => watcher,
        getConfiguration: (section = "") => ({
          get: (name: string, otherwise?: unknown) => of(section, name) ?? otherwise,
          has: (name: string) => of(section, name) !== undefined,
          inspect: () => undefined,
        }),
        onDidOpenTextDocument: this.opened.event,
        onDidChangeConfiguration: this.configured.event,
      }, never, register),
      languages: group({
        match: (selector: { language?: string }[], document: Document) =>
          selector.some((filter) => filter.language === document.languageId) ? 10 : 0,
        createDiagnosticCollection: () => ({
          set: (uri: Uri, list: Shown[] | undefined) => void this.diagnostics.set(uri.toString(), list ?? []),
          delete: (uri: Uri) => this.diagnostics.delete(uri.toString()),
          get: (uri: Uri) => this.diagnostics.get(uri.toString()),
          has: (uri: Uri) => this.diagnostics.has(uri.toString()),
          clear: () => this.diagnostics.clear(),
          dispose: () => this.diagnostics.clear(),
        }),
        registerHoverProvider: (_selector: unknown, provider: Provider) => {
          this.hovers.push(provider);
          return new Disposable(() => this.hovers.splice(this.hovers.indexOf(provider), 1));
        },
      }, never, register),
    };
    const unknown = new Map<string, unknown>();
    return new Proxy(parts as Record<string, unknown>, {
      get: (known, name: string) => {
        if (name in known || name === "then") return known[name];
        if (!unknown.has(name)) unknown.set(name, class {});
        return unknown.get(name);
      },
    });
  }
}

/** A part of the interface: events that it does not have never happen, providers that it does not have are not asked. */
function group(known: Record<string, unknown>, never: unknown, register: unknown): object {
  return new Proxy(known, {
    get: (_, name: string) => known[name] ?? (name.startsWith("on") ? never : name.startsWith("register") ? register : undefined),
  });
}

interface Extension {
  activate(context: { subscriptions: { dispose(): unknown }[] }): Promise<void>;
  deactivate(): Promise<void>;
}

/** Loads the code of the extension anew, in a window. */
export function load(file: string, window: Window): Extension {
  const loader = Module as unknown as { _load(name: string, ...rest: unknown[]): unknown };
  const original = loader._load;
  const vscode = window.module();
  loader._load = (name, ...rest) => (name === "vscode" ? vscode : original(name, ...rest));
  try {
    const require = Module.createRequire(file);
    delete require.cache[file];
    return require(file) as Extension;
  } finally {
    loader._load = original;
  }
}
