// Starts MongoDB's MCP server, calls one tool of it, prints what it answers.
// usage: ask.mjs FOLDER TOOL [ARGUMENTS-AS-JSON]
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [folder, tool, argumentsText = "{}"] = process.argv.slice(2);
const server = spawn("node", [`${folder}/node_modules/mongodb-mcp-server/dist/esm/index.js`], {
  stdio: ["pipe", "pipe", "inherit"],
});
const waiting = new Map();
let next = 0;

function send(message) {
  server.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
}

function ask(method, params) {
  return new Promise((resolve) => {
    const id = ++next;
    waiting.set(id, resolve);
    send({ id, method, params });
  });
}

createInterface({ input: server.stdout }).on("line", (line) => {
  const message = JSON.parse(line);
  waiting.get(message.id)?.(message);
});
server.on("exit", (status) => process.exit(status ?? 1));

await ask("initialize", { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "test", version: "1" } });
send({ method: "notifications/initialized" });
const answer = await ask("tools/call", { name: tool, arguments: JSON.parse(argumentsText) });
process.stdout.write(JSON.stringify(answer.result ?? answer.error) + "\n", () => {
  server.removeAllListeners("exit");
  server.kill();
  process.exit(answer.error ? 1 : 0);
});
