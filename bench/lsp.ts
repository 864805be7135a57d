/** How long an editor waits after a keystroke in a file of 1,000 lines (ceiling 30 ms). */
import { LanguageServer } from '../src/cli/lsp/server.ts';

const CHANGES = 100;
const uri = 'file:///tmp/bench.yaml';
const workload = (i: number) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${i}
spec:
  selector:
    matchLabels: { app: app-${i} }
  template:
    metadata:
      labels: { app: app-${i} }
    spec:
      hostPID: true
      containers:
        - name: app
          image: app:1.0.${i}
          ports:
            - containerPort: 8080
          securityContext:
            privileged: ${i % 2 === 0}
---
`;
const text = Array.from({ length: 50 }, (_, i) => workload(i)).join('');
let diagnostics = 0;
const server = new LanguageServer(message => {
  const { params } = message as { params?: { diagnostics?: unknown[] } };
  diagnostics = params?.diagnostics?.length ?? diagnostics;
});
const tell = async (method: string, params: object, id?: number) => {
  await server.receive(
    JSON.stringify({ jsonrpc: '2.0', method, params, ...(id === undefined ? {} : { id }) }),
  );
  await server.settle();
};
await tell('initialize', {}, 1);
await tell('textDocument/didOpen', { textDocument: { uri, version: 0, text } });
const times: number[] = [];
for (let version = 1; version <= CHANGES; version++) {
  const at = { line: 3, character: 8 };
  const start = performance.now();
  await tell('textDocument/didChange', {
    textDocument: { uri, version },
    contentChanges: [{ range: { start: at, end: at }, text: 'x' }],
  });
  times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
const of = (share: number) => times[Math.floor(share * (CHANGES - 1))]!.toFixed(1);
console.log(
  `${text.split('\n').length} lines, ${diagnostics} diagnostics: median ${of(0.5)} ms, 95 % ${of(0.95)} ms`,
);
