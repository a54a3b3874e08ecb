// Starts the real engine for a test and talks to it.
import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import {createInterface} from "node:readline";
import {fileURLToPath} from "node:url";

export const serverPath = fileURLToPath(new URL("../../engine/server.mjs", import.meta.url));

function modelPath(variable) {
    assert.ok(process.env[variable], `set ${variable} to a tiny GGUF file`);
    return process.env[variable];
}

/** Random weights: text without meaning, of any length. */
export const randomModel = () => modelPath("ASSAY_TEST_GGUF");
/** Known answers at temperature 0. */
export const scriptModel = () => modelPath("ASSAY_TEST_GGUF_SCRIPT");

/** The process, with `stderr` gathered and `exited` resolving to {code, signal}. */
export function spawnEngine(args, stdin = "ignore", variables = {}) {
    const env = {...process.env, ...variables};
    const child = spawn(process.execPath, [serverPath, ...args], {stdio: [stdin, "pipe", "pipe"], env});
    child.errors = "";
    child.stderr.setEncoding("utf8").on("data", (text) => { child.errors += text; });
    child.exited = once(child, "exit").then(([code, signal]) => ({code, signal}));
    return child;
}

export async function readyLine(child) {
    const lines = createInterface({input: child.stdout});
    const line = await Promise.race([once(lines, "line"), child.exited.then(() => null)]);
    assert.ok(line, `the engine ended before it was ready: ${child.errors}`);
    return JSON.parse(line[0]);
}

/** An engine that is ready: {url, ready, child, stop()}. */
export async function startEngine(...args) {
    const child = spawnEngine(args);
    const ready = await readyLine(child);
    const stop = async () => {
        child.kill("SIGTERM");
        return child.exited;
    };
    return {url: ready.listening, ready, child, stop};
}

export function post(url, path, body, options = {}) {
    const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return fetch(url + path, {method: "POST", headers: {"content-type": "application/json"}, body: text, ...options});
}

export async function postJson(url, path, body) {
    const response = await post(url, path, body);
    return {status: response.status, body: await response.json()};
}

/** The events of a stream: parsed, "[DONE]" as it is. */
export async function events(response) {
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type"), /^text\/event-stream/);
    const text = await response.text();
    assert.ok(text.endsWith("\n\n"));
    return text.trimEnd().split("\n\n").map((block) => {
        assert.ok(block.startsWith("data: "));
        return block === "data: [DONE]" ? "[DONE]" : JSON.parse(block.slice("data: ".length));
    });
}

export const user = (content) => [{role: "user", content}];
