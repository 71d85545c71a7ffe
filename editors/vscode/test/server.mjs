#!/usr/bin/env node
// A stand-in for `cowrap server`: it notes how it was started in the file that COWRAP_TEST_LOG names, and reports one
// finding.
import { appendFileSync } from "node:fs";

let input = Buffer.alloc(0);
const note = (what) => appendFileSync(process.env.COWRAP_TEST_LOG, `${JSON.stringify(what)}\n`);
const send = (message) => {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  process.stdout.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
};

note({ started: process.argv.slice(2), in: process.cwd() });
process.stdin.on("data", (data) => {
  input = Buffer.concat([input, data]);
  for (;;) {
    const end = input.indexOf("\r\n\r\n");
    const length = Number(/Content-Length: (\d+)/.exec(input.subarray(0, end).toString())?.[1]);
    if (end < 0 || input.length < end + 4 + length) return;
    const message = JSON.parse(input.subarray(end + 4, end + 4 + length).toString());
    input = input.subarray(end + 4 + length);
    answer(message);
  }
});

function answer({ id, method, params }) {
  if (method === "initialize") {
    note({ options: params.initializationOptions });
    send({ id, result: { capabilities: { textDocumentSync: 1 } } });
  } else if (method === "textDocument/didOpen") {
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
    const diagnostics = [{ range, message: `opened ${params.textDocument.languageId}`, severity: 1 }];
    send({ method: "textDocument/publishDiagnostics", params: { uri: params.textDocument.uri, diagnostics } });
  } else if (method === "shutdown") {
    note("shutdown");
    send({ id, result: null });
  } else if (method === "exit") {
    process.exit(0);
  }
}
