// The compiler's language server, by LSP over its standard input and output: what an editor shows.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { root } from '../house.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly params?: { readonly items?: readonly unknown[] };
}

/** What an editor shows at a place of a file: the type, then the docstring. */
interface Hover {
  readonly contents: { readonly value: string };
}

export class LanguageServer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #open: Map<number, (message: Message) => void> = new Map();
  #input: Buffer = Buffer.alloc(0);
  #count = 0;

  private constructor() {
    this.#child = spawn(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '--lsp', '--stdio'], { cwd: root });
    this.#child.stdout.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#child.stderr.resume();
    this.#child.on('exit', () => {
      for (const tell of this.#open.values()) tell({ error: { message: 'the language server is gone' } });
    });
  }

  static async start(): Promise<LanguageServer> {
    const server = new LanguageServer();
    const hover = { contentFormat: ['markdown'] };
    await server.#ask('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(root).href,
      capabilities: { textDocument: { hover } },
    });
    server.#send({ method: 'initialized', params: {} });
    return server;
  }

  open(file: string, text: string): void {
    const textDocument = { uri: pathToFileURL(file).href, languageId: 'typescript', version: 1, text };
    this.#send({ method: 'textDocument/didOpen', params: { textDocument } });
  }

  async hover(file: string, line: number, character: number): Promise<string> {
    const textDocument = { uri: pathToFileURL(file).href };
    const shown = (await this.#ask('textDocument/hover', { textDocument, position: { line, character } })) as Hover | null;
    return shown?.contents.value ?? '';
  }

  stop(): void {
    this.#child.kill();
  }

  #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#open.set(id, ({ result, error }) => {
        this.#open.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(error.message));
      });
      this.#send({ id, method, params });
    });
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #receive(bytes: Buffer): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    for (;;) {
      const [head, length] = /^Content-Length: (\d+)\r\n(?:.+\r\n)*\r\n/.exec(this.#input.toString('latin1')) ?? [];
      const end = (head?.length ?? 0) + Number(length);
      if (head === undefined || this.#input.length < end) return;
      const message = JSON.parse(this.#input.toString('utf8', head.length, end)) as Message;
      this.#input = this.#input.subarray(end);
      // What the server asks of its client, such as settings: there are none.
      if (message.method !== undefined && message.id !== undefined)
        this.#send({ id: message.id, result: message.params?.items?.map(() => null) ?? null });
      else if (message.id !== undefined) this.#open.get(message.id)?.(message);
    }
  }
}
