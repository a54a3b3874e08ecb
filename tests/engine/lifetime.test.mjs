// Starting, leaving, and clients that go away.
import assert from "node:assert/strict";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import {test} from "node:test";
import {post, postJson, randomModel, readyLine, spawnEngine, startEngine, user} from "./engine_process.mjs";

const kChat = "/v1/chat/completions";

function freePort() {
    return new Promise((resolve) => {
        const server = net.createServer().listen(0, "127.0.0.1", () => {
            const {port} = server.address();
            server.close(() => resolve(port));
        });
    });
}

function isAlive(pid) {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}

/** The first answer of /health, asked for until the port is open. */
async function firstHealth(url, child) {
    for (;;) {
        try {
            const response = await fetch(url + "/health");
            return {status: response.status, body: await response.json()};
        } catch (error) {
            if (child.exitCode !== null) throw error;
        }
    }
}

test("/health is 503 while the model loads", async () => {
    const port = await freePort();
    const child = spawnEngine(["--gguf", randomModel(), "--port", String(port)]);
    const ready = readyLine(child);
    const health = await firstHealth(`http://127.0.0.1:${port}`, child);
    assert.equal(health.status, 503);
    assert.deepEqual(health.body, {error: {code: 503, message: "Loading model", type: "unavailable_error"}});
    assert.equal((await ready).listening, `http://127.0.0.1:${port}`);
    child.kill("SIGTERM");
    await child.exited;
});

for (const signal of ["SIGTERM", "SIGINT"])
    test(`${signal} ends the engine with 0 and leaves nothing behind`, async () => {
        const {child} = await startEngine("--gguf", randomModel());
        child.kill(signal);
        assert.deepEqual(await child.exited, {code: 0, signal: null});
        assert.equal(isAlive(child.pid), false);
    });

test("SIGTERM ends the engine in the middle of an answer", async () => {
    const {url, child} = await startEngine("--gguf", randomModel());
    const response = await post(url, kChat, {messages: user("hi"), stream: true, ignore_eos: true});
    const start = performance.now();
    child.kill("SIGTERM");
    assert.deepEqual(await child.exited, {code: 0, signal: null});
    assert.ok(performance.now() - start < 3000);
    await response.text().catch(() => {});
});

test("SIGTERM while loading ends the engine", async () => {
    const port = await freePort();
    const child = spawnEngine(["--gguf", randomModel(), "--port", String(port)]);
    await firstHealth(`http://127.0.0.1:${port}`, child);
    child.kill("SIGTERM");
    const {code, signal} = await child.exited;
    // On a busy machine loading outlasts the grace, and then the engine kills itself.
    assert.ok(code === 0 || signal === "SIGKILL", `${code} ${signal} ${child.errors}`);
});

test("the end of stdin ends the engine when asked for", async () => {
    const child = spawnEngine(["--gguf", randomModel(), "--exit-on-stdin-eof"], "pipe");
    await readyLine(child);
    child.stdin.end();
    assert.deepEqual(await child.exited, {code: 0, signal: null});
});

test("a client that leaves frees its slot", async () => {
    const {url, stop} = await startEngine("--gguf", randomModel(), "--parallel", "1");
    const leave = new AbortController();
    const long = {messages: user("talk"), stream: true, ignore_eos: true};
    const response = await post(url, kChat, long, {signal: leave.signal});
    await response.body.getReader().read();
    leave.abort();
    const start = performance.now();
    const {status} = await postJson(url, kChat, {messages: user("next"), max_tokens: 1});
    assert.equal(status, 200);
    assert.ok(performance.now() - start < 500, "the slot was still busy");
    await stop();
});

test("a client that leaves the queue does not take a slot later", async () => {
    const {url, stop} = await startEngine("--gguf", randomModel(), "--parallel", "1");
    const running = postJson(url, kChat, {messages: user("first"), max_tokens: 300, ignore_eos: true});
    const leave = new AbortController();
    const waiting = post(url, kChat, {messages: user("second"), ignore_eos: true}, {signal: leave.signal});
    const third = postJson(url, kChat, {messages: user("third"), max_tokens: 1});
    leave.abort();
    await assert.rejects(waiting, {name: "AbortError"});
    assert.equal((await running).body.usage.completion_tokens, 300);
    assert.equal((await third).status, 200);
    await stop();
});

test("with a key in its environment the engine answers nobody without it", async () => {
    const child = spawnEngine(["--gguf", randomModel()], "ignore", {LLAMA_API_KEY: "the key"});
    try {
        const {listening} = await readyLine(child);
        const status = async (path, headers) => (await fetch(listening + path, {headers})).status;
        assert.equal(await status("/props"), 401);
        assert.equal(await status("/props", {authorization: "Bearer the"}), 401);
        assert.equal(await status("/no/such/path"), 401);
        assert.equal(await status("/props", {authorization: "Bearer the key"}), 200);
        assert.equal(await status("/health"), 200);
        assert.equal(await status("/v1/models"), 200);
    } finally {
        child.kill("SIGKILL");
        await child.exited;
    }
});

test("how the model is loaded can be said", async () => {
    const engine = await startEngine("--gguf", randomModel(), "--batch", "32", "--flash-attention", "off",
        "--mmap", "off", "--mlock", "off", "--cache-type-k", "f32", "--cache-type-v", "f32");
    try {
        const answer = await postJson(engine.url, kChat, {messages: user("hello"), max_tokens: 2});
        assert.equal(answer.status, 200);
        assert.equal(answer.body.usage.completion_tokens, 2);
    } finally {
        await engine.stop();
    }
});

test("what cannot start says why on stderr and leaves stdout empty", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "assay-engine-"));
    const broken = path.join(folder, "broken.gguf");
    writeFileSync(broken, "not a model");
    for (const [args, code, says] of [
        [[], 2, /--gguf/],
        [["--gguf", broken, "--port", "x"], 2, /--port/],
        [["--gguf", broken, "--colour", "red"], 2, /--colour/],
        [["--gguf", broken, "--mmap", "perhaps"], 2, /--mmap/],
        [["--gguf", broken, "--cache-type-k", "q9"], 2, /--cache-type-k/],
        [["--gguf", broken], 1, /cannot start/],
        [["--gguf", path.join(folder, "none.gguf")], 1, /cannot start/]
    ]) {
        const child = spawnEngine(args);
        let output = "";
        child.stdout.on("data", (text) => { output += text; });
        assert.equal((await child.exited).code, code);
        assert.match(child.errors, says);
        assert.equal(output, "");
    }
    rmSync(folder, {recursive: true});
});
